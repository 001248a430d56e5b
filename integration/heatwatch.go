package integration

import (
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// heatWatch notices heaters that are left on without a job.
type heatWatch struct {
	// since is when a heater has got a target, or the job has ended; zero: no heater
	// has one, or a job runs.
	since time.Time
	// unattended says that it is longer than the configuration allows.
	unattended bool
}

func (w *heatWatch) follow(s *octoprint.State, now time.Time) {
	switch {
	case s.Phase.Job() || !targeted(s):
		*w = heatWatch{}
	case w.since.IsZero():
		w.since = now
	}
}

// due reports whether heaters have been on for too long just now.
func (w *heatWatch) due(limit time.Duration, now time.Time) bool {
	return !w.unattended && !w.since.IsZero() && now.Sub(w.since) >= limit
}

// targeted reports whether any heater has a target.
func targeted(s *octoprint.State) bool {
	for _, h := range s.Heaters {
		if h.Target != nil && *h.Target > 0 {
			return true
		}
	}
	return false
}

func unattendedRow() printerRow {
	return printerRow{
		key: "unattended_heat", prompt: true,
		about:     "`ON` when a heater has had a target above 0 without a job for longer than `heat_watch`.",
		component: discovery.Component{Platform: discovery.BinarySensor, Name: "Unattended heat", DeviceClass: "problem"},
		value:     whileLive(func(v *printerView) value { return onOff(v.now.heat.unattended) }),
	}
}

// goal is a target that a heater has.
type goal struct {
	target float64
	below  bool // it has not been reached yet
}

const (
	// nearly is how far in °C a heater may be below its target and has reached it.
	nearly = 1
	// afterglow is how far in °C above ready_below a heater must have been for its
	// cooling down to be told.
	afterglow = 5
)

// heat tells of heaters that have reached their targets, each target once, and
// that all have cooled down.
func (t *tracker) heat(s *octoprint.State, now time.Time) []event {
	if len(s.Heaters) == 0 {
		clear(t.goals)
		return nil
	}
	var events []event
	cold := true
	for name, h := range s.Heaters {
		if h.Actual == nil || h.Target == nil {
			continue
		}
		actual, target := *h.Actual, *h.Target
		t.hot = t.hot || actual >= t.readyBelow+afterglow
		cold = cold && target == 0 && actual < t.readyBelow
		if t.reached(name, actual, target) {
			var e *event
			events, e = t.with(events, EventHeated, now)
			e.Heater = name
		}
	}
	if cold && t.hot {
		t.hot = false
		events, _ = t.with(events, EventCooledDown, now)
	}
	return events
}

// reached reports whether a heater that was below its target is there now.
func (t *tracker) reached(heater string, actual, target float64) bool {
	g, known := t.goals[heater]
	there := actual >= target-nearly
	switch {
	case !known || g.target != target:
		if t.goals == nil {
			t.goals = make(map[string]goal)
		}
		t.goals[heater] = goal{target: target, below: target > 0 && !there}
		return false
	case g.below && there:
		t.goals[heater] = goal{target: target}
		return true
	}
	return false
}
