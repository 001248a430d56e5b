package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRetainedCommandsAreRefused: nobody sent them just now. They are refused with
// every connection, and never carried out.
func TestRetainedCommandsAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		topics := map[string]string{
			w.topics.Request("left", "home"):            w.topics.Response("left", "home"),
			w.topics.Set("left", "emergency_stop"):      w.topics.Response("left", "emergency_stop"),
			w.topics.Set("left", "bed_setpoint"):        w.topics.Response("left", "bed_setpoint"),
			w.topics.Request("farm", "pause_all"):       w.topics.Response("farm", "pause_all"),
			w.topics.Request("bridge", "info"):          w.topics.Response("bridge", "info"),
			w.topics.Request("nobody", "home"):          w.topics.Response("nobody", "home"),
			w.topics.Request("left", "set_temperature"): w.topics.Response("left", "set_temperature"),
		}
		for topic := range topics {
			w.broker.publish(topic, map[bool]string{true: "{}", false: "0"}[strings.Contains(topic, "/request/")], true)
		}
		for range 2 {
			before := w.broker.seen()
			if w.bridge == nil {
				w.up()
			} else {
				w.broker.net.cut()
				w.sleep(10 * time.Second)
			}
			for topic, response := range topics {
				list := w.replies(before, response)
				if len(list) != 1 || list[0].code() != CodeRetained {
					t.Errorf("%s: answers %+v, want one %s", topic, list, CodeRetained)
				}
			}
		}
		if got := w.sims["left"].sentTo(0); len(got) > 0 {
			t.Errorf("carried out: %q", got)
		}
	})
}

// TestDuplicates: the same transaction within a minute, and the same start within
// a second, are carried out once.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.must(w.sims["left"].Select(benchy().Path))
		w.sleep(time.Second)
		home := func(transaction string) Code {
			return w.request("left", "home", `{"transaction":`+transaction+`}`).code()
		}
		check := func(what string, got, want Code) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		began := time.Now()
		check("first", home(`"a"`), "ok")
		check("again", home(`"a"`), CodeDuplicate)
		check("again, for another action", w.request("left", "pause", `{"transaction":"a"}`).code(), CodeDuplicate)
		check("another", home(`"b"`), "ok")
		check("number", home(`1`), "ok")
		check("the same as text", home(`"1"`), "ok")
		check("null", home(`null`), "ok")
		check("null again", home(`null`), "ok")
		check("none", w.request("left", "home", `{}`).code(), "ok")
		check("none again", w.request("left", "home", `{}`).code(), "ok")
		w.sleep(59*time.Second - time.Since(began))
		check("after 59 s", home(`"a"`), CodeDuplicate)
		w.sleep(61*time.Second - time.Since(began))
		check("after 61 s", home(`"a"`), "ok")

		farm := func() Code { return w.request("farm", "pause_all", `{"transaction":"f"}`).code() }
		check("farm", farm(), "ok")
		check("farm again", farm(), CodeDuplicate)

		before := len(w.sims["left"].Requests())
		first := w.broker.seen()
		w.broker.publish(w.topics.Set("left", "start"), "PRESS", false)
		w.broker.publish(w.topics.Set("left", "start"), "PRESS", false)
		w.post("left", "start", "{}")
		w.sleep(500 * time.Millisecond)
		var codes []Code
		for _, r := range w.replies(first, w.topics.Response("left", "start")) {
			codes = append(codes, r.code())
		}
		slices.Sort(codes)
		if !slices.Equal(codes, []Code{CodeDuplicate, CodeDuplicate, "ok"}) {
			t.Errorf("three times start: %v", codes)
		}
		if got := w.sims["left"].sentTo(before); len(got) != 1 {
			t.Errorf("three times start sends %q", got)
		}
		w.sleep(time.Second)
		check("start later", w.request("left", "start", "{}").code(), CodeWrongState)
	}, setup{prepare: withBenchy})
}

// TestCommandsExpire: what waited for more than 10 s behind a slow command is no
// longer what anybody wants.
func TestCommandsExpire(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s, before := w.sims["left"], w.broker.seen()
		s.HoldRequests(true)
		w.post("left", "home", `{"transaction":1}`)
		w.sleep(time.Millisecond)
		w.post("left", "home", `{"transaction":2,"axes":["x"]}`) // waits for 9.999 s
		w.sleep(9 * time.Second)
		w.post("left", "home", `{"transaction":3,"axes":["y"]}`)
		w.sleep(2 * time.Second) // the first has been given up, the second is under way
		s.HoldRequests(false)
		w.sleep(time.Second)
		codes := w.codes(before, "home")
		if want := "1 timeout, 2 ok, 3 ok"; codes != want {
			t.Errorf("%s, want %s", codes, want)
		}

		before = w.broker.seen()
		s.HoldRequests(true)
		w.post("left", "home", `{"transaction":4}`)
		w.post("left", "home", `{"transaction":5,"axes":["x"]}`)
		w.post("left", "home", `{"transaction":6,"axes":["z"]}`)
		w.sleep(15 * time.Second)
		sent := len(s.sentTo(0))
		s.HoldRequests(false)
		w.sleep(10 * time.Second)
		codes = w.codes(before, "home")
		if want := "4 timeout, 5 timeout, 6 expired"; codes != want && codes != "4 timeout, 5 ok, 6 expired" {
			t.Errorf("%s, want %s", codes, want)
		}
		for _, request := range s.sentTo(0)[sent:] {
			if strings.Contains(request, `["z"]`) {
				t.Errorf("an expired command was sent: %s", request)
			}
		}
	})
}

