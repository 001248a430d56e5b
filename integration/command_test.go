package integration

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
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
				}, setup{prepare: withBenchy})
			})
		}
	}
}

// TestRefusedCommandsReachNobody sends every action in every phase that can be
// brought about and that it may not run in.
func TestRefusedCommandsReachNobody(t *testing.T) {
	t.Parallel()
	permissions := []string{"PRINT", "CONTROL", "CONNECTION"}
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
					if row := a.row(); row != "" {
						w.sleep(1001 * time.Millisecond) // no repetition
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
	case a.name == "set_temperature":
		return "bed_setpoint"
	}
	return a.name
}

func (a contractAction) rowPayload() string {
	if a.name == "set_temperature" {
		return "60"
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
					if r := w.request("left", a.name, cmp.Or(a.parameters, "{}")); r.code() != tt.want {
						t.Errorf("%s: %v, want %s", a.name, r.Error, tt.want)
					}
				}
				if got := w.sims["left"].sentTo(before); len(got) > 0 {
					t.Errorf("sent all the same: %q", got)
				}
				for key, c := range w.components("left") {
					if c["cmd_t"] != nil && key != actionMaintenance {
						t.Errorf("%s is announced with commands", key)
					}
				}
			}, setup{config: tt.config})
		})
	}
}
