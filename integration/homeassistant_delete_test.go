package integration

import (
	"testing"
	"time"
)

// TestDeletedDevices stay deleted until the bridge is started again: whoever
// deleted them meant it.
func TestDeletedDevices(t *testing.T) {
	t.Parallel()
	for _, device := range []string{"left", "farm", "bridge"} {
		t.Run(device, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				before := w.broker.seen()
				for range 3 { // as Home Assistant does
					w.broker.publish(w.topics.Config(device), "", true)
				}
				w.sleep(time.Second)
				w.broker.publish("homeassistant/status", "online", false)
				w.sleep(20 * time.Second)
				w.broker.crash()
				w.broker.restart(true)
				w.sleep(20 * time.Second)
				w.sims["left"].SetPermissions("operator", "STATUS") // another shape
				w.sleep(20 * time.Second)
				if list := w.broker.since(before, w.topics.Config(device)); len(list) > 0 {
					t.Errorf("it came back: %.200s", list[0].payload)
				}
				w.expect("bridge", "state", online)
				w.expect("left", "state", "idle") // plain topics go on
				if other := map[bool]string{true: "farm", false: "left"}[device == "left"]; w.retained(w.topics.Config(other)) == "" {
					t.Errorf("%s is gone too", other)
				}
				w.stop()
				w.up()
				if w.retained(w.topics.Config(device)) == "" {
					t.Error("it is not back after a restart of the bridge")
				}
			})
		})
	}
}

// TestBrokerWithoutRetainedIsNoDeletion: a broker that comes back without anything
// deletes no device.
func TestBrokerWithoutRetainedIsNoDeletion(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.broker.crash()
		w.broker.restart(false)
		w.sleep(20 * time.Second)
		for _, device := range []string{"bridge", "farm", "left"} {
			if w.retained(w.topics.Config(device)) == "" {
				t.Errorf("%s is not announced", device)
			}
		}
	})
}
