//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestVersions has the same scenario with every version of OctoPrint that is asked for, each from an empty server.
func TestVersions(t *testing.T) {
	found := anyServers(t)
	if found.Versions == "" {
		t.Fatal("no version is named")
	}
	for name := range strings.FieldsSeq(found.Versions) {
		t.Run(name, func(t *testing.T) {
			v := startVersion(t, name)
			parts := []struct {
				name string
				run  func(version)
			}{
				{"connection", versionConnects},
				{"print", versionPrints},
				{"stop and go", versionPausesResumesAndCancels},
				{"error", versionFails},
				{"read only", versionReadOnly},
				{"keys", versionRefusesKeys},
				{"permissions", versionLosesPermissions},
				{"files", versionHandlesFiles},
				{"heat", versionHeats},
				{"full access", versionGivesFullAccess},
				{"restart", versionComesBack},
			}
			for _, part := range parts {
				if part.name == "restart" && len(found.OctoPrint) > 0 && name == found.OctoPrint[0].Version {
					continue // the other tests do so in many ways
				}
				t.Run(part.name, func(t *testing.T) { part.run(v.with(t)) })
			}
		})
	}
}

// versionConnects begins with a printer that is off, connects and disconnects it. Since 2.0 a printer may be connected in
// several ways.
func versionConnects(v version) {
	t := v.t
	f := v.left("operator", func(f *farm) {
		f.octo["left"].disconnect(t)
		f.octo["left"].waitClosed(t)
	})
	f.waitOnline("left")
	f.expectOffline()
	f.expectVersion(v)

	mark := f.broker.mark()
	f.request("left", "connect", "{}").mustSucceed(t)
	f.octo["left"].waitState(t, "Operational")
	f.expect("left/state", "idle")
	f.expect("left/connected", "ON")
	if have, want := f.octo["left"].connector(t), v.server.Connect["connector"]; have != want {
		t.Errorf("the printer is connected by the connector %v, want %v, which OctoPrint prefers", have, want)
	}
	f.waitTruth(soon, "left")
	f.request("left", "connect", "{}").mustFail(t, "wrong_state")
	f.request("left", "disconnect", "{}").mustSucceed(t)
	f.octo["left"].waitClosed(t)
	f.expectOffline()
	again := f.broker.mark()
	f.set("left", "connect", "PRESS").mustSucceed(t)
	f.waitEvent(again, "left", "printer_connected")
	f.settle()
	f.wantOnce(mark, "left/event", "printer_connected", "printer_disconnected", "printer_connected")
}

// versionPrints prints a file from its upload to its end. The file tells its own progress, but not from the beginning: 2.0
// takes it at its word, so that what it tells falls then.
func versionPrints(v version) {
	t := v.t
	f := v.left("operator", nil)
	f.waitOnline("left")
	f.expect("left/state", "idle")
	mark := f.broker.mark()
	path := f.octo["left"].printFile(t, "whole.gcode", withM73(slowPrint(10)))
	f.waitEvent(mark, "left", "print_started")
	f.expect("left/printing", "ON")
	f.expect("left/file", path)
	f.waitEvent(mark, "left", "print_finished")
	f.expect("left/state", "idle")
	f.expect("left/printing", "OFF")
	f.expect("left/last_result", "success")
	f.expect("left/last_file", path)
	f.settle()
	f.wantOnce(mark, "left/event", "print_started", "print_finished")
	for _, row := range []string{"progress", "elapsed", "remaining", "started", "finish"} {
		f.expect("left/"+row, "None")
	}
	shown := f.history(mark, "left/progress")
	if !slices.Contains(shown, "100") {
		t.Errorf("progress %q, want 100 in it", shown)
	}
	f.waitTruth(soon, "left")
}

