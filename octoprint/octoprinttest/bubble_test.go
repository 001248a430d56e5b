package octoprinttest_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// bubble runs f with a simulated server whose clock is the bubble's.
func bubble(t *testing.T, o octoprinttest.Options, f func(sim *octoprinttest.Server, c *client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := octoprinttest.New(o)
		pipe := octoprinttest.Pipe(sim)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = sim.Run(ctx) })
		defer running.Wait()
		defer stop()
		defer pipe.Close()
		defer sim.Close()
		transport := &http.Transport{DialContext: pipe.Dial, DisableKeepAlives: true}
		c := &client{
			t: t, base: "http://octopi.local" + o.Prefix, dial: pipe.Dial,
			http: &http.Client{Transport: transport, Timeout: time.Minute, CheckRedirect: stay},
			keys: simulatedKeys(),
		}
		f(sim, c)
	})
}

// stay makes redirects visible.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func simulatedKeys() map[string]string {
	keys := map[string]string{}
	for _, u := range octoprinttest.DefaultUsers() {
		keys[u.Name] = u.Key
	}
	return keys
}
