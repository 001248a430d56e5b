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

// retry decides how long to wait between one connection and the next: up to a second
// at first, then up to twice as long each time, at most a minute, always a random
// part of it so that a farm doesn't come back in step. A connection that lived longer
// than the longest pause starts over at the shortest, and so does one that the server
// has ended because it wants a new login, now and then. The zero value begins.
type retry struct {
	limit   time.Duration
	hurried time.Time
}

// pause returns how long to wait after a connection, or an attempt at one, that
// lasted so long and ended with err. final tells that only a person can mend that.
func (r *retry) pause(lasted time.Duration, err error, final bool) time.Duration {
	if now := time.Now(); lasted > lastPause || wantsLogin(err) && now.Sub(r.hurried) > hurry {
		r.limit, r.hurried = 0, now
	}
	r.limit = max(r.limit, firstPause)
	pause := rand.N(r.limit)
	r.limit = min(2*r.limit, lastPause)
	if final {
		return refusedPause
	}
	return pause
}

// keep runs serve again and again until ctx ends, and waits in between as retry has
// it. A serve is one connection from its beginning to its end; when it returns,
// failed is told why and returns whether only a person can mend it.
func keep(ctx context.Context, serve func(context.Context) error, failed func(error) (final bool)) {
	var r retry
	for ctx.Err() == nil {
		began := time.Now()
		err := serve(ctx)
		if ctx.Err() != nil {
			return
		}
		final := failed(err)
		if !wait(ctx, r.pause(time.Since(began), err, final)) {
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
