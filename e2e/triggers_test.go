//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// deviceTrigger is a trigger as Home Assistant's automation editor offers it.
type deviceTrigger map[string]any

// triggersOf returns the MQTT triggers of a device by their type.
func (f *farm) triggersOf(identifier string) map[string]deviceTrigger {
	f.t.Helper()
	var devices []struct {
		ID          string
		Identifiers [][2]string
	}
	f.ha.hactl(f.t, &devices, "ws", `{"type":"config/device_registry/list"}`)
	triggers := map[string]deviceTrigger{}
	for _, device := range devices {
		if !slices.Contains(device.Identifiers, [2]string{"mqtt", identifier}) {
			continue
		}
		var list []deviceTrigger
		query, err := json.Marshal(map[string]string{"type": "device_automation/trigger/list", "device_id": device.ID})
		must(f.t, err)
		f.ha.hactl(f.t, &list, "ws", string(query))
		for _, trigger := range list {
			if trigger["domain"] == "mqtt" {
				kind, _ := trigger["type"].(string)
				triggers[kind] = trigger
			}
		}
	}
	return triggers
}

func TestDeviceTriggersExistForEveryCoreEvent(t *testing.T) {
	f := left(t)
	eventually(t, "device triggers", soon, func() (bool, string) {
		triggers := f.triggersOf(baseTopic + "_left")
		var missing []string
		for _, kind := range coreEvents() {
			if _, ok := triggers[kind]; !ok {
				missing = append(missing, kind)
			}
		}
		return len(missing) == 0, "missing " + joined(missing)
	})
}

func TestAutomationOnADeviceTriggerFiresOnce(t *testing.T) {
	f := left(t)
	var trigger deviceTrigger
	eventually(t, "the trigger print_cancelled", soon, func() (bool, string) {
		triggers := f.triggersOf(baseTopic + "_left")
		trigger = triggers["print_cancelled"]
		return trigger != nil, joined(keysOf(triggers))
	})
	delete(trigger, "metadata")
	const path, topic = "/api/config/automation/config/e2e_cancelled", "e2e/automation"
	must(t, f.ha.do(http.MethodPost, path, map[string]any{
		"alias":    "Tell a cancelled print",
		"triggers": []any{trigger},
		"actions":  []any{map[string]any{"action": "mqtt.publish", "data": map[string]any{"topic": topic, "payload": "fired"}}},
	}, nil))
	t.Cleanup(func() { must(t, f.ha.do(http.MethodDelete, path, nil, nil)) })
	f.ha.waitState(t, "automation.tell_a_cancelled_print", "on")

	mark := f.broker.mark()
	f.startPrint("left", "automated.gcode", 60)
	f.octo["left"].job(t, "cancel")
	f.waitEvent(mark, "left", "print_cancelled")
	if !f.broker.wait(soon, func() bool { return f.broker.seen(mark, topic) != nil }) {
		t.Fatal("the automation didn't fire")
	}
	f.expect("left/state", "idle")
	f.settle()
	if fired := f.broker.after(mark, func(t string) bool { return t == topic }); len(fired) != 1 {
		t.Errorf("the automation fired %d times", len(fired))
	}
}
