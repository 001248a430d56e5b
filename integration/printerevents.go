package integration

import (
	"context"
	"strings"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// tellLocked queues events for the broker.
func (p *printer) tellLocked(events []event) {
	for _, e := range events {
		p.log.Info().Str("event", e.ID).Str("file", e.File).Msg(strings.ReplaceAll(string(e.Type), "_", " "))
		p.sendLocked(e)
	}
}

// sendLocked queues an event on its topics and remembers it until all have it.
func (p *printer) sendLocked(e event) {
	topics := []string{p.bridge.topics.Event(p.config.ID), p.bridge.topics.Event(discovery.Farm)}
	waiting := p.pending.add(e, len(topics))
	p.unrecorded = true
	for _, topic := range topics {
		p.bridge.outbox.Event(topic, func() string { return e.payload(time.Now()) }, func() { p.acknowledged(waiting) })
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

// resolveLocked finds out how a job ended while nobody was there to see, and then
// tells what came after it. What OctoPrint shows is enough if it shows the job as
// done; else the worker asks.
func (p *printer) resolveLocked(missed *job, s *octoprint.State, after []event) {
	if c := s.Job.Completion; !s.Phase.Job() && s.Job.Path == missed.path && c != nil && *c >= 100 {
		p.resolvedLocked(missed, outcomeSuccess, after)
		return
	}
	select {
	case p.queue <- &command{missed: missed, after: after}:
	default: // the worker is busy with commands that will all be refused as too old
		p.resolvedLocked(missed, outcomeUnknown, after)
	}
}

func (p *printer) resolvedLocked(missed *job, o outcome, after []event) {
	p.tellLocked([]event{p.view.prints.resolved(missed, o, time.Now())})
	p.tellLocked(after)
}

// resolve asks OctoPrint how a job ended and tells it.
func (p *printer) resolve(ctx context.Context, missed *job, after []event) {
	result := outcomeUnknown
	if missed.origin == "local" && missed.path != "" {
		last, found, err := p.client.LastPrint(ctx, missed.origin, missed.path)
		switch {
		case err != nil:
			p.log.Debug().Err(err).Msg("could not find out how the print ended")
		case !found || last.Ended.Before(missed.started):
			result = outcomeLost
		case last.Success:
			result = outcomeSuccess
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resolvedLocked(missed, result, after)
	p.observeLocked(time.Now())
}
