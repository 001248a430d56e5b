package integration

import (
	"context"
	"math/rand/v2"
	"time"
)

// The pauses between attempts to connect, to OctoPrint as to the broker.
const (
	firstPause = time.Second
	lastPause  = time.Minute
	// refusedPause is for failures that only a person can end, such as a rejected
	// API key: asking more often helps nobody and fills the server's log.
	refusedPause = 5 * time.Minute
)

// keep runs serve again and again until ctx ends. A serve is one connection from
// its beginning to its end; when it returns, failed is told why and returns
// whether only a person can mend it. Between two runs keep waits: up to a second
// at first, then up to twice as long each time, at most a minute, always a random
// part of it so that a farm doesn't come back in step. A connection that lived
// longer than the longest pause starts over at the shortest.
func keep(ctx context.Context, serve func(context.Context) error, failed func(error) (final bool)) {
	limit := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := serve(ctx)
		if ctx.Err() != nil {
			return
		}
		final := failed(err)
		if time.Since(began) > lastPause {
			limit = firstPause
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
