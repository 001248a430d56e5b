package integration

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// second starts another bridge on the world's broker. Its sessions with OctoPrint
// are its own. stop ends it, as a process does that is told to.
func (w *world) second(change func(*Config)) (b *Bridge, logs *logBuffer, stop func()) {
	c := w.config
	change(&c)
	logs = new(logBuffer)
	b = New(c, zerolog.New(logs))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := b.Run(ctx); err != nil {
			w.t.Errorf("Run of the second bridge: %v", err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	w.t.Cleanup(stop)
	return b, logs, stop
}

// clients returns who has published since a message, by client id, commands of
// the test left out.
func (w *world) clients(since int) map[string]int {
	list := make(map[string]int)
	for _, m := range w.broker.all()[since:] {
		if m.byBridge {
			list[m.client]++
		}
	}
	return list
}

// TestSecondBridgeYields: it disturbs the first in no way, says once why it keeps
// still, and takes over when the first has gone.
func TestSecondBridgeYields(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"octoprint2mqtt", "another"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				w.sleep(30 * time.Second)
				before, logins := w.broker.seen(), len(w.broker.logins())
				b, logs, stop := w.second(func(c *Config) { c.MQTT.ClientID = id })
				defer stop()
				w.sleep(20 * time.Minute)
				if n := len(w.broker.logins()) - logins; n < 3 || n > 5 {
					t.Errorf("it logged in %d times in 20 minutes, want one look every five", n)
				}
				if list := w.clients(before); len(list) != 1 || list["octoprint2mqtt"] == 0 {
					t.Errorf("published by %v", list)
				}
				for _, m := range w.broker.all()[before:] {
					if m.will || m.topic == w.topics.BridgeState() {
						t.Errorf("the first bridge was disturbed: %+v", m)
					}
				}
				lines := logs.lines("warn", "")
				if len(lines) != 1 || !strings.Contains(lines[0], w.bridge.instance) || !strings.Contains(lines[0], "base_topic") {
					t.Errorf("log of the second: %q", lines)
				}
				if r := w.request("left", "home", "{}"); r.code() != "ok" || len(w.sims["left"].sentTo(0)) != 1 {
					t.Errorf("a command: %v, sent %q", r.Error, w.sims["left"].sentTo(0))
				}

				// A print ends; the first tells it, and the second doesn't once it works.
				w.print("left")
				w.must(w.sims["left"].Cancel())
				w.sleep(10 * time.Second)
				w.stop()
				before = w.broker.seen()
				w.within(6*time.Minute, "the second works", func() bool { return w.retained(w.topics.BridgeState()) == online })
				w.sleep(20 * time.Second)
				if got := eventTypesOf(w.events(before, "left")); got != "" {
					t.Errorf("it told what the first had told: %s", got)
				}
				if got := w.doc(w.topics.BridgeHealth())["instance"]; got != b.instance {
					t.Errorf("health is of %v", got)
				}
				if len(logs.lines("info", "connected to the MQTT broker")) != 1 || len(logs.lines("warn", "")) != 1 {
					t.Errorf("log of the second:\n%s", logs)
				}
				if r := w.request("left", "home", "{}"); r.code() != "ok" {
					t.Errorf("a command: %v", r.Error)
				}
				w.expect("left", "last_result", "cancelled")
			}, setup{prepare: withBenchy})
		})
	}
}

// TestRestartIsNoRival: a bridge that is started again at once works at once, even
// if the last run crashed and the state folder is lost.
func TestRestartIsNoRival(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world){
		"stop": func(w *world) { w.stop() },
		"crash": func(w *world) {
			w.broker.net.setUp(false)
			w.broker.net.cut() // and no last words
			w.stop()
			w.broker.net.setUp(true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				w.sleep(30 * time.Second)
				end(w)
				w.start()
				w.within(3*time.Second, "online", func() bool { return w.retained(w.topics.BridgeState()) == online })
			})
		})
	}
}

// TestOwnLastRunThatTheBrokerTakesForAlive: after a crash of the whole machine the
// broker needs a while to notice. Who has the state folder to itself knows better,
// and takes over; the will comes before what is said then.
func TestOwnLastRunThatTheBrokerTakesForAlive(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(30 * time.Second)
		w.broker.net.silence()
		w.stop()
		w.expect("bridge", "state", online)
		before := w.broker.seen()
		w.start()
		w.within(3*time.Second, "at work", func() bool { return len(w.broker.since(before, w.topics.BridgeHealth())) > 0 })
		w.sleep(time.Minute)
		w.expect("bridge", "state", online)
		if lines := w.logs.lines("warn", ""); len(lines) > 0 {
			t.Errorf("log: %q", lines)
		}
	})
}

