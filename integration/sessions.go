package integration

import (
	"context"
	"sync"
	"time"

	"octoprint2mqtt/octoprint"
)

// sessions are those with one printer's OctoPrint, one after the other.
//
// Each is opened on one goroutine and served on the next: a stack stays as large as
// it once was needed, and opening a session needs twice as much as serving it. With
// 1,000 printers that is a difference of 4 MiB.
type sessions struct {
	printer *printer
	client  *octoprint.Client
	running sync.WaitGroup // at most one at a time
	began   time.Time      // the last session, or attempt at one
	retry   retry
}

// keepSession keeps a session with the printer's OctoPrint from after a delay until
// hangUp, which waits for all that it was.
func (p *printer) keepSession(ctx context.Context, delay time.Duration) (hangUp func()) {
	ctx, cancel := context.WithCancel(ctx)
	s := &sessions{printer: p, client: p.octoPrint()}
	s.next(ctx, delay)
	return func() {
		cancel()
		s.running.Wait()
	}
}

// next opens the next session after a pause, and has it served.
func (s *sessions) next(ctx context.Context, pause time.Duration) {
	s.running.Go(func() {
		if !wait(ctx, pause) {
			return
		}
		s.began = time.Now()
		session, err := s.client.Open(ctx, s.printer)
		if err != nil {
			s.ended(ctx, err)
			return
		}
		s.running.Go(func() { s.ended(ctx, session.Serve()) })
	})
}

// ended takes in how a session, or the attempt at one, has ended.
func (s *sessions) ended(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	final := s.printer.failed(err)
	s.next(ctx, s.retry.pause(time.Since(s.began), err, final))
}
