//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"syscall"
	"testing"
)

// bridgeEvent is a message on bridge/event.
type bridgeEvent struct{ Type, Printer, Detail string }

// waitBridgeEvent waits for an event of the bridge itself after a mark; printer is empty for those that are about none.
func (f *farm) waitBridgeEvent(mark int, kind, printer string) bridgeEvent {
	f.t.Helper()
	var found bridgeEvent
	done := f.broker.wait(patient, func() bool {
		for _, m := range f.broker.stream[mark:] {
			var e bridgeEvent
			if m.Topic == baseTopic+"/bridge/event" && json.Unmarshal([]byte(m.Payload), &e) == nil && e.Type == kind && e.Printer == printer {
				found = e
				return true
			}
		}
		return false
	})
	if !done {
		f.t.Fatalf("no event %s of %q on bridge/event; there were %q", kind, printer, f.history(mark, "bridge/event"))
	}
	return found
}

// The ways in which a bridge comes to read its configuration again.

// bySignal writes the file and says so.
func bySignal(f *farm) {
	f.t.Helper()
	f.config.writeTo(f.t, f.file)
	must(f.t, f.bridge.cmd.Process.Signal(syscall.SIGHUP))
}

// byFile only writes the file.
func byFile(f *farm) {
	f.t.Helper()
	f.config.writeTo(f.t, f.file)
}

// byRename puts another file in its place, as editors do.
func byRename(f *farm) {
	f.t.Helper()
	f.config.writeTo(f.t, f.file+"~")
	must(f.t, os.Rename(f.file+"~", f.file))
}

// byRequest writes the file and asks over MQTT, which needs mqtt.admin.
func byRequest(f *farm) {
	f.t.Helper()
	f.config.writeTo(f.t, f.file)
	f.request("bridge", "reload", "{}").mustSucceed(f.t)
}

// reload has the bridge read its changed configuration in one of these ways. The sessions with the printers that are
// named must not be broken off for it.
func (f *farm) reload(how func(*farm), untouched ...string) {
	f.t.Helper()
	const session = "GET /sockjs/websocket"
	mark, before := f.broker.mark(), map[string]int{}
	for _, id := range untouched {
		before[id] = f.lines[id].asked(session)
	}
	how(f)
	f.waitBridgeEvent(mark, "config_reloaded", "")
	f.settle()
	for id, sessions := range before {
		if now := f.lines[id].asked(session); now != sessions {
			f.t.Errorf("there were %d new sessions with %s", now-sessions, id)
		}
	}
	for _, m := range f.broker.after(mark, func(topic string) bool { return topic == baseTopic+"/bridge/event" }) {
		var e bridgeEvent
		must(f.t, json.Unmarshal([]byte(m.Payload), &e))
		for _, id := range untouched {
			if e.Type != "command" && e.Printer == id {
				f.t.Errorf("bridge/event tells %s", m.Payload)
			}
		}
	}
}

// expectNothingOf waits until a device is nowhere any more, neither on the broker nor in Home Assistant.
func (f *farm) expectNothingOf(id string) {
	f.t.Helper()
	eventually(f.t, "nothing is left of "+id, patient, func() (bool, string) {
		p := f.picture(id)
		_, device := f.ha.devices(f.t)[baseTopic+"_"+id]
		if device {
			p.topics = append(p.topics, "a device in Home Assistant")
		}
		p.topics = append(p.topics, keysOf(p.entities)...)
		return len(p.topics) == 0, joined(p.topics)
	})
}

// devices returns the names of the MQTT devices by their identifier.
func (h *homeAssistant) devices(t *testing.T) map[string]string {
	t.Helper()
	var list []struct {
		Name        string
		Identifiers [][2]string
	}
	h.hactl(t, &list, "ws", `{"type":"config/device_registry/list"}`)
	devices := map[string]string{}
	for _, device := range list {
		for _, identifier := range device.Identifiers {
			if identifier[0] == "mqtt" {
				devices[identifier[1]] = device.Name
			}
		}
	}
	return devices
}
