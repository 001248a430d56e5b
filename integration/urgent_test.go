package integration

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestEmergencyStopOvertakesEverything: neither a flood of commands to a printer
// that hangs nor one to the printer itself keeps an emergency stop waiting.
func TestEmergencyStopOvertakesEverything(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sims["left"].HoldRequests(true)
		for range 200 {
			w.post("left", "set_temperature", `{"heater":"tool0","target":0}`)
		}
		began := time.Now()
		if r := w.request("right", "emergency_stop", "{}"); r.code() != "ok" {
			t.Errorf("answered %s", r.code())
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the other printer's stop took %v", took)
		}
		w.post("left", "emergency_stop", "{}")
		w.sleep(100 * time.Millisecond)
		p := w.bridge.printer("left")
		p.mu.Lock()
		running := p.urgent.running[actionEmergencyStop]
		p.mu.Unlock()
		if running != 1 {
			t.Error("the printer's own stop waits behind the flood")
		}
		w.sims["left"].HoldRequests(false)
		w.sleep(time.Second)
		if asked := strings.Join(w.sims["left"].sentTo(0), "\n"); !strings.Contains(asked, "M112") {
			t.Errorf("the printer's own stop was not sent: %s", asked)
		}
	}, setup{id: "left"}, setup{id: "right"})
}

// TestSwitchingOffOvertakesHeating: a command to heat that still waits must not
// undo what came after it.
func TestSwitchingOffOvertakesHeating(t *testing.T) {
	t.Parallel()
	for _, last := range []struct{ action, parameters string }{
		{"set_temperature", `{"heater":"tool0","target":0}`},
		{"emergency_stop", "{}"},
	} {
		inBubble(t, func(w *world) {
			w.up()
			s := w.sims["left"]
			s.HoldRequests(true)
			since := w.broker.seen()
			w.post("left", "home", "{}") // hangs, and the rest waits behind it
			w.sleep(100 * time.Millisecond)
			w.post("left", "set_temperature", `{"heater":"tool0","target":200}`)
			w.post("left", last.action, last.parameters)
			w.sleep(time.Second)
			s.HoldRequests(false)
			w.sleep(5 * time.Second)
			for _, body := range s.sentTo(0) {
				if strings.Contains(body, "200") {
					t.Errorf("%s was overtaken by %s", last.action, body)
				}
			}
			codes := map[Code]int{}
			for _, r := range w.replies(since, w.topics.Response("left", "set_temperature")) {
				codes[r.code()]++
			}
			if codes[CodeExpired] != 1 {
				t.Errorf("answers to set_temperature: %v", codes)
			}
		})
	}
}

// TestMissedEndIsAskedForUntilItIsKnown: while OctoPrint can't say how a job
// ended, nobody claims to know, and a restart of the bridge asks again.
func TestMissedEndIsAskedForUntilItIsKnown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(20 * time.Second)
		s := w.sims["left"]
		s.line.SetUp(false)
		s.line.Cut()
		w.sleep(5 * time.Minute) // the print ends
		if err := s.Select("other.gcode"); err != nil {
			t.Fatal(err)
		}
		since := w.broker.seen()
		s.line.SetUp(true)
		w.within(2*time.Minute, "the end is told", func() bool { return len(w.events(since, "left")) > 0 })
		if got := eventTypesOf(w.events(since, "left")); got != "print_finished" {
			t.Errorf("told %s", got)
		}
	}, setup{prepare: func(s *octoprinttest.Server) {
		s.AddFile(octoprinttest.File{Path: "other.gcode"})
		printingSetup(time.Minute).prepare(s)
	}})
}

// TestUrgentCommandsFindRoom is a part of promise P3: whatever all printers of a large
// farm have asked to be done beside all else, an emergency stop is done, too.
func TestUrgentCommandsFindRoom(t *testing.T) {
	t.Parallel()
	c := Config{MQTT: MQTTConfig{BaseTopic: "octoprint2mqtt"}}
	for i := range 400 {
		c.Printers = append(c.Printers, PrinterConfig{ID: fmt.Sprint("p", i), Name: "P", URL: &url.URL{Scheme: "http", Host: "p.test"}})
	}
	b := New(c, zerolog.Nop())
	for _, p := range b.printers() {
		p.start() // its document waits now
		for range maxSpawnedEach - 1 {
			b.spawn(func(context.Context) {})
		}
	}
	if !b.spawn(func(context.Context) {}) {
		t.Error("there is no room")
	}
}
