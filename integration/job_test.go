package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
)

// script feeds a tracker as a printer does and keeps what it tells.
type script struct {
	tracker *tracker
	now     time.Time
	state   octoprint.State
	missed  *job
	events  []event
}

func newScript() *script {
	return &script{tracker: &tracker{printer: "left"}, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
}

// open begins a session in a phase.
func (s *script) open(phase octoprint.Phase) {
	s.state.Phase = phase
	missed, events := s.tracker.opened(&s.state, s.now)
	if missed != nil {
		s.missed = missed
	}
	s.events = append(s.events, events...)
}

// phase is a sample that shows a phase.
func (s *script) phase(phases ...octoprint.Phase) {
	for _, p := range phases {
		s.state.Phase = p
		s.state.Problem = p == octoprint.PhaseError
		s.state.Error = reasonOf(s.state.Problem)
		s.events = append(s.events, s.tracker.observed(&s.state, s.now)...)
	}
}

// event is one of OctoPrint's, about the file that runs.
func (s *script) event(typ octoprint.EventType, phase octoprint.Phase, with ...func(*octoprint.Event)) {
	e := octoprint.Event{Type: typ, User: "anna"}
	if typ != octoprint.EventConnected && typ != octoprint.EventDisconnected && typ != octoprint.EventError {
		e.Name, e.Path, e.Origin = "a.gcode", "dir/a.gcode", "local"
	}
	for _, w := range with {
		w(&e)
	}
	if phase != "" {
		s.state.Phase = phase
		s.state.Problem = phase == octoprint.PhaseError
		s.state.Error = reasonOf(s.state.Problem)
	}
	s.events = append(s.events, s.tracker.happened(e, s.now)...)
	s.events = append(s.events, s.tracker.observed(&s.state, s.now)...)
}

// job is what samples show of the running job.
func (s *script) job(path string, elapsed float64) {
	s.state.Job = octoprint.Job{Name: path, Path: path, Display: "Display of " + path, Origin: "local", User: "anna", Elapsed: &elapsed}
}

func (s *script) after(d time.Duration) { s.now = s.now.Add(d) }

// told renders the events: the type, what it says about why, and a ! if it is
// late.
func (s *script) told() string {
	var list []string
	for _, e := range s.events {
		text := []string{string(e.Type), e.Result, e.Reason}
		text = slices.DeleteFunc(text, func(s string) bool { return s == "" })
		late := map[bool]string{true: "!"}[e.Late]
		list = append(list, strings.Join(text, ":")+late)
	}
	return strings.Join(list, " ")
}

func reasonIs(reason, text string) func(*octoprint.Event) {
	return func(e *octoprint.Event) { e.Reason, e.Error = reason, text }
}

// printing brings the script into the middle of a print that was seen to start.
func printing(s *script) {
	s.open("idle")
	s.event(octoprint.EventPrinterStateChanged, "starting", func(e *octoprint.Event) { e.Name, e.Path = "", "" })
	s.event(octoprint.EventPrintStarted, "starting")
	s.job("dir/a.gcode", 60)
	s.phase("printing", "printing")
	s.after(time.Minute)
}

const (
	stateChanged   = octoprint.EventPrinterStateChanged
	printCancelled = octoprint.EventPrintCancelled
	printFailed    = octoprint.EventPrintFailed
	printStarted   = octoprint.EventPrintStarted
)

func TestTracker(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		run  func(*script)
		want string
		last string // result, reason and file of the job that ended last
	}{
		{"nothing", func(s *script) { s.open("idle"); s.phase("idle", "idle") }, "", "  "},
		{"a normal print", func(s *script) {
			printing(s)
			s.event(stateChanged, "finishing")
			s.event(octoprint.EventPrintDone, "finishing")
			s.phase("finishing", "idle", "idle")
			s.after(time.Minute)
			s.phase("idle")
		}, "print_started print_finished:success", "success  Display of dir/a.gcode"},
		{"two prints", func(s *script) {
			for range 2 {
				s.event(printStarted, "starting")
				s.phase("printing")
				s.event(octoprint.EventPrintDone, "finishing")
				s.phase("idle")
				s.after(time.Minute)
			}
		}, "print_started print_finished:success print_started print_finished:success", "success  a.gcode"},
		{"paused and resumed", func(s *script) {
			printing(s)
			s.phase("pausing")
			s.event(octoprint.EventPrintPaused, "pausing")
			s.phase("paused", "paused")
			s.event(octoprint.EventPrintResumed, "resuming")
			s.phase("printing")
		}, "print_started print_paused print_resumed", "  "},
		{"cancelled", func(s *script) {
			printing(s)
			s.phase("cancelling")
			s.event(printCancelled, "cancelling")
			s.event(printFailed, "cancelling", reasonIs("cancelled", ""))
			s.phase("cancelling", "idle")
			s.after(time.Minute)
			s.phase("idle")
		}, "print_started print_cancelled:cancelled", "cancelled  Display of dir/a.gcode"},
		{"cancelled, told by PrintFailed alone", func(s *script) {
			printing(s)
			s.event(printFailed, "cancelling", reasonIs("cancelled", ""))
			s.phase("idle")
		}, "print_started print_cancelled:cancelled", "cancelled  Display of dir/a.gcode"},
		{"cancelled while pausing: the late pause is not told", func(s *script) {
			printing(s)
			s.phase("pausing")
			s.event(printCancelled, "cancelling")
			s.event(printFailed, "cancelling", reasonIs("cancelled", ""))
			s.event(octoprint.EventPrintPaused, "cancelling")
			s.phase("cancelling", "idle")
		}, "print_started print_cancelled:cancelled", "cancelled  Display of dir/a.gcode"},
		{"an error in a print", func(s *script) {
			printing(s)
			s.event(octoprint.EventError, "", func(e *octoprint.Event) { e.Error = "MINTEMP" })
			s.job("", 0)
			s.event(octoprint.EventDisconnected, "")
			s.event(stateChanged, "error")
			s.event(printFailed, "error", reasonIs("error", "MINTEMP"))
			s.phase("error", "error")
		}, "print_started printer_disconnected printer_error print_failed:failed:error", "failed error Display of dir/a.gcode"},
		{"an error without a print", func(s *script) {
			s.open("idle")
			s.phase("error", "error")
			s.phase("connecting", "idle")
		}, "printer_disconnected printer_error printer_connected", "  "},
		{"an Error event twice, as in 2.0", func(s *script) {
			s.open("idle")
			s.event(octoprint.EventError, "error")
			s.event(octoprint.EventError, "error")
			s.phase("error", "error")
		}, "printer_disconnected printer_error", "  "},
		{"an error whose reason comes a moment later", func(s *script) {
			s.open("idle")
			s.state.Problem = true
			s.event(octoprint.EventDisconnected, "")
			s.state.Error = "MINTEMP"
			s.event(octoprint.EventError, "")
		}, "printer_error", "  "},
		{"an error without a reason", func(s *script) {
			s.open("idle")
			s.state.Problem = true
			s.event(octoprint.EventDisconnected, "")
			s.after(reasonDelay)
			s.event(octoprint.EventDisconnected, "")
		}, "printer_error", "  "},
		{"restarted while paused", func(s *script) {
			printing(s)
			s.event(octoprint.EventPrintPaused, "paused")
			s.event(stateChanged, "starting")
			s.event(printStarted, "starting")
			s.phase("printing")
			s.event(octoprint.EventPrintDone, "finishing")
		}, "print_started print_paused print_cancelled:cancelled:restarted print_started print_finished:success", "success  Display of dir/a.gcode"},
		{"joined in the middle", func(s *script) {
			s.job("dir/a.gcode", 600)
			s.open("printing")
			s.after(time.Minute)
			s.phase("printing")
			s.event(octoprint.EventPrintDone, "finishing")
			s.phase("idle")
		}, "print_finished:success", "success  Display of dir/a.gcode"},
		{"switched off and on", func(s *script) {
			s.open("idle")
			s.phase("offline", "offline", "connecting", "connecting", "idle", "idle")
		}, "printer_disconnected printer_connected", "  "},
		{"a connection attempt that fails", func(s *script) {
			s.open("offline")
			s.phase("connecting", "offline", "connecting", "offline")
		}, "", "  "},
		{"ended without a word: it has to be asked for", func(s *script) {
			printing(s)
			s.phase("idle")
			s.after(9 * time.Second)
			s.phase("idle")
			s.after(time.Second)
			s.phase("idle", "idle")
			s.events = append(s.events, s.tracker.resolved(s.tracker.missed, outcomeSuccess, s.now))
		}, "print_started print_finished:success!", "success  Display of dir/a.gcode"},
		{"ended without a word, and the next one began", func(s *script) {
			printing(s)
			s.phase("idle")
			s.after(3 * time.Second)
			s.state.Job.Elapsed = nil
			s.phase("starting")
			s.event(octoprint.EventPrintStarted, "starting")
			s.events = append(s.events, s.tracker.resolved(s.tracker.missed, outcomeUnsuccessful, s.now))
		}, "print_started print_started print_failed:undetermined:unknown!", "undetermined unknown Display of dir/a.gcode"},
		{"the end told a little late", func(s *script) {
			printing(s)
			s.phase("idle")
			s.after(9 * time.Second)
			s.phase("idle")
			s.event(octoprint.EventPrintDone, "idle")
			s.after(time.Minute)
			s.phase("idle")
		}, "print_started print_finished:success", "success  Display of dir/a.gcode"},
		{"a file goes to the printer's storage", func(s *script) { s.open("idle"); s.phase("sending", "idle") }, "", "  "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScript()
			if tt.name == "two prints" {
				s.open("idle")
			}
			tt.run(s)
			if got := s.told(); got != tt.want {
				t.Errorf("told %s\nwant %s", got, tt.want)
			}
			l := s.tracker.last
			if got := l.result + " " + l.reason + " " + l.file; got != tt.last {
				t.Errorf("last job %q, want %q", got, tt.last)
			}
			checkEvents(t, s.events)
		})
	}
}

// checkEvents holds events against what all have in common.
func checkEvents(t *testing.T, events []event) {
	t.Helper()
	ids := make(map[string]bool)
	for _, e := range events {
		if e.ID == "" || ids[e.ID] || e.Printer != "left" || e.Time.IsZero() {
			t.Errorf("event %+v", e)
		}
		ids[e.ID] = true
		if strings.HasPrefix(string(e.Type), "print_") && (e.Path == "" || e.File == "" || e.Origin == "") {
			t.Errorf("%s is about no file: %+v", e.Type, e)
		}
		if ended := e.Type == EventPrintFinished || e.Type == EventPrintCancelled || e.Type == EventPrintFailed; ended != (e.Result != "") {
			t.Errorf("%s has the result %q", e.Type, e.Result)
		}
	}
}

// reasonOf is the error's text that comes with a problem.
func reasonOf(problem bool) string {
	if !problem {
		return ""
	}
	return "MINTEMP"
}
