package discovery

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestSpecimensAreValid(t *testing.T) {
	t.Parallel()
	platforms := map[Platform]bool{DeviceAutomation: true}
	for key, c := range specimens() {
		platforms[c.Platform] = true
		wantErrors(t, key, c.Validate())
	}
	for p := range platformKeys {
		if !platforms[p] {
			t.Errorf("no specimen of %s", p)
		}
	}
	wantErrors(t, "trigger", Trigger("a/event", "print_started", "printer").Validate())
}

// A required key that is left out, whatever the platform, is said to be
// missing.
func TestRequiredFields(t *testing.T) {
	t.Parallel()
	for key, c := range specimens() {
		for _, missing := range platformKeys[c.Platform].required {
			broken := without(c, missing)
			if err := broken.Validate(); err == nil || !strings.Contains(err.Error(), " without "+missing) {
				t.Errorf("%s without %s: got %v", key, missing, err)
			}
		}
		for _, missing := range []string{"name", "uniq_id"} {
			wantErrors(t, key, without(c, missing).Validate(), string(c.Platform)+" without "+missing)
		}
	}
	trigger := Trigger("a/event", "print_started", "printer")
	trigger.Topic = ""
	wantErrors(t, "trigger", trigger.Validate(), "device_automation without t")
	trigger = Trigger("a/event", "print_started", "")
	wantErrors(t, "trigger", trigger.Validate(), "device_automation without stype")
	trigger = Trigger("a/event", "", "printer")
	wantErrors(t, "trigger", trigger.Validate(), "without atype", "without type")
}

// without returns c without what is encoded under an abbreviated key.
func without(c Component, key string) Component {
	if c.Heat != nil {
		heat := *c.Heat
		c.Heat = &heat
		c.Heat.remove(key)
	}
	switch key {
	case "name":
		c.Name = ""
	case "uniq_id":
		c.UniqueID = ""
	case "stat_t":
		c.StateTopic = ""
	case "cmd_t":
		c.CommandTopic = ""
	case "ops":
		c.Options = nil
	case "evt_typ":
		c.EventTypes = nil
	case "min", "min_temp":
		c.Min = nil
	case "max", "max_temp":
		c.Max = nil
	case "t", "img_t":
		c.Topic = ""
	}
	return c
}

func (h *Heat) remove(key string) {
	switch key {
	case "modes":
		h.Modes = nil
	case "mode_cmd_t":
		h.ModeCommandTopic = ""
	case "mode_stat_t":
		h.ModeStateTopic = ""
	case "temp_cmd_t":
		h.TemperatureCommandTopic = ""
	case "temp_stat_t":
		h.TemperatureStateTopic = ""
	case "temp_unit":
		h.TemperatureUnit = ""
	}
}

func TestTriggerRules(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Component){
		`type "a b": not words`:                func(c *Component) { c.Type = "a b" },
		`type "Job": not words`:                func(c *Component) { c.Subtype = "Job" },
		"is not the one that is allowed":       func(c *Component) { c.ValueTemplate = "{{ value }}" },
		"device_automation has no option name": func(c *Component) { c.Name = "Trigger" },
		"has no option uniq_id":                func(c *Component) { c.UniqueID = "a" },
		"has no option avty":                   func(c *Component) { c.Availability = []string{"a"} },
		"has a wildcard":                       func(c *Component) { c.Topic = "a/#" },
	} {
		trigger := Trigger("a/event", "print_started", "printer")
		wantErrors(t, want, with(trigger, change).Validate(), want)
	}
	wantErrors(t, "any message", with(Trigger("a", "b", "c"), func(c *Component) {
		c.Payload, c.ValueTemplate = "", ""
	}).Validate())
}

func TestMeasuresAreConsistent(t *testing.T) {
	t.Parallel()
	for class, m := range measures {
		if m.states == 0 {
			t.Errorf("%s has no state class", class)
		}
		if m.units != nil && len(slices.Compact(slices.Sorted(slices.Values(m.units)))) != len(m.units) {
			t.Errorf("%s has a unit twice", class)
		}
		for _, unit := range m.units {
			if strings.ContainsRune(unit, 'µ') {
				t.Errorf("%s has the micro sign in %s", class, unit)
			}
		}
	}
}

func TestErrRepeatsDevice(t *testing.T) {
	t.Parallel()
	d := farmDocument()
	d.Device.Name = "next"
	err := d.Validate()
	wantErrors(t, "farm called next", err, `component "next_free": name "Next free" begins with the device's name`)
	if !errors.Is(err, ErrRepeatsDevice) {
		t.Errorf("got %v", err)
	}
	d.Device.Name = "N" // is no word of any name
	wantErrors(t, "farm called N", d.Validate())
}
