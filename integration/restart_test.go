package integration

import (
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// restartable gives a world a state folder, so that its bridge may be stopped and
// started again.
func restartable(w *world) {
	w.t.Helper()
	w.config.StateDir = w.t.TempDir()
}

func printingSetup(d time.Duration) setup {
	return setup{prepare: func(s *octoprinttest.Server) {
		s.AddFile(octoprinttest.File{Path: "bracket.gcode", PrintTime: d})
		if err := s.Print("bracket.gcode"); err != nil {
			panic(err)
		}
	}}
}

func TestPrintThatEndsWhileTheBridgeIsAwayIsToldOnceAndLate(t *testing.T) {
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(time.Minute)
		w.stop()
		w.sleep(15 * time.Minute)
		since := w.broker.seen()
		w.up()
		w.sleep(10 * time.Second)
		w.stop()
		w.up()
		w.sleep(10 * time.Second)

		events := w.events(since, "left")
		if got := eventTypesOf(events); got != "print_finished" {
			t.Fatalf("told %s", got)
		}
		if e := events[0]; !e.Late || e.Result != resultSuccess || e.Path != "bracket.gcode" {
			t.Errorf("told %+v", e)
		}
		if got := w.value("left", "last_result") + " " + w.value("left", "last_file"); got != "success bracket.gcode" {
			t.Errorf("last job: %s", got)
		}
	}, printingSetup(10*time.Minute))
}

func TestPrintThatGoesOnOverARestartIsTheSame(t *testing.T) {
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(3 * time.Minute)
		started := w.value("left", "started")
		w.stop()
		w.sleep(time.Minute)
		since := w.broker.seen()
		w.up()
		if got := w.value("left", "started"); got != started {
			t.Errorf("started %s before and %s after the restart", started, got)
		}
		w.sleep(20 * time.Minute)
		if got := eventTypesOf(w.events(since, "left")); got != "print_finished" {
			t.Errorf("told %s", got)
		}
	}, printingSetup(10*time.Minute))
}

// TestShapeSurvivesARestart: a printer whose OctoPrint is off when the bridge
// starts is announced as it was, and its last job is still shown.
func TestShapeSurvivesARestart(t *testing.T) {
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(5 * time.Minute)
		before := w.discovered("left")
		w.stop()
		w.sims["left"].line.SetUp(false)
		w.up()
		after := w.discovered("left")
		for key := range before {
			if string(before[key]) != string(after[key]) {
				t.Errorf("%s was announced as %s and is now as %s", key, before[key], after[key])
			}
		}
		for key, want := range map[string]string{
			"last_result": "success", "last_file": "bracket.gcode", "state": "None", "connection": "unreachable", "tool0_temperature": "None",
		} {
			if got := w.value("left", key); got != want {
				t.Errorf("%s is %s, not %s", key, got, want)
			}
		}
	}, printingSetup(time.Minute))
}

// TestEventInTransitSurvivesARestart: what happened while the broker was away is
// told, late and with the same id, by the next run of the bridge.
func TestEventInTransitSurvivesARestart(t *testing.T) {
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(10 * time.Second)
		w.broker.crash()
		w.sleep(5 * time.Minute) // the print ends
		w.stop()
		w.broker.restart(true)
		since := w.broker.seen()
		w.up()
		w.sleep(10 * time.Second)
		events := w.events(since, "left")
		if got := eventTypesOf(events); got != "print_finished" {
			t.Fatalf("told %s", got)
		}
		if !events[0].Late {
			t.Error("it isn't marked as late")
		}
		w.stop()
		since = w.broker.seen()
		w.up()
		w.sleep(10 * time.Second)
		if got := eventTypesOf(w.events(since, "left")); got != "" {
			t.Errorf("told again: %s", got)
		}
	}, printingSetup(time.Minute))
}

