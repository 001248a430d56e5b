package integration

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint"
)

// pauses runs keep with connections that live for a while each and returns the
// pauses between them.
func pauses(t *testing.T, n int, lives time.Duration, final bool) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var list []time.Duration
	var ended time.Time
	reason := errors.New("some reason")
	keep(ctx, func(context.Context) error {
		if !ended.IsZero() {
			list = append(list, time.Since(ended))
		}
		if len(list) == n {
			cancel()
			return nil
		}
		time.Sleep(lives)
		ended = time.Now()
		return reason
	}, func(err error) bool {
		if err != reason { //nolint:errorlint // the very error
			t.Errorf("failed is told %v", err)
		}
		return final
	})
	return list
}

// TestPausesGrow: up to a second at first, then up to twice as long each time, a
// minute at most, and random.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		longest := make([]time.Duration, 12)
		sum := make([]time.Duration, 12)
		const rounds = 300
		for range rounds {
			for i, p := range pauses(t, 12, time.Second, false) {
				longest[i], sum[i] = max(longest[i], p), sum[i]+p
			}
		}
		limit := time.Second
		for i := range longest {
			if longest[i] >= limit || longest[i] < limit*9/10 {
				t.Errorf("pause %d is up to %v, want nearly %v", i, longest[i], limit)
			}
			if mean := sum[i] / rounds; mean < limit*4/10 || mean > limit*6/10 {
				t.Errorf("pause %d is %v on average, want half of %v", i, mean, limit)
			}
			limit = min(2*limit, time.Minute)
		}
	})
}

// TestPausesStartOver after a connection that lived for more than a minute.
func TestPausesStartOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			for i, p := range pauses(t, 8, time.Minute+time.Millisecond, false) {
				if p >= time.Second {
					t.Errorf("pause %d is %v", i, p)
				}
			}
		}
	})
}

// TestFinalFailuresWait: what only a person can mend is tried again after five
// minutes.
func TestFinalFailuresWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for i, p := range pauses(t, 5, time.Second, true) {
			if p != 5*time.Minute {
				t.Errorf("pause %d is %v", i, p)
			}
		}
	})
}

// TestKeepEndsAtOnce when its context does, in a pause as in a connection.
func TestKeepEndsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, life := range []time.Duration{0, time.Hour} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			began, served := time.Now(), 0
			keep(ctx, func(ctx context.Context) error {
				served++
				wait(ctx, life)
				return errors.New("reason")
			}, func(error) bool { return true })
			if time.Since(began) != 10*time.Millisecond || served != 1 {
				t.Errorf("ended after %v and %d connections", time.Since(began), served)
			}
		}
	})
}

// TestNewLoginIsNotPutOff by what went wrong before, unless a server wants one again and again.
func TestNewLoginIsNotPutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Minute)
		defer stop()
		runs, ended, last := 0, time.Time{}, time.Duration(0)
		keep(ctx, func(ctx context.Context) error {
			runs++
			if runs == 12 {
				last = time.Since(ended)
				stop()
				return nil
			}
			if runs == 11 {
				wait(ctx, 30*time.Second)
				ended = time.Now()
				return &octoprint.Error{Failure: octoprint.SessionEnded, Relogin: true}
			}
			return errors.New("no answer")
		}, func(error) bool { return false })
		if last > firstPause {
			t.Errorf("the next login came %v later", last)
		}
		ctx, stop = context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		runs = 0
		keep(ctx, func(context.Context) error {
			runs++
			return &octoprint.Error{Failure: octoprint.SessionEnded, Relogin: true}
		}, func(error) bool { return false })
		if runs > 250 {
			t.Errorf("%d logins in ten minutes", runs)
		}
	})
}
