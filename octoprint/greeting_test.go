package octoprint_test

import (
	"net/http"
	"testing"

	"github.com/gorilla/websocket"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestGreeting: a server tells what it is without a key, and each its own
// configuration.
func TestGreeting(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, Prefix: "/octo"}, func(b *bench) {
			c := b.clientWith(octoprint.Options{})
			g, err := c.Greet(b.t.Context())
			must(b.t, err)
			if g.Version != version || g.Config == "" || seen[g.Config] {
				t.Errorf("%+v", g)
			}
			seen[g.Config] = true
			if again, err := c.Greet(b.t.Context()); err != nil || again != g {
				t.Errorf("the second time %+v, %v", again, err)
			}
		})
	}
}

// TestNoGreeting: what else may be there.
func TestNoGreeting(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.clientWith(octoprint.Options{})
		b.sim.SetProxyPage(301, "")
		_, err := c.Greet(b.t.Context())
		wantFailure(t, err, octoprint.Redirected)
		b.sim.SetProxyPage(404, "<html>")
		_, err = c.Greet(b.t.Context())
		wantFailure(t, err, octoprint.NotOctoPrint)
		b.sim.SetProxyPage(0, "")
		b.sim.StallSockets(true)
		_, err = c.Greet(b.t.Context())
		wantFailure(t, err, octoprint.Unreachable)
		b.sim.StallSockets(false)
		b.pipe.SetUp(false)
		_, err = c.Greet(b.t.Context())
		wantFailure(t, err, octoprint.Unreachable)
	})
	other := func(http.Handler) http.Handler { return websocketSaying(`["hello"]`) }
	bubbleBehind(t, octoprinttest.Options{}, other, func(b *bench) {
		_, err := b.clientWith(octoprint.Options{}).Greet(b.t.Context())
		wantFailure(t, err, octoprint.NotOctoPrint)
	})
}

// TestCORS: the settings count at once for REST, and for the socket as they were at
// the start.
func TestCORS(t *testing.T) {
	t.Parallel()
	for _, atStart := range []bool{false, true} {
		bubble(t, octoprinttest.Options{CORS: atStart}, func(b *bench) {
			c := b.clientWith(octoprint.Options{})
			for _, now := range []bool{atStart, !atStart} {
				b.sim.SetCORS(now)
				got, err := c.CORS(b.t.Context())
				must(b.t, err)
				if want := (octoprint.CORS{REST: now, Socket: atStart}); got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
			b.pipe.SetUp(false)
			_, err := c.CORS(b.t.Context())
			wantFailure(t, err, octoprint.Unreachable)
		})
	}
}

// websocketSaying is a server that sends one message to whoever opens a websocket.
func websocketSaying(message string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.WriteMessage(websocket.TextMessage, []byte(message))
		_, _, _ = conn.ReadMessage()
	})
}
