//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// refusal is a command that must come to nothing.
type refusal struct {
	name    string
	payload string
	codes   []string
}

// refuseAll sends each command to the same topic of the printer "left".
func (f *farm) refuseAll(t *testing.T, send func(whom, what, payload string, flags ...string) response, what string, list []refusal) {
	t.Helper()
	for _, r := range list {
		answer := send("left", what, r.payload)
		if problem := answer.notFailed(r.codes...); problem != "" {
			t.Errorf("%s, %s: %s", what, r.name, problem)
		}
	}
	f.expectNoChanges()
}

func TestNonsenseIsInvalid(t *testing.T) {
	f := left(t)
	invalid := []string{"invalid"}
	nonsense := []refusal{
		{"empty", "", invalid},
		{"no JSON", "now!", invalid},
		{"cut JSON", `{"transaction":`, invalid},
		{"list", "[]", invalid},
		{"number", "5", invalid},
		{"null", "null", invalid},
		{"two objects", "{}{}", invalid},
		{"not text", "\xff\xfe", invalid},
		{"control characters", "\x00\x07", invalid},
		{"deeply nested", strings.Repeat("[", 20000), invalid},
	}
	f.refuseAll(t, f.request, "pause", nonsense)
	f.refuseAll(t, f.request, "emergency_stop", nonsense)
	f.refuseAll(t, f.set, "home", []refusal{
		{"empty", "", invalid}, {"small letters", "press", invalid}, {"object", "{}", invalid}, {"line end", "PRESS\n", invalid},
	})
}

func TestSetpointsOutOfRange(t *testing.T) {
	f := left(t)
	f.refuseAll(t, f.set, "tool0_setpoint", []refusal{
		{"above", "301", []string{"out_of_range"}},
		{"far above", "1e300", []string{"out_of_range", "invalid"}},
		{"below", "-1", []string{"out_of_range"}},
		{"no number", "hot", []string{"invalid"}},
		{"empty", "", []string{"invalid"}},
		{"not a number", "NaN", []string{"invalid", "out_of_range"}},
		{"endless", "Infinity", []string{"invalid", "out_of_range"}},
		{"two lines", "100\nM112", []string{"invalid"}},
	})
	f.refuseAll(t, f.request, "set_temperature", []refusal{
		{"above", `{"heater":"bed","target":121}`, []string{"out_of_range"}},
		{"below", `{"heater":"bed","target":-0.5}`, []string{"out_of_range"}},
		{"text", `{"heater":"bed","target":"60"}`, []string{"invalid"}},
		{"no target", `{"heater":"bed"}`, []string{"invalid"}},
		{"no heater", `{"target":60}`, []string{"invalid"}},
		{"unknown heater", `{"heater":"tool7","target":60}`, []string{"invalid", "out_of_range"}},
		{"heater with G-code", `{"heater":"bed\nM112","target":60}`, []string{"invalid", "out_of_range"}},
		{"too large for a number", `{"heater":"bed","target":1e999}`, []string{"invalid", "out_of_range"}},
	})
}

func TestMovementsOutOfRange(t *testing.T) {
	f := left(t)
	f.refuseAll(t, f.request, "jog", []refusal{
		{"nowhere", "{}", later("invalid")},
		{"too far", `{"x":100000}`, later("out_of_range")},
		{"text", `{"x":"10"}`, later("invalid")},
	})
	f.refuseAll(t, f.request, "extrude", []refusal{
		{"too much", `{"amount_mm":101}`, later("out_of_range")},
		{"cold", `{"amount_mm":5}`, later("wrong_state", "out_of_range")},
	})
	f.refuseAll(t, f.request, "home", []refusal{{"unknown axis", `{"axes":["w"]}`, []string{"invalid", "out_of_range"}}})
}

func TestTextWithControlCharacters(t *testing.T) {
	f := withKey(t, "admin", "full")
	f.waitOnline("left")
	f.refuseAll(t, f.request, "gcode", []refusal{
		{"second line", `{"command":"M117 hello\nM112"}`, later("invalid", "access_denied")},
		{"carriage return", `{"command":"M117 hello\rM112"}`, later("invalid", "access_denied")},
		{"not in the allow-list", `{"command":"M999"}`, later("access_denied", "invalid")},
	})
	f.refuseAll(t, f.request, "message", []refusal{{"second line", `{"text":"hello\nM112"}`, later("invalid")}})
	f.refuseAll(t, f.request, "print", []refusal{
		{"control character", `{"path":"a\u0000b.gcode"}`, later("invalid")},
		{"no file of the printer", `{"path":"../config.yaml"}`, later("invalid")},
		{"unknown origin", `{"path":"a.gcode","origin":"cloud"}`, later("invalid")},
	})
}

