package integration

import (
	"testing"
	"time"
)

// TestHealth: bridge/health comes each minute and counts what happened.
func TestHealth(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(3 * time.Minute)
		list := w.broker.since(0, w.topics.BridgeHealth())
		for i := 2; i < len(list); i++ {
			if gap := list[i].at.Sub(list[i-1].at); gap < 59*time.Second || gap > 61*time.Second {
				t.Errorf("health %v after the one before", gap)
			}
		}
		if len(list) < 4 {
			t.Errorf("health came %d times in three minutes", len(list))
		}

		w.sims["left"].line.Cut()
		w.broker.crash()
		w.broker.restart(false)
		w.sleep(70 * time.Second)
		w.request("left", "pause", "{}")
		w.sims["left"].Send([]byte("{"))
		w.sleep(time.Second)
		d := decodeDoc(t, string(w.request("bridge", "health", "{}").Data))
		for _, tt := range []struct {
			path []string
			want any
		}{
			{[]string{"broker", "connected"}, true},
			{[]string{"broker", "reconnects"}, 1.0},
			{[]string{"broker", "dropped"}, 0.0},
			{[]string{"printers", "left", "connection"}, "connected"},
			{[]string{"printers", "left", "reconnects"}, 1.0},
			{[]string{"printers", "left", "refused"}, 1.0},
			{[]string{"instance"}, w.bridge.instance},
		} {
			if got := at(d, tt.path...); got != tt.want {
				t.Errorf("%v is %v, want %v", tt.path, got, tt.want)
			}
		}
		for _, path := range [][]string{
			{"broker", "published"},
			{"broker", "received"},
			{"printers", "left", "frames"},
			{"printers", "left", "errors"},
			{"memory_bytes"},
			{"goroutines"},
			{"uptime_s"},
		} {
			if got, ok := at(d, path...).(float64); !ok || got <= 0 {
				t.Errorf("%v is %v", path, at(d, path...))
			}
		}
		w.expect("bridge", "broker_reconnects", "1")
		w.expect("bridge", "started", "2000-01-01T00:00:00Z")
		w.expect("bridge", "version", "0.0.0-test")
		at, err := time.Parse(time.RFC3339, at(d, "printers", "left", "last_frame").(string))
		if err != nil || time.Since(at) > 5*time.Second {
			t.Errorf("last_frame %v, %v", at, err)
		}
	})
}

// TestLifecycle: bridge/event tells of sessions and commands.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(20 * time.Second)
		w.sims["left"].line.SetUp(true)
		w.sleep(time.Minute)
		w.request("left", "home", "{}")
		w.request("left", "pause", "{}")
		w.request("farm", "nothing", "{}")
		var got []string
		for _, m := range w.broker.since(before, w.topics.BridgeEvent()) {
			d := decodeDoc(t, m.payload)
			got = append(got, d["type"].(string)+" "+d["printer"].(string))
			if _, err := time.Parse(time.RFC3339, d["time"].(string)); err != nil || m.retain {
				t.Errorf("%+v", m)
			}
		}
		want := []string{"session_lost left", "session_up left", "command left", "command left", "command farm"}
		if len(got) != len(want) {
			t.Fatalf("told %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("told %q, want %q", got, want)
			}
		}
	})
}
