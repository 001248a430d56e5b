package integration

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// inPhase brings the printer left into a phase.
func (w *world) inPhase(phase octoprint.Phase) {
	w.t.Helper()
	s := w.sims["left"]
	switch phase {
	case octoprint.PhaseIdle:
		w.must(s.Select(benchy().Path))
	case octoprint.PhasePrinting:
		w.print("left")
	case octoprint.PhasePaused:
		w.print("left")
		w.must(s.Pause())
	case octoprint.PhaseOffline:
		w.must(s.Disconnect())
	case octoprint.PhaseError:
		w.must(s.FirmwareError("MINTEMP triggered"))
	case "":
		s.line.SetUp(false)
		s.line.Cut()
		w.within(10*time.Second, "unreachable", func() bool { return w.value("left", "connection") == "unreachable" })
		return
	}
	w.within(10*time.Second, string(phase), func() bool { return w.value("left", "state") == string(phase) })
	w.sleep(2 * time.Second)
}

// fullAccess allows everything that can be allowed, and some G-code.
func fullAccess(c *PrinterConfig) {
	c.Access, c.APIKey = AccessFull, "admin-key"
	c.GcodeAllow = []GcodeWord{{Word: "M106", WhilePrinting: true}, {Word: "G28"}}
}

// TestCommandsReachOctoPrint sends every action in a phase that it may run in, as
// a request and as a row's command, and sees what arrives.
func TestCommandsReachOctoPrint(t *testing.T) {
	t.Parallel()
	const tool, bed = "POST /api/printer/tool ", "POST /api/printer/bed "
	for _, tt := range []struct {
		phase              octoprint.Phase
		action, parameters string
		row, payload       string // "": no row stands for this
		want               string
		then               string // what the state becomes, "" for nothing else
	}{
		{"printing", "pause", `{}`, "pause", "PRESS", `POST /api/job {"action":"pause","command":"pause"}`, "paused"},
		{"paused", "resume", `{}`, "resume", "PRESS", `POST /api/job {"action":"resume","command":"pause"}`, "printing"},
		{"paused", "cancel", `{}`, "cancel", "PRESS", `POST /api/job {"command":"cancel"}`, "idle"},
		{"printing", "cancel", `{}`, "cancel", "PRESS", `POST /api/job {"command":"cancel"}`, "idle"},
		{"idle", "start", `{}`, "start", "PRESS", `POST /api/job {"command":"start"}`, "printing"},
		{"paused", "restart", `{}`, "", "", `POST /api/job {"command":"restart"}`, "printing"},
		{"offline", "connect", `{}`, "connect", "PRESS", `POST /api/connection {"command":"connect"}`, "idle"},
		{"error", "connect", `{"port":"VIRTUAL","baudrate":115200}`, "", "", `POST /api/connection {"baudrate":115200,"command":"connect","port":"VIRTUAL"}`, "idle"},
		{"idle", "disconnect", `{}`, "disconnect", "PRESS", `POST /api/connection {"command":"disconnect"}`, "offline"},
		{"idle", "home", `{}`, "home", "PRESS", `POST /api/printer/printhead {"axes":["x","y","z"],"command":"home"}`, "idle"},
		{"idle", "home", `{"axes":["z"]}`, "", "", `POST /api/printer/printhead {"axes":["z"],"command":"home"}`, "idle"},
		{"idle", "set_temperature", `{"heater":"tool0","target":205.5}`, "tool0_setpoint", "205.5", tool + `{"command":"target","targets":{"tool0":205.5}}`, "idle"},
		{"idle", "set_temperature", `{"heater":"bed","target":60}`, "bed_setpoint", "60", bed + `{"command":"target","target":60}`, "idle"},
		{"printing", "set_temperature", `{"heater":"bed","target":55}`, "bed_setpoint", "55", bed + `{"command":"target","target":55}`, "printing"},
		{"idle", "", "", "tool0_offset", "-5", tool + `{"command":"offset","offsets":{"tool0":-5}}`, "idle"},
		{"idle", "", "", "bed_offset", "12.5", bed + `{"command":"offset","offset":12.5}`, "idle"},
		{"idle", "jog", `{"x":10,"z":-1.5}`, "", "", `POST /api/printer/printhead {"command":"jog","x":10,"z":-1.5}`, "idle"},
		{"paused", "jog", `{"z":50,"absolute":true,"speed":600}`, "", "", `POST /api/printer/printhead {"absolute":true,"command":"jog","speed":600,"z":50}`, "paused"},
		{"idle", "tool", `{"tool":"tool0"}`, "", "", tool + `{"command":"select","tool":"tool0"}`, "idle"},
		{"idle", "select", `{"path":"parts/benchy.gcode"}`, "selected_file", "local/parts/benchy.gcode", `POST /api/files/local/parts/benchy.gcode {"command":"select"}`, "idle"},
		{"idle", "print", `{"path":"parts/benchy.gcode"}`, "", "", `POST /api/files/local/parts/benchy.gcode {"command":"select","print":true}`, "printing"},
		{"idle", "delete", `{"path":"parts/benchy.gcode"}`, "", "", `DELETE /api/files/local/parts/benchy.gcode `, "idle"},
		{"idle", "message", `{"text":"Hello"}`, "message", "Hello", `POST /api/printer/command {"commands":["M117 Hello"]}`, "idle"},
		{"idle", "gcode", `{"commands":["G28 X","M106 S0"]}`, "", "", `POST /api/printer/command {"commands":["G28 X","M106 S0"]}`, "idle"},
		{"printing", "gcode", `{"command":"M106 S128"}`, "gcode", "M106 S128", `POST /api/printer/command {"commands":["M106 S128"]}`, "printing"},
		{"printing", "emergency_stop", `{}`, "emergency_stop", "PRESS", `POST /api/printer/command {"command":"M112"}`, "error"},
	} {
		for _, byRow := range []bool{false, true} {
			if byRow && tt.row == "" || !byRow && tt.action == "" {
				continue
			}
			name := string(tt.phase) + "/" + tt.action
			if byRow {
				name = string(tt.phase) + "/" + tt.row + "=" + tt.payload
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					w.up()
					w.inPhase(tt.phase)
					before := len(w.sims["left"].Requests())
					var r reply
					if byRow {
						r = w.set("left", tt.row, tt.payload)
					} else {
						r = w.request("left", tt.action, tt.parameters)
					}
					if r.Status != "ok" || r.Error != nil || string(r.Transaction) != "null" {
						t.Errorf("answer: %+v %v", r, r.Error)
					}
					if got := w.sims["left"].sentTo(before); !slices.Equal(got, []string{tt.want}) {
						t.Errorf("sent %q, want %q", got, tt.want)
					}
					w.within(10*time.Second, "the state is "+tt.then, func() bool { return w.value("left", "state") == tt.then })
				}, setup{prepare: withBenchy, config: fullAccess})
			})
		}
	}
}

