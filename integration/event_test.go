package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// versions are releases whose events differ.
func versions() []string { return []string{"1.5.3", "1.8.7", "1.11.8", "2.0.0"} }

// TestEventsOfPrints follows whole prints with every release of OctoPrint.
func TestEventsOfPrints(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		for _, tt := range []struct {
			name string
			act  func(w *world, s *sim)
			want string
		}{
			{"finished", func(w *world, _ *sim) { w.sleep(80 * time.Second) }, "print_started print_finished"},
			{"cancelled", func(w *world, s *sim) { w.must(s.Cancel()) }, "print_started print_cancelled"},
			{"cancelled while paused", func(w *world, s *sim) {
				w.must(s.Pause())
				w.sleep(5 * time.Second)
				w.must(s.Cancel())
			}, "print_started print_paused print_cancelled"},
			{"cancelled while pausing", func(w *world, s *sim) {
				w.must(s.Pause())
				w.sleep(500 * time.Millisecond)
				w.must(s.Cancel())
			}, "print_started print_cancelled"},
			{"paused and resumed", func(w *world, s *sim) {
				w.must(s.Pause())
				w.sleep(5 * time.Second)
				w.must(s.Resume())
			}, "print_started print_paused print_resumed"},
			{
				"firmware error", func(w *world, s *sim) { w.must(s.FirmwareError("Thermal Runaway")) },
				"print_started printer_disconnected printer_error print_failed",
			},
			{
				"emergency stop", func(w *world, s *sim) { w.must(s.EmergencyStop()) },
				"print_started printer_disconnected printer_error print_failed",
			},
			{
				"line broken", func(w *world, s *sim) { w.must(s.DropConnection()) },
				"print_started printer_disconnected printer_error print_failed",
			},
			{
				"disconnected", func(w *world, s *sim) { w.must(s.Disconnect()) },
				"print_started printer_disconnected print_failed",
			},
			{"restarted", func(w *world, s *sim) {
				w.must(s.Pause())
				w.sleep(5 * time.Second)
				w.request("left", "restart", "{}")
			}, "print_started print_paused print_cancelled print_started"}, // 2.0 says yes and does nothing
		} {
			if tt.name == "restarted" && version == "2.0.0" {
				tt.want = "print_started print_paused"
			}
			t.Run(version+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					w.up()
					before := w.broker.seen()
					w.print("left")
					tt.act(w, w.sims["left"])
					w.sleep(5 * time.Second)
					events := w.events(before, "left")
					if got := sortedSet(eventTypesOf(events)); got != sortedSet(tt.want) {
						t.Errorf("told %s\nwant %s", eventTypesOf(events), tt.want)
					}
					w.checkEvents(events)
					w.checkFarmEvents(before, events)
				}, setup{prepare: withShortBenchy, options: octoprinttest.Options{Version: version}})
			})
		}
	}
}

// sortedSet makes the order of simultaneous events not matter: releases differ.
func sortedSet(types string) string {
	list := strings.Fields(types)
	slices.Sort(list)
	return strings.Join(list, " ")
}

func (w *world) checkEvents(events []event) {
	w.t.Helper()
	ids := make(map[string]bool)
	ended := 0
	for _, e := range events {
		if e.ID == "" || ids[e.ID] || e.Printer != "left" || e.Late {
			w.t.Errorf("%+v", e)
		}
		ids[e.ID] = true
		named := e.File == benchy().Name || e.Type == EventPrintStarted && e.File == "benchy.gcode" // the display name comes later
		if strings.HasPrefix(string(e.Type), "print_") && (e.Path != benchy().Path || !named || e.Origin != "local") {
			w.t.Errorf("%+v is not about the file", e)
		}
		if shown := w.value("left", "error"); e.Type == EventPrinterError && e.Error != shown && !strings.HasSuffix(shown, "does not say why.") {
			w.t.Errorf("the error is told as %q, shown as %q", e.Error, shown)
		}
		if e.Result != "" {
			ended++
			w.expect("left", "last_result", e.Result)
			w.expect("left", "last_file", e.File)
			w.expect("left", "last_ended", e.Time.UTC().Truncate(time.Second).Format(time.RFC3339))
		}
	}
	if ended > 1 {
		w.t.Errorf("the print ended %d times", ended)
	}
}

// checkFarmEvents: the farm tells the same.
func (w *world) checkFarmEvents(since int, events []event) {
	w.t.Helper()
	farm := w.events(since, discovery.Farm)
	if len(farm) != len(events) {
		w.t.Errorf("the farm tells %s", eventTypesOf(farm))
		return
	}
	for i := range farm {
		if farm[i].ID != events[i].ID || farm[i].Type != events[i].Type {
			w.t.Errorf("the farm tells %+v instead of %+v", farm[i], events[i])
		}
	}
}

