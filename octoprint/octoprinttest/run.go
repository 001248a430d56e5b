package octoprinttest

import (
	"context"
	"slices"
	"time"
)

// step is the longest piece of printer time that is simulated at once.
const step = 500 * time.Millisecond

// maxSteps bounds how much printer time one tick may simulate, whatever the Speed: about 5 hours.
const maxSteps = 40_000

// Run is the simulation's clock: it heats, prints, and sends `current` frames until ctx ends, and then returns nil.
// Only one Run may be active at a time. Without it the server answers requests, but nothing happens by itself: a
// connection asked for, for instance, is never made.
func (s *Server) Run(ctx context.Context) error {
	ticker := time.NewTicker(base)
	defer ticker.Stop()
	next := time.NewTimer(time.Hour)
	defer next.Stop()
	last := time.Now()
	for {
		next.Reset(s.untilTask())
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-next.C:
			s.runTasks()
		case <-ticker.C:
			now := time.Now()
			s.tick(now.Sub(last))
			last = now
		}
	}
}

func (s *Server) untilTask() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := time.Hour
	for _, t := range s.tasks {
		wait = min(wait, time.Until(t.at))
	}
	return max(wait, 0)
}

// runTasks executes what is due, in the order of time.
func (s *Server) runTasks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		slices.SortStableFunc(s.tasks, func(a, b task) int { return a.at.Compare(b.at) })
		if len(s.tasks) == 0 || s.tasks[0].at.After(time.Now()) {
			return
		}
		t := s.tasks[0]
		s.tasks = s.tasks[1:]
		t.do()
	}
}

// tick lets the printer live for a while and publishes how it is.
func (s *Server) tick(elapsed time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live(time.Duration(float64(elapsed) * s.options.Speed))
	s.printer.observe()
	s.publish()
}

// live lets printer time pass.
func (s *Server) live(d time.Duration) {
	for n := 0; d > 0 && n < maxSteps; n++ {
		dt := min(d, step)
		s.printer.advance(dt)
		d -= dt
	}
}
