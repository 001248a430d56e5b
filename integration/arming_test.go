package integration

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func armed(keys ...string) func(*PrinterConfig) {
	return func(c *PrinterConfig) { c.Arm = keys }
}

// TestArming: what is listed runs once within 10 s after arming, by its row as by a
// request, and everything else as ever.
func TestArming(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		refused := func(when string, answers ...reply) {
			t.Helper()
			for _, r := range answers {
				if r.code() != CodeNotArmed {
					t.Errorf("%s: %+v", when, r.Error)
				}
			}
		}
		done := func(when string, answers ...reply) {
			t.Helper()
			for _, r := range answers {
				if r.code() != "ok" {
					t.Errorf("%s: %+v", when, r.Error)
				}
			}
		}
		arm := func() reply { return w.set("left", "arm", "PRESS") }
		home := func() reply { return w.set("left", "home", "PRESS") }
		request := func() reply { return w.request("left", "home", `{"axes":["x"]}`) }

		refused("not armed", home(), request(), w.set("left", "bed_setpoint", "60"), w.request("left", "set_temperature", `{"heater":"bed","target":60}`))
		done("not listed", w.set("left", "tool0_setpoint", "200"), w.set("left", "preset", "PLA"))
		done("what makes it safer", w.set("left", "bed_setpoint", "0"), w.request("left", "set_temperature", `{"heater":"bed","target":0}`))
		if got := strings.Join(w.sims["left"].sentTo(0), ""); strings.Contains(got, "home") {
			t.Errorf("sent %s", got)
		}

		done("armed", arm(), home())
		refused("a second command", home(), request())
		if r := arm(); r.code() != CodeDuplicate {
			t.Errorf("pressed again: %+v", r.Error)
		}
		refused("pressed again too soon", home())
		w.sleep(10 * time.Second)
		done("by request", w.request("left", "arm", "{}"), request())

		w.sleep(10 * time.Second)
		done("armed", arm())
		w.sleep(9 * time.Second)
		if r := arm(); r.code() != CodeDuplicate {
			t.Errorf("pressed again: %+v", r.Error)
		}
		w.sleep(1100 * time.Millisecond)
		refused("10 s after the first press", home())

		done("armed", arm())
		if r := w.request("left", "home", `{"axes":["q"]}`); r.code() != CodeInvalid {
			t.Errorf("nonsense: %+v", r.Error)
		}
		done("nonsense doesn't count", home())

		w.sleep(10 * time.Second)
		done("armed", arm())
		w.stop()
		w.up()
		refused("after a restart", home())
		done("always", w.set("left", "emergency_stop", "PRESS"))
	}, setup{config: armed("home", "bed_setpoint")})
}

// TestArmingIsOnlyWhereSomethingIsListed.
func TestArmingIsOnlyWhereSomethingIsListed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		if _, ok := w.components("left")["arm"]; ok {
			t.Error("there is an arm button")
		}
		if _, ok := w.components("right")["arm"]; !ok {
			t.Error("there is no arm button")
		}
		if r := w.request("left", "arm", "{}"); r.code() != CodeInvalid {
			t.Errorf("arm: %+v", r.Error)
		}
		if r := w.request("readonly", "arm", "{}"); r.code() != CodeAccessDenied {
			t.Errorf("arm with access read: %+v", r.Error)
		}
	}, setup{}, setup{id: "right", config: armed("cancel")},
		setup{id: "readonly", config: func(c *PrinterConfig) { c.Arm, c.Access = []string{"cancel"}, AccessRead }})
}

// TestArmKeys: what may be listed is what takes commands, but what must always be
// possible.
func TestArmKeys(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"cancel": true, "start": true, "tool0_setpoint": true, "tool7_setpoint": true, "tool0_heater": true, "bed_setpoint": true,
		"preset": true, "fan": true, "tool": true, "maintenance": true, "plate_clear": true,
		"emergency_stop": false, "arm": false, "state": false, "print": false, "tool_setpoint": false, "tool01_setpoint": false,
		"tool0_temperature": false, "": false, "tool0": false, "toolx_setpoint": false,
	} {
		if ArmKey(key) != want {
			t.Errorf("%q may be listed: %v", key, !want)
		}
		if want && !strings.HasPrefix(key, "tool7") && !slices.Contains(ArmKeys(), key) {
			t.Errorf("%q is not offered", key)
		}
	}
}

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
