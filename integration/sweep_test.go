package integration

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestSweepOfRemovedPrinter: a printer that is no longer configured when the bridge
// starts leaves nothing behind.
func TestSweepOfRemovedPrinter(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.stop()
		if len(w.ofPrinter("right")) < 20 {
			t.Fatalf("there is %q", w.ofPrinter("right"))
		}
		w.config.Printers = without(w.config.Printers, "right")
		before := w.broker.seen()
		w.up()
		w.sleep(15 * time.Second)
		if list := w.ofPrinter("right"); len(list) > 0 {
			t.Errorf("still retained: %q", list)
		}
		for _, m := range w.broker.since(before, "") {
			if strings.HasPrefix(m.topic, w.topics.Document("right")) {
				t.Errorf("%s = %q comes before Home Assistant has been told that the device is gone", m.topic, m.payload)
			}
			if m.topic == w.topics.Config("right") || t.Failed() {
				break
			}
		}
		w.checkTruth()
		if lines := w.logs.lines("info", "an earlier run had left"); len(lines) != 1 {
			t.Errorf("log:\n%s", w.logs)
		}
	}, setup{}, setup{id: "right"})
}

// TestSweepOfRows: what the configuration no longer allows is neither a topic nor
// an entity after a restart, whether Home Assistant was there or starts later.
func TestSweepOfRows(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.stop()
		w.config.Printers[0].Access = AccessRead
		before := w.broker.seen()
		w.up()
		w.sleep(15 * time.Second)
		for device, keys := range map[string][]string{"left": {"pause", "bed_setpoint", "bed_offset"}, "farm": {"pause_all"}} {
			for _, key := range keys {
				if c := w.components(device)[key]; len(c) != 1 || c["p"] == nil {
					t.Errorf("%s/%s is %v, want a stub", device, key, c)
				}
				if got := w.value(device, key); got != "" {
					t.Errorf("%s/%s = %s is still retained", device, key, got)
				}
			}
		}
		if got := w.configs(before, "state"); strings.Contains(got, "stub") || strings.Contains(got, "missing") {
			t.Errorf("state: %s", got)
		}
		before = w.broker.seen()
		w.broker.publish("homeassistant/status", "online", false)
		w.sleep(25 * time.Second)
		got := w.configs(before, "pause")
		if strings.Replace(got, "full full", "full", 1) != "full stub" {
			t.Errorf("after Home Assistant has started: %s, want full stub", got)
		}
		if got := w.configs(before, "trigger_print_started"); strings.Contains(got, "stub") {
			t.Errorf("a trigger that is still there: %s", got)
		}
	})
}

// TestNoSweepOfUnreachedPrinter: of a printer that can't be reached it isn't known
// what it hasn't any more, so its entities stay.
func TestNoSweepOfUnreachedPrinter(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.stop()
		w.sims["left"].line.SetUp(false)
		before := w.broker.seen()
		w.up()
		w.sleep(25 * time.Second)
		if got := w.configs(before, "pause"); strings.Contains(got, "stub") {
			t.Errorf("pause: %s", got)
		}
		w.sims["left"].SetPermissions("operator", "STATUS", "CONTROL")
		w.sims["left"].line.SetUp(true)
		w.sleep(70 * time.Second)
		if c := w.components("left")["pause"]; len(c) != 1 {
			t.Errorf("reached, and without the permission: pause is %v, want a stub", c)
		}
		w.checkTruth()
	})
}

