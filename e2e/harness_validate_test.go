//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// validateDiscovery gives discovery messages, in the order in which they were
// sent, to the schemas of the installed Home Assistant.
func validateDiscovery(t *testing.T, ha *homeAssistant, messages []message) {
	t.Helper()
	if len(messages) == 0 {
		return
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, m := range messages {
		must(t, encoder.Encode(map[string]string{"topic": m.Topic, "payload": m.Payload}))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, "python3", "homeassistant/validate.py", "--quiet", "--strict")
	cmd.Env = append(os.Environ(), "HA_DIR="+ha.folder)
	cmd.Stdin = &lines
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("Home Assistant's schemas on the discovery messages: %v\n%s", err, out)
	}
}
