package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestPresetsAndThermostats: a preset sets every heater of the profile, Off and a
// thermostat's off switch them off at once, also behind a server that hangs.
func TestPresetsAndThermostats(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		options := octoprinttest.Options{
			Version: version, Profile: octoprinttest.Profile{Extruders: 2, HeatedBed: true},
			Presets: []octoprinttest.Preset{{Name: "PLA", Extruder: 210, Bed: 60, Chamber: 300}, {Name: "Nylon", Extruder: 260, Bed: 130}},
		}
		inBubble(t, func(w *world) {
			w.up()
			shows := func(preset, mode, target string) {
				t.Helper()
				w.sleep(3 * time.Second)
				w.expect("left", "preset", preset)
				for _, heater := range []string{"tool0", "tool1"} {
					w.expect("left", heater+"_heater", mode)
					w.expect("left", heater+"_target", target)
				}
			}
			shows("Off", "off", "0")
			if got := fmt.Sprint(w.components("left")["preset"]["ops"]); got != "[Off PLA Nylon]" {
				t.Errorf("offered: %s", got)
			}
			s := w.sims["left"]
			since := len(s.Requests())
			if r := w.set("left", "preset", "Nylon"); r.code() != CodeOutOfRange || !strings.Contains(r.Error.Message, "bed") {
				t.Errorf("above a cap: %+v", r.Error)
			}
			if got := s.sentTo(since); len(got) > 0 {
				t.Errorf("sent %q", got)
			}
			if r := w.set("left", "preset", "PLA"); r.code() != "ok" {
				t.Errorf("PLA: %+v", r.Error)
			}
			shows("PLA", "heat", "210")
			w.expect("left", "bed_target", "60")
			if r := w.set("left", "tool0_heater", "heat"); r.code() != "ok" {
				t.Errorf("heat: %+v", r.Error)
			}
			w.must(s.SetTarget("tool1", 0))
			w.sleep(3 * time.Second)
			w.expect("left", "preset", "None")
			w.expect("left", "tool1_heater", "off")
			if r := w.set("left", "tool1_heater", "heat"); r.code() != CodeWrongState {
				t.Errorf("heat without a target: %+v", r.Error)
			}
			if r := w.set("left", "tool0_heater", "off"); r.code() != "ok" {
				t.Errorf("off: %+v", r.Error)
			}
			w.sleep(3 * time.Second)
			w.expect("left", "tool0_target", "0")
			w.expect("left", "bed_target", "60")
			if r := w.set("left", "preset", "Off"); r.code() != "ok" {
				t.Errorf("Off: %+v", r.Error)
			}
			shows("Off", "off", "0")
			w.expect("left", "bed_target", "0")
		}, setup{options: options})
	}
}

// TestPresetOffOvertakesHeating: what still waits when everything is switched off
// must not heat afterwards.
func TestPresetOffOvertakesHeating(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s := w.sims["left"]
		s.HoldRequests(true)
		since := w.broker.seen()
		w.post("left", "home", "{}") // hangs, and the rest waits behind it
		w.sleep(100 * time.Millisecond)
		w.broker.publish(w.topics.Set("left", "preset"), "PLA", false)
		w.broker.publish(w.topics.Set("left", "bed_setpoint"), "70", false)
		w.broker.publish(w.topics.Set("left", "preset"), "Off", false)
		w.sleep(time.Second)
		s.HoldRequests(false)
		w.sleep(5 * time.Second)
		for _, body := range s.sentTo(0) {
			if strings.Contains(body, "180") || strings.Contains(body, "70") {
				t.Errorf("Off was overtaken by %s", body)
			}
		}
		if r := w.replies(since, w.topics.Response("left", "bed_setpoint")); len(r) != 1 || r[0].code() != CodeExpired {
			t.Errorf("the setpoint: %+v", r)
		}
	})
}

