package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func passingThrough(c *PrinterConfig) {
	c.Raw = RawConfig{Plugins: []string{"arc_welder", "Chatty"}, Events: []string{"plugin_Chatty_said", "PrintStarted", "Home"}}
}

// rawSince are the messages that were passed through since one, as "topic payload".
func (w *world) rawSince(n int) []string {
	w.t.Helper()
	var list []string
	for _, m := range w.broker.since(n, "") {
		if !strings.HasPrefix(m.topic, w.topics.Document("left")+"/raw/") {
			continue
		}
		if m.retain {
			w.t.Errorf("%s is retained", m.topic)
		}
		list = append(list, strings.TrimPrefix(m.topic, w.topics.Document("left"))+" "+m.payload)
	}
	return list
}

// TestRaw: what the configuration names is passed through as it came, and nothing
// else.
func TestRaw(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		s := w.sims["left"]
		s.Announce("arc_welder", json.RawMessage(`{"a": [1, 2.50, "ü/+#"]}`))
		s.Announce("arc_welder", json.RawMessage(`null`))
		s.Announce("other", json.RawMessage(`{"secret":1}`))
		s.Emit("plugin_Chatty_said", map[string]any{"what": "hello"})
		s.Emit("plugin_other_said", map[string]any{"what": "no"})
		s.Emit("Home", nil)
		w.sleep(time.Second)
		got := strings.Join(w.rawSince(before), "\n")
		want := `/raw/plugin/arc_welder {"a":[1,2.50,"ü/+#"]}
/raw/plugin/arc_welder null
/raw/event/plugin_Chatty_said {"what":"hello"}
/raw/event/Home null`
		if got != want && got != strings.Replace(want, `{"a":[1,2.50,"ü/+#"]}`, `{"a": [1, 2.50, "ü/+#"]}`, 1) {
			t.Errorf("passed through:\n%s\nwant:\n%s", got, want)
		}
		// An event that is known anyway comes once, and is taken in as well.
		before = w.broker.seen()
		if err := s.Print("a.gcode"); err == nil {
			t.Fatal("there is no such file")
		}
		s.Emit("PrintStarted", map[string]any{"name": "a.gcode", "path": "a.gcode", "origin": "local"})
		w.sleep(time.Second)
		if list := w.rawSince(before); len(list) != 1 || !strings.HasPrefix(list[0], "/raw/event/PrintStarted {") {
			t.Errorf("passed through: %q", list)
		}
	}, setup{config: passingThrough})
}

// TestRawIsOff unless the configuration says otherwise.
func TestRawIsOff(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.sims["left"].Announce("arc_welder", json.RawMessage(`{}`))
		w.sims["left"].Emit("Home", nil)
		w.sleep(time.Second)
		if list := w.rawSince(before); len(list) > 0 {
			t.Errorf("passed through: %q", list)
		}
	})
}

// TestP6RawStorm is a part of promise P6: a plugin that never stops talking costs
// neither memory nor the broker much, and nothing else is delayed.
func TestP6RawStorm(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		for range 10 {
			for i := range 100 {
				w.sims["left"].Announce("Chatty", json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)))
			}
			w.sleep(time.Second)
		}
		n := len(w.rawSince(before))
		if n < 90 || n > 110 {
			t.Errorf("%d messages in 10 s", n)
		}
		if dropped := w.bridge.outbox.Dropped(); dropped != uint64(1000-n) {
			t.Errorf("%d messages count as dropped", dropped)
		}
		before = w.broker.seen()
		w.sims["left"].Announce("Chatty", strings.Repeat("x", maxRawPayload+1))
		w.sleep(2 * time.Second)
		w.sims["left"].Announce("Chatty", strings.Repeat("x", maxRawPayload-2))
		w.sleep(time.Second)
		if list := w.rawSince(before); len(list) != 1 || len(list[0]) > maxRawPayload+100 {
			t.Errorf("%d messages at the limit of size", len(list))
		}
	}, setup{config: passingThrough})
}

// TestRawWithoutBroker: what can't be told now is not told later.
func TestRawWithoutBroker(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.broker.crash()
		w.sleep(5 * time.Second)
		w.sims["left"].Announce("Chatty", json.RawMessage(`{"n":1}`))
		w.sleep(5 * time.Second)
		w.broker.restart(false)
		w.within(90*time.Second, "the bridge is back", func() bool { return w.retained(w.topics.BridgeState()) == online })
		w.sleep(5 * time.Second)
		if list := w.rawSince(before); len(list) > 0 {
			t.Errorf("told later: %q", list)
		}
		w.sims["left"].Announce("Chatty", json.RawMessage(`{"n":2}`))
		w.sleep(time.Second)
		if list := w.rawSince(before); len(list) != 1 {
			t.Errorf("told now: %q", list)
		}
	}, setup{config: passingThrough})
}

// TestRawInTheOutbox: it is bounded, and comes after everything else.
func TestRawInTheOutbox(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	piece := strings.Repeat("x", 1<<16)
	for range 20 {
		o.Raw("raw", piece)
	}
	if o.Dropped() != 4 || o.rawSize > maxRawSize {
		t.Errorf("%d dropped, %d bytes wait", o.Dropped(), o.rawSize)
	}
	o.Put("value", "1", valueClass)
	if _, ok := o.Next(discoveryClass); ok {
		t.Error("it is sent before devices are announced")
	}
	if m, _ := o.Next(valueClass); m.topic != "value" {
		t.Errorf("%s comes first", m.topic)
	}
	for range 16 {
		if m, ok := o.Next(onlineClass); !ok || m.topic != "raw" || m.retained {
			t.Errorf("then comes %s, retained: %v", m.topic, m.retained)
		}
	}
	if _, ok := o.Next(onlineClass); ok || o.rawSize != 0 {
		t.Errorf("%d bytes still wait", o.rawSize)
	}
	o.Raw("raw", piece)
	o.Forget()
	m, _ := o.Next(onlineClass)
	if m.topic == "raw" {
		t.Error("it outlasts a connection")
	}
	o.Raw("raw", piece)
	o.Mute()
	o.Raw("raw", piece)
	o.Unmute()
	if _, ok := o.Next(onlineClass); ok || o.rawSize != 0 {
		t.Error("it is sent though somebody else tells")
	}
}

// TestRawReload: another list is another session.
func TestRawReload(t *testing.T) {
	t.Parallel()
	a := printerConfig("left")
	b := a
	b.Raw.Events = []string{"Home"}
	c := b
	c.Raw = RawConfig{Plugins: []string{"Home"}}
	if sameConnection(&a, &b) || sameConnection(&b, &c) || !sameConnection(&b, &b) {
		t.Error("a change of what is passed through is no change")
	}
}
