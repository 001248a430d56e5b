package octoprint

import (
	"maps"
	"strings"
	"time"
)

// State is the merged picture of one printer. The zero State knows nothing.
// Pointers are nil where a value is unknown. A copy stays as it is: nothing that
// a State refers to is changed later.
type State struct {
	Phase Phase
	// Problem tells that an error is standing: one was reported and the printer
	// has not been connected anew since. Error is its text, which may be empty.
	Problem bool
	Error   string
	Job     Job
	Z       *float64          // mm; OctoPrint keeps the last value after a print
	Heaters map[string]Heater // by name; empty unless the printer is connected

	text       string    // OctoPrint's words for the state, of the last sample
	eventPhase Phase     // the last phase that an event told
	eventAt    time.Time // when it did
	doubted    string    // the error of a sample that contradicts it: old, or ahead of its own event
}

// Job is the selected file and how far its print has come.
type Job struct {
	Name, Path, Display, Origin string // empty: no file is selected
	User                        string
	Size                        *float64 // bytes
	Estimated                   *float64 // s, from the analysis of the file
	Filament                    map[string]Filament

	Completion      *float64 // percent of the file's bytes; in 2.0 the printer's own figure
	Elapsed         *float64 // s, stands still while heating
	Remaining       *float64 // s
	RemainingOrigin string   // where Remaining comes from, see OctoPrint's printTimeLeftOrigin
}

// Filament is what a job needs of one tool's filament.
type Filament struct {
	Length *float64 // mm
	Volume *float64 // cm³
}

// Heater is one heater's temperatures in °C.
type Heater struct {
	Actual, Target *float64
	Offset         float64
}

// eventWins is how long an event's phase stands against samples that disagree:
// a sample may have been taken before the event, yet arrive after it.
const eventWins = time.Second

// apply merges one frame into the state. at is when it arrived. It reports
// whether anything may have changed.
func (s *State) apply(f frame, at time.Time) bool {
	switch {
	case f.History != nil:
		s.Heaters = nil
		s.applySample(f.History, at)
	case f.Current != nil:
		s.applySample(f.Current, at)
	case f.Event != nil:
		s.applyEvent(f.Event, at)
	default:
		return false
	}
	return true
}

func (s *State) applySample(w *wireSample, at time.Time) {
	if w.State.Flags.Known {
		s.applyState(&w.State, at)
	}
	s.Job = w.job(&s.Job)
	s.Z = w.Z.pointer(s.Z)
	s.applyTemperatures(w)
}

func (s *State) applyState(w *wireState, at time.Time) {
	s.text = w.Text
	sampled := phaseOfFlags(w.Flags, w.Text)
	s.doubted = ""
	switch {
	case s.eventPhase == "":
		s.enter(sampled)
	case s.eventPhase.coarse() == sampled.coarse():
		if sampled == PhaseError {
			s.eventPhase = PhaseError // events of 1.x call this offline
		}
		s.enter(s.eventPhase) // otherwise the sample can't tell more than the event did
	case at.Sub(s.eventAt) >= eventWins:
		s.eventPhase = ""
		s.enter(sampled)
	default:
		s.doubted = errorText(w)
		return
	}
	s.fail(errorText(w))
}

// fail keeps the text of an error, if there is one.
func (s *State) fail(text string) {
	if text != "" {
		s.Problem, s.Error = true, text
		s.enter(s.Phase)
	}
}

// enter sets the phase. A printer that is connected anew has left its error
// behind; one that is offline with an error standing is in error.
func (s *State) enter(p Phase) {
	if p.Connected() && !s.Phase.Connected() && s.Phase != "" {
		s.Problem, s.Error = false, ""
	}
	if p == PhaseError {
		s.Problem = true
	}
	if p == PhaseOffline && s.Problem {
		p = PhaseError
	}
	s.Phase = p
	if !p.Connected() {
		s.Heaters = nil
	}
}

// errorText returns the error that a sample tells of. Servers before 1.6 have it
// only in the text, as in "Offline (Error: …)".
func errorText(w *wireState) string {
	if w.Error != "" {
		return w.Error
	}
	_, rest, ok := strings.Cut(w.Text, "(Error: ")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(rest, ")")
}

