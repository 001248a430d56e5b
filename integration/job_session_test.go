package integration

import (
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
)

// TestTrackerOverSessions: what a job has become while nobody was there to see.
func TestTrackerOverSessions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		back   func(*script) // what the next session begins with
		want   string
		missed bool // a job's end has to be found out
		active string
	}{
		{"still running", func(s *script) { s.job("dir/a.gcode", 600); s.open("printing") }, "print_started", false, "dir/a.gcode"},
		{"paused meanwhile", func(s *script) { s.job("dir/a.gcode", 60); s.open("paused") }, "print_started", false, "dir/a.gcode"},
		{"about to be cancelled", func(s *script) { s.job("dir/a.gcode", 60); s.open("cancelling") }, "print_started", false, "dir/a.gcode"},
		{"idle", func(s *script) { s.job("dir/a.gcode", 60); s.open("idle") }, "print_started", true, ""},
		{"idle without a file, as after a restart", func(s *script) { s.state.Job = octoprint.Job{}; s.open("idle") }, "print_started", true, ""},
		{"offline", func(s *script) { s.state.Job = octoprint.Job{}; s.open("offline") }, "print_started printer_disconnected!", true, ""},
		{"error", func(s *script) {
			s.state.Job, s.state.Problem, s.state.Error = octoprint.Job{}, true, "MINTEMP"
			s.open("error")
		}, "print_started printer_disconnected! printer_error!", true, ""},
		{"another file", func(s *script) { s.job("b.gcode", 600); s.open("printing") }, "print_started print_started!", true, "b.gcode"},
		{"the same file from the beginning", func(s *script) { s.job("dir/a.gcode", 5); s.open("printing") }, "print_started print_started!", true, "dir/a.gcode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScript()
			printing(s)
			s.after(10 * time.Minute)
			tt.back(s)
			if got := s.told(); got != tt.want {
				t.Errorf("told %s\nwant %s", got, tt.want)
			}
			if (s.missed != nil) != tt.missed || tt.missed && s.missed.path != "dir/a.gcode" {
				t.Errorf("missed %+v, want one: %v", s.missed, tt.missed)
			}
			active := ""
			if s.tracker.active != nil {
				active = s.tracker.active.path
			}
			if active != tt.active {
				t.Errorf("%q is active, want %q", active, tt.active)
			}
			checkEvents(t, s.events)
		})
	}
}

// TestTrackerStartedWhileAway: a print that began between two sessions is told.
func TestTrackerStartedWhileAway(t *testing.T) {
	t.Parallel()
	s := newScript()
	s.open("idle")
	s.after(time.Hour)
	s.job("dir/a.gcode", 600)
	s.open("printing")
	if got := s.told(); got != "print_started!" {
		t.Errorf("told %s", got)
	}
	if want := s.now.Add(-10 * time.Minute); !s.tracker.active.started.Equal(want) {
		t.Errorf("started %v, want %v", s.tracker.active.started, want)
	}
	s.event(octoprint.EventPrintDone, "finishing")
	if got := s.told(); got != "print_started! print_finished:success" {
		t.Errorf("told %s", got)
	}
}

// TestTrackerJoined: a print that runs when the bridge starts is followed, but its
// start is not told.
func TestTrackerJoined(t *testing.T) {
	t.Parallel()
	s := newScript()
	s.job("dir/a.gcode", 125.5)
	s.open("paused")
	if s.told() != "" || s.tracker.active == nil || !s.tracker.active.started.Equal(s.now.Add(-125500*time.Millisecond)) {
		t.Errorf("told %q, active %+v", s.told(), s.tracker.active)
	}
}

// TestTrackerResolves: the event and the last job for each way in which a missed
// end turns out.
func TestTrackerResolves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		outcome        outcome
		typ            EventType
		result, reason string
	}{
		{outcomeSuccess, EventPrintFinished, "success", ""},
		{outcomeLost, EventPrintFailed, "failed", "lost"},
		{outcomeUnknown, EventPrintFailed, "undetermined", "unknown"},
	} {
		s := newScript()
		printing(s)
		s.open("idle")
		e := s.tracker.resolved(s.missed, tt.outcome, s.now)
		if e.Type != tt.typ || e.Result != tt.result || e.Reason != tt.reason || !e.Late || e.Path != "dir/a.gcode" {
			t.Errorf("%d: %+v", tt.outcome, e)
		}
		l := s.tracker.last
		if l.result != tt.result || l.reason != tt.reason || l.path != "dir/a.gcode" || l.duration != nil || !l.ended.Equal(s.now) {
			t.Errorf("%d: last job %+v", tt.outcome, l)
		}
		checkEvents(t, append(s.events, e))
	}
}

