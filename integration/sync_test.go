package integration

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestP1RetainedStateIsTheTruthAfterAnOutage is promise P1: after an outage of the broker the retained state is
// the truth again within the backoff and 5 s, also if the broker lost everything.
func TestP1RetainedStateIsTheTruthAfterAnOutage(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{true, false} {
		for _, away := range []time.Duration{0, 7 * time.Second, 70 * time.Second} {
			t.Run(fmt.Sprintf("keep_%v_%v", keep, away), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					w.up()
					w.print("left")
					w.broker.crash()
					w.within(time.Second, "lost", func() bool { return !w.bridge.broker.up.Load() })
					w.must(w.sims["left"].Pause())
					w.must(w.sims["right"].Disconnect())
					w.sleep(away)
					w.broker.restart(keep)
					w.within(65*time.Second, "online", func() bool {
						return w.bridge.broker.up.Load() && w.retained(w.topics.BridgeState()) == online
					})
					dials := w.broker.net.attempts()
					if since := time.Since(dials[len(dials)-1]); since > 5*time.Second {
						t.Errorf("online %v after the connection", since)
					}
					w.sleep(5 * time.Second)
					w.expect("left", "state", "paused")
					w.expect("right", "state", "offline")
					w.checkTruth()
				}, threePrinters()...)
			})
		}
	}
}

// checkTruth compares what the broker has with what the bridge wants it to have.
func (w *world) checkTruth() {
	w.t.Helper()
	w.bridge.outbox.mu.Lock()
	defer w.bridge.outbox.mu.Unlock()
	retained := w.broker.retained()
	for r := range w.bridge.outbox.topics.all() {
		topic := w.bridge.outbox.topics.topicOf(r)
		if r.payload.sent() {
			if _, _, err := checkPicture(retained[topic]); err != nil {
				w.t.Errorf("%s is no picture: %v", topic, err)
			}
			delete(retained, topic)
			continue
		}
		if want := w.bridge.outbox.packer.unpack(r.payload); retained[topic] != want {
			w.t.Errorf("%s is %q, want %q", topic, retained[topic], want)
		}
		delete(retained, topic)
	}
	for topic, payload := range retained {
		w.t.Errorf("%s = %q is retained, and nobody wants it", topic, payload)
	}
}

// TestP2NoOlderValueAfterANewerOne is promise P2, on a line that is slow and breaks.
func TestP2NoOlderValueAfterANewerOne(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		w.broker.net.setLatency(400 * time.Millisecond)
		before := w.broker.seen()
		for i := range 12 {
			w.sleep(time.Duration(5+i) * time.Second)
			w.broker.net.cut()
		}
		w.broker.net.setLatency(0)
		w.sleep(4 * time.Minute)
		seen := make(map[string]float64)
		n := 0
		for _, m := range w.broker.since(before, "") {
			key := strings.TrimPrefix(m.topic, "octoprint2mqtt/left/")
			if !slices.Contains([]string{"elapsed", "progress_bytes", "z"}, key) {
				continue
			}
			now, err := strconv.ParseFloat(m.payload, 64)
			if err != nil || now < seen[key] {
				t.Errorf("%s: %s follows %v", key, m.payload, seen[key])
			}
			seen[key] = now
			n++
		}
		if n < 20 {
			t.Errorf("only %d values", n)
		}
		w.checkTruth()
	}, threePrinters()...)
}