func (s *State) applyEvent(w *wireEvent, at time.Time) {
	p := &w.Payload
	switch EventType(w.Type) {
	case EventPrinterStateChanged:
		if phase, ok := phaseOfEvent(p.StateID, p.State); ok {
			s.eventPhase, s.eventAt = phase, at
			if phase.Job() && !s.Phase.Job() {
				s.Job.begin()
			}
			s.enter(phase)
			if phase.coarse() == PhaseOffline {
				s.fail(s.doubted)
			}
			s.doubted = ""
		}
	case EventError:
		s.Problem, s.Error = true, p.Error
	case EventPrintStarted:
		s.Job.begin() // also where a paused print is restarted
	case EventPrintFailed:
		// An emergency stop and a broken serial line have no Error event.
		if p.Reason == "error" && s.Error == "" && p.Error != "unknown" {
			s.fail(p.Error)
		}
	}
}

// begin drops the figures of the print before: OctoPrint keeps them until the
// next sample, which comes after the events.
func (j *Job) begin() {
	j.Completion, j.Elapsed, j.Remaining, j.RemainingOrigin = nil, nil, nil, ""
}

// job keeps what did not change as it was: copies of the State share it anyway.
func (w *wireSample) job(was *Job) Job {
	j := Job{
		Name: w.Job.Name, Path: w.Job.Path, Display: w.Job.Display, Origin: w.Job.Origin, User: w.Job.User,
		Size: w.Job.Size.pointer(was.Size), Estimated: w.Job.Estimated.pointer(was.Estimated), Filament: w.filament(was.Filament),
		Completion: w.Progress.Completion.pointer(was.Completion), Elapsed: w.Progress.PrintTime.pointer(was.Elapsed),
		Remaining: w.Progress.TimeLeft.pointer(was.Remaining), RemainingOrigin: w.Progress.Origin,
	}
	if j.Display == "" {
		j.Display = j.Name
	}
	return j
}

func (w *wireSample) filament(was map[string]Filament) map[string]Filament {
	tools, same := 0, true
	for _, h := range w.Heaters {
		if h.Fed {
			f, ok := was[h.Name]
			tools, same = tools+1, same && ok && h.Length.equals(f.Length) && h.Volume.equals(f.Volume)
		}
	}
	switch {
	case tools == 0:
		return nil
	case same && tools == len(was):
		return was
	}
	now := make(map[string]Filament, tools)
	for _, h := range w.Heaters {
		if h.Fed {
			now[h.Name] = Filament{Length: h.Length.pointer(nil), Volume: h.Volume.pointer(nil)}
		}
	}
	return now
}

// applyTemperatures makes a new map where something changed: copies of the State
// share the old one.
func (s *State) applyTemperatures(w *wireSample) {
	if !s.Phase.Connected() {
		return // what comes now is from before the connection was lost
	}
	var changed map[string]Heater
	set := func(name string, h Heater) {
		if changed == nil {
			changed = make(map[string]Heater, len(w.Heaters))
			maps.Copy(changed, s.Heaters)
			s.Heaters = changed
		}
		changed[name] = h
	}
	for name, was := range s.Heaters {
		if now := w.heater(name).over(was); now != was {
			set(name, now)
		}
	}
	for _, h := range w.Heaters {
		if _, known := s.Heaters[h.Name]; h.Measured && !known {
			set(h.Name, h.over(Heater{}))
		}
	}
}

// heater returns what the sample says of a heater, if anything.
func (w *wireSample) heater(name string) wireHeater {
	for _, h := range w.Heaters {
		if h.Name == name {
			return h
		}
	}
	return wireHeater{}
}

// over returns the heater that was, with what is said of it now. An offset that
// isn't said is none.
func (h wireHeater) over(was Heater) Heater {
	was.Offset = h.Offset.value
	if h.Measured {
		was.Actual, was.Target = h.Actual.pointer(was.Actual), h.Target.pointer(was.Target)
	}
	return was
}

// pointer returns nil for what is unknown, and was if that is the same number.
func (n number) pointer(was *float64) *float64 {
	switch {
	case !n.known:
		return nil
	case n.equals(was):
		return was
	}
	value := n.value
	return &value
}

// equals reports whether was is the same number, or unknown too.
func (n number) equals(was *float64) bool {
	if was == nil {
		return !n.known
	}
	return n.known && n.value == *was
}
