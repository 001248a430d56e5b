//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// The usual limits of a wait. They only matter when something is wrong, so
// they are generous: a busy machine must not fail a test.
const (
	soon     = 15 * time.Second
	patient  = 60 * time.Second
	pollStep = 100 * time.Millisecond

	// noticed is how long a loss may stay unnoticed: 25 s of silence are promised, and 5 s of grace for a printer come
	// on top.
	noticed = 35 * time.Second
	// returned is how long a return may stay unnoticed: the pause between two attempts, a minute at most, and 5 s.
	returned = 80 * time.Second
)

// eventually asks until the answer is yes, and fails with what was seen last
// when that doesn't happen in time.
func eventually(t *testing.T, what string, limit time.Duration, ask func() (ok bool, seen string)) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		ok, seen := ask()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v; last seen: %s", what, limit, seen)
		}
		time.Sleep(pollStep)
	}
}