// TestMissedEnds: what became of a print while OctoPrint could not be reached.
func TestMissedEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		act     func(w *world, s *sim) // while away
		want    string
		result  string
		reason  string
		running bool
	}{
		{name: "still running", act: func(w *world, _ *sim) { w.sleep(10 * time.Second) }, result: "None", running: true},
		{name: "finished", act: func(w *world, _ *sim) { w.sleep(2 * time.Minute) }, want: "print_finished", result: "success"},
		{name: "finished, another one is selected", act: func(w *world, s *sim) {
			w.sleep(2 * time.Minute)
			w.must(s.Select("other.gcode"))
		}, want: "print_finished", result: "success"},
		{name: "cancelled", act: func(w *world, s *sim) {
			w.must(s.Cancel())
			w.sleep(time.Minute)
		}, want: "print_failed", result: "undetermined", reason: "unknown"},
		{name: "failed", act: func(w *world, s *sim) {
			w.must(s.FirmwareError("MINTEMP"))
			w.sleep(time.Minute)
		}, want: "print_failed printer_disconnected printer_error", result: "undetermined", reason: "unknown"},
		{name: "lost by a restart of OctoPrint", act: func(w *world, s *sim) {
			s.SetStarting(true)
			w.sleep(10 * time.Second)
			s.SetStarting(false)
			w.sleep(5 * time.Second)
		}, want: "print_failed", result: "failed", reason: "lost"},
		{name: "another print", act: func(w *world, s *sim) {
			w.must(s.Cancel())
			w.sleep(5 * time.Second)
			w.must(s.Print("other.gcode"))
			w.sleep(20 * time.Second)
		}, want: "print_failed print_started", result: "undetermined", reason: "unknown", running: true},
		{name: "finished, and another print", act: func(w *world, s *sim) {
			w.sleep(2 * time.Minute)
			w.must(s.Print("other.gcode"))
			w.sleep(20 * time.Second)
		}, want: "print_finished print_started", result: "success", running: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				w.print("left")
				s, before := w.sims["left"], w.broker.seen()
				s.line.SetUp(false)
				s.line.Cut()
				tt.act(w, s)
				s.line.SetUp(true)
				w.within(70*time.Second, "connected again", func() bool { return w.value("left", "state") != "None" })
				w.sleep(5 * time.Second)
				events := w.events(before, "left")
				if got := sortedSet(eventTypesOf(events)); got != tt.want {
					t.Errorf("told %s, want %s", got, tt.want)
				}
				for _, e := range events {
					if !e.Late {
						t.Errorf("%s is not late", e.Type)
					}
					if e.Result != "" && (e.Result != tt.result || e.Reason != tt.reason || e.Path != benchy().Path) {
						t.Errorf("%+v, want %s %s", e, tt.result, tt.reason)
					}
				}
				w.expect("left", "last_result", tt.result)
				w.expect("left", "printing", map[bool]string{true: "ON", false: "OFF"}[tt.running])
				endsBeforeStarts(t, events)
			}, setup{prepare: func(s *octoprinttest.Server) {
				withShortBenchy(s)
				s.AddFile(octoprinttest.File{Path: "other.gcode", PrintTime: 10 * time.Minute})
			}})
		})
	}
}

// endsBeforeStarts: who counts prints must not see a second one begin before the
// first has ended.
func endsBeforeStarts(t *testing.T, events []event) {
	t.Helper()
	for i, e := range events {
		if e.Type == EventPrintStarted && i+1 < len(events) {
			t.Errorf("told in this order: %s", eventTypesOf(events))
		}
	}
}

// TestP10EventsWaitForTheBroker is promise P10: what happens while the broker is away
// is told afterwards, once, in order, as late, and with all facts.
func TestP10EventsWaitForTheBroker(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.broker.crash()
		w.print("left")
		w.must(w.sims["left"].Pause())
		w.sleep(5 * time.Second)
		w.must(w.sims["left"].Cancel())
		w.sleep(20 * time.Second)
		w.broker.restart(false)
		w.within(70*time.Second, "online", func() bool { return w.retained(w.topics.BridgeState()) == online })
		w.sleep(time.Minute)
		events := w.events(before, "left")
		if got := eventTypesOf(events); got != "print_started print_paused print_cancelled" {
			t.Errorf("told %s", got)
		}
		for _, e := range events {
			if !e.Late || e.Path != benchy().Path || time.Since(e.Time) < time.Minute {
				t.Errorf("%+v", e)
			}
		}
		w.checkFarmEvents(before, events)
	}, setup{prepare: withBenchy})
}

// TestUnacknowledgedEventsAreRepeated with the same id, when the connection breaks
// before the broker has said that it has them.
func TestUnacknowledgedEventsAreRepeated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.broker.net.setLatency(300 * time.Millisecond)
		before := w.broker.seen()
		w.must(w.sims["left"].Disconnect())
		w.within(time.Second, "the event has arrived", func() bool { return len(w.events(before, "left")) == 1 })
		w.broker.net.cut()
		w.broker.net.setLatency(0)
		w.sleep(time.Minute)
		events := w.events(before, "left")
		if len(events) != 2 || events[0].ID != events[1].ID || !events[0].Time.Equal(events[1].Time) || events[0].Type != EventPrinterDisconnected {
			t.Errorf("told %+v", events)
		}
	})
}