// codes lists the transactions of answers with their codes, in order.
func (w *world) codes(since int, action string) string {
	var list []string
	for _, r := range w.replies(since, w.topics.Response("left", action)) {
		list = append(list, fmt.Sprintf("%s %s", r.Transaction, r.code()))
	}
	return strings.Join(list, ", ")
}

// TestQueueIsBounded: more than 16 waiting commands are refused, each of them.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s, before := w.sims["left"], w.broker.seen()
		s.HoldRequests(true)
		w.post("left", "home", "{}")
		w.sleep(time.Millisecond) // it is under way
		const waiting = 16
		for range waiting + 7 {
			w.post("left", "home", "{}")
		}
		w.sleep(time.Millisecond)
		list := w.replies(before, w.topics.Response("left", "home"))
		if len(list) != 7 {
			t.Errorf("%d are refused at once, want 7", len(list))
		}
		for _, r := range list {
			if r.code() != CodeTimeout {
				t.Errorf("refused with %v", r.Error)
			}
		}
		s.HoldRequests(false)
		w.sleep(time.Second)
		if got := len(w.replies(before, w.topics.Response("left", "home"))); got != waiting+8 {
			t.Errorf("%d answers to %d commands", got, waiting+8)
		}
	})
}

// TestOrder: one printer's commands are carried out in the order in which they
// came.
func TestOrder(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		var want []string
		for i := range 10 {
			w.post("left", "set_temperature", fmt.Sprintf(`{"heater":"bed","target":%d}`, 40+i))
			want = append(want, fmt.Sprintf(`POST /api/printer/bed {"command":"target","target":%d}`, 40+i))
		}
		w.sleep(time.Second)
		if got := w.sims["left"].sentTo(0); !slices.Equal(got, want) {
			t.Errorf("sent %q", got)
		}
	})
}

// TestP3APrinterThatHangsDelaysNoOther is promise P3: a printer that hangs delays no other.
func TestP3APrinterThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sims["left"].HoldRequests(true)
		w.sims["left"].StallSockets(true)
		for range 40 {
			w.post("left", "home", "{}")
			w.broker.publish(w.topics.Set("left", "emergency_stop"), "PRESS", false)
		}
		w.sleep(time.Millisecond)
		for range 3 {
			began := time.Now()
			if r := w.request("right", "home", "{}"); r.code() != "ok" || time.Since(began) > 10*time.Millisecond {
				t.Errorf("right: %v after %v", r.Error, time.Since(began))
			}
			if r := w.set("right", "emergency_stop", "PRESS"); r.code() != "ok" || time.Since(began) > 20*time.Millisecond {
				t.Errorf("emergency stop of right: %v after %v", r.Error, time.Since(began))
			}
			w.within(2*time.Second, "right is in error", func() bool { return w.value("right", "state") == "error" })
			w.must(w.sims["right"].Connect())
			w.within(2*time.Second, "right is idle", func() bool { return w.value("right", "state") == "idle" })
		}
		w.sims["left"].HoldRequests(false)
	}, setup{}, setup{id: "right"})
}

// TestP4NoCommandFromBeforeTheConnection is promise P4: what was published while the bridge
// was away from the broker is never carried out, since sessions are clean.
func TestP4NoCommandFromBeforeTheConnection(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{true, false} {
		inBubble(t, func(w *world) {
			w.up()
			w.broker.net.setUp(false)
			w.broker.net.cut()
			w.sleep(time.Second)
			w.post("left", "home", "{}")
			w.broker.publish(w.topics.Set("left", "bed_setpoint"), "0", false)
			if !keep {
				w.broker.crash()
				w.broker.restart(false)
			}
			w.broker.net.setUp(true)
			w.sleep(70 * time.Second)
			w.expect("bridge", "state", online)
			if got := w.sims["left"].sentTo(0); len(got) > 0 {
				t.Errorf("carried out: %q", got)
			}
			if r := w.request("left", "home", "{}"); r.code() != "ok" {
				t.Errorf("a new command: %v", r.Error)
			}
		})
	}
}
