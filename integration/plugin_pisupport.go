package integration

import (
	"context"
	"encoding/json"
	"errors"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const (
	piID         = "pi_support"
	piPermission = "PLUGIN_PI_SUPPORT_STATUS"
)

// throttling is what a Raspberry Pi says of its power and heat.
type throttling struct {
	Undervoltage *bool `json:"current_undervoltage"`
	Overheating  *bool `json:"current_overheat"`
}

// piSupportPlugin tells what is wrong with a Raspberry Pi that OctoPrint runs on. It
// is bundled with OctoPrint, and switches itself off on everything else.
func piSupportPlugin() plugin {
	return plugin{
		id: piID, name: "Pi support", verified: true, asked: true,
		remark: "Bundled with OctoPrint, and only there on a Raspberry Pi. What was wrong before and is not now is not told.",
		rows: func(*printerView) []printerRow {
			return []printerRow{
				piRow("undervoltage", "Undervoltage", "mdi:flash-alert-outline", "`ON` while the Raspberry Pi gets too little voltage.", func(t throttling) *bool { return t.Undervoltage }),
				piRow("overheating", "Overheating", "mdi:thermometer-alert", "`ON` while the Raspberry Pi is too hot.", func(t throttling) *bool { return t.Overheating }),
			}
		},
		received:  piReceived,
		inquiries: []inquiry{{name: piID, permission: piPermission, ask: askPi}},
		document: func(d *device[*printerView], _ *printerView) any {
			return map[string]value{"undervoltage": d.get("undervoltage"), "overheating": d.get("overheating")}
		},
	}
}

func piRow(key, name, icon, about string, flag func(throttling) *bool) printerRow {
	return printerRow{
		key: key, about: about, permissions: []string{piPermission},
		component: discovery.Component{
			Platform: discovery.BinarySensor, Name: name, DeviceClass: "problem", Category: discovery.CategoryDiagnostic, Icon: icon,
		},
		value: func(v *printerView) value {
			on := flag(pluginState[throttling](v, piID))
			if on == nil {
				return unknown
			}
			return onOff(*on)
		},
	}
}

// piReceived takes in a change of the state. That there is one says that the plugin
// is there.
func piReceived(_ string, message json.RawMessage) func(*printerView) {
	m, ok := decodeMessage[struct {
		Type  string
		State *throttling
	}](message)
	if !ok || m.Type != "throttle_state" || m.State == nil {
		return nil
	}
	return func(v *printerView) {
		v.found(piID, nil)
		v.withState(piID, *m.State)
	}
}

// askPi asks for the state; where the plugin isn't, there is no such page.
func askPi(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
	answer, err := c.PluginData(ctx, piID)
	var e *octoprint.Error
	switch {
	case errors.As(err, &e) && e.Status == 404:
		return func(v *printerView) { v.notFound(piID) }, nil
	case err != nil:
		return nil, err
	}
	return piAnswered(answer), nil
}

// piAnswered takes in the state. A Pi whose state can't be read, as in a container,
// says that nothing is wrong; that is not known then.
func piAnswered(answer json.RawMessage) func(*printerView) {
	m, ok := decodeMessage[struct {
		Enabled    *bool      `json:"throttle_enabled"`
		Functional *bool      `json:"throttle_functional"`
		State      throttling `json:"throttle_state"`
	}](answer)
	if !ok {
		return nil
	}
	if m.Enabled != nil && !*m.Enabled || m.Functional != nil && !*m.Functional {
		m.State = throttling{}
	}
	return func(v *printerView) {
		v.found(piID, nil)
		v.withState(piID, m.State)
	}
}