// versionPausesResumesAndCancels does so in turn. Since 2.0 OctoPrint says of a paused printer that it prints, too.
func versionPausesResumesAndCancels(v version) {
	t := v.t
	f := v.left("operator", nil)
	f.waitOnline("left")
	mark := f.broker.mark()
	path := f.startPrint("left", "stop-and-go.gcode", 300)
	f.request("left", "pause", "{}").mustSucceed(t)
	f.octo["left"].waitState(t, "Paused")
	f.expect("left/state", "paused")
	f.expect("left/printing", "ON")
	f.expect("left/finish", "None")
	f.expect("farm/paused", "1")
	f.waitTruth(soon, "left")
	f.request("left", "pause", "{}").mustFail(t, "wrong_state")

	f.request("left", "resume", "{}").mustSucceed(t)
	f.octo["left"].waitState(t, "Printing")
	f.expect("left/state", "printing")
	f.request("left", "resume", "{}").mustFail(t, "wrong_state")

	f.request("left", "cancel", "{}").mustSucceed(t)
	f.octo["left"].waitState(t, "Operational")
	f.expect("left/state", "idle")
	f.expect("left/last_result", "cancelled")
	f.expect("left/last_file", path)
	f.settle()
	want := []string{"print_started", "print_paused", "print_resumed", "print_cancelled"}
	if got := typesOf(f.events(mark, "left/event")); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

// versionFails has the firmware stop for good during a print.
func versionFails(v version) {
	t := v.t
	f := v.left("operator", nil)
	f.waitOnline("left")
	path := f.startPrint("left", "doomed.gcode", 300)
	mark := f.broker.mark()
	f.octo["left"].gcode(t, "!!DEBUG:trigger_fatal_error_marlin")
	f.expect("left/state", "error")
	f.expect("left/problem", "ON")
	f.expectThat("left/error", "what the firmware says", func(text string) bool { return strings.Contains(text, "halted") })
	f.expect("left/printing", "OFF")
	f.expect("left/last_result", "failed")
	f.expect("left/last_file", path)
	f.expect("farm/error", "1")
	f.settle()
	f.wantOnce(mark, "left/event", "printer_error", "print_failed", "printer_disconnected")
	if failed := f.waitEvent(mark, "left", "print_failed"); failed.Reason != "error" || failed.File != path {
		t.Errorf("event %+v, want reason error, file %s", failed, path)
	}

	mark = f.broker.mark()
	f.request("left", "connect", "{}").mustSucceed(t)
	f.expect("left/state", "idle")
	f.expect("left/problem", "OFF")
	f.expect("left/error", "None")
	f.settle()
	f.wantOnce(mark, "left/event", "printer_connected")
}

// versionReadOnly reaches the server as a user who may only look.
func versionReadOnly(v version) {
	f := v.left("readonly", nil)
	f.expectReadOnly("not_permitted")
	f.waitTruth(soon, "left")
}

// expectVersion wants the bridge to have learned which OctoPrint this is, and whose key it has.
func (f *farm) expectVersion(v version) {
	f.t.Helper()
	f.expectThat("left", "the version and the user", func(text string) bool {
		var document struct {
			OctoPrint struct{ Version, User string }
		}
		return json.Unmarshal([]byte(text), &document) == nil && document.OctoPrint.Version == v.name && document.OctoPrint.User == "operator"
	})
}

// versionRefusesKeys has keys that don't do, which OctoPrint tells in another way with nearly every release.
func versionRefusesKeys(v version) {
	for user, connection := range map[string]string{"": "unauthorized", "global": "unauthorized", "nobody": "not_permitted"} {
		v.t.Run(cmp.Or(user, "wrong"), func(t *testing.T) {
			f := v.with(t).left(cmp.Or(user, "operator"), func(f *farm) {
				if user == "" {
					f.config.Printers[0].APIKey = "no-such-key-no-such-key-no-such-key-no-such"
				}
			})
			f.expectRefusedBy(connection)
		})
	}
}

// versionLosesPermissions takes the controls away from a user while the bridge runs, and gives them back.
func versionLosesPermissions(v version) {
	t := v.t
	f := v.left("operator", nil)
	f.waitOnline("left")
	octo, before := f.octo["left"], f.controls("left")
	octo.setGroups(t, "operator", "readonly")
	t.Cleanup(func() { octo.setGroups(t, "operator", "users") })
	eventually(t, "the controls are no longer announced", patient, func() (bool, string) {
		controls := f.controls("left")
		return len(controls) == 0, joined(controls)
	})
	f.expect("left/connection", "connected")
	f.request("left", "set_temperature", `{"heater":"bed","target":50}`).mustFail(t, "not_permitted")
	f.expectNoChanges()
	octo.setGroups(t, "operator", "users")
	eventually(t, "the controls are announced again", patient, func() (bool, string) {
		controls := f.controls("left")
		return slices.Equal(controls, before), joined(controls)
	})
	f.request("left", "set_temperature", `{"heater":"bed","target":50}`).mustSucceed(t)
	octo.waitTarget(t, "bed", 50)
}

// versionComesBack has OctoPrint die and start again.
func versionComesBack(v version) {
	t := v.t
	f := v.left("operator", nil)
	f.waitOnline("left")
	f.octo["left"].kill(t)
	f.expectWithin(noticed, "left/connection", "unreachable", func(text string) bool { return text == "unreachable" })
	f.expect("left/availability", "offline")
	f.expect("left/tool0_temperature", "None")
	f.octo["left"].up(t)
	f.expectWithin(returned, "left/connection", "connected", func(text string) bool { return text == "connected" })
	f.expect("left/state", "idle")
	f.waitTruth(soon, "left")
}