// TestRates: what OctoPrint doesn't report is what was sent last, until the printer
// disconnects or a print begins.
func TestRates(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s := w.sims["left"]
		rows := []string{"fan", "feedrate", "flowrate", "tool"}
		values := []string{"60", "150", "95", "tool1"}
		expect := func(when string, want ...string) {
			t.Helper()
			w.sleep(time.Second)
			var got []string
			for _, row := range rows {
				got = append(got, w.value("left", row))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		send := func() {
			t.Helper()
			since := len(s.Requests())
			for i, row := range rows {
				if r := w.set("left", row, values[i]); r.code() != "ok" {
					t.Errorf("%s: %+v", row, r.Error)
				}
			}
			got := strings.Join(s.sentTo(since), "\n")
			for _, want := range []string{"M106 S153", `{"command":"feedrate","factor":150}`, `{"command":"flowrate","factor":95}`, `"tool":"tool1"`} {
				if !strings.Contains(got, want) {
					t.Errorf("%s was not sent:\n%s", want, got)
				}
			}
			expect("after sending", values...)
		}
		expect("at first", "None", "None", "None", "None")
		send()
		w.sleep(time.Minute)
		expect("a minute later", values...)
		w.must(s.Print(benchy().Path))
		expect("a print has begun", "None", "None", "None", "None")
		if r := w.set("left", "fan", "0"); r.code() != "ok" || !strings.Contains(strings.Join(s.sentTo(0), ""), "M107") {
			t.Errorf("fan off: %+v", r.Error)
		}
		expect("while printing", "0", "None", "None", "None")
		w.must(s.Cancel())
		w.sleep(5 * time.Second)
		expect("cancelled", "0", "None", "None", "None")
		send()
		w.must(s.Disconnect())
		expect("disconnected", "None", "None", "None", "None")
		w.must(s.Connect())
		w.sleep(10 * time.Second)
		expect("connected again", "None", "None", "None", "None")
		send()
		s.line.Cut()
		w.sleep(10 * time.Second)
		expect("after another session", "None", "None", "None", "None")
		send()
		s.SetProxyPage(500, "<html>")
		if r := w.set("left", "fan", "30"); r.code() != CodeOctoPrint {
			t.Errorf("with a broken server: %+v", r.Error)
		}
		expect("who knows whether it was set", "None", "150", "95", "tool1")
	}, setup{prepare: withBenchy, options: octoprinttest.Options{Profile: octoprinttest.Profile{Extruders: 2, HeatedBed: true}}})
}

// TestRateAnsweredAfterAPrintHasBegun: the file's own settings hold by then.
func TestRateAnsweredAfterAPrintHasBegun(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s := w.sims["left"]
		s.HoldRequests(true)
		w.broker.publish(w.topics.Set("left", "fan"), "60", false)
		w.sleep(time.Second)
		w.must(s.Print(benchy().Path))
		w.sleep(time.Second)
		s.HoldRequests(false)
		w.sleep(2 * time.Second)
		w.expect("left", "fan", "None")
	}, setup{prepare: withBenchy})
}

// TestUnattendedHeat: a target without a job for too long is a problem, and
// somebody has to look after it.
func TestUnattendedHeat(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s := w.sims["left"]
		expect := func(after time.Duration, want string) {
			t.Helper()
			w.sleep(after)
			w.expect("left", "unattended_heat", want)
			w.expect("farm", "attention", want)
			if reason := w.doc(w.topics.Attributes("farm", "attention"))["left"]; (reason != nil) != (want == "ON") {
				t.Errorf("the reason is %v", reason)
			}
		}
		expect(0, "OFF")
		w.must(s.SetTarget("bed", 60))
		expect(9*time.Minute, "OFF")
		w.must(s.SetTarget("tool0", 200)) // doesn't start the time anew
		expect(58*time.Second, "OFF")
		expect(4*time.Second, "ON")
		w.must(s.SetTarget("tool0", 0))
		expect(5*time.Second, "ON")
		w.must(s.SetTarget("bed", 0))
		expect(5*time.Second, "OFF")

		w.must(s.Print(benchy().Path))
		expect(9*time.Minute, "OFF") // it prints
		w.must(s.Pause())
		expect(15*time.Minute, "OFF") // so does a paused one
		w.must(s.Cancel())
		w.sleep(5 * time.Second)
		w.must(s.SetTarget("bed", 60))
		expect(9*time.Minute, "OFF")
		expect(2*time.Minute, "ON")
		w.set("left", "maintenance", "ON")
		w.sleep(2 * time.Second)
		w.expect("farm", "attention", "OFF")
		w.expect("left", "unattended_heat", "ON")
		s.line.SetUp(false)
		s.line.Cut()
		w.sleep(10 * time.Second)
		w.expect("left", "unattended_heat", "None")
	}, setup{
		config:  func(c *PrinterConfig) { c.HeatWatch = 10 * time.Minute },
		prepare: withBenchy,
	})
}