// TestRefusedCommandsReachNobody sends every action in every phase that can be
// brought about and that it may not run in.
func TestRefusedCommandsReachNobody(t *testing.T) {
	t.Parallel()
	permissions := []string{"PRINT", "CONTROL", "CONNECTION", "FILES_LIST", "FILES_SELECT", "FILES_UPLOAD", "FILES_DELETE"}
	for _, phase := range []octoprint.Phase{"idle", "printing", "paused", "offline", "error", ""} {
		t.Run("in_"+string(phase), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				w.inPhase(phase)
				before, refused := len(w.sims["left"].Requests()), 0
				for _, a := range contractActions() {
					want := a.want(situation{AccessControl, permissions, phase})
					if want == "ok" {
						continue
					}
					parameters := cmp.Or(a.parameters, "{}")
					if r := w.request("left", a.name, parameters); r.code() != want || r.Status != "error" || r.Error.Message == "" {
						t.Errorf("%s: %v, want %s", a.name, r.Error, want)
					}
					refused++
					w.sleep(4 * time.Second) // no repetition, and the log is limited
					if row := a.row(); row != "" {
						if r := w.set("left", row, a.rowPayload()); r.code() != want {
							t.Errorf("%s/set: %v, want %s", row, r.Error, want)
						}
						refused++
					}
				}
				if got := w.sims["left"].sentTo(before); len(got) > 0 {
					t.Errorf("sent all the same: %q", got)
				}
				w.expectRefusals("left", refused)
			}, setup{prepare: withBenchy})
		})
	}
}

