package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// allPlugins is of a server that has everything that is supported.
func allPlugins() inventory {
	var i inventory
	for _, p := range plugins() {
		i = i.withPlugin(p.id, nil)
	}
	return i
}

// TestPluginsAreWhole: each plugin has what the docs tell of it, and nobody's name.
func TestPluginsAreWhole(t *testing.T) {
	t.Parallel()
	var ids, messages, inquired []string
	for _, p := range plugins() {
		if p.id == "" || p.name == "" || p.remark == "" || slices.Contains(ids, p.id) {
			t.Errorf("plugin %q is called %q", p.id, p.name)
		}
		for _, m := range p.names() {
			if p.received != nil && slices.Contains(messages, m) {
				t.Errorf("%s: somebody else takes in messages of %s", p.id, m)
			}
			messages = append(messages, m)
		}
		for _, q := range p.inquiries {
			if q.name == "" || slices.Contains(inquired, q.name) {
				t.Errorf("%s: inquiry %q", p.id, q.name)
			}
			inquired = append(inquired, q.name)
		}
		ids = append(ids, p.id)
	}
}

// TestPresentPlugins: the settings say which plugins there are, but not of those
// that are asked.
func TestPresentPlugins(t *testing.T) {
	t.Parallel()
	for _, p := range plugins() {
		settings := map[string]json.RawMessage{p.id: json.RawMessage("{}"), "foreign": json.RawMessage("{}")}
		present := presentPlugins(settings, nil)
		if _, ok := present[p.id]; ok == (p.asked || p.bundled) || len(present) > 1 {
			t.Errorf("%s: by its settings there are %v", p.id, present)
		}
		_, stays := presentPlugins(nil, map[string]json.RawMessage{p.id: nil})[p.id]
		if stays != p.asked {
			t.Errorf("%s stays without settings: %v", p.id, stays)
		}
	}
}

func TestLoose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ json, text, number string }{
		{`"12"`, "12", "12"},
		{`12.5`, "12.5", "12.5"},
		{`"35.5 %"`, "35.5 %", "35.5"},
		{`" 7%"`, " 7%", "7"},
		{`"-"`, "-", "None"},
		{`""`, "", "None"},
		{`null`, "", "None"},
		{`true`, "true", "None"},
		{`{"a":1}`, "", "None"},
		{`[1]`, "", "None"},
		{`"NaN"`, "NaN", "None"},
		{`"1e999"`, "1e999", "None"},
		{`"Off"`, "Off", "None"},
		{`"-3"`, "-3", "-3"},
	} {
		v, ok := decodeMessage[struct{ V loose }](json.RawMessage(`{"v":` + tt.json + `}`))
		if got := number(v.V.number(), 1).payload(); !ok || string(v.V) != tt.text || got != tt.number {
			t.Errorf("%s: %v %q %s, want %q %s", tt.json, ok, v.V, got, tt.text, tt.number)
		}
	}
	for _, foreign := range []string{"", "nonsense", `[1]`, `"text"`, `{"v"`, strings.Repeat("[", 100)} {
		if _, ok := decodeMessage[struct{ V loose }](json.RawMessage(foreign)); ok {
			t.Errorf("%q was decoded", foreign)
		}
	}
}