// TestEndHasTheSameIDWhenItIsFoundOutAgain: a crash between telling and recording
// that it was told repeats the event under the same id.
func TestEndHasTheSameIDWhenItIsFoundOutAgain(t *testing.T) {
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(30 * time.Second)
		kept := newJournal(w.config.StateDir, w.bridge.log)
		var before record
		if !kept.load("printers/left", &before) || before.Active == nil {
			t.Fatalf("the journal has %+v", before)
		}
		w.sleep(5 * time.Minute)
		told := w.events(0, "left")
		w.stop()
		kept.put("printers/left", before) // as if the crash had come before the end was recorded
		kept.flush()
		since := w.broker.seen()
		w.up()
		w.sleep(10 * time.Second)
		again := w.events(since, "left")
		if len(told) == 0 || len(again) != 1 || again[0].ID != told[len(told)-1].ID {
			t.Errorf("told %+v, then %+v", told, again)
		}
	}, printingSetup(time.Minute))
}

func TestPrinterSwitchedOffWhileTheBridgeIsAway(t *testing.T) {
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(10 * time.Second)
		w.stop()
		if err := w.sims["left"].Disconnect(); err != nil {
			t.Fatal(err)
		}
		since := w.broker.seen()
		w.up()
		w.sleep(10 * time.Second)
		events := w.events(since, "left")
		if got := eventTypesOf(events); got != "printer_disconnected" || !events[0].Late {
			t.Errorf("told %+v", events)
		}
	})
}

// TestNextPrintOfTheSameFile: a print that ended while the bridge was away, and was
// begun again and has come further by now than the bridge had seen it, is not taken
// for one that went on.
func TestNextPrintOfTheSameFile(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(30 * time.Second)
		w.stop()
		w.sleep(11 * time.Minute) // the print ends
		w.must(w.sims["left"].Print("bracket.gcode"))
		w.sleep(5 * time.Minute)
		since := w.broker.seen()
		w.up()
		w.sleep(10 * time.Second)
		events := w.events(since, "left")
		if got := eventTypesOf(events); got != "print_finished print_started" || !events[0].Late || !events[1].Late {
			t.Fatalf("told %+v", events)
		}
		started, err := time.Parse(time.RFC3339, w.value("left", "started"))
		if age := time.Since(started); err != nil || age < 4*time.Minute || age > 6*time.Minute {
			t.Errorf("started %v ago, %v", age, err)
		}
		w.expect("left", "last_result", resultSuccess)
		w.sleep(10 * time.Minute)
		if got := eventTypesOf(w.events(since, "left")); got != "print_finished print_started print_finished" {
			t.Errorf("told %s", got)
		}
	}, printingSetup(10*time.Minute))
}

// TestLongPauseIsNoOtherPrint: a print that stood still while the bridge was away
// may look like another one, and isn't.
func TestLongPauseIsNoOtherPrint(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(30 * time.Second)
		w.must(w.sims["left"].Pause())
		w.sleep(10 * time.Second)
		w.stop()
		w.sleep(time.Hour)
		since := w.broker.seen()
		w.up()
		w.sleep(10 * time.Second)
		w.must(w.sims["left"].Resume())
		w.sleep(15 * time.Minute)
		if got := eventTypesOf(w.events(since, "left")); got != "print_resumed print_finished" {
			t.Errorf("told %s", got)
		}
	}, printingSetup(10*time.Minute))
}

// TestBridgeThatComesAtTheVeryEnd: a session that begins when a print has ended,
// but its job has not, sees no end of it. OctoPrint is asked, which knows.
func TestBridgeThatComesAtTheVeryEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		phase, want string
		end         func(s *sim) error
	}{
		{"finishing", "print_finished", func(*sim) error { return nil }},
		{"cancelling", "print_failed", func(s *sim) error { return s.Cancel() }},
	} {
		t.Run(tt.phase, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				restartable(w)
				w.up()
				w.sleep(25*time.Second + 300*time.Millisecond)
				w.stop()
				s := w.sims["left"]
				w.must(tt.end(s))
				for s.itself(t).Phase != tt.phase {
					w.sleep(time.Millisecond)
				}
				since := w.broker.seen()
				w.up()
				w.sleep(20 * time.Second)
				events := w.events(since, "left")
				if got := eventTypesOf(events); got != tt.want || !events[0].Late {
					t.Errorf("told %+v", events)
				}
			}, printingSetup(30*time.Second))
		})
	}
}