// row is the row that stands for an action, "" without.
func (a contractAction) row() string {
	switch {
	case a.name == "restart" || a.name == "home" && a.parameters != "":
		return ""
	case slices.Contains(strings.Fields("jog extrude tool files snapshot print upload delete system refresh"), a.name):
		return ""
	case a.name == "set_temperature":
		return "bed_setpoint"
	case a.name == "select":
		return "selected_file"
	case a.name == "update":
		return "octoprint_update"
	}
	return a.name
}

func (a contractAction) rowPayload() string {
	switch a.name {
	case "set_temperature":
		return "60"
	case "select":
		return "local/a.gcode"
	case "update":
		return "install"
	case "message":
		return "Hello"
	case "gcode":
		return "M106 S255"
	}
	return "PRESS"
}

// expectRefusals fails unless so many refusals are counted, told and logged.
func (w *world) expectRefusals(printer string, n int) {
	w.t.Helper()
	r := w.request("bridge", "health", "{}")
	health := decodeDoc(w.t, string(r.Data))
	if got := at(health, "printers", printer, "refused"); got != float64(n) {
		w.t.Errorf("bridge/health counts %v refusals, want %d", got, n)
	}
	told := 0
	for _, m := range w.broker.since(0, w.topics.BridgeEvent()) {
		d := decodeDoc(w.t, m.payload)
		if d["type"] == "command" && d["printer"] == printer && !strings.HasSuffix(d["detail"].(string), ": ok") {
			told++
		}
	}
	if told != n {
		w.t.Errorf("bridge/event tells of %d refusals, want %d", told, n)
	}
	if logged := len(w.logs.lines("warn", `"device":"`+printer+`","command":`)); logged != n {
		w.t.Errorf("%d refusals are logged, want %d", logged, n)
	}
}

// TestAlwaysTried: an emergency stop and a target of 0 are tried whatever is known
// of the printer.
func TestAlwaysTried(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ row, payload, want string }{
		{"emergency_stop", "PRESS", `POST /api/printer/command {"command":"M112"}`},
		{"bed_setpoint", "0", `POST /api/printer/bed {"command":"target","target":0}`},
		{"tool0_setpoint", "0.0", `POST /api/printer/tool {"command":"target","targets":{"tool0":0}}`},
	} {
		t.Run(tt.row, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				// The state can't be seen any more, but commands would be taken.
				w.sims["left"].SetPermissions("operator", "CONTROL")
				w.within(10*time.Second, "not permitted", func() bool { return w.value("left", "connection") == "not_permitted" })
				w.expect("left", "state", "None")
				before := len(w.sims["left"].Requests())
				if r := w.set("left", tt.row, tt.payload); r.code() != "ok" {
					t.Errorf("answer: %v", r.Error)
				}
				if got := w.sims["left"].sentTo(before); !slices.Equal(got, []string{tt.want}) {
					t.Errorf("sent %q, want %q", got, tt.want)
				}
				if r := w.set("left", "bed_setpoint", "60"); r.code() != CodeUnreachable {
					t.Errorf("any other command: %v, want %s", r.Error, CodeUnreachable)
				}

				// Nobody is there: it is tried, and said that it failed.
				w.sims["left"].line.SetUp(false)
				w.sims["left"].line.Cut()
				w.sleep(time.Second)
				if r := w.set("left", tt.row, tt.payload); r.code() != CodeUnreachable {
					t.Errorf("without a server: %v, want %s", r.Error, CodeUnreachable)
				}
			})
		})
	}
}

