//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

const rivalSeen = "warn: another octoprint2mqtt is at work on the same base topic"

// secondBridge starts another bridge with the same base topic and printers, but a folder of its own.
func (f *farm) secondBridge(clientID string) *process {
	f.t.Helper()
	c := f.config
	c.MQTT = map[string]any{"url": f.config.MQTT["url"], "client_id": clientID}
	file := filepath.Join(f.t.TempDir(), "config.yaml")
	c.writeTo(f.t, file)
	return startProgram(f.t, "run", "--config", file)
}

// instances returns who has said something about itself since a mark.
func (f *farm) instances(mark int) []string {
	f.t.Helper()
	f.broker.barrier(f.t)
	found := map[string]bool{}
	about := func(topic string) bool {
		return topic == baseTopic+"/bridge/info" || topic == baseTopic+"/bridge/health"
	}
	for _, m := range f.broker.after(mark, about) {
		var document struct{ Instance string }
		must(f.t, json.Unmarshal([]byte(m.Payload), &document))
		found[document.Instance] = true
	}
	return keysOf(found)
}

// expectOneAtWork sends a command, which has to be carried out and answered once.
func (f *farm) expectOneAtWork() {
	f.t.Helper()
	mark, changes := f.broker.mark(), len(f.lines["left"].changes())
	f.request("left", "set_temperature", `{"heater":"bed","target":40}`).mustSucceed(f.t)
	f.octo["left"].waitTarget(f.t, "bed", 40)
	f.expect("left/bed_target", "40")
	f.settle()
	if answers := f.history(mark, "left/response/set_temperature"); len(answers) != 1 {
		f.t.Errorf("answers %q, want one", answers)
	}
	if now := len(f.lines["left"].changes()); now != changes+1 {
		f.t.Errorf("OctoPrint got %d commands, want one", now-changes)
	}
	f.request("left", "set_temperature", `{"heater":"bed","target":0}`).mustSucceed(f.t)
	f.octo["left"].waitTarget(f.t, "bed", 0)
}

// TestSecondBridgeKeepsStill, by whichever name it logs in: it says once why, and disturbs nothing.
func TestSecondBridgeKeepsStill(t *testing.T) {
	for name, clientID := range map[string]string{"same client id": baseTopic, "another client id": "another"} {
		t.Run(name, func(t *testing.T) {
			f := left(t)
			f.waitTruth(soon, "left")
			f.compareWithHomeAssistant() // it may still have the values of the test before
			before, mark, logged := f.picture(), f.broker.mark(), f.bridge.logMark()
			second := f.secondBridge(clientID)
			second.waitLog(t, soon, 0, rivalSeen)
			f.expectOneAtWork()
			f.waitTruth(soon, "left")
			f.compareWithHomeAssistant()
			if found := before.differences(f.picture(), true); len(found) > 0 {
				t.Errorf("afterwards:\n%s", strings.Join(found, "\n"))
			}
			f.bridge.wantLog(t, logged, nil, nil)
			if said := f.history(mark, "bridge/state"); len(said) > 0 {
				t.Errorf("bridge/state was published as %q", said)
			}

			// The second one ends without a word, too.
			if code, _ := second.stop(t); code != 0 {
				t.Errorf("it ended with exit code %d", code)
			}
			second.wantLog(t, 0, []string{"info: octoprint2mqtt starts", "info left: connected to OctoPrint", rivalSeen, "info: stopped"}, nil)
			if said := f.instances(f.start); len(said) != 1 {
				t.Errorf("the bridges %q have published, want one", said)
			}

			// When the first one has gone, the next to come works at once.
			f.bridge.stop(t)
			second = f.secondBridge(clientID)
			second.waitLog(t, soon, 0, brokerBack)
			f.waitOnline("left")
			f.expectOneAtWork()
			f.compareWithHomeAssistant()
			second.stop(t)
		})
	}
}
