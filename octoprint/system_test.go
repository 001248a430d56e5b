package octoprint_test

import (
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestDiagnostics: what servers tell of themselves.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, SafeMode: "flag"}, func(b *bench) {
			admin, operator := b.client("admin"), b.client("operator")
			if name, err := admin.Firmware(b.t.Context()); err != nil || name != "Virtual Marlin 1.0" {
				t.Errorf("%s: the firmware is %q (%v)", version, name, err)
			}
			if why, err := operator.SafeMode(b.t.Context()); err != nil || why != "flag" {
				t.Errorf("%s: safe mode %q (%v)", version, why, err)
			}
			usage, err := admin.DiskFree(b.t.Context())
			must(b.t, err)
			files, err := operator.FilesFree(b.t.Context())
			must(b.t, err)
			if usage == nil || files == nil || *usage < 1e9 || *usage != *files {
				t.Errorf("%s: free are %v and %v", version, usage, files)
			}
			_, err = operator.Firmware(b.t.Context())
			wantFailure(t, err, octoprint.NotPermitted)
			_, err = operator.DiskFree(b.t.Context())
			wantFailure(t, err, octoprint.NotPermitted)
			must(b.t, b.sim.Disconnect())
			after(time.Second)
			if name, err := admin.Firmware(b.t.Context()); err != nil || name != "" {
				t.Errorf("%s: offline, and the firmware is %q (%v)", version, name, err)
			}
		})
	}
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		if why, err := b.client("operator").SafeMode(b.t.Context()); err != nil || why != "" {
			t.Errorf("safe mode %q (%v)", why, err)
		}
	})
	bubble(t, octoprinttest.Options{Version: "1.4.2"}, func(b *bench) {
		_, err := b.client("operator").SafeMode(b.t.Context())
		wantFailure(t, err, octoprint.Refused)
	})
}

// TestSystemCommandsOfPlugins are listed with the owner's.
func TestSystemCommandsOfPlugins(t *testing.T) {
	t.Parallel()
	o := octoprinttest.Options{SystemCommands: []octoprinttest.SystemCommand{{Action: "lamp", Name: "Lamp"}, {Action: "divider"}, {Action: "x", Name: "X", Source: "plugin"}}}
	bubble(t, o, func(b *bench) {
		list, err := b.client("admin").SystemCommands(b.t.Context())
		must(b.t, err)
		var got []string
		for _, c := range list {
			got = append(got, c.Source+"/"+c.Action)
		}
		if want := "core/shutdown core/reboot core/restart core/restart_safe plugin/x custom/lamp"; strings.Join(got, " ") != want {
			t.Errorf("%s, want %s", got, want)
		}
		must(b.t, b.client("admin").RunSystemCommand(b.t.Context(), "plugin", "x"))
	})
}
