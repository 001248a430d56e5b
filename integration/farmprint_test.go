package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// resultsOf renders what a farm action says of each printer.
func resultsOf(t *testing.T, r reply) string {
	t.Helper()
	var data map[string]printerResult
	if err := json.Unmarshal(r.Data, &data); err != nil {
		t.Errorf("%v in %s", err, r.Data)
	}
	var list []string
	for id, result := range data {
		s := id + " " + result.Status
		if result.Error != nil {
			s += " " + string(result.Error.Code)
			if result.Error.Message == "" {
				t.Errorf("%s doesn't say why", id)
			}
		}
		list = append(list, s)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// printing are the printers that were sent a print.
func (w *world) printing() string {
	var list []string
	for id, s := range w.sims {
		for _, sent := range s.sentTo(0) {
			if strings.Contains(sent, `"print":true`) {
				list = append(list, id)
			}
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// TestFarmPrint goes to the first printer that is ready and has the file, and to no
// other.
func TestFarmPrint(t *testing.T) {
	t.Parallel()
	const file = `{"path":"parts/benchy.gcode"}`
	with := func(more func(*octoprinttest.Server)) func(*octoprinttest.Server) {
		return func(s *octoprinttest.Server) {
			withBenchy(s)
			more(s)
		}
	}
	inBubble(t, func(w *world) {
		w.sims["gone"].line.SetUp(false)
		w.up()
		w.set("service", "maintenance", "ON")
		for _, bad := range []string{`{}`, `{"path":""}`, `{"path":7}`, `{"path":"a","origin":"local"}`, `{"path":"a\nb"}`} {
			if r := w.request("farm", "print", bad); r.code() != CodeInvalid {
				t.Errorf("%s: %+v", bad, r.Error)
			}
		}
		r := w.request("farm", "print", file)
		const first = "disabled skipped octoprint_unreachable, empty skipped invalid, gone skipped octoprint_unreachable, hot skipped wrong_state, " +
			"off skipped printer_offline, "
		const last = "readonly skipped access_denied, service skipped wrong_state"
		want := first + "one ok, " + last + ", two skipped wrong_state"
		if got := resultsOf(t, r); r.code() != "ok" || got != want {
			t.Errorf("%+v\n%s\nwant\n%s", r.Error, got, want)
		}
		if r := w.request("farm", "print", file); r.code() != CodeDuplicate {
			t.Errorf("twice: %+v", r.Error)
		}
		w.sleep(3 * time.Second)
		w.expect("one", "state", "printing")
		w.expect("two", "state", "idle")
		if got := w.printing(); got != "one" {
			t.Errorf("printing: %s", got)
		}

		want = first + "one skipped wrong_state, " + last + ", two ok"
		if r := w.request("farm", "print", file); r.code() != "ok" || resultsOf(t, r) != want {
			t.Errorf("%+v\n%s\nwant\n%s", r.Error, resultsOf(t, r), want)
		}
		w.sleep(3 * time.Second)
		if r := w.request("farm", "print", file); r.code() != CodeWrongState || !strings.Contains(resultsOf(t, r), "two skipped wrong_state") {
			t.Errorf("nobody left: %+v %s", r.Error, resultsOf(t, r))
		}
		if got := w.printing(); got != "one two" {
			t.Errorf("printing: %s", got)
		}
		if r := w.set("farm", "print", "PRESS"); r.code() != CodeNoAction {
			t.Errorf("as a row: %+v", r.Error)
		}
	}, setup{id: "gone", prepare: withBenchy}, setup{id: "disabled", prepare: withBenchy, config: func(c *PrinterConfig) { c.Disabled = true }},
		setup{id: "off", prepare: with(func(s *octoprinttest.Server) { _ = s.Disconnect() })},
		setup{id: "hot", prepare: with(func(s *octoprinttest.Server) {
			_ = s.SetTemperature("bed", 90)
			_ = s.SetTarget("bed", 90)
		})},
		setup{id: "empty"}, setup{id: "service", prepare: withBenchy},
		setup{id: "readonly", prepare: withBenchy, config: func(c *PrinterConfig) { c.Access = AccessRead }},
		setup{id: "one", prepare: withBenchy}, setup{id: "two", prepare: withBenchy})
}

// TestFarmPrintIsNeverTriedTwice: where it isn't certain that the first has not
// begun, no other is asked.
func TestFarmPrintIsNeverTriedTwice(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(s *sim){
		"hangs":  func(s *sim) { s.HoldRequests(true) },
		"breaks": func(s *sim) { s.SetProxyPage(502, "<html>") },
	} {
		inBubble(t, func(w *world) {
			w.up()
			trouble(w.sims["left"])
			r := w.request("farm", "print", `{"path":"parts/benchy.gcode"}`)
			if got := resultsOf(t, r); r.code() == "ok" || !strings.HasPrefix(got, "left error") || !strings.HasSuffix(got, "right skipped wrong_state") {
				t.Errorf("%s: %+v %s", name, r.Error, got)
			}
			w.sims["left"].HoldRequests(false)
			w.sleep(30 * time.Second)
			if got := w.printing(); strings.Contains(got, "right") {
				t.Errorf("%s: printing: %s", name, got)
			}
		}, setup{prepare: withBenchy}, setup{id: "right", prepare: withBenchy})
	}
}

// TestFarmPrintsAtOnce: several files at the same moment go to a printer each.
func TestFarmPrintsAtOnce(t *testing.T) {
	t.Parallel()
	files := func(s *octoprinttest.Server) {
		for i := range 3 {
			s.AddFile(octoprinttest.File{Path: fmt.Sprintf("%d.gcode", i)})
		}
	}
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		for i := range 3 {
			w.post("farm", "print", fmt.Sprintf(`{"path":"%d.gcode"}`, i))
		}
		w.sleep(15 * time.Second)
		for _, r := range w.replies(before, w.topics.Response("farm", "print")) {
			if r.code() != "ok" {
				t.Errorf("%+v %s", r.Error, r.Data)
			}
		}
		var shown []string
		for id := range w.sims {
			w.expect(id, "printing", "ON")
			shown = append(shown, w.value(id, "file"))
			if sent := w.sims[id].sentTo(0); len(sent) != 1 {
				t.Errorf("%s was asked %q", id, sent)
			}
		}
		slices.Sort(shown)
		if got := strings.Join(shown, " "); got != "0.gcode 1.gcode 2.gcode" {
			t.Errorf("printing: %s", got)
		}
	}, setup{prepare: files}, setup{id: "mid", prepare: files}, setup{id: "right", prepare: files})
}

// TestFarmArming: cancel_all and emergency_stop_all need the farm's arming, which
// holds for what printers have armed of their own, too.
func TestFarmArming(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.must(w.sims["left"].Print(benchy().Path))
		w.must(w.sims["right"].Print(benchy().Path))
		w.sleep(5 * time.Second)
		for _, action := range []string{"cancel_all", "emergency_stop_all"} {
			if r := w.request("farm", action, "{}"); r.code() != CodeNotArmed {
				t.Errorf("%s: %+v", action, r.Error)
			}
			if r := w.set("farm", action, "PRESS"); r.code() != CodeNotArmed {
				t.Errorf("%s: %+v", action, r.Error)
			}
		}
		// The farm's commands don't get round what a printer has listed.
		if r := w.request("farm", "pause_all", "{}"); r.code() != CodeNotArmed || resultsOf(t, r) != "idle skipped wrong_state, left ok, off skipped octoprint_unreachable, right error not_armed" {
			t.Errorf("pause_all: %+v %s", r.Error, resultsOf(t, r))
		}
		if r := w.set("farm", "arm", "PRESS"); r.code() != "ok" {
			t.Errorf("arm: %+v", r.Error)
		}
		if r := w.request("farm", "arm", "{}"); r.code() != CodeDuplicate {
			t.Errorf("armed twice: %+v", r.Error)
		}
		want := "idle skipped wrong_state, left ok, off skipped octoprint_unreachable, right ok"
		if r := w.request("farm", "cancel_all", "{}"); r.code() != "ok" || resultsOf(t, r) != want {
			t.Errorf("cancel_all: %+v %s", r.Error, resultsOf(t, r))
		}
		if r := w.request("farm", "emergency_stop_all", "{}"); r.code() != CodeNotArmed {
			t.Errorf("a second command: %+v", r.Error)
		}
		w.sleep(10 * time.Second)
		w.sims["right"].line.SetUp(false)
		w.sims["right"].line.Cut()
		w.sleep(10 * time.Second)
		w.request("farm", "arm", "{}")
		r := w.request("farm", "emergency_stop_all", "{}")
		want = "idle ok, left ok, off skipped octoprint_unreachable, right error octoprint_unreachable"
		if got := resultsOf(t, r); r.code() != CodeUnreachable || got != want {
			t.Errorf("emergency_stop_all: %+v %s", r.Error, got)
		}
		w.sleep(2 * time.Second)
		if got := w.value("left", "state"); got != "error" && got != "offline" {
			t.Errorf("left is %s", got)
		}
	}, setup{prepare: withBenchy}, setup{id: "right", prepare: withBenchy, config: armed("cancel", "pause")}, setup{id: "idle"},
		setup{id: "off", config: func(c *PrinterConfig) { c.Disabled = true }})
}