// TestSweepOfRubbish: everything below the base topic is the bridge's own, but what
// may be another one's.
func TestSweepOfRubbish(t *testing.T) {
	t.Parallel()
	rubbish := []string{
		"octoprint2mqtt/left/old_row", "octoprint2mqtt/left/old_row/attributes", "octoprint2mqtt/left/chamber_temperature",
		"octoprint2mqtt/farm/old_row", "octoprint2mqtt/bridge/old_row",
		"octoprint2mqtt/ghost", "octoprint2mqtt/ghost/state", "octoprint2mqtt/ghost/tool0_temperature", "octoprint2mqtt/ghost/error/attributes",
		"octoprint2mqtt/other/availability", "octoprint2mqtt/other/file",
		"homeassistant/device/octoprint2mqtt_ghost/config", "homeassistant/device/octoprint2mqtt_alone/config",
	}
	foreign := []string{
		"octoprint2mqtt/second/farm", "octoprint2mqtt/second/left", "octoprint2mqtt/second/bridge/state", "octoprint2mqtt/second/left/state",
		"octoprint2mqtt/Notes/state", "octoprint2mqtt/left/deep/er/topic", "octoprint2mqtt2/left/state",
		"homeassistant/device/octoprint2mqtt2_left/config", "homeassistant/device/zigbee_left/config", "homeassistant/sensor/left/config",
	}
	inBubble(t, func(w *world) {
		for _, topic := range append(rubbish, foreign...) {
			w.broker.publish(topic, "{}", true)
		}
		w.up()
		w.sleep(15 * time.Second)
		for _, topic := range rubbish {
			if got := w.retained(topic); got != "" {
				t.Errorf("%s = %s is still there", topic, got)
			}
		}
		for _, topic := range foreign {
			if w.retained(topic) == "" {
				t.Errorf("%s is gone", topic)
			}
			w.broker.publish(topic, "", true)
		}
		w.checkTruth()

		// It was done once: nobody listens to values any more.
		received := w.bridge.broker.received.Load()
		for range 10 {
			w.broker.publish("octoprint2mqtt/left/later", "x", true)
		}
		w.sleep(time.Second)
		if n := w.bridge.broker.received.Load() - received; n != 0 {
			t.Errorf("%d messages came that nobody wants", n)
		}
	})
}

// TestSweepWithoutPermission: a broker that doesn't let us listen to values is no
// reason not to work.
func TestSweepWithoutPermission(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.broker.denied = func(filter string) bool {
			return strings.HasSuffix(filter, "+") && !strings.Contains(filter, "request")
		}
		w.up()
		w.sleep(15 * time.Second)
		w.expect("left", "state", "idle")
		if lines := w.logs.lines("warn", ""); len(lines) > 0 {
			t.Errorf("log: %q", lines)
		}
	})
}

// TestPurgeRequest: everything of a device is removed, and what there is today is
// there again, afresh.
func TestPurgeRequest(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"left", ""} {
		t.Run("id "+id, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				changeable(w)
				w.up()
				w.sleep(15 * time.Second)
				w.broker.publish("octoprint2mqtt/left/old_row", "x", true)
				w.broker.publish("octoprint2mqtt/ghost/state", "x", true)
				before, was := w.broker.seen(), w.documents("bridge", "farm", "left", "right")
				w.request("bridge", "purge", `{"id":"`+id+`"}`)
				w.sleep(500 * time.Millisecond)
				if list := w.ofPrinter("left"); len(list) != 1 { // old_row, until the sweep is through
					t.Errorf("still retained: %q", list)
				}
				if n := len(w.ofPrinter("right")); n > 10 != (id == "left") {
					t.Errorf("%d topics of the other printer", n)
				}
				w.sleep(15 * time.Second)
				if w.retained("octoprint2mqtt/left/old_row")+w.retained("octoprint2mqtt/ghost/state") != "" {
					t.Error("rubbish is still there")
				}
				if is := w.documents("bridge", "farm", "left", "right"); is != was {
					t.Errorf("the documents differ:\n%s", diff(was, is))
				}
				w.checkTruth()
				docs := w.broker.since(before, w.topics.Config("left"))
				if len(docs) != 2 || docs[0].payload != "" || docs[1].at.Sub(docs[0].at) < 2*time.Second {
					t.Errorf("the device is not withdrawn and announced again: %+v", docs)
				}
				if len(w.logs.lines("info", "deleted in Home Assistant")) > 0 {
					t.Errorf("our own removal counts as the user's:\n%s", w.logs)
				}
			}, setup{}, setup{id: "right"})
		})
	}
}

