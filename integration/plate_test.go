package integration

import (
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
)

// TestPlate: after a print's end no other begins until somebody has cleared the
// plate, whatever happens meanwhile.
func TestPlate(t *testing.T) {
	t.Parallel()
	begin := []func(w *world) reply{
		func(w *world) reply { return w.set("left", "start", "PRESS") },
		func(w *world) reply { return w.request("left", "start", "{}") },
		func(w *world) reply { return w.request("left", "print", `{"path":"parts/benchy.gcode"}`) },
		func(w *world) reply { return w.request("farm", "print", `{"path":"parts/benchy.gcode"}`) },
	}
	for _, ending := range []func(w *world, s *sim){
		func(w *world, _ *sim) { w.sleep(2 * time.Minute) },
		func(w *world, s *sim) { w.must(s.Cancel()) },
		func(w *world, s *sim) {
			w.must(s.FirmwareError("MINTEMP"))
			w.sleep(5 * time.Second)
			w.must(s.Connect())
		},
	} {
		inBubble(t, func(w *world) {
			restartable(w)
			w.up()
			s := w.sims["left"]
			clearPlate := func(want Code, events string) {
				t.Helper()
				before := w.broker.seen()
				if r := w.set("left", "plate_clear", "PRESS"); r.code() != want {
					t.Errorf("plate_clear: %+v", r.Error)
				}
				w.sleep(time.Second)
				if got := eventTypesOf(w.events(before, "left")); got != events {
					t.Errorf("told %s", got)
				}
			}
			occupied := func(when string) {
				t.Helper()
				since := len(s.Requests())
				for i, b := range begin {
					if r := b(w); r.code() != CodeWrongState {
						t.Errorf("%s: %d: %+v", when, i, r.Error)
					}
				}
				if got := s.sentTo(since); len(got) > 0 {
					t.Errorf("%s: sent %q", when, got)
				}
				w.expect("left", "ready", "OFF")
			}
			w.expect("left", "ready", "ON")
			clearPlate("ok", "")
			w.print("left")
			clearPlate(CodeWrongState, "")
			ending(w, s)
			w.sleep(10 * time.Second)
			w.must(s.SetTemperature("bed", 22))
			w.must(s.SetTemperature("tool0", 22))
			w.must(s.SetTarget("bed", 0))
			w.must(s.SetTarget("tool0", 0))
			w.sleep(10 * time.Second)
			occupied("after the end")
			w.expect("left", "state", "idle")
			w.stop()
			w.up()
			w.sleep(2 * time.Second)
			occupied("after a restart")
			w.stop()
			s.line.SetUp(false)
			w.up()
			clearPlate("ok", "plate_cleared") // also while OctoPrint is away
			s.line.SetUp(true)
			w.sleep(90 * time.Second)
			w.expect("left", "ready", "ON")
			if r := begin[2](w); r.code() != "ok" {
				t.Errorf("print: %+v", r.Error)
			}
		}, setup{prepare: withShortBenchy, config: func(c *PrinterConfig) { c.PlateCheck = true }})
	}
}

// TestPlateIsNotClearWhileAnEndIsUnknown: from the moment at which a print may have
// ended.
func TestPlateIsNotClearWhileAnEndIsUnknown(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		used   bool
		prints tracker
		want   bool
	}{
		"nothing":     {false, tracker{}, true},
		"an end":      {true, tracker{}, false},
		"no end yet":  {false, tracker{active: &job{}}, false},
		"missed":      {false, tracker{missed: &job{}}, false},
		"end of past": {false, tracker{last: lastJob{result: resultSuccess}}, true},
	} {
		v := zeroView()
		v.config.PlateCheck, v.plateUsed, v.prints = true, tt.used, &tt.prints
		v.state.Phase = octoprint.PhaseIdle
		if got := v.plateCleared(); got != tt.want || (v.printable() == nil) != tt.want {
			t.Errorf("%s: cleared %v", name, got)
		}
		if v.config.PlateCheck = false; !v.plateCleared() {
			t.Errorf("%s: nobody asked for the check", name)
		}
	}
}

// TestPlateAfterAMissedEnd: a print that ended while nobody was looking has left
// something, too.
func TestPlateAfterAMissedEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.print("left")
		w.stop()
		w.sleep(5 * time.Minute)
		w.must(w.sims["left"].SetTemperature("bed", 22))
		w.must(w.sims["left"].SetTemperature("tool0", 22))
		since := w.broker.seen()
		w.up()
		w.sleep(10 * time.Second)
		for _, m := range w.broker.since(since, w.topics.Value("left", "ready")) {
			if m.payload == "ON" {
				t.Error("it was ready")
			}
		}
		if r := w.request("left", "start", "{}"); r.code() != CodeWrongState {
			t.Errorf("start: %+v", r.Error)
		}
	}, setup{prepare: withShortBenchy, config: func(c *PrinterConfig) { c.PlateCheck = true }})
}

// TestPlateAfterAPrintThatNobodySaw: one that began and ended while the bridge was
// away has left something, unless that was cleared since.
func TestPlateAfterAPrintThatNobodySaw(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.expect("left", "ready", "ON")
		ready := func(want string) {
			t.Helper()
			w.up()
			w.sleep(2 * time.Second)
			w.expect("left", "ready", want)
			w.stop()
		}
		w.stop()
		s := w.sims["left"]
		w.print("left")
		w.sleep(2 * time.Minute)
		w.must(s.SetTarget("bed", 0))
		w.must(s.SetTarget("tool0", 0))
		w.must(s.SetTemperature("bed", 22))
		w.must(s.SetTemperature("tool0", 22))
		ready("OFF")
		ready("OFF")
		w.up()
		if r := w.set("left", "plate_clear", "PRESS"); r.code() != "ok" {
			t.Errorf("plate_clear: %+v", r.Error)
		}
		w.expect("left", "ready", "ON")
		w.stop()
		ready("ON")
	}, setup{prepare: withShortBenchy, config: func(c *PrinterConfig) { c.PlateCheck = true }})
}

// TestPlateWithoutCheck: nobody has to clear what nobody looks after.
func TestPlateWithoutCheck(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		w.must(w.sims["left"].Cancel())
		w.sleep(10 * time.Second)
		if r := w.set("left", "start", "PRESS"); r.code() != "ok" {
			t.Errorf("start: %+v", r.Error)
		}
		if r := w.set("left", "plate_clear", "PRESS"); r.code() != CodeNoAction {
			t.Errorf("plate_clear: %+v", r.Error)
		}
	}, setup{prepare: withShortBenchy})
}
