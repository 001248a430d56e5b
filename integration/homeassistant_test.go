package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestBirth: when Home Assistant starts, everything is published again, after a
// random while of up to 3 s, and once.
func TestBirth(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(30 * time.Second)
		shortest, longest := time.Hour, time.Duration(0)
		for range 12 {
			before, began := w.broker.seen(), time.Now()
			w.broker.publish("homeassistant/status", "online", false)
			w.sleep(10 * time.Second)
			again := make(map[string]int)
			for _, m := range w.broker.since(before, "") {
				again[m.topic]++
				if m.topic == w.topics.Config("left") {
					shortest, longest = min(shortest, m.at.Sub(began)), max(longest, m.at.Sub(began))
				}
			}
			for topic := range w.broker.retained() {
				if again[topic] == 0 && topic != "homeassistant/status" {
					t.Errorf("%s was not published again", topic)
				}
			}
			if n := again[w.topics.Config("left")]; n != 1 {
				t.Errorf("the discovery document came %d times", n)
			}
			w.sleep(137 * time.Millisecond)
		}
		if longest > 4*time.Second+100*time.Millisecond || longest-shortest < time.Second {
			t.Errorf("from %v to %v after the birth", shortest, longest)
		}
	})
}

// TestNoBirth: what is no birth is no reason to publish anything.
func TestNoBirth(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(30 * time.Second)
		before := w.broker.seen()
		for _, payload := range []string{"offline", "", "ONLINE", "online ", "on"} {
			w.broker.publish("homeassistant/status", payload, false)
			w.broker.publish("homeassistant/other", "online", false)
		}
		w.sleep(10 * time.Second)
		for _, m := range w.broker.since(before, "") {
			if m.topic != w.topics.BridgeHealth() {
				t.Errorf("published: %s", m.topic)
			}
		}
	})
}

// configs renders what each version of a printer's discovery document says about a
// component: full, stub, or that it is missing.
func (w *world) configs(since int, key string) string {
	w.t.Helper()
	var list []string
	for _, m := range w.broker.since(since, w.topics.Config("left")) {
		c, there := componentsIn(w.t, m.payload)[key]
		switch {
		case !there:
			list = append(list, "missing")
		case len(c) == 1 && c["p"] != nil:
			list = append(list, "stub")
		default:
			list = append(list, "full")
		}
	}
	return strings.Join(list, " ")
}

// TestPermissionTaken: what is no longer allowed is removed from Home Assistant by a
// stub, again after its next start, and then no more.
func TestPermissionTaken(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.sims["left"].SetPermissions("operator", "STATUS", "CONTROL")
		w.sleep(20 * time.Second)
		if got := w.configs(before, "pause"); got != "stub" {
			t.Errorf("pause: %s, want a stub", got)
		}
		for key, want := range map[string]string{"connect": "stub", "home": "full", "bed_setpoint": "full", "state": "full"} {
			if got := w.configs(before, key); got != want {
				t.Errorf("%s: %s, want %s", key, got, want)
			}
		}
		w.expect("left", "connection", "connected")
		info := decodeDoc(t, w.retained(w.topics.BridgeInfo()))
		printer := info["printers"].([]any)[0].(map[string]any)
		if got := fmt.Sprint(printer["permissions"], printer["missing"]); got != "[CONTROL STATUS] [PRINT CONNECTION FILES_SELECT FILES_LIST PLUGIN_SOFTWAREUPDATE_CHECK PLUGIN_ACTION_COMMAND_PROMPT_INTERACT SETTINGS_READ]" {
			t.Errorf("bridge/info: %s", got)
		}

		// Home Assistant starts: it has the entity from its registry, but has not
		// loaded it, and a stub alone would do nothing.
		before = w.broker.seen()
		w.broker.publish("homeassistant/status", "online", false)
		w.sleep(20 * time.Second)
		got := w.configs(before, "pause")
		if strings.Replace(got, "full full", "full", 1) != "full stub" { // the same twice is nothing new
			t.Errorf("after a start: %s, want full stub", got)
		}
		docs := w.broker.since(before, w.topics.Config("left"))
		if pause := docs[len(docs)-1].at.Sub(docs[0].at); pause < time.Second || pause > 10*time.Second {
			t.Errorf("the stub follows after %v", pause)
		}

		before = w.broker.seen()
		w.broker.publish("homeassistant/status", "online", false)
		w.sleep(20 * time.Second)
		if got := w.configs(before, "pause"); strings.Contains(got, "full") {
			t.Errorf("after another start: %s", got)
		}

		before = w.broker.seen()
		w.sims["left"].SetPermissions("operator", "STATUS", "CONTROL", "PRINT")
		w.sleep(20 * time.Second)
		if got := w.configs(before, "pause"); got != "full" {
			t.Errorf("permission given back: %s", got)
		}
		if got := w.configs(before, "connect"); strings.Contains(got, "full") {
			t.Errorf("connect is still not permitted: %s", got)
		}
	})
}

