package integration

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// The promises of the design have tests that are named after them: TestP1… to
// TestP10…, here and where the rest of their subject is. TestEveryLossAndReturn and
// TestLossesInPairs hold all of them at once.

// TestP3ValuesOfOthersKeepComing: while one printer's server is away, hangs, restarts
// or sends garbage, a change on another is told within a second.
func TestP3ValuesOfOthersKeepComing(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(s *sim){
		"away":    func(s *sim) { s.line.SetUp(false); s.line.Cut() },
		"hangs":   func(s *sim) { s.HoldRequests(true); s.StallSockets(true) },
		"starts":  func(s *sim) { s.SetStarting(true) },
		"garbage": func(s *sim) { sendGarbage(s, 200) },
		"large":   func(s *sim) { s.Send([]byte(`{"current":{"logs":["` + strings.Repeat("x", 9<<20) + `"]}}`)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				w.print("left")
				disturb(w.sims["left"])
				for n := range 20 {
					w.must(w.sims["right"].SetTarget("bed", float64(1+n)))
					w.within(time.Second, "right is told", func() bool { return w.value("right", "bed_target") == strconv.Itoa(1+n) })
					w.sleep(time.Duration(300*n) * time.Millisecond)
				}
				w.sims["left"].HoldRequests(false)
				w.sims["left"].StallSockets(false)
			}, setup{prepare: withBenchy}, setup{id: "right"})
		})
	}
}

func sendGarbage(s *sim, n int) {
	for range n {
		s.Send([]byte(`{"current":`))
		s.Send([]byte(`{"event":{"type":"PrintDone","payload":[]}}`))
		s.Send([]byte(strings.Repeat("[", 10_000)))
	}
}

// TestP5BlockedWriteIsNoticed: a write that blocks would keep the library from
// noticing that nothing comes back.
func TestP5BlockedWriteIsNoticed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		w.broker.net.choke()
		if took := w.within(30*time.Second, "noticed", func() bool { return !w.bridge.broker.up.Load() }); took > 25*time.Second {
			t.Errorf("noticed after %v", took)
		}
		w.within(10*time.Second, "connected again", func() bool { return w.bridge.broker.up.Load() })
		w.broker.net.cutSilent()
		w.sleep(time.Minute)
		w.expect("bridge", "state", online)
		w.checkTruth()
	}, setup{prepare: withBenchy})
}

// TestP10AnEndHasOneIDWheneverTheBridgeDies kills the bridge at moments around the
// end of a print, also when the broker has the event and has not said so.
func TestP10AnEndHasOneIDWheneverTheBridgeDies(t *testing.T) {
	t.Parallel()
	const takes = 20 * time.Second
	deaths := map[string]func(w *world){
		"when the broker gets the event": func(w *world) {
			var once sync.Once
			first, topic := w.processes[0], w.topics.Event("left")
			w.broker.follow(func(m sent) {
				if m.topic == topic && strings.Contains(m.payload, "print_finished") {
					once.Do(first.die)
				}
			})
			w.sleep(takes + 3*time.Second)
			w.kill()
		},
	}
	for offset := -500 * time.Millisecond; offset <= 600*time.Millisecond; offset += 50 * time.Millisecond {
		deaths[fmt.Sprint(offset, " after the end")] = func(w *world) {
			w.sleep(takes + offset)
			w.kill()
		}
	}
	for name, death := range deaths {
		for _, brokerDies := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", the broker too: ", brokerDies), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					restartable(w)
					w.launch()
					w.sleep(5 * time.Second)
					w.must(w.sims["left"].Print("bracket.gcode"))
					death(w)
					if brokerDies {
						w.broker.crash()
						w.broker.restart(false)
					}
					w.sleep(3 * time.Second)
					w.launch()
					w.sleep(30 * time.Second)
					w.kill()
					w.launch()
					w.sleep(30 * time.Second)
					ids := make(map[string]bool)
					for _, e := range w.events(0, "left") {
						if e.Result != "" {
							ids[e.ID] = true
							if e.Type != EventPrintFinished || e.Result != resultSuccess {
								t.Errorf("told %+v", e)
							}
						}
					}
					if len(ids) != 1 {
						t.Errorf("the end was told under %d ids", len(ids))
					}
					w.expect("left", "last_result", resultSuccess)
				}, setup{prepare: func(s *octoprinttest.Server) {
					s.AddFile(octoprinttest.File{Path: "bracket.gcode", PrintTime: takes})
				}})
			})
		}
	}
}