func TestCommandsInTheWrongState(t *testing.T) {
	f := left(t)
	wrong := []string{"wrong_state"}
	for _, action := range []string{"pause", "resume", "cancel", "restart", "start", "connect"} {
		f.refuseAll(t, f.request, action, []refusal{{"while idle", "{}", wrong}})
	}
	for _, row := range []string{"pause", "resume", "cancel", "start", "connect"} {
		f.refuseAll(t, f.set, row, []refusal{{"pressed while idle", "PRESS", wrong}})
	}
}

func TestCommandsThatWouldDisturbAPrint(t *testing.T) {
	f := left(t)
	f.startPrint("left", "protected.gcode", 120)
	for action, payload := range map[string]string{
		"connect": "{}", "disconnect": "{}", "home": `{"axes":["x","y","z"]}`, "start": "{}", "resume": "{}", "restart": "{}",
	} {
		f.refuseAll(t, f.request, action, []refusal{{"while printing", payload, []string{"wrong_state"}}})
	}
	for action, payload := range map[string]string{
		"jog": `{"x":1}`, "extrude": `{"amount_mm":1}`, "print": `{"path":"protected.gcode"}`, "select": `{"path":"protected.gcode"}`,
	} {
		f.refuseAll(t, f.request, action, []refusal{{"while printing", payload, later("wrong_state")}})
	}
	if state := f.octo["left"].state(); state != "Printing" {
		t.Errorf("OctoPrint is %s", state)
	}
}

func TestCommandsToAPrinterThatIsOff(t *testing.T) {
	f := left(t)
	f.octo["left"].disconnect(t)
	f.expect("left/state", "offline")
	off := []string{"printer_offline", "wrong_state"}
	for action, payload := range map[string]string{
		"pause": "{}", "start": "{}", "home": "{}", "disconnect": "{}", "set_temperature": `{"heater":"bed","target":50}`,
	} {
		f.refuseAll(t, f.request, action, []refusal{{"while off", payload, off}})
	}
}

func TestUnknownActionsAndPrinters(t *testing.T) {
	f := left(t)
	f.request("left", "dance", "{}").mustFail(t, "unknown_action")
	f.request("farm", "dance", "{}").mustFail(t, "unknown_action")
	f.request("bridge", "dance", "{}").mustFail(t, "unknown_action")
	f.request("nobody", "pause", "{}").mustFail(t, "unknown_printer")
	f.set("nobody", "pause", "PRESS").mustFail(t, "unknown_printer")
	f.expectNoChanges()
}

func TestTooLargePayload(t *testing.T) {
	f := left(t)
	f.request("left", "pause", `{"transaction":"`+strings.Repeat("x", 65<<10)+`"}`).mustFail(t, "too_large")
	f.expectNoChanges()
}

func TestManagementNeedsAdmin(t *testing.T) {
	f := left(t)
	for action, payload := range map[string]string{"restart": "{}", "purge": "{}", "log_level": `{"level":"debug"}`} {
		f.request("bridge", action, payload).mustFail(t, later("access_denied", "not_permitted")...)
	}
	if !f.bridge.running() {
		t.Error("the bridge has ended")
	}
}

func TestRetainedCommandsAreRefused(t *testing.T) {
	f := left(t)
	f.startPrint("left", "kept.gcode", 120)
	f.bridge.stop(t)
	f.broker.publishRetained(t, baseTopic+"/left/request/cancel", "{}")
	f.broker.publishRetained(t, baseTopic+"/left/pause/set", "PRESS")
	mark := f.broker.mark()
	f.startBridge()
	f.waitOnline("left")
	for _, topic := range []string{"left/response/cancel", "left/response/pause"} {
		f.answerAfter(mark, topic).mustFail(t, "retained")
	}
	f.expectNoChanges()
	if state := f.octo["left"].state(); state != "Printing" {
		t.Errorf("OctoPrint is %s", state)
	}
}

func TestSameTransactionRunsOnce(t *testing.T) {
	f := left(t)
	const payload = `{"transaction":"once","heater":"bed","target":40}`
	first := f.request("left", "set_temperature", payload)
	first.mustSucceed(t)
	if first.Transaction != "once" {
		t.Errorf("transaction %v, want once", first.Transaction)
	}
	f.request("left", "set_temperature", payload).mustFail(t, "duplicate")
	f.octo["left"].waitTarget(t, "bed", 40)
	f.settle()
	if changes := f.lines["left"].changes(); len(changes) != 1 {
		t.Errorf("OctoPrint was asked for %v", changes)
	}
}
