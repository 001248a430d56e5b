package integration

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// stuckAfter is how long the bridge's clock may stand still, which ticks each
// second, before the bridge counts as stuck.
const stuckAfter = time.Minute

const brokerNotYet = "connecting to the MQTT broker, or publishing everything for the first time"

// serveHealthz tells whether the bridge lives: it should be started again if not.
func (w *web) serveHealthz(rw http.ResponseWriter, _ *http.Request) {
	if still := w.bridge.still(time.Now()); still > stuckAfter {
		http.Error(rw, fmt.Sprintf("stuck: nothing has happened for %v", still.Round(time.Second)), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(rw, "ok")
}

// serveReadyz tells whether everything is published and kept up to date.
func (w *web) serveReadyz(rw http.ResponseWriter, _ *http.Request) {
	if why := w.bridge.unready(); why != "" {
		http.Error(rw, "not ready: "+why, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(rw, "ok")
}

// unready returns why the broker doesn't have everything; empty: it has.
func (b *Bridge) unready() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.brokerWas != connectionConnected:
		return cmp.Or(b.brokerDetail, brokerNotYet)
	case !b.broker.up.Load():
		return "the connection to the MQTT broker was lost just now"
	}
	return ""
}

// still returns for how long the clock has stood still.
func (b *Bridge) still(now time.Time) time.Duration {
	return now.Sub(b.started) - time.Duration(b.ticked.Load())
}
