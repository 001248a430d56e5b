package octoprint_test

import (
	"fmt"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestUpdates: what the software update plugin knows.
func TestUpdates(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
			c := b.client("operator")
			check := func(want string) {
				t.Helper()
				got, err := c.Updates(b.t.Context())
				if err != nil || fmt.Sprintf("%+v", got) != want {
					t.Errorf("%s: %+v (%v), want %s", version, got, err, want)
				}
			}
			check("{Installed:" + version + " Latest: Plugins:[]}")
			b.sim.SetUpdates(octoprinttest.Updates{OctoPrint: "99.1.0", Plugins: []string{"Zoom", "Alarm"}})
			check("{Installed:" + version + " Latest:99.1.0 Plugins:[Alarm Zoom]}")
			wantFailure(t, c.UpdateOctoPrint(b.t.Context()), octoprint.NotPermitted)
			_, err := b.client("readonly").Updates(b.t.Context())
			wantFailure(t, err, octoprint.NotPermitted)
		})
	}
}

// TestUpdatesNobodyKnows: without the internet the plugin knows nothing, and of
// what is disabled it isn't asked.
func TestUpdatesNobodyKnows(t *testing.T) {
	t.Parallel()
	front := instead("/plugin/softwareupdate/check", page(200, "application/json", `{"information":{
		"octoprint":{"displayVersion":"1.11.8","error":"network","information":{"local":{"name":"?","value":"?"},"remote":{"name":"?","value":"?"}},"updateAvailable":true},
		"silent":{"updateAvailable":true,"disabled":true},
		"nameless":{"updateAvailable":true,"displayName":null}}}`))
	bubbleBehind(t, octoprinttest.Options{}, front, func(b *bench) {
		got, err := b.client("operator").Updates(b.t.Context())
		if want := "{Installed:1.11.8 Latest: Plugins:[nameless]}"; err != nil || fmt.Sprintf("%+v", got) != want {
			t.Errorf("%+v (%v), want %s", got, err, want)
		}
	})
}

// TestUpdateOctoPrint: it is done at once or not at all.
func TestUpdateOctoPrint(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{Updates: octoprinttest.Updates{OctoPrint: "99.1.0"}}, func(b *bench) {
		c := b.client("admin")
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode"})
		must(b.t, b.sim.Print("a.gcode"))
		after(time.Second)
		wantFailure(t, c.UpdateOctoPrint(b.t.Context()), octoprint.Conflict)
		if list := b.sim.QueuedUpdates(); len(list) > 0 {
			t.Errorf("put off to the end of the print: %q", list)
		}
		must(b.t, b.sim.Cancel())
		after(10 * time.Second)
		must(b.t, c.UpdateOctoPrint(b.t.Context()))
		after(30 * time.Second)
		got, err := c.Updates(b.t.Context())
		if err != nil || got.Latest != "" {
			t.Errorf("%+v (%v)", got, err)
		}
	})
	refused := instead("/plugin/softwareupdate/update", page(200, "application/json", `{"order":[],"checks":{}}`))
	bubbleBehind(t, octoprinttest.Options{}, refused, func(b *bench) {
		wantFailure(t, b.client("admin").UpdateOctoPrint(b.t.Context()), octoprint.Refused)
	})
}
