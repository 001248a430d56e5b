package integration

import (
	"context"
	"sync"
	"time"

	"octoprint2mqtt/discovery"
)

const (
	// sweepDelay is how long after everything was published a sweep begins: it
	// is in no hurry.
	sweepDelay = 5 * time.Second
	// sweepTime is how long a broker gets to tell what it has retained.
	sweepTime = 5 * time.Second
)

// sweep finds what earlier runs have left on the broker: topics below ours that
// belong to no row of today. Everything below the base topic counts as the
// bridge's own, but for devices that don't look like any of its printers: they
// may be another bridge's, whose base topic lies below ours.
//
// It listens to values only while it is under way, once in a run, and only to
// what is retained.
//
// Pictures stand on topics like all others, and no filter can leave them out: to
// listen to the values of a thousand printers would bring all their pictures along.
// So there are none at that time. Before a sweep each picture is a placeholder, of
// some hundred bytes, since all values are published before it begins; and the
// [gallery] opens when it has ended. What comes in full are the pictures of printers
// that are gone. Asking for each topic that a row could have, instead, would take
// thousands of filters and miss those of rows that are gone.
type sweep struct {
	topics discovery.Topics
	outbox *outbox

	mu    sync.Mutex
	found map[string]bool // topics that were not ours; nil: no sweep is under way
}

func newSweep(t discovery.Topics, out *outbox) *sweep {
	return &sweep{topics: t, outbox: out}
}

// begin starts a sweep.
func (s *sweep) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = make(map[string]bool)
}

// stop gives up a sweep.
func (s *sweep) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = nil
}

func (s *sweep) underWay() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found != nil
}

// takes reports whether a message concerns nobody but the sweep, and notes it.
func (s *sweep) takes(d *delivery) bool {
	device, key, ok := s.topics.ParseValue(d.topic)
	_, config := s.topics.DeviceOfConfig(d.topic)
	if config && d.retained && s.outbox.Wants(d.topic, string(d.payload)) {
		return true // ours, as it is
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.found == nil:
	case len(d.payload) == 0:
		delete(s.found, d.topic) // just now, by whomever
	case d.retained && (ok || config) && !s.outbox.Owns(d.topic): // nearly all are ours
		s.found[d.topic] = true
	}
	health := device == discovery.Bridge && key == "health" // concerns rivals
	return ok && !health
}

// finish ends the sweep and removes what it has found. configured says which
// devices there are. It returns how much that was.
func (s *sweep) finish(configured func(device string) bool) int {
	s.mu.Lock()
	found := s.found
	s.found = nil
	s.mu.Unlock()
	var documents, values []string
	for topic := range found {
		device, config := s.topics.DeviceOfConfig(topic)
		if !config {
			device, _, _ = s.topics.ParseValue(topic)
		}
		ours := config || configured(device) || s.wasPrinter(device, found)
		switch {
		case !ours || s.outbox.Owns(topic):
		case config:
			documents = append(documents, topic)
		default:
			values = append(values, topic)
		}
	}
	// Home Assistant takes the end of a value for a wrong one, unless it has been
	// told that the entity is gone.
	for _, topic := range append(documents, values...) {
		s.outbox.Remove(topic)
	}
	return len(documents) + len(values)
}

// wasPrinter reports whether a device has topics that every printer has.
func (s *sweep) wasPrinter(device string, found map[string]bool) bool {
	t := s.topics
	return discovery.ValidID(device) == nil && (found[t.Document(device)] || found[t.Availability(device)] ||
		found[t.Value(device, "state")] || found[t.Value(device, "connection")] || found[t.Config(device)])
}

// beginSweep has the broker tell what it has retained below our topics.
func (b *Bridge) beginSweep(time.Time) {
	b.sweep.begin()
	var list []subscription
	for _, f := range b.topics.RetainedFilters() {
		list = append(list, subscription{filter: f, dispensable: true})
	}
	b.broker.listen(list...)
}

// endSweep removes what the broker has told and nobody wants.
func (b *Bridge) endSweep(time.Time) {
	b.broker.leave(b.topics.RetainedFilters()...)
	configured := func(device string) bool {
		return device == discovery.Bridge || device == discovery.Farm || b.printer(device) != nil
	}
	b.openGallery()
	if n := b.sweep.finish(configured); n > 0 {
		b.log.Info().Int("topics", n).Msg("removed what an earlier run had left on the broker")
	}
	if settled := b.config.Host.Settled; settled != nil {
		b.settledOnce.Do(func() { b.spawn(func(context.Context) { settled() }) })
	}
}
