//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// versionHandlesFiles lists, selects and prints files by action.
func versionHandlesFiles(v version) {
	t := v.t
	f := v.left("operator", nil)
	f.waitOnline("left")
	octo := f.octo["left"]
	first, second := octo.upload(t, "first.gcode", slowPrint(300), nil), octo.upload(t, "second.gcode", "G28\n", nil)
	var answer struct {
		Files []struct{ Origin, Path string }
	}
	listed := f.request("left", "files", "{}")
	listed.mustSucceed(t)
	must(t, json.Unmarshal(listed.Data, &answer))
	for _, path := range []string{first, second} {
		if !slices.Contains(answer.Files, struct{ Origin, Path string }{"local", path}) {
			t.Errorf("the files are %s, want local %s among them", listed.Data, path)
		}
	}
	f.request("left", "select", fmt.Sprintf(`{"path":%q}`, second)).mustSucceed(t)
	f.expect("left/file", second)
	f.expect("left/state", "idle")
	f.request("left", "print", `{"path":"no-such-file.gcode"}`).mustFail(t, "invalid")
	mark := f.broker.mark()
	f.request("left", "print", fmt.Sprintf(`{"path":%q,"origin":"local"}`, first)).mustSucceed(t)
	f.waitEvent(mark, "left", "print_started")
	f.expect("left/file", first)
	f.request("left", "select", fmt.Sprintf(`{"path":%q}`, second)).mustFail(t, "wrong_state")
	f.request("left", "cancel", "{}").mustSucceed(t)
	f.waitEvent(mark, "left", "print_cancelled")
	f.settle()
	f.wantOnce(mark, "left/event", "print_started", "print_cancelled")
}

// versionHeats sets targets, and some that OctoPrint itself might take.
func versionHeats(v version) {
	t := v.t
	f := v.left("operator", nil)
	f.waitOnline("left")
	octo := f.octo["left"]
	f.request("left", "set_temperature", `{"heater":"tool0","target":50}`).mustSucceed(t)
	octo.waitTarget(t, "tool0", 50)
	f.expect("left/tool0_target", "50")
	f.set("left", "bed_setpoint", "40").mustSucceed(t)
	octo.waitTarget(t, "bed", 40)
	f.expect("left/bed_setpoint", "40")
	before := len(f.lines["left"].changes())
	f.request("left", "set_temperature", `{"heater":"tool0","target":301}`).mustFail(t, "out_of_range")
	f.request("left", "set_temperature", `{"heater":"tool1","target":50}`).mustFail(t, "invalid")
	f.request("left", "set_temperature", `{"heater":"chamber","target":50}`).mustFail(t, "invalid")
	f.request("left", "extrude", `{"amount_mm":5}`).mustFail(t, "wrong_state")
	f.request("left", "jog", `{"z":1000}`).mustFail(t, "out_of_range")
	f.settle()
	if changes := f.lines["left"].changes()[before:]; len(changes) > 0 {
		t.Errorf("the bridge sent %v for what it has refused", changes)
	}
	sent := len(octo.serialSent(t))
	f.request("left", "home", `{"axes":["z"]}`).mustSucceed(t)
	f.request("left", "jog", `{"x":10,"speed":3000}`).mustSucceed(t)
	f.request("left", "set_temperature", `{"heater":"tool0","target":0}`).mustSucceed(t)
	octo.waitTarget(t, "tool0", 0)
	octo.waitSent(t, sent, "G28 Z0", "X10")
}

// versionGivesFullAccess sends G-code, and what else needs full access, as an administrator.
func versionGivesFullAccess(v version) {
	t := v.t
	f := v.left("admin", func(f *farm) {
		f.config.Printers[0].Access = "full"
		f.config.Printers[0].Allowed = []string{"M117", "M106!"}
	})
	f.waitOnline("left")
	octo := f.octo["left"]
	sent := len(octo.serialSent(t))
	f.request("left", "gcode", `{"command":"M117 hello"}`).mustSucceed(t)
	f.request("left", "gcode", `{"commands":["M106 S10","M117 100% {sure}"]}`).mustFail(t, "invalid")
	f.request("left", "gcode", `{"command":"M999"}`).mustFail(t, "access_denied")
	f.request("left", "message", `{"text":"half 50% {done}"}`).mustSucceed(t)
	octo.waitSent(t, sent, "M117 hello", "M117 half 50% {done}")

	lamp := filepath.Join(v.server.Folder, "lamp")
	f.request("left", "system", `{"source":"custom","action":"lamp_on"}`).mustSucceed(t)
	eventually(t, "the command has run", soon, func() (bool, string) {
		text, err := os.ReadFile(lamp)
		return string(text) == "on\n", fmt.Sprintf("%q %v", text, err)
	})
	f.request("left", "system", `{"source":"custom","action":"fails"}`).mustFail(t, "octoprint_error")
	f.request("left", "system", `{"source":"custom","action":"lamp_broken"}`).mustFail(t, "invalid")

	content := base64.StdEncoding.EncodeToString([]byte("G28\n"))
	uploaded := f.request("left", "upload", fmt.Sprintf(`{"name":"sent.gcode","base64":%q}`, content))
	uploaded.mustSucceed(t)
	if !strings.Contains(string(uploaded.Data), `"sent.gcode"`) {
		t.Errorf("the upload answers %s", uploaded.Data)
	}
	f.request("left", "delete", `{"path":"sent.gcode"}`).mustSucceed(t)
	f.request("left", "delete", `{"path":"sent.gcode"}`).mustFail(t, "invalid")
}
