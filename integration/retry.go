package integration

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"octoprint2mqtt/octoprint"
)

// The pauses between attempts to connect, to OctoPrint as to the broker.
const (
	firstPause = time.Second
	lastPause  = time.Minute
	// refusedPause is for failures that only a person can end, such as a rejected
	// API key: asking more often helps nobody and fills the server's log.
	refusedPause = 5 * time.Minute
	// hurry is how often a server that only wants a new login gets it at once, whatever
	// was before.
	hurry = 10 * time.Second
)

// keep runs serve again and again until ctx ends. A serve is one connection from
// its beginning to its end; when it returns, failed is told why and returns
// whether only a person can mend it. Between two runs keep waits: up to a second
// at first, then up to twice as long each time, at most a minute, always a random
// part of it so that a farm doesn't come back in step. A connection that lived
// longer than the longest pause starts over at the shortest, and so does one that
// the server has ended because it wants a new login, now and then.
func keep(ctx context.Context, serve func(context.Context) error, failed func(error) (final bool)) {
	limit := firstPause
	var hurried time.Time
	for ctx.Err() == nil {
		began := time.Now()
		err := serve(ctx)
		if ctx.Err() != nil {
			return
		}
		final := failed(err)
		if now := time.Now(); now.Sub(began) > lastPause || wantsLogin(err) && now.Sub(hurried) > hurry {
			limit, hurried = firstPause, now
		}
		pause := rand.N(limit)
		limit = min(2*limit, lastPause)
		if final {
			pause = refusedPause
		}
		if !wait(ctx, pause) {
			return
		}
	}
}

func wantsLogin(err error) bool {
	e, ok := errors.AsType[*octoprint.Error](err)
	return ok && e.Relogin
}

// wait waits for a while and reports whether ctx let it.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
