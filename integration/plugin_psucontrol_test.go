package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestPSUGuards: power can be turned on in every phase, and off when no job runs.
func TestPSUGuards(t *testing.T) {
	t.Parallel()
	const busy = "starting printing pausing paused resuming cancelling finishing sending"
	for _, access := range []Access{AccessRead, AccessControl, AccessFull} {
		for _, permission := range []string{"CONTROL", psuPermission} {
			for _, phase := range append(octoprint.Phases(), "") {
				for _, on := range []bool{true, false} {
					p := printerIn(situation{access, []string{permission}, phase})
					want := Code("ok")
					switch {
					case access == AccessRead:
						want = CodeAccessDenied
					case permission != psuPermission:
						want = CodeNotPermitted
					case phase == "":
						want = CodeUnreachable
					case !on && slices.Contains(strings.Fields(busy), string(phase)):
						want = CodeWrongState
					}
					if got := decideAction(t, p, actionPSU, mustMarshal(maintenanceParameters{On: on})); got != want {
						t.Errorf("%s %s %q on=%v: %s, want %s", access, permission, phase, on, got, want)
					}
				}
			}
		}
	}
}

// TestPSU: what is sent to the plugin, and what isn't.
func TestPSU(t *testing.T) {
	t.Parallel()
	on := true
	o := answering(psuID, "", "", nil)
	o.Plugins[psuID] = octoprinttest.Plugin{Serve: func(q octoprinttest.PluginRequest) (int, any) {
		var body struct{ Command string }
		if err := json.Unmarshal(q.Body, &body); err != nil {
			return 400, nil
		}
		switch body.Command {
		case "turnPSUOn", "turnPSUOff":
			on = body.Command == "turnPSUOn"
			return 204, nil
		}
		return 200, map[string]bool{"isPSUOn": on}
	}}
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		s := w.sims["left"]
		w.expect("left", "psu", "ON")
		for payload, want := range map[string]Code{"off": CodeInvalid, "TOGGLE": CodeInvalid, "": CodeInvalid, "1": CodeInvalid} {
			if r := w.set("left", "psu", payload); r.code() != want {
				t.Errorf("%q: %v", payload, r.Error)
			}
		}
		before := len(s.Requests())
		w.print("left")
		w.sleep(5 * time.Second)
		if r := w.set("left", "psu", "OFF"); r.code() != CodeWrongState || !on {
			t.Errorf("while printing: %v", r.Error)
		}
		w.must(s.Cancel())
		w.within(time.Minute, "idle", func() bool { return w.value("left", "state") == "idle" })
		if got := s.sentTo(before); len(got) > 0 {
			t.Errorf("sent %q", got)
		}
		for _, payload := range []string{"OFF", "OFF", "ON"} {
			if r := w.set("left", "psu", payload); r.code() != "ok" {
				t.Errorf("%s: %v", payload, r.Error)
			}
			w.expect("left", "psu", "ON") // nothing is shown before the plugin says so
			w.sleep(2 * time.Second)
		}
		want := []string{
			`POST /api/plugin/psucontrol {"command":"turnPSUOff"}`, `POST /api/plugin/psucontrol {"command":"turnPSUOff"}`,
			`POST /api/plugin/psucontrol {"command":"turnPSUOn"}`,
		}
		if got := s.sentTo(before); !slices.Equal(got, want) {
			t.Errorf("sent %q", got)
		}
		s.Announce(psuID, map[string]any{"isPSUOn": false})
		w.sleep(time.Second)
		w.expect("left", "psu", "OFF")
	}, setup{prepare: withBenchy, options: o})
}
