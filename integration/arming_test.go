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