// TestTrackerFacts: what events say.
func TestTrackerFacts(t *testing.T) {
	t.Parallel()
	s := newScript()
	printing(s)
	seconds, percent := 61.5, 43.21
	facts := func(e *octoprint.Event) { e.Duration, e.Progress, e.User = &seconds, &percent, "bert" }
	s.event(octoprint.EventPrintPaused, "paused", facts)
	paused := s.events[len(s.events)-1]
	if paused.User != "bert" || *paused.Progress != 43.2 || *paused.Duration != 61.5 || paused.File != "Display of dir/a.gcode" || paused.Origin != "local" {
		t.Errorf("paused: %+v", paused)
	}
	s.event(octoprint.EventPrintFailed, "error", reasonIs("error", "Thermal\nrunaway"), facts)
	for _, e := range s.events {
		if e.Type == EventPrintFailed && (e.Reason != "error" || e.Error != "Thermal runaway" || e.Result != "failed" || *e.Duration != 61.5) {
			t.Errorf("failed: %+v", e)
		}
	}
	if l := s.tracker.last; *l.duration != 61.5 || l.reason != "error" {
		t.Errorf("last job %+v", l)
	}
}

// TestPausedByPrinter: a pause that nobody asked for wants attention, until it is
// over.
func TestPausedByPrinter(t *testing.T) {
	t.Parallel()
	nobody := func(e *octoprint.Event) { e.User = "" }
	over := map[string]func(*script){
		"resumed":   func(s *script) { s.event(octoprint.EventPrintResumed, "resuming") },
		"cancelled": func(s *script) { s.event(printCancelled, "cancelling"); s.phase("idle") },
		"off":       func(s *script) { s.phase("offline") },
	}
	for name, end := range over {
		s := newScript()
		printing(s)
		s.phase("pausing")
		s.event(octoprint.EventPrintPaused, "paused", nobody)
		s.phase("paused")
		if !s.tracker.pausedByPrinter {
			t.Errorf("%s: no attention", name)
		}
		end(s)
		if s.tracker.pausedByPrinter {
			t.Errorf("%s: still attention", name)
		}
	}
	s := newScript()
	printing(s)
	s.event(octoprint.EventPrintPaused, "paused")
	if s.tracker.pausedByPrinter {
		t.Error("a person asked for this pause")
	}
}

// TestEventIDs are unique also when events happen at the same moment, and with
// another printer.
func TestEventIDs(t *testing.T) {
	t.Parallel()
	now := time.Now()
	seen := make(map[string]bool)
	for _, printer := range []string{"left", "right"} {
		for n := range uint64(100) {
			seen[eventID(printer, now, n)] = true
			seen[eventID(printer, now.Add(time.Millisecond), n)] = true
		}
	}
	if len(seen) != 400 {
		t.Errorf("%d ids for 400 events", len(seen))
	}
}

// TestEventPayload: when an event is late, and how its time is written.
func TestEventPayload(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 123_456_789, time.FixedZone("", 3600))
	e := event{Type: EventPrintStarted, ID: "x", Time: at, Printer: "left"}
	for _, tt := range []struct {
		age  time.Duration
		late bool
	}{{0, false}, {10 * time.Second, false}, {10*time.Second + time.Millisecond, true}} {
		d := decodeDoc(t, e.payload(at.Add(tt.age)))
		if d["late"] != tt.late || d["time"] != "2026-11-23T11:00:00.123Z" || d["event_type"] != "print_started" || d["printer"] != "left" || d["id"] != "x" || len(d) != 5 {
			t.Errorf("after %v: %v", tt.age, d)
		}
	}
	e.Late = true
	if d := decodeDoc(t, e.payload(at)); d["late"] != true {
		t.Error("it was late before")
	}
}

// TestJobIsRecordedOnceItIsKnown: when the next print begins OctoPrint tells the state
// before it names the file, and a crash in between must not make it look as if the
// print before had gone on.
func TestJobIsRecordedOnceItIsKnown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tr := &tracker{printer: "left"}
	state := func(phase octoprint.Phase) *octoprint.State {
		return &octoprint.State{Phase: phase, Job: octoprint.Job{Path: "first.gcode", Display: "first.gcode"}}
	}
	tr.observed(state(octoprint.PhaseIdle), now)
	tr.observed(state(octoprint.PhaseStarting), now)
	if tr.active == nil || tr.certain(now) != nil {
		t.Errorf("joined %+v, of which %+v is certain", tr.active, tr.certain(now))
	}
	if tr.certain(now.Add(reasonDelay)) != tr.active {
		t.Error("a job that nobody names is not recorded later")
	}
	tr.happened(octoprint.Event{Type: octoprint.EventPrintStarted, Name: "second.gcode", Path: "second.gcode"}, now)
	if c := tr.certain(now); c == nil || c.path != "second.gcode" {
		t.Errorf("certain is %+v", c)
	}
}