// TestSettled: the program around is told once when the start is done.
func TestSettled(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		changeable(w)
		var settled atomic.Int64
		w.config.Host.Settled = func() { settled.Add(1) }
		w.up()
		w.sleep(sweepDelay - time.Second)
		if n := settled.Load(); n > 0 {
			t.Errorf("told %d times before the sweep", n)
		}
		w.sleep(20 * time.Second)
		w.request("bridge", "purge", `{"id":"left"}`)
		w.sleep(20 * time.Second)
		if n := settled.Load(); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// TestPurgeWhileThePrinterBecomesAnother: whatever is heard of it meanwhile, nothing of
// it is published before Home Assistant has forgotten it, and everything then.
func TestPurgeWhileThePrinterBecomesAnother(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		changeable(w)
		w.up()
		w.sleep(15 * time.Second)
		w.request("bridge", "purge", `{"id":"left"}`)
		w.sleep(200 * time.Millisecond)
		left := permittedWithout(octoprinttest.DefaultPermissions("users"), "CONTROL", "PRINT")
		w.sims["left"].SetPermissions("operator", left...)
		w.sleep(2 * time.Second)
		if list := w.ofPrinter("left"); len(list) > 0 {
			t.Errorf("there before its time: %q", list)
		}
		w.sleep(15 * time.Second)
		w.expect("left", "availability", online)
		if c := w.components("left"); c["state"] == nil || c["pause"] != nil {
			t.Errorf("announced: %v", c)
		}
	})
}

// TestPurgeOfRubbishThatComesBack: what was removed once is nobody's for ever.
func TestPurgeOfRubbishThatComesBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		changeable(w)
		w.up()
		for n := range 3 {
			w.broker.publish("octoprint2mqtt/left/old_row", "x", true)
			if r := w.request("bridge", "purge", `{"id":"left"}`); r.code() != "ok" {
				t.Errorf("%+v", r)
			}
			w.sleep(sweepTime + 3*time.Second)
			if w.retained("octoprint2mqtt/left/old_row") != "" {
				t.Errorf("after purge %d rubbish is still there", n+1)
			}
		}
	})
}

// TestPurgeOfADeletedDevice brings it back: whoever asks for that wants it afresh.
func TestPurgeOfADeletedDevice(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		changeable(w)
		w.up()
		w.broker.publish(w.topics.Config("left"), "", true)
		w.sleep(time.Second)
		if r := w.request("bridge", "purge", `{"id":"left"}`); r.code() != "ok" {
			t.Errorf("%+v", r)
		}
		w.sleep(15 * time.Second)
		if w.retained(w.topics.Config("left")) == "" {
			t.Error("it is not back")
		}
		if r := w.request("bridge", "purge", `{"id":"No such id!"}`); r.code() != CodeNoPrinter {
			t.Errorf("%+v", r)
		}
		if r := w.request("bridge", "purge", `{"id":7}`); r.code() != CodeInvalid {
			t.Errorf("%+v", r)
		}
	})
}

// TestPurge: the command leaves nothing, unless a bridge is at work.
func TestPurge(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		if n, err := Purge(w.t.Context(), w.config); n != 0 || err == nil || !strings.Contains(err.Error(), "at work") {
			t.Errorf("while the bridge runs: %d, %v", n, err)
		}
		w.expect("bridge", "state", online)
		w.stop()
		was := 0
		for topic := range w.broker.retained() {
			if strings.HasPrefix(topic, "octoprint2mqtt") || strings.Contains(topic, "octoprint2mqtt_") {
				was++
			}
		}
		w.broker.publish("octoprint2mqtt/ghost/state", "x", true)
		w.broker.publish("homeassistant/device/other/config", "{}", true)
		w.broker.publish("octoprint2mqtt2/left/state", "x", true)
		n, err := Purge(w.t.Context(), w.config)
		if err != nil || n != was+1 {
			t.Errorf("removed %d of %d, %v", n, was+1, err)
		}
		if left := w.broker.retained(); len(left) != 2 {
			t.Errorf("left: %q", left)
		}
		w.broker.crash()
		if _, err := Purge(w.t.Context(), w.config); err == nil || !strings.Contains(err.Error(), "no connection to the MQTT broker") {
			t.Errorf("without a broker: %v", err)
		}
	})
}
