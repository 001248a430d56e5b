package integration

import (
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

// Results of a job, and reasons why it failed, as the MQTT contract has them.
const (
	resultSuccess      = "success"
	resultCancelled    = "cancelled"
	resultFailed       = "failed"
	resultUndetermined = "undetermined" // ended while we were away, and was no success

	reasonError     = "error"
	reasonLost      = "lost"      // OctoPrint came back without the job
	reasonUnknown   = "unknown"   // nobody was there to see
	reasonRestarted = "restarted" // begun again from its start while it was paused
)

// job is the print that runs.
type job struct {
	file, path, origin, user string
	started                  time.Time
	// joined tells that we didn't see it start.
	joined  bool
	elapsed float64   // s, the last that OctoPrint said
	seen    time.Time // when it was seen running last

	firstLayer     *float64 // its number, from 0 or 1; nil: it wasn't seen yet
	firstLayerDone bool     // and that was told, or is too late to tell
}

// lastJob is the print that ended last. The zero lastJob is none.
type lastJob struct {
	file, path, result, reason string
	duration                   *float64 // s
	ended                      time.Time
}

// tracker follows the prints of one printer and tells each turn of them once. It
// is fed with OctoPrint's events, which say why something happened, and with its
// states, which also show what was missed. It has no clock and does no I/O.
type tracker struct {
	printer string
	active  *job
	// missed is a job whose end nobody saw, until OctoPrint has been asked for it.
	missed   *job
	missedAt time.Time
	last     lastJob
	// pausedByPrinter tells that nobody asked for the pause: filament, a prompt.
	pausedByPrinter bool

	events  uint64
	known   bool // wasUp and problem are from a state
	wasUp   bool
	problem bool // an error is standing, and told
	// problemFrom is since when an error is standing, told or not.
	problemFrom time.Time
	reason      string // of the standing error; 2.0 tells it only once

	// dialog is the printer's that was told last, empty when it has none.
	dialog string
	untold []event // that something else than OctoPrint's states and events has shown

	// readyBelow is the configured temperature in °C below which a heater is cold.
	readyBelow float64
	goals      map[string]goal // by heater
	hot        bool            // a heater was, and its cooling down isn't told

	ended    bool      // active has ended, though the phase is still one of a job
	idleFrom time.Time // since when there is an active job without a job's phase
}

// reasonDelay is how long an error's reason may take: OctoPrint tells the state
// first.
const reasonDelay = time.Second

// endless is how long a job may be without a job's phase before it counts as
// ended: OctoPrint tells the end within milliseconds.
const endless = 10 * time.Second

func (t *tracker) event(typ EventType, at time.Time) event {
	t.events++
	return event{Type: typ, ID: eventID(t.printer, at, t.events), Time: at, Printer: t.printer}
}

// with adds an event to others, and returns them with a place to fill it in. An event
// is large: what runs for every message of OctoPrint must not have room for one on
// its stack, of which there is one a printer.
func (t *tracker) with(events []event, typ EventType, at time.Time) ([]event, *event) {
	events = append(events, t.event(typ, at))
	return events, &events[len(events)-1]
}

// opened takes in the state that a new session begins with. It returns the job
// whose end was missed, if there is one: its result has to be asked for.
func (t *tracker) opened(s *octoprint.State, now time.Time) (missed *job, events []event) {
	if t.active != nil && !t.continues(s) {
		events = t.miss(now)
	}
	before, watched := t.active, t.known
	events = append(events, t.observed(s, now)...)
	if t.active != nil && t.active != before && watched {
		events = append(events, t.about(EventPrintStarted, octoprint.Event{}, now))
	}
	for i := range events {
		events[i].Late = true
	}
	return t.missed, events
}

// continues reports whether the state shows the active job.
func (t *tracker) continues(s *octoprint.State) bool {
	if !s.Phase.Job() || t.active.path != "" && s.Job.Path != t.active.path {
		return false
	}
	return s.Job.Elapsed == nil || *s.Job.Elapsed >= t.active.elapsed
}

// doubtful returns the active job if what a new session shows may just as well be
// another print of the same file: one that began, after ours had ended, while
// nobody was looking. OctoPrint has to be asked.
func (t *tracker) doubtful(s *octoprint.State, now time.Time) *job {
	ending := s.Phase == octoprint.PhaseCancelling || s.Phase == octoprint.PhaseFinishing
	if t.active == nil || ending || !t.continues(s) || s.Job.Elapsed == nil {
		return nil // or its end may be on record already
	}
	if now.Sub(t.active.seen).Seconds() < *s.Job.Elapsed {
		return nil // it began before we looked away
	}
	return t.active
}

// replaced takes in that a job has ended and that the state shows the next print
// of its file.
func (t *tracker) replaced(j *job, o outcome, s *octoprint.State, now time.Time) []event {
	t.missed, t.missedAt = j, now
	ended := t.resolved(j, o, now)
	t.active = joinedJob(s, now)
	t.active.follow(s, now)
	started := t.about(EventPrintStarted, octoprint.Event{}, now)
	started.Late = true
	return []event{ended, started}
}

// observed takes in a state and tells what it shows to have changed.
func (t *tracker) observed(s *octoprint.State, now time.Time) []event {
	var events []event
	up := s.Phase.Connected()
	if t.known && up != t.wasUp && s.Phase != octoprint.PhaseConnecting {
		typ := EventPrinterDisconnected
		if up {
			typ = EventPrinterConnected
		}
		events, _ = t.with(events, typ, now)
	}
	if s.Phase != octoprint.PhaseConnecting || !t.known {
		t.wasUp = up
	}
	if t.erred(s, now) {
		var e *event
		events, e = t.with(events, EventPrinterError, now)
		e.Error = clean(s.Error)
	}
	t.known = true
	if s.Phase != octoprint.PhasePaused && s.Phase != octoprint.PhasePausing {
		t.pausedByPrinter = false
	}
	return slices.Concat(events, t.follow(s, now), t.heat(s, now))
}

// erred reports whether an error is to be told now: once, and with its reason,
// which may come a moment after the error.
func (t *tracker) erred(s *octoprint.State, now time.Time) bool {
	if !s.Problem {
		t.problem, t.problemFrom, t.reason = false, time.Time{}, ""
		return false
	}
	if s.Error != "" {
		t.reason = s.Error
	}
	if t.problemFrom.IsZero() {
		t.problemFrom = now
	}
	if t.problem || t.known && s.Error == "" && now.Sub(t.problemFrom) < reasonDelay {
		return false
	}
	t.problem = true
	return t.known
}

// waits reports whether time alone may bring something to tell.
func (t *tracker) waits() bool {
	return !t.idleFrom.IsZero() || !t.problemFrom.IsZero() && !t.problem
}

// follow keeps the active job in step with the phase.
func (t *tracker) follow(s *octoprint.State, now time.Time) []event {
	var events []event
	running := s.Phase.Job()
	if !running {
		t.ended = false
	} else if t.active != nil && !t.idleFrom.IsZero() {
		events = t.miss(now) // what runs now is the next one
	}
	if running && t.active == nil && !t.ended && s.Phase != octoprint.PhaseCancelling && s.Phase != octoprint.PhaseFinishing {
		t.active = joinedJob(s, now)
	}
	switch {
	case t.active == nil:
	case running:
		t.active.follow(s, now)
	case t.idleFrom.IsZero():
		t.idleFrom = now
	case now.Sub(t.idleFrom) >= endless:
		events = t.miss(now)
	}
	return events
}

// miss puts the active job aside, which has ended without a word, or before the
// session began: its end has to be asked for.
func (t *tracker) miss(now time.Time) []event {
	var events []event
	if t.missed != nil {
		events = append(events, t.resolved(t.missed, outcomeUnknown, now))
	}
	t.missed, t.missedAt, t.active, t.idleFrom = t.active, now, nil, time.Time{}
	return events
}

// joinedJob returns the job that a state shows, which began before we looked.
func joinedJob(s *octoprint.State, now time.Time) *job {
	j := &job{started: now, joined: true}
	if s.Job.Elapsed != nil {
		j.started = now.Add(-time.Duration(*s.Job.Elapsed * float64(time.Second)))
	}
	return j
}

// follow fills in what an event left out. A disconnect nulls the job in the same
// message that tells it, so what is known stays.
func (j *job) follow(s *octoprint.State, now time.Time) {
	j.seen = now
	if s.Job.Path != "" && (j.path == "" || j.path == s.Job.Path) {
		j.file, j.path, j.origin = s.Job.Display, s.Job.Path, s.Job.Origin
	}
	if j.user == "" {
		j.user = s.Job.User
	}
	if s.Job.Elapsed != nil {
		j.elapsed = *s.Job.Elapsed
	}
}

// happened takes in one of OctoPrint's events.
func (t *tracker) happened(e octoprint.Event, now time.Time) []event {
	switch e.Type {
	case octoprint.EventPrintStarted:
		return t.started(e, now)
	case octoprint.EventPrintPaused:
		if t.active == nil {
			return nil // OctoPrint tells of a pause even after the job was cancelled
		}
		t.pausedByPrinter = e.User == ""
		return []event{t.about(EventPrintPaused, e, now)}
	case octoprint.EventPrintResumed:
		t.pausedByPrinter = false
		if t.active == nil {
			return nil
		}
		return []event{t.about(EventPrintResumed, e, now)}
	case octoprint.EventPrintDone:
		return t.over(t.about(EventPrintFinished, e, now), resultSuccess)
	case octoprint.EventPrintCancelled:
		return t.over(t.about(EventPrintCancelled, e, now), resultCancelled)
	case octoprint.EventPrintFailed:
		if e.Reason == "cancelled" {
			return t.over(t.about(EventPrintCancelled, e, now), resultCancelled)
		}
		failed := t.about(EventPrintFailed, e, now)
		failed.Reason, failed.Error = reasonError, clean(e.Error)
		return t.over(failed, resultFailed)
	}
	return nil
}

// started begins a job. A print that is restarted while paused begins anew
// without an end of the former, which we tell.
func (t *tracker) started(e octoprint.Event, now time.Time) []event {
	var events []event
	fresh := t.active != nil && t.active.joined && now.Sub(t.active.started) < endless
	switch {
	case t.active == nil, fresh:
	case !t.idleFrom.IsZero():
		events = t.miss(now)
	default:
		former := t.about(EventPrintCancelled, octoprint.Event{Type: octoprint.EventPrintCancelled}, now)
		former.Reason = reasonRestarted
		events = append(events, t.end(former, resultCancelled))
	}
	t.active = &job{file: e.Name, path: e.Path, origin: e.Origin, user: e.User, started: now, seen: now}
	t.ended, t.idleFrom, t.pausedByPrinter = false, time.Time{}, false
	return append(events, t.about(EventPrintStarted, e, now))
}

// about returns an event about the active job, or about the job that OctoPrint's
// event names.
func (t *tracker) about(typ EventType, e octoprint.Event, now time.Time) event {
	out := t.event(typ, now)
	out.File, out.Path, out.Origin, out.User = clean(e.Name), clean(e.Path), e.Origin, clean(e.User)
	out.Duration, out.Progress = e.Duration, rounded(e.Progress)
	if j := t.active; j != nil {
		if out.Path == "" {
			out.Path, out.Origin = clean(j.path), j.origin
		}
		if out.File == "" || j.path == e.Path && j.file != "" {
			out.File = clean(j.file) // the display name
		}
		if out.User == "" && typ != EventPrintPaused && typ != EventPrintResumed {
			out.User = clean(j.user)
		}
	}
	return out
}

func rounded(f *float64) *float64 {
	if f == nil {
		return nil
	}
	v := number(f, 1).number
	return &v
}

// over ends the active job, if there is one: OctoPrint tells some ends twice.
func (t *tracker) over(e event, result string) []event {
	if t.active == nil {
		return nil
	}
	return []event{t.end(e, result)}
}

// end ends the active job with an event.
func (t *tracker) end(e event, result string) event {
	if j := t.active; e.Path == "" && j != nil {
		e.File, e.Path, e.Origin, e.User = clean(j.file), clean(j.path), j.origin, clean(j.user)
	}
	e.Result = result
	if t.active != nil {
		e.ID = endID(t.printer, t.active)
	}
	t.active, t.ended, t.idleFrom = nil, true, time.Time{}
	t.last = lastJob{file: e.File, path: e.Path, result: result, reason: e.Reason, duration: e.Duration, ended: e.Time}
	return e
}

// resolved tells the end of a job that was missed, once it is known what
// OctoPrint remembers of it.
func (t *tracker) resolved(j *job, outcome outcome, now time.Time) event {
	e := t.event(EventPrintFailed, now)
	e.File, e.Path, e.Origin, e.User = clean(j.file), clean(j.path), j.origin, clean(j.user)
	e.ID, e.Late = endID(t.printer, j), true
	result := resultUndetermined
	switch outcome {
	case outcomeSuccess:
		e.Type, result = EventPrintFinished, resultSuccess
	case outcomeLost:
		e.Reason, result = reasonLost, resultFailed
	default:
		e.Reason = reasonUnknown
	}
	e.Result = result
	if !t.last.ended.After(t.missedAt) {
		t.last = lastJob{file: e.File, path: e.Path, result: result, reason: e.Reason, ended: now}
	}
	t.missed = nil
	return e
}

// outcome is what is known about a job whose end nobody saw.
type outcome uint8

const (
	outcomeUnknown outcome = iota // OctoPrint can't say
	outcomeUnsuccessful
	outcomeSuccess
	outcomeLost // OctoPrint knows of no end
)
