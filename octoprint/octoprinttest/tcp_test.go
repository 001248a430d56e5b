package octoprinttest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestOverTCP shows that the simulation serves real connections as well.
func TestOverTCP(t *testing.T) {
	t.Parallel()
	sim := octoprinttest.New(octoprinttest.Options{})
	web := httptest.NewServer(sim)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = sim.Run(ctx) })
	defer running.Wait()
	defer stop()
	defer web.Close()
	defer sim.Close()

	c := &client{t: t, base: web.URL, keys: simulatedKeys(), http: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute, CheckRedirect: stay,
	}}
	s := c.joined("operator")
	s.untilText("Operational")
	sim.DropSockets()
	<-s.done
	sim.SetStarting(true)
	same(t, "front page", c.get("/", "").status, 200)
	sim.SetStarting(false)
	c.joined("operator").untilText("Operational")
}
