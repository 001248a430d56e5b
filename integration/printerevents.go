package integration

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// tellLocked queues events for the broker.
func (p *printer) tellLocked(events []event) {
	for _, e := range events {
		p.log().Info().Str("event", e.ID).Str("file", e.File).Msg(strings.ReplaceAll(string(e.Type), "_", " "))
		p.sendLocked(e)
		if e.Result != "" {
			p.view.plateUsed, p.unrecorded = true, true
		}
		p.bridge.happenings.add(eventHappening(e))
		p.counters.ended(e.Result)
	}
	p.happenedLocked(events, time.Now())
}

// relayed are what is told of those of OctoPrint's events that say nothing about
// how a print goes on.
func (t *tracker) relayed(e octoprint.Event, now time.Time) []event {
	switch e.Type {
	case octoprint.EventFilamentChange:
		return []event{t.about(EventFilamentChange, octoprint.Event{}, now)}
	case octoprint.EventFileAdded:
		return t.aboutFile(EventFileAdded, e, now)
	case octoprint.EventFileRemoved:
		return t.aboutFile(EventFileRemoved, e, now)
	case octoprint.EventMovieDone:
		var movie struct {
			Gcode string `json:"gcode"`
			Movie string `json:"movie_basename"`
		}
		if json.Unmarshal(e.Payload, &movie) != nil || movie.Movie == "" {
			return nil
		}
		done := t.event(EventTimelapseDone, now)
		done.File, done.Path = clean(movie.Gcode), clean(movie.Movie)
		return []event{done}
	}
	return nil
}

// aboutFile tells of a file that has come or gone, if it is one that can be
// printed.
func (t *tracker) aboutFile(typ EventType, e octoprint.Event, now time.Time) []event {
	var file struct {
		Storage string   `json:"storage"`
		Types   []string `json:"type"`
	}
	if json.Unmarshal(e.Payload, &file) != nil || !slices.Contains(file.Types, "machinecode") || e.Path == "" {
		return nil
	}
	out := t.event(typ, now)
	out.File, out.Path = clean(e.Name), clean(e.Path)
	out.Origin = originOf(octoprint.File{Origin: clean(file.Storage)})
	return []event{out}
}

// sendLocked queues an event on its topics and remembers it until all have it.
func (p *printer) sendLocked(e event) {
	waiting := &pendingEvent{event: e}
	for _, topic := range []string{p.bridge.topics.Event(p.id), p.bridge.topics.Event(discovery.Farm)} {
		if p.bridge.outbox.Event(topic, func() string { return e.payload(time.Now()) }, func() { p.acknowledged(waiting) }) {
			waiting.left++
		}
	}
	if waiting.left > 0 {
		p.pending.add(waiting)
		p.unrecorded = true
	}
}

// acknowledged forgets an event that the broker has.
func (p *printer) acknowledged(e *pendingEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending.acknowledged(e) {
		p.unrecorded = true
		p.recordLocked(time.Now())
	}
}

const (
	// resolveAttempts and resolvePause bound how often OctoPrint is asked how a
	// job ended: while it starts it can't say.
	resolveAttempts = 12
	resolvePause    = 5 * time.Second
)

// resolveLocked finds out how a job ended while nobody was there to see, and then
// tells what came after it. What OctoPrint shows is enough if it shows the job as
// done; else it is asked. Until that is known the journal keeps the job, and the
// events that wait.
func (p *printer) resolveLocked(missed *job, s *octoprint.State, after []event) {
	p.held, p.unrecorded = append(p.held, after...), true
	if c := s.Job.Completion; !s.Phase.Job() && s.Job.Path == missed.path && c != nil && *c >= 100 {
		p.resolvedLocked(missed, outcomeSuccess)
	} else if !p.bridge.spawn(func(ctx context.Context) { p.resolve(ctx, missed) }) {
		p.resolvedLocked(missed, outcomeUnknown)
	}
}

func (p *printer) resolvedLocked(missed *job, o outcome) {
	p.tellLocked([]event{p.view.prints.resolved(missed, o, time.Now())})
	p.tellLocked(p.held)
	p.held = nil
}

// resolve asks OctoPrint how a job ended and tells it. If ctx ends first, the
// next start asks again.
func (p *printer) resolve(ctx context.Context, missed *job) {
	result, err := p.askOutcome(ctx, missed)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		result = outcomeUnknown
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.view.prints.missed != missed {
		return // its end has been told already
	}
	p.resolvedLocked(missed, result)
	p.observeLocked(time.Now())
}

// doubt asks OctoPrint whether a job has ended although its file is printing, and
// if so tells its end and the beginning of the next.
func (p *printer) doubt(ctx context.Context, j *job) {
	result, err := p.askOutcome(ctx, j)
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := err == nil && (result == outcomeSuccess || result == outcomeUnsuccessful)
	if !ended || p.gone || p.view.prints.active != j {
		return
	}
	now := time.Now()
	p.tellLocked(p.view.prints.replaced(j, result, &p.view.state, now))
	p.observeLocked(now)
}

// askOutcome asks until there is an answer, for a minute at most.
func (p *printer) askOutcome(ctx context.Context, j *job) (outcome, error) {
	result, err := p.outcome(ctx, j)
	for attempt := 1; err != nil && attempt < resolveAttempts && wait(ctx, resolvePause); attempt++ {
		result, err = p.outcome(ctx, j)
	}
	return result, err
}

// outcome asks OctoPrint once. It fails where asking again may help.
func (p *printer) outcome(ctx context.Context, missed *job) (outcome, error) {
	if missed.origin != "local" || missed.path == "" {
		return outcomeUnknown, nil // OctoPrint keeps no record of other storages
	}
	last, found, err := p.octoPrint().LastPrint(ctx, missed.origin, missed.path)
	switch {
	case errors.Is(err, octoprint.Refused), errors.Is(err, octoprint.NotPermitted):
		return outcomeUnknown, nil
	case err != nil:
		p.log().Debug().Err(err).Msg("could not find out how the print ended")
		return outcomeUnknown, err
	case !found || last.Ended.Before(missed.started):
		return outcomeLost, nil
	case last.Success:
		return outcomeSuccess, nil
	}
	return outcomeUnsuccessful, nil
}
