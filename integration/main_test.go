package integration

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets garbage lie about for longer: the worlds of the tests are short-lived.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