// TestOwnLastRunThatDiedWithTheBroker: after a power cut the broker comes back with
// all that it had, and knows of no will. Who has the state folder to itself does not
// wait for its own last word to become old; who can't know that does.
func TestOwnLastRunThatDiedWithTheBroker(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{true, false} {
		t.Run(fmt.Sprintf("alone: %v", alone), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				restartable(w)
				w.up()
				w.sleep(30 * time.Second)
				w.broker.crash()
				health := fmt.Sprintf(`{"time":%q,"instance":%q}`, time.Now().Format(time.RFC3339), w.bridge.instance)
				w.stop()
				w.broker.restart(true)
				w.broker.publish(w.topics.BridgeHealth(), health, true)
				w.broker.publish(w.topics.BridgeState(), online, true)
				if !alone {
					_, release := newJournal(w.config.StateDir, zerolog.Nop()).claim()
					defer release()
				}
				before := w.broker.seen()
				w.start()
				w.sleep(3 * time.Second)
				if works := len(w.clients(before)) > 0; works != alone {
					t.Errorf("at work at once: %v", works)
				}
				w.within(rivalAge+time.Second, "at work", func() bool { return len(w.clients(before)) > 0 })
				w.sleep(time.Second)
				w.expect("left", "availability", online)
				if lines := w.logs.lines("warn", "is at work"); len(lines) > 0 {
					t.Errorf("log: %q", lines)
				}
			})
		})
	}
}

// TestSecondBridgeWithTheSameStateFolder takes the first for its own last run, and
// keeps still all the same: that one goes on speaking.
func TestSecondBridgeWithTheSameStateFolder(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(30 * time.Second)
		before := w.broker.seen()
		b, logs, _ := w.second(func(*Config) {})
		w.sleep(10 * time.Minute)
		if list := w.clients(before); len(list) != 1 || b.broker.up.Load() || !w.bridge.broker.up.Load() {
			t.Errorf("published by %v", list)
		}
		if lines := logs.lines("warn", w.bridge.instance); len(lines) != 1 {
			t.Errorf("log:\n%s", logs)
		}
		if lines := logs.lines("warn", "another octoprint2mqtt uses this state folder"); len(lines) != 1 {
			t.Errorf("log:\n%s", logs)
		}
	})
}

// TestYieldingBridgeLeavesTheStateFolderAlone: it may be the one that the bridge at
// work uses.
func TestYieldingBridgeLeavesTheStateFolderAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(30 * time.Second)
		dir := t.TempDir()
		_, _, stop := w.second(func(c *Config) { c.StateDir = dir })
		w.sleep(10 * time.Minute)
		stop()
		if list, err := os.ReadDir(dir); err != nil || len(list) != 1 || list[0].Name() != lockName {
			t.Errorf("it wrote %v, %v", list, err)
		}
		if list, err := os.ReadDir(w.config.StateDir); err != nil || len(list) != 3 {
			t.Errorf("the one at work wrote %v, %v", list, err)
		}
	})
}

// TestForeignHealth: what is said on bridge/health decides, and only if it is
// fresh.
func TestForeignHealth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		age    time.Duration
		state  string
		yields bool
	}{
		{"fresh", 10 * time.Second, online, true},
		{"fresh, state unknown", 10 * time.Second, "", true},
		{"fresh, but ended", 10 * time.Second, offline, false},
		{"a minute and a half old", 91 * time.Second, online, false},
		{"from the future", -time.Hour, online, false},
		{"by a clock that is a bit ahead", -30 * time.Second, online, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				health := fmt.Sprintf(`{"time":%q,"instance":"abcd1234"}`, time.Now().Add(-tt.age).Format(time.RFC3339))
				w.broker.publish(w.topics.BridgeHealth(), health, true)
				w.broker.publish(w.topics.BridgeState(), tt.state, true)
				before := w.broker.seen()
				w.start()
				w.sleep(4 * time.Minute)
				if silent := len(w.clients(before)) == 0; silent != tt.yields {
					t.Errorf("it keeps still: %v\nlog:\n%s", silent, w.logs)
				}
				w.sleep(2 * time.Minute) // nobody has renewed that health
				if w.retained(w.topics.BridgeState()) != online || len(w.clients(before)) == 0 {
					t.Error("it does not look again")
				}
			})
		})
	}
}

