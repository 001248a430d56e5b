package integration

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestP5HalfOpenBrokerIsNoticed is promise P5: a line to the broker that is dead but not
// closed is noticed, whether there is something to say or not.
func TestP5HalfOpenBrokerIsNoticed(t *testing.T) {
	t.Parallel()
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprint("busy ", busy), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				if busy {
					w.print("left")
				} else {
					w.sims["left"].line.SetUp(false)
					w.sims["left"].line.Cut()
					w.sleep(70 * time.Second)
				}
				began := time.Now()
				w.broker.net.stall(true)
				took := w.within(30*time.Second, "noticed", func() bool { return !w.bridge.broker.up.Load() })
				if took > 25*time.Second {
					t.Errorf("noticed after %v", took)
				}
				if lines := w.logs.lines("warn", `"broker"`); len(lines) != 1 {
					t.Errorf("%d lines after %v", len(lines), time.Since(began))
				}
				w.sleep(time.Minute)
				w.broker.net.stall(false)
				w.within(70*time.Second, "online", func() bool {
					return w.bridge.broker.up.Load() && w.retained(w.topics.BridgeState()) == online
				})
				w.sleep(20 * time.Second)
				w.expect("bridge", "state", online)
				w.checkTruth()
			}, setup{prepare: withBenchy})
		})
	}
}

// TestP7StopSaysOfflineWithinFiveSeconds is the first half of promise P7: a stop says offline and ends within 5 s,
// whatever the others do.
func TestP7StopSaysOfflineWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before func(w *world)
		told   bool // the broker can be told
	}{
		{"all is well", func(w *world) { w.up() }, true},
		{"at once", func(w *world) { w.start() }, false},
		{"before the first introduction has ended", func(w *world) {
			w.start()
			w.sleep(300 * time.Millisecond)
		}, true},
		{"printer hangs", func(w *world) {
			w.up()
			w.sims["left"].HoldRequests(true)
			w.sims["left"].StallSockets(true)
			for range 5 {
				w.post("left", "home", "{}")
				w.post("left", "emergency_stop", "{}")
			}
			w.sleep(time.Second)
		}, true},
		{"printer was never reached", func(w *world) {
			w.sims["left"].HoldRequests(true)
			w.start()
			w.sleep(5 * time.Second)
		}, true},
		{"broker is away", func(w *world) {
			w.up()
			w.broker.crash()
			w.sleep(20 * time.Second)
		}, false},
		{"broker never came", func(w *world) {
			w.broker.net.setUp(false)
			w.start()
			w.sleep(20 * time.Second)
		}, false},
		{"broker stands still", func(w *world) {
			w.up()
			w.broker.net.stall(true)
			w.sleep(time.Second)
		}, false},
		{"broker stood still from the beginning", func(w *world) {
			w.broker.net.stall(true)
			w.start()
			w.sleep(5 * time.Second)
		}, false},
		{"broker is slow", func(w *world) {
			w.up()
			w.broker.net.setLatency(200 * time.Millisecond)
			w.sleep(time.Second)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				tt.before(w)
				began := time.Now()
				w.stop()
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
				w.sleep(time.Second)
				if tt.told {
					w.expect("bridge", "state", offline)
					last := w.broker.since(0, w.topics.BridgeState())
					if m := last[len(last)-1]; m.will || m.payload != offline || !m.retain {
						t.Errorf("the last word is %+v", m)
					}
				}
				w.sims["left"].HoldRequests(false)
				w.sims["left"].StallSockets(false)
			})
		})
	}
}

// TestStopLeavesAvailability: after a clean stop a printer's availability stays as
// it was; consumers read both topics.
func TestStopLeavesAvailability(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.stop()
		w.expect("left", "availability", online)
		w.expect("left", "state", "idle")
		list := w.broker.since(before, "")
		for _, m := range list {
			if m.topic != w.topics.BridgeState() && m.topic != w.topics.Value("left", "bed_temperature") {
				t.Errorf("the stop publishes %s = %s", m.topic, m.payload)
			}
		}
		if list[len(list)-1].topic != w.topics.BridgeState() {
			t.Error("offline is not the last word")
		}
	})
}

// TestP7CrashIsLeftToTheWill is the other half of P7: a crash leaves it to the will, and the next
// connection says online again.
func TestP7CrashIsLeftToTheWill(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.broker.net.setUp(false)
		w.broker.net.cut()
		w.sleep(time.Second)
		w.expect("bridge", "state", offline)
		w.broker.net.setUp(true)
		w.within(10*time.Second, "online", func() bool { return w.retained(w.topics.BridgeState()) == online })
	})
}

// TestIntroductionEndsOnASlowLine: a bridge that always has something new to say
// must nevertheless come to say that it is online.
func TestIntroductionEndsOnASlowLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		peer := newTestBroker(t)
		peer.net.setLatency(150 * time.Millisecond)
		out := newOutbox()
		out.Put("base/left/availability", online, availabilityClass)
		out.Put("base/bridge/state", online, onlineClass)
		ctx, cancel := context.WithCancel(t.Context())
		connected := make(chan struct{})
		b := &broker{
			config: MQTTConfig{URL: mustURL("mqtt://broker.test:1883"), ClientID: "test", BaseTopic: "base", Dial: peer.net.Dial},
			online: "base/bridge/state", outbox: out,
			filters: func() []subscription { return listening(1, "base/+/+/set") }, deliver: func(delivery) {},
			connected: func() { close(connected) }, ended: func(int) {},
		}
		var running sync.WaitGroup
		running.Go(func() {
			for i := 0; wait(ctx, 50*time.Millisecond); i++ {
				out.Put(fmt.Sprintf("base/printer-%d/temperature", i%100), strconv.Itoa(i), valueClass)
			}
		})
		running.Go(func() {
			if err := b.serve(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		select {
		case <-connected:
		case <-time.After(30 * time.Second):
			t.Error("not online after 30 s")
		}
		cancel()
		running.Wait()
		peer.close()
	})
}
