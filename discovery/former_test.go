package discovery

import (
	"encoding/json"
	"testing"
)

// TestFormer: everything that a document announces is found again, and can be
// announced once more as it is read.
func TestFormer(t *testing.T) {
	t.Parallel()
	topics := Topics{Base: DefaultBase, Prefix: DefaultPrefix}
	for device, d := range map[string]Document{Bridge: bridgeDocument(), Farm: farmDocument(), "left-2": printerDocument()} {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		former := topics.Former(device, text)
		for key, c := range d.Components {
			f, ok := former[key]
			if !ok {
				t.Errorf("%s: %s (%s, %s) is not found", device, key, c.Platform, c.UniqueID)
				continue
			}
			if f.Platform != c.Platform || f.UniqueID != c.UniqueID || f.StateTopic != c.StateTopic || f.CommandTopic != c.CommandTopic {
				t.Errorf("%s: %s is read as %+v", device, key, f)
			}
		}
		for key := range d.Stubs {
			if _, ok := former[key]; ok {
				t.Errorf("%s: the stub of %s counts as announced", device, key)
			}
		}
		d.Components, d.Stubs = former, nil
		wantErrors(t, device, d.Validate())
	}
}

// TestFormerTakesNothingForeign: what this program can't have written isn't
// published again by it.
func TestFormerTakesNothingForeign(t *testing.T) {
	t.Parallel()
	topics := Topics{Base: DefaultBase, Prefix: DefaultPrefix}
	for _, document := range []string{
		``, `null`, `[]`, `{`, `{"cmps":[]}`, `{"cmps":{"a":null}}`,
		`{"cmps":{"state":{"p":"sensor","name":"State","uniq_id":"somebody_elses","stat_t":"x"}}}`,
		`{"cmps":{"State!":{"p":"sensor","name":"State","uniq_id":"octoprint2mqtt_left_State!","stat_t":"x"}}}`,
		`{"cmps":{"state":{"p":"lock","name":"State","uniq_id":"octoprint2mqtt_left_state","stat_t":"x"}}}`,
		`{"cmps":{"state":{"p":"sensor","name":"State","uniq_id":"octoprint2mqtt_left_state","stat_t":"x/#"}}}`,
		`{"cmps":{"t":{"p":"device_automation","atype":"trigger","type":"a","stype":"b","t":"x","val_tpl":"{{ states('x') }}"}}}`,
	} {
		if found := topics.Former("left", []byte(document)); len(found) > 0 {
			t.Errorf("%s gives %+v", document, found)
		}
	}
	const injected = `{"cmps":{"state":{"p":"sensor","name":"State","uniq_id":"octoprint2mqtt_left_state","stat_t":"x","val_tpl":"{{ x }}"}}}`
	if found := topics.Former("left", []byte(injected)); len(found) > 0 {
		t.Errorf("a sensor with a template gives %+v", found)
	}
}
