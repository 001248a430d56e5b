//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAsyncAPIDocumentIsValid: AsyncAPI's own parser finds nothing wrong with what the
// program prints, and finds the topics in it.
func TestAsyncAPIDocumentIsValid(t *testing.T) {
	code, document := runProgram(t, "asyncapi")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, document)
	}
	file := filepath.Join(t.TempDir(), "asyncapi.json")
	must(t, os.WriteFile(file, []byte(document), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	out, err := exec.CommandContext(ctx, "asyncapi/check.sh", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " channels, ") {
		t.Errorf("%v:\n%s", err, out)
	}
}
