package integration

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// FuzzDeliver: whatever the broker delivers, a command is answered or queued and
// never carried out if it is retained, what is removed or announced because of
// what is retained lies below our own topics, and what Home Assistant gets is
// valid.
func FuzzDeliver(f *testing.F) {
	topics := discovery.Topics{Base: discovery.DefaultBase, Prefix: discovery.DefaultPrefix}
	for _, topic := range []string{
		topics.Request("left", "pause"), topics.Set("left", "bed_setpoint"), topics.Request("farm", "pause_all"), topics.Request("bridge", "info"),
		topics.Request("bridge", "purge"), topics.Set("bridge", "log_level"), "homeassistant/status", topics.Config("left"), topics.Config("sold"), topics.BridgeHealth(),
		topics.Availability("sold"), topics.Attributes("left", "x"), topics.Document("left"), "octoprint2mqtt/a/b/c", "octoprint2mqtt//", "octoprint2mqtt/\u0000",
	} {
		f.Add(topic, []byte("{}"), false)
		f.Add(topic, []byte("online"), true)
		f.Add(topic, []byte(""), false)
	}
	f.Add(topics.BridgeHealth(), []byte(`{"instance":"0011aabb","time":"`+time.Now().UTC().Format(time.RFC3339)+`"}`), true)
	f.Add(topics.Request("bridge", "purge"), []byte(`{"id":"left"}`), false)
	f.Add(topics.Request("bridge", "printer_rename"), []byte(`{"id":"left","name":"x"}`), false)
	f.Add(topics.Request("bridge", "printer_enroll"), []byte(`{"id":"left"}`), false)
	f.Add(topics.Set("bridge", "log_level"), []byte("debug"), false)
	f.Add(topics.Config("left"), []byte(`{"cmps":{"old":{"p":"sensor","name":"Old","uniq_id":"octoprint2mqtt_left_old","stat_t":"x"}}}`), true)
	f.Add(topics.Config("left"), []byte(`{"cmps":{"a":{"p":"device_automation","type":"a","stype":"b","t":"x"},"b":{"p":"device_automation","type":"a","stype":"b","t":"x"}}}`), true)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retained bool) {
		p := listener()
		b := p.bridge
		b.sweep.begin()
		b.deliver(delivery{topic: topic, payload: payload, retained: retained, at: time.Now()})
		for len(b.inbound) > 0 {
			b.handle(<-b.inbound)
		}
		waiting := len(p.queue) + len(b.spawned) + len(b.changes)
		if _, command := b.topics.ParseCommand(topic); command && waiting == 0 && len(b.outbox.answers) == 0 {
			t.Errorf("%q %q: neither answered nor queued", topic, payload)
		}
		if retained && waiting > 0 {
			t.Errorf("%q %q: a retained command is carried out", topic, payload)
		}
		b.sweep.finish(func(device string) bool { return b.announcement(device) != nil })
		for _, full := range []bool{true, false} {
			checkAnnounced(t, p, full)
			p.announced.repeat(full)
			checkPublished(t, b)
		}
	})
}

// listener returns the printer of a bridge that nobody runs, and that may be told
// everything.
func listener() *printer {
	c := printerConfig("left")
	c.Access = AccessFull
	b := New(Config{
		Version: "1.0.0", Farm: FarmConfig{Name: "Print farm"}, Printers: []PrinterConfig{c},
		MQTT: MQTTConfig{
			URL: mustURL("mqtt://broker.test:1883"), BaseTopic: discovery.DefaultBase, DiscoveryPrefix: discovery.DefaultPrefix, BirthTopic: "homeassistant/status",
		},
		Host: Host{LogLevel: func() string { return "info" }, SetLogLevel: func(string) {}},
	}, zerolog.Nop())
	b.admin = true
	p := b.printer("left")
	p.view.info = octoprint.Info{
		Version: "1.11.8", User: "operator", Permissions: []string{"CONNECTION", "CONTROL", "PRINT", "STATUS"},
		Profile: &octoprint.Profile{Heaters: []string{"tool0", "bed"}},
	}
	p.view.state = octoprint.State{Phase: octoprint.PhaseIdle, Job: octoprint.Job{Path: "a.gcode"}}
	p.session = true
	p.device.setRows(shapedRows(&p.view))
	return p
}

// checkAnnounced fails unless Home Assistant takes a printer's document, with all
// that is to be removed in full or as stubs.
func checkAnnounced(t *testing.T, p *printer, full bool) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.announced.removed) == 0 || p.announced.deleted {
		return
	}
	d, _ := p.describe()
	d.Stubs = make(map[string]discovery.Platform)
	for key, c := range p.announced.removed {
		if full {
			d.Components[key] = c
		} else {
			d.Stubs[key] = c.Platform
		}
	}
	// A name may come to repeat the device's, which the user has chosen.
	if err := d.Validate(); err != nil && !errors.Is(err, discovery.ErrRepeatsDevice) {
		t.Error(err)
	}
}

// checkPublished sends all that waits and fails unless it lies below our own
// topics.
func checkPublished(t *testing.T, b *Bridge) {
	t.Helper()
	for m, ok := b.outbox.Next(onlineClass); ok; m, ok = b.outbox.Next(onlineClass) {
		m.done()
		_, config := b.topics.DeviceOfConfig(m.topic)
		if !config && !strings.HasPrefix(m.topic, b.topics.Base+"/") || strings.ContainsAny(m.topic, "+#\x00") {
			t.Errorf("a message on %q", m.topic)
		}
		if strings.HasPrefix(m.payload, "{") && !json.Valid([]byte(m.payload)) {
			t.Errorf("%s: %s", m.topic, m.payload)
		}
	}
}
