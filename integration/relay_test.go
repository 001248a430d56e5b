package integration

import (
	"testing"
	"time"
)

// TestRelayedEvents: what OctoPrint tells beside prints is told with the facts that
// it has, and only of files that can be printed.
func TestRelayedEvents(t *testing.T) {
	t.Parallel()
	file := func(path string, types ...string) map[string]any {
		return map[string]any{"storage": "local", "path": path, "name": "part.gcode", "type": types, "operation": "add"}
	}
	sd := file("PART~1.GCO", "machinecode", "gcode")
	sd["storage"] = "printer"
	for _, tt := range []struct {
		name    string
		payload any
		want    event // without a type: nothing is told
	}{
		{"FileAdded", file("a/part.gcode", "machinecode", "gcode"), event{Type: EventFileAdded, File: "part.gcode", Path: "a/part.gcode", Origin: "local"}},
		{"FileAdded", sd, event{Type: EventFileAdded, File: "part.gcode", Path: "PART~1.GCO", Origin: "sdcard"}},
		{"FileAdded", file("part.stl", "model", "stl"), event{}},
		{"FileAdded", map[string]any{"path": "part.gcode", "type": "machinecode"}, event{}},
		{"FileAdded", nil, event{}},
		{"FileRemoved", file("part.gcode", "machinecode", "gcode"), event{Type: EventFileRemoved, File: "part.gcode", Path: "part.gcode", Origin: "local"}},
		{"FileRemoved", file("folder", "folder"), event{}},
		{"FilamentChange", nil, event{Type: EventFilamentChange}},
		{
			"MovieDone",
			map[string]any{"gcode": "part.gcode", "movie": "/home/pi/part_1.mp4", "movie_basename": "part_1.mp4"},
			event{Type: EventTimelapseDone, File: "part.gcode", Path: "part_1.mp4"},
		},
		{"MovieDone", map[string]any{}, event{}},
		{"MovieDone", []string{"movie"}, event{}},
		{"UpdatedFiles", map[string]any{"type": "printables"}, event{}},
	} {
		inBubble(t, func(w *world) {
			w.up()
			before := w.broker.seen()
			w.sims["left"].Emit(tt.name, tt.payload)
			w.sleep(time.Second)
			events := w.events(before, "left")
			if tt.want.Type == "" {
				if len(events) > 0 {
					t.Errorf("%s %v is told: %+v", tt.name, tt.payload, events)
				}
				return
			}
			if len(events) != 1 {
				t.Fatalf("%s %v is told as %+v", tt.name, tt.payload, events)
			}
			got := events[0]
			if got.ID == "" || got.Printer != "left" || got.Late || got.Time.IsZero() {
				t.Errorf("%+v", got)
			}
			got.ID, got.Printer, got.Time = "", "", time.Time{}
			if got != tt.want {
				t.Errorf("%s %v is told as\n%+v, want\n%+v", tt.name, tt.payload, got, tt.want)
			}
			w.checkFarmEvents(before, events)
		})
	}
}

// TestFilamentChangeIsAboutThePrint.
func TestFilamentChangeIsAboutThePrint(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		w.sleep(10 * time.Second)
		before := w.broker.seen()
		w.sims["left"].Emit("FilamentChange", nil)
		w.sleep(time.Second)
		events := w.events(before, "left")
		if len(events) != 1 || events[0].Type != EventFilamentChange || events[0].Path != benchy().Path || events[0].Origin != "local" {
			t.Errorf("told %+v", events)
		}
	}, setup{prepare: withShortBenchy})
}
