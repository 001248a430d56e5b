//go:build e2e

package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// component is one entity or device trigger of a discovery document.
type component struct {
	Key      string
	Platform string
	fields   map[string]any
	document map[string]any
}

// longNames are the keys that the tests look at, by Home Assistant's
// abbreviations; a document may use either.
func longNames() map[string]string {
	return map[string]string{
		"p": "platform", "uniq_id": "unique_id", "def_ent_id": "default_entity_id", "en": "enabled_by_default",
		"stat_t": "state_topic", "cmd_t": "command_topic", "avty": "availability", "avty_t": "availability_topic",
		"avty_mode": "availability_mode", "cmps": "components", "dev": "device", "ids": "identifiers", "stype": "subtype",
		"atype": "automation_type", "t": "topic", "dev_cla": "device_class", "unit_of_meas": "unit_of_measurement",
		"pl_avail": "payload_available",
	}
}

func expand(fields map[string]any) map[string]any {
	long, out := longNames(), map[string]any{}
	for key, value := range fields {
		if name, ok := long[key]; ok {
			key = name
		}
		out[key] = value
	}
	return out
}

// discovered returns the components of the retained discovery documents, by
// unique id; device triggers by "trigger/<type>". What a document only removes is
// not among them.
func (f *farm) discovered() map[string]component {
	f.t.Helper()
	found := map[string]component{}
	for topic, payload := range f.broker.tree() {
		if !strings.HasPrefix(topic, discoveryPrefix+"/device/") {
			continue
		}
		for _, c := range componentsOf(f.t, payload) {
			if c.Platform == "device_automation" {
				found["trigger/"+topic+"/"+c.text("type")] = c
				continue
			}
			if id := c.text("unique_id"); id != "" {
				found[id] = c
			}
		}
	}
	return found
}

func componentsOf(t *testing.T, payload string) []component {
	t.Helper()
	var document map[string]any
	must(t, json.Unmarshal([]byte(payload), &document))
	document = expand(document)
	var list []component
	parts, _ := document["components"].(map[string]any)
	for key, part := range parts {
		fields, _ := part.(map[string]any)
		c := component{Key: key, fields: expand(fields), document: document}
		c.Platform = c.text("platform")
		list = append(list, c)
	}
	return list
}

// value returns a field, which may be shared by the whole device.
func (c component) value(name string) any {
	if v, ok := c.fields[name]; ok {
		return v
	}
	return c.document[name]
}

func (c component) text(name string) string {
	s, _ := c.value(name).(string)
	return s
}

func (c component) enabled() bool { return c.value("enabled_by_default") != false }

// availabilityTopics returns the topics that must all say "online".
func (c component) availabilityTopics() []string {
	var topics []string
	list, _ := c.value("availability").([]any)
	for _, item := range list {
		fields, _ := item.(map[string]any)
		topic, _ := expand(fields)["topic"].(string)
		topics = append(topics, topic)
	}
	if topic := c.text("availability_topic"); topic != "" {
		topics = append(topics, topic)
	}
	return topics
}

// available tells whether Home Assistant has to show the entity as available.
func (c component) available(tree map[string]string) bool {
	return !slices.ContainsFunc(c.availabilityTopics(), func(topic string) bool { return tree[topic] != "online" })
}