// TestNonsenseOnHealthIsNoRival.
func TestNonsenseOnHealthIsNoRival(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, payload := range []string{"", "x", "null", "[]", "{}", `{"instance":7}`, `{"instance":"","time":"2000-01-01T00:00:00Z"}`} {
			w.broker.publish(w.topics.BridgeHealth(), payload, true)
		}
		w.up()
		for _, payload := range []string{"x", "null", "[]", "{}", `{"instance":7}`, `{"instance":""}`} {
			w.broker.publish(w.topics.BridgeHealth(), payload, false)
		}
		w.sleep(10 * time.Second)
		w.expect("bridge", "state", online)
		if len(w.logs.lines("warn", "")) > 0 {
			t.Errorf("log:\n%s", w.logs)
		}
	})
}

// TestRivalThatAppears: a bridge that hears another at work yields within moments,
// and says nothing more, not even that it is offline.
func TestRivalThatAppears(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(10 * time.Second)
		w.broker.publish(w.topics.BridgeHealth(), `{"time":"1999-01-01T00:00:00Z","instance":"abcd1234"}`, true)
		w.sleep(time.Second)
		before := w.broker.seen()
		w.must(w.sims["left"].Disconnect())
		w.sleep(4 * time.Minute)
		if list := w.clients(before); len(list) > 0 {
			t.Errorf("published by %v", list)
		}
		w.expect("bridge", "state", online) // the other's word
		if lines := w.logs.lines("warn", "abcd1234"); len(lines) != 1 {
			t.Errorf("log:\n%s", w.logs)
		}
		w.stop()
		if list := w.clients(before); len(list) > 0 {
			t.Errorf("its end was published: %v", list)
		}
	})
}

// TestTwoBridgesAtOnce: of two that start in the same moment exactly one works in
// the end, with the same client id or with different ones.
func TestTwoBridgesAtOnce(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"octoprint2mqtt", "another"} {
		for attempt := range 2 {
			t.Run(fmt.Sprint(id, attempt), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					w.start()
					b, _, stop := w.second(func(c *Config) { c.MQTT.ClientID = id })
					defer stop()
					w.sleep(15 * time.Minute)
					before := w.broker.seen()
					w.sleep(15 * time.Minute)
					instances := make(map[any]bool)
					for _, m := range w.broker.since(before, w.topics.BridgeHealth()) {
						instances[decodeDoc(t, m.payload)["instance"]] = true
					}
					if len(instances) != 1 || w.bridge.broker.up.Load() == b.broker.up.Load() {
						t.Errorf("at work: %v; connected: %v and %v", instances, w.bridge.broker.up.Load(), b.broker.up.Load())
					}
					w.expect("bridge", "state", online)
				})
			})
		}
	}
}

// TestTakeovers: a bridge whose clock is wrong is known by taking our connection
// over, the second time within a minute.
func TestTakeovers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		for i := range 2 {
			w.broker.publish(w.topics.BridgeState(), offline, true)
			w.broker.net.setUp(false)
			w.broker.net.cut()
			w.sleep(100 * time.Millisecond)
			w.broker.publish(w.topics.BridgeHealth(), `{"time":"1999-01-01T00:00:00Z","instance":"abcd1234"}`, true)
			w.broker.net.setUp(true)
			yielded := func() bool { return len(w.logs.lines("warn", "abcd1234")) > 0 }
			w.within(15*time.Second, "it is back or yields", func() bool { return w.bridge.broker.up.Load() || yielded() })
			w.sleep(time.Second)
			if yields := yielded(); yields != (i == 1) {
				t.Errorf("after %d takeovers it yields: %v\nlog:\n%s", i+1, yields, w.logs)
			}
		}
	})
}

// TestRunsThatNeverReachedTheBroker: what the broker has is an earlier run's word,
// which those in between could not replace.
func TestRunsThatNeverReachedTheBroker(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.sleep(30 * time.Second)
		w.broker.crash() // with our word on it that we are online
		w.stop()
		for range 3 {
			w.start()
			w.sleep(3 * time.Second)
			w.stop()
		}
		w.broker.restart(true)
		w.start()
		w.within(rivalAge+backTime, "connected", func() bool { return w.bridge.broker.up.Load() })
		if lines := w.logs.lines("warn", "another"); len(lines) > 0 {
			t.Errorf("log: %q", lines)
		}
	})
}