// TestLastSeen is told at most once a minute, and right also after the loss.
func TestLastSeen(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		since := w.broker.seen()
		w.sleep(10 * time.Minute)
		told := w.broker.since(since, w.topics.Value("left", "last_seen"))
		if len(told) < 5 || len(told) > 10 {
			t.Errorf("told %d times in 10 minutes", len(told))
		}
		for i := 1; i < len(told); i++ {
			if gap := told[i].at.Sub(told[i-1].at); gap < 59*time.Second {
				t.Errorf("told after %v", gap)
			}
		}
		lost := time.Now()
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(2 * time.Minute)
		shown := w.value("left", "last_seen")
		seen, err := time.Parse(time.RFC3339, shown)
		if err != nil || seen.After(lost) || lost.Sub(seen) > 10*time.Second {
			t.Errorf("lost at %v, last seen %s", lost, shown)
		}
		w.stop()
		w.up()
		w.expect("left", "last_seen", shown)
		w.stop()
		w.sims["left"].line.SetUp(true)
		w.up()
		w.sleep(2 * time.Second)
		w.stop()
		w.sims["left"].line.SetUp(false)
		w.up()
		w.expect("left", "last_seen", "None") // what was recorded would be too old
	})
}

// TestHeatEvents: a target is told once it is reached, and the end of the heat.
func TestHeatEvents(t *testing.T) {
	t.Parallel()
	type reading struct{ tool, toolTarget, bed, bedTarget float64 }
	for _, tt := range []struct {
		name     string
		readings []reading
		want     string
	}{
		{"heats up", []reading{{20, 0, 20, 0}, {20, 200, 20, 0}, {150, 200, 20, 0}, {198.9, 200, 20, 0}, {199, 200, 20, 0}, {201, 200, 20, 0}, {198, 200, 20, 0}, {200, 200, 20, 0}}, "heated tool0"},
		{"both at once", []reading{{20, 200, 20, 60}, {200, 200, 60, 60}}, "heated bed, heated tool0"},
		{"was there already", []reading{{200, 0, 20, 0}, {200, 200, 20, 0}, {198, 200, 20, 0}, {200, 200, 20, 0}}, ""},
		{"hotter on the way", []reading{{20, 200, 20, 0}, {150, 210, 20, 0}, {200, 210, 20, 0}, {210, 210, 20, 0}}, "heated tool0"},
		{"less on the way", []reading{{20, 200, 20, 0}, {150, 100, 20, 0}, {99, 100, 20, 0}, {100, 100, 20, 0}}, ""},
		{"twice", []reading{{20, 0, 20, 60}, {20, 0, 60, 60}, {20, 0, 60, 0}, {20, 0, 52, 60}, {20, 0, 60, 60}}, "heated bed, heated bed"},
		{"cools down", []reading{{200, 200, 60, 60}, {54, 0, 60, 0}, {49.9, 0, 50, 0}, {48, 0, 49.9, 0}, {48, 0, 49, 0}}, "cooled_down"},
		{"was never hot", []reading{{54, 0, 20, 0}, {49, 0, 20, 0}}, ""},
		{"has a target still", []reading{{60, 0, 20, 0}, {49, 30, 20, 0}, {40, 30, 20, 0}}, ""},
		{"gets cold twice", []reading{{60, 0, 20, 0}, {49, 0, 20, 0}, {60, 0, 20, 0}, {49, 0, 20, 0}}, "cooled_down, cooled_down"},
	} {
		tr := &tracker{printer: "left", readyBelow: 50}
		var told []string
		now := time.Now()
		for _, r := range tt.readings {
			s := &octoprint.State{Phase: octoprint.PhaseIdle, Heaters: map[string]octoprint.Heater{
				"tool0": {Actual: &r.tool, Target: &r.toolTarget}, "bed": {Actual: &r.bed, Target: &r.bedTarget}, "chamber": {},
			}}
			for range 3 {
				var together []string
				for _, e := range tr.observed(s, now) {
					together = append(together, strings.TrimSpace(string(e.Type)+" "+e.Heater))
				}
				slices.Sort(together)
				told = append(told, together...)
				now = now.Add(time.Second)
			}
		}
		if got := strings.Join(told, ", "); got != tt.want {
			t.Errorf("%s: told %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestHeatEventsOfAPrinter follows a preset from the beginning to the end.
func TestHeatEventsOfAPrinter(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.set("left", "preset", "PLA")
		w.sleep(10 * time.Minute)
		w.set("left", "preset", "Off")
		w.sleep(30 * time.Minute)
		events := w.events(before, "left")
		if got := sortedSet(eventTypesOf(events)); got != "cooled_down heated heated" {
			t.Errorf("told %s", got)
		}
		w.checkFarmEvents(before, events)
	})
}
