//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestEveryPromisedRowIsAnnounced(t *testing.T) {
	f := newFarm(t, nil, printerIDs[:]...)
	f.waitOnline(printerIDs[:]...)
	devices := map[string][]promise{"bridge": bridgeRows(), "farm": farmRows()}
	for _, id := range printerIDs {
		devices[id] = printerRows()
	}
	found := f.discovered()
	for device, rows := range devices {
		for _, row := range rows {
			c, ok := found[uniqueID(device, row.key)]
			if !ok {
				t.Errorf("%s of %s isn't announced", row.key, device)
				continue
			}
			if c.Platform != row.platform {
				t.Errorf("%s of %s is announced as %s, want %s", row.key, device, c.Platform, row.platform)
			}
			if want := entityID(row.platform, device, row.key); c.text("default_entity_id") != want {
				t.Errorf("%s of %s has the entity id %q, want %q", row.key, device, c.text("default_entity_id"), want)
			}
			if hung := slices.Contains(c.availabilityTopics(), baseTopic+"/"+device+"/availability"); hung == row.bridge && slices.Contains(printerIDs[:], device) {
				t.Errorf("%s of %s hangs on OctoPrint: %v, want %v", row.key, device, hung, !row.bridge)
			}
		}
	}
}

func TestHomeAssistantShowsWhatTheTopicsSay(t *testing.T) {
	f := newFarm(t, nil, printerIDs[:]...)
	f.waitOnline(printerIDs[:]...)
	f.octo["left"].post(t, "/api/printer/bed", map[string]any{"command": "target", "target": 45})
	f.startPrint("middle", "mirror.gcode", 120)
	f.octo["right"].disconnect(t)
	f.expect("left/bed_target", "45")
	f.expect("right/state", "offline")
	f.compareWithHomeAssistant()
}

// compareWithHomeAssistant waits until every announced entity exists and shows
// what its state topic holds. Where no Home Assistant looks on there is nothing to compare.
func (f *farm) compareWithHomeAssistant() {
	f.t.Helper()
	if f.ha == nil {
		return
	}
	var registry map[string]registeredEntity
	eventually(f.t, "every announced entity is registered", soon, func() (bool, string) {
		registry = f.ha.entities(f.t)
		var missing []string
		for id, c := range f.discovered() {
			if _, ok := registry[id]; !ok && c.Platform != "device_automation" {
				missing = append(missing, id)
			}
		}
		return len(missing) == 0, "missing: " + strings.Join(missing, " ")
	})
	eventually(f.t, "Home Assistant's states are those of the topics", soon, func() (bool, string) {
		differences := f.differences(registry)
		return len(differences) == 0, strings.Join(differences, "\n")
	})
}

// differences returns where Home Assistant and the retained messages disagree.
func (f *farm) differences(registry map[string]registeredEntity) []string {
	f.t.Helper()
	var found []string
	states, tree := f.ha.states(f.t), f.broker.tree()
	components := f.discovered()
	for _, id := range slices.Sorted(maps.Keys(components)) {
		c := components[id]
		if c.Platform == "device_automation" {
			continue
		}
		entity := registry[id]
		if entity.EntityID != c.text("default_entity_id") {
			found = append(found, fmt.Sprintf("%s is called %s", id, entity.EntityID))
		}
		if (entity.DisabledBy == "") != c.enabled() {
			found = append(found, fmt.Sprintf("%s: disabled by %q", id, entity.DisabledBy))
		}
		if !c.enabled() {
			continue
		}
		if c.Platform == "update" {
			found = append(found, updateDifferences(c, states[entity.EntityID].State, tree)...)
			continue
		}
		state, ok := states[entity.EntityID]
		if topic := c.text("state_topic"); !ok || !showsPayload(c, state.State, tree[topic], c.available(tree)) {
			found = append(found, fmt.Sprintf("%s is %q, %s holds %q", entity.EntityID, state.State, topic, tree[topic]))
		}
	}
	return found
}

// updateDifferences tells where an update entity, which is on while there is a newer version, shows something else
// than the message that has both versions.
func updateDifferences(c component, state string, tree map[string]string) []string {
	var versions struct {
		Installed string `json:"installed_version"`
		Latest    string `json:"latest_version"`
	}
	topic := c.text("state_topic")
	want := "unknown"
	switch {
	case !c.available(tree):
		want = "unavailable"
	case json.Unmarshal([]byte(tree[topic]), &versions) != nil || versions.Installed == "":
	case versions.Installed == versions.Latest:
		want = "off"
	default:
		want = "on"
	}
	if state != want {
		return []string{fmt.Sprintf("%s is %q, %s holds %q", c.text("default_entity_id"), state, topic, tree[topic])}
	}
	return nil
}

// showsPayload tells whether a state of Home Assistant is what a component has
// to show for a payload of its state topic.
func showsPayload(c component, state, payload string, available bool) bool {
	switch {
	case !available:
		return state == "unavailable"
	case c.Platform == "button" || c.Platform == "event" || c.Platform == "image" || c.Platform == "notify":
		return state != "unavailable" // the state is the time of the last use
	case payload == "None":
		return state == "unknown"
	case c.Platform == "binary_sensor" || c.Platform == "switch":
		return state == map[string]string{"ON": "on", "OFF": "off", "online": "on", "offline": "off"}[payload]
	case c.text("device_class") == "timestamp":
		shown, err1 := time.Parse(time.RFC3339, state)
		sent, err2 := time.Parse(time.RFC3339, payload)
		return err1 == nil && err2 == nil && shown.Equal(sent.Truncate(time.Second))
	case state == payload:
		return true
	}
	shown, err1 := strconv.ParseFloat(state, 64)
	sent, err2 := strconv.ParseFloat(payload, 64)
	return err1 == nil && err2 == nil && shown == sent
}

func TestEntitiesAreUnavailableWithoutTheBridge(t *testing.T) {
	f := left(t)
	f.compareWithHomeAssistant()
	f.bridge.stop(t)
	f.expect("bridge/state", "offline")
	f.compareWithHomeAssistant()
	f.ha.waitState(t, entityID("sensor", "left", "state"), "unavailable")
	f.ha.waitState(t, entityID("binary_sensor", "bridge", "state"), "off")
}
