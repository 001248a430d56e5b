package integration

import (
	"testing"
	"time"
)

// TestRefresh reads everything again by REST and announces the device again that
// was deleted in Home Assistant.
func TestRefresh(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.sims["left"]
		w.up()
		w.sleep(10 * time.Second)
		w.broker.publish(w.topics.Config("left"), "", true)
		w.sleep(10 * time.Second)
		if w.retained(w.topics.Config("left")) != "" {
			t.Fatal("the device is not deleted")
		}
		asked := len(s.Requests())
		if r := w.request("left", "refresh", "{}"); r.code() != "ok" {
			t.Fatalf("%+v", r)
		}
		w.sleep(5 * time.Second)
		if w.components("left")["state"] == nil || w.components("left")["pause"] == nil {
			t.Error("the device is not back")
		}
		again := make(map[string]bool)
		for _, r := range s.Requests()[asked:] {
			again[r.Method+" "+r.Path] = true
		}
		for _, path := range []string{"settings", "connection", "files", "server", "currentuser", "printerprofiles"} {
			if !again["GET /api/"+path] {
				t.Errorf("%s was not read", path)
			}
		}
		if list := s.sentTo(0); len(list) > 0 {
			t.Errorf("sent %q", list)
		}
		w.expect("left", "state", "idle")
	}, setup{}, setup{id: "right"})
}

// TestRefreshNoticesAtOnce what would be noticed within minutes.
func TestRefreshNoticesAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(10 * time.Second)
		p := w.bridge.printer("left")
		sessions := func() uint64 {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.counters.sessions
		}
		before := sessions()
		for range 20 {
			w.post("left", "refresh", "{}")
		}
		w.sleep(10 * time.Second)
		if n := sessions(); n != before {
			t.Errorf("a refresh cost %d sessions", n-before)
		}
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(10 * time.Second)
		if r := w.request("left", "refresh", "{}"); r.code() != CodeUnreachable {
			t.Errorf("without a session: %s", r.code())
		}
	})
}