// TestPermissionTakenWhileBrokerIsAway: Home Assistant has had the component all
// the same.
func TestPermissionTakenWhileBrokerIsAway(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.broker.crash()
		before := w.broker.seen()
		w.sims["left"].SetPermissions("operator", "STATUS", "CONTROL")
		w.sleep(10 * time.Second)
		w.sims["left"].SetPermissions("operator", "STATUS")
		w.sleep(10 * time.Second)
		w.broker.restart(true)
		w.sleep(65 * time.Second)
		for _, key := range []string{"pause", "connect", "home", "bed_setpoint"} {
			if got := w.configs(before, key); got != "stub" {
				t.Errorf("%s: %s, want a stub", key, got)
			}
		}
		if w.retained(w.topics.Value("left", "bed_setpoint")) != "" {
			t.Error("the value of a row that is gone is still retained")
		}
	})
}

// TestNoStubForWhatNobodyHad: a component that was never announced is not removed.
func TestNoStubForWhatNobodyHad(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		if got := w.configs(0, "pause"); got != "missing" {
			t.Errorf("pause: %s", got)
		}
		for key, c := range w.components("left") {
			if len(c) == 1 {
				t.Errorf("%s is a stub", key)
			}
		}
	}, setup{config: func(c *PrinterConfig) { c.APIKey = "readonly-key" }})
}

// TestShapeOutlivesOctoPrint: a printer's rows stay announced while it is away.
func TestShapeOutlivesOctoPrint(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.documents("left")
		for _, act := range []func(){
			func() { w.sims["left"].SetStarting(true) },
			func() { w.sims["left"].SetStarting(false) },
			func() { w.must(w.sims["left"].Disconnect()) },
			func() { w.sims["left"].SetProxyPage(502, "Bad Gateway") },
			func() { w.sims["left"].SetProxyPage(200, "<html>") },
			func() {
				w.sims["left"].SetProxyPage(0, "")
				w.sims["left"].line.SetUp(false)
				w.sims["left"].line.Cut()
			},
			func() { w.broker.crash(); w.broker.restart(false) },
		} {
			act()
			w.sleep(30 * time.Second)
			if got := w.documents("left"); got != before {
				t.Errorf("the document changed:\n%s", diff(before, got))
			}
		}
	})
}

// TestProfileKnownLater: a user who may not read profiles shows the heaters when
// the printer is connected, and rows follow.
func TestProfileKnownLater(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.must(w.sims["left"].Disconnect())
		w.up()
		if w.components("left")["bed_temperature"] != nil {
			t.Error("a bed is announced before it is known")
		}
		w.must(w.sims["left"].Connect())
		w.within(10*time.Second, "the bed is announced", func() bool { return w.components("left")["bed_temperature"] != nil })
		w.within(10*time.Second, "the bed is shown", func() bool { return strings.HasPrefix(w.value("left", "bed_temperature"), "21") })
	}, setup{config: func(c *PrinterConfig) { c.APIKey = "readonly-key" }})
}

// TestNoDiscovery: without a prefix there are only the plain topics.
func TestNoDiscovery(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.config.MQTT.DiscoveryPrefix = ""
		w.start()
		w.sleep(2 * time.Second)
		w.expect("bridge", "state", online)
		w.expect("left", "state", "idle")
		w.broker.publish("homeassistant/status", "online", false)
		w.sims["left"].SetPermissions("operator", "STATUS", "CONTROL")
		w.sleep(20 * time.Second)
		for _, m := range w.broker.since(0, "") {
			if !strings.HasPrefix(m.topic, "octoprint2mqtt/") {
				t.Errorf("published: %s", m.topic)
			}
		}
		w.expect("left", "state", "idle")
		if r := w.request("left", "home", "{}"); r.code() != "ok" {
			t.Errorf("a command: %v", r.Error)
		}
	}, setup{options: octoprinttest.Options{}})
}