// TestUrgentCommandsPassTheQueue: they neither wait behind others nor expire.
func TestUrgentCommandsPassTheQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s, before := w.sims["left"], w.broker.seen()
		s.HoldRequests(true)
		for range 5 {
			w.post("left", "home", "{}")
		}
		w.sleep(time.Second)
		w.post("left", "emergency_stop", "{}")
		w.sleep(time.Second)
		s.HoldRequests(false)
		w.sleep(10 * time.Millisecond)
		first := s.sentTo(0)
		if len(first) == 0 || !slices.Contains(first[:min(2, len(first))], `POST /api/printer/command {"command":"M112"}`) {
			t.Errorf("not among the first two that arrive: %q", first)
		}
		if r := w.await(before, w.topics.Response("left", "emergency_stop"), time.Second); r.code() != "ok" {
			t.Errorf("answer: %v", r.Error)
		}
	})
}

// TestPermissions: what OctoPrint doesn't permit and what the configuration
// doesn't allow is neither announced nor carried out.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		config func(*PrinterConfig)
		want   Code
	}{
		{"read-only access", func(c *PrinterConfig) { c.Access = AccessRead }, CodeAccessDenied},
		{"read-only access of an administrator", func(c *PrinterConfig) { c.Access, c.APIKey = AccessRead, "admin-key" }, CodeAccessDenied},
		{"read-only user", func(c *PrinterConfig) { c.APIKey = "readonly-key" }, CodeNotPermitted},
		{"read-only user, full access", func(c *PrinterConfig) { c.Access, c.APIKey = AccessFull, "statusonly-key" }, CodeNotPermitted},
		{"disabled", func(c *PrinterConfig) { c.Disabled = true }, CodeUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				before := len(w.sims["left"].Requests())
				for _, a := range contractActions() {
					want := tt.want
					switch {
					case a.name == "refresh" && !w.config.Printers[0].Disabled:
						want = "ok" // that is reading
					case a.own && tt.want != CodeAccessDenied:
						want = "ok" // OctoPrint has no part in it
					case a.name == "files" && w.config.Printers[0].APIKey == "readonly-key":
						want = "ok" // likewise
					case a.name == "snapshot" && w.config.Printers[0].APIKey == "readonly-key":
						want = CodeAccessDenied // no cameras are wanted
					case a.access == AccessFull && w.config.Printers[0].Access != AccessFull:
						want = CodeAccessDenied
					}
					if r := w.request("left", a.name, cmp.Or(a.parameters, "{}")); r.code() != want {
						t.Errorf("%s: %v, want %s", a.name, r.Error, want)
					}
				}
				if got := w.sims["left"].sentTo(before); len(got) > 0 {
					t.Errorf("sent all the same: %q", got)
				}
				for key, c := range w.components("left") {
					if c["cmd_t"] != nil && !slices.Contains(ownRows(), key) {
						t.Errorf("%s is announced with commands", key)
					}
				}
			}, setup{config: func(c *PrinterConfig) {
				c.Arm = []string{actionMaintenance}
				tt.config(c)
			}})
		})
	}
}

// TestFileActions: what the printer has is told, what it hasn't is refused.
func TestFileActions(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		r := w.request("left", "files", `{}`)
		if want := `{"files":[{"origin":"local","path":"parts/benchy.gcode"`; r.code() != "ok" || !strings.HasPrefix(string(r.Data), want) {
			t.Errorf("files: %v %s", r.Error, r.Data)
		}
		if r := w.request("left", "files", `{"path":"/other/"}`); string(r.Data) != `{"files":[]}` {
			t.Errorf("files of a folder: %v %s", r.Error, r.Data)
		}
		for _, payload := range []string{
			`{"path":"benchy.gcode"}`, `{"path":"parts/../parts/benchy.gcode"}`, `{"path":"parts/benchy.gcode","origin":"sdcard"}`, `{"path":"parts"}`,
		} {
			for _, action := range []string{"select", "print"} {
				w.sleep(2 * time.Second)
				if r := w.request("left", action, payload); r.code() != CodeInvalid || !strings.Contains(r.Error.Message, "no printable file") {
					t.Errorf("%s %s: %+v", action, payload, r)
				}
			}
		}
		if got := w.sims["left"].sentTo(0); len(got) > 0 {
			t.Errorf("sent: %q", got)
		}
		r = w.request("left", "upload", `{"name":"new.gcode","base64":"RzI4Cg=="}`)
		if r.code() != "ok" || string(r.Data) != `{"path":"new.gcode","printing":false}` {
			t.Errorf("upload: %v %s", r.Error, r.Data)
		}
		largest := func(more int) string {
			return `{"name":"large.gcode","base64":"` + base64.StdEncoding.EncodeToString(make([]byte, maxUpload+more)) + `"}`
		}
		if r := w.request("left", "upload", largest(0)); r.code() != "ok" {
			t.Errorf("an upload of 4 MiB: %v", r.Error)
		}
		if r := w.request("left", "upload", largest(1)); r.code() != CodeTooLarge {
			t.Errorf("a larger upload: %+v", r)
		}
		if r := w.request("left", "print", `{"path":"`+strings.Repeat("x", maxPayload)+`"}`); r.code() != CodeTooLarge {
			t.Errorf("a large request: %+v", r)
		}
		if r := w.request("left", "print", `{"path":"new.gcode"}`); r.code() != "ok" {
			t.Errorf("print: %v", r.Error)
		}
		w.within(10*time.Second, "it prints", func() bool { return w.value("left", "state") == "printing" })
		if r := w.request("left", "delete", `{"path":"new.gcode"}`); r.code() != CodeWrongState {
			t.Errorf("delete what is printed: %+v", r)
		}
		if r := w.request("left", "delete", `{"path":"large.gcode"}`); r.code() != "ok" {
			t.Errorf("delete: %v", r.Error)
		}
	}, setup{prepare: withBenchy, config: fullAccess})
}

// TestExtrudeWantsHeat: a cold tool moves no filament, whatever OctoPrint thinks.
func TestExtrudeWantsHeat(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		if r := w.request("left", "extrude", `{"amount_mm":5}`); r.code() != CodeWrongState || !strings.Contains(r.Error.Message, "170") {
			t.Errorf("cold: %+v", r)
		}
		if r := w.set("left", "tool0_setpoint", "200"); r.code() != "ok" {
			t.Fatal(r.Error)
		}
		w.sleep(5 * time.Minute)
		before := len(w.sims["left"].Requests())
		if r := w.request("left", "extrude", `{"amount_mm":5,"tool":"tool0"}`); r.code() != "ok" {
			t.Errorf("warm: %+v", r)
		}
		const tool = "POST /api/printer/tool "
		want := []string{tool + `{"command":"select","tool":"tool0"}`, tool + `{"amount":5,"command":"extrude"}`}
		if got := w.sims["left"].sentTo(before); !slices.Equal(got, want) {
			t.Errorf("sent %q", got)
		}
	})
}

// TestSystemAction: only what OctoPrint's menu has, and never while it prints.
func TestSystemAction(t *testing.T) {
	t.Parallel()
	lamp := octoprinttest.Options{SystemCommands: []octoprinttest.SystemCommand{{Action: "lamp_on", Name: "Lamp on"}, {Action: "fails", Name: "Fails", Error: "no such lamp"}}}
	inBubble(t, func(w *world) {
		w.up()
		if r := w.request("left", "system", `{"source":"custom","action":"lamp_on"}`); r.code() != "ok" {
			t.Errorf("%+v", r)
		}
		if r := w.request("left", "system", `{"source":"custom","action":"fails"}`); r.code() != CodeOctoPrint || !strings.Contains(r.Error.Message, "no such lamp") {
			t.Errorf("%+v", r)
		}
		if r := w.request("left", "system", `{"source":"custom","action":"rm"}`); r.code() != CodeInvalid {
			t.Errorf("%+v", r)
		}
		w.print("left")
		if r := w.request("left", "system", `{"source":"custom","action":"lamp_on"}`); r.code() != CodeWrongState {
			t.Errorf("while printing: %+v", r)
		}
	}, setup{options: lamp, prepare: withBenchy, config: fullAccess})
}
