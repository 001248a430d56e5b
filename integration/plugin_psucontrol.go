package integration

import (
	"context"
	"encoding/json"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const (
	psuID         = "psucontrol"
	psuPermission = "PLUGIN_PSUCONTROL_CONTROL"
	actionPSU     = "psu" // of its row only
)

// psuControlPlugin switches the printer's power supply. Tried with 1.0.6.
func psuControlPlugin() plugin {
	return plugin{
		id: psuID, name: "PSU Control", verified: true,
		remark: "Switches the printer's power. Off is refused while a job runs or a file is sent to the printer.",
		rows: func(*printerView) []printerRow {
			return []printerRow{{
				key: actionPSU, prompt: true, access: AccessControl, permissions: []string{psuPermission},
				about:     "Switches the printer's power; off is refused while a job runs or a file is sent to the printer.",
				component: discovery.Component{Platform: discovery.Switch, Name: "Printer power", Icon: "mdi:power-socket"},
				value: func(v *printerView) value {
					on := pluginState[*bool](v, psuID)
					if on == nil {
						return unknown
					}
					return onOff(*on)
				},
				action: actionPSU, parameters: switched,
			}}
		},
		actions: []action{{
			name: actionPSU, about: "Switches the printer's power; off is refused while a job runs or a file is sent to the printer.",
			rowOnly: true, permissions: []string{psuPermission}, runsIn: octoprint.Phases(), prepare: preparePSU,
		}},
		received: func(_ string, message json.RawMessage) func(*printerView) { return psuState(message) },
		inquiries: []inquiry{{
			name: psuID, // which permission it needs differs by release
			ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
				var answer json.RawMessage
				err := c.PluginCommand(ctx, psuID, "getPSUState", nil, &answer)
				if err != nil {
					return nil, err
				}
				return psuState(answer), nil
			},
		}},
		document: func(d *device[*printerView], _ *printerView) any { return map[string]value{"on": d.get(actionPSU)} },
	}
}

// psuState takes in whether the power is on, which messages and answers tell alike.
func psuState(message json.RawMessage) func(*printerView) {
	m, ok := decodeMessage[struct {
		On *bool `json:"isPSUOn"`
	}](message)
	if !ok || m.On == nil {
		return nil
	}
	return func(v *printerView) { v.withState(psuID, m.On) }
}

// preparePSU never toggles: what is asked for is what is sent, whatever is known of
// the power.
func preparePSU(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		On *bool `json:"on"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if p.On == nil {
		return call{}, refuse(CodeInvalid, "psu needs on, such as {\"on\": true}")
	}
	command := "turnPSUOn"
	if !*p.On {
		command = "turnPSUOff"
		if phase := v.state.Phase; phase.Job() || phase == octoprint.PhaseSending {
			return call{}, refuse(CodeWrongState, "the printer is %s: its power can't be turned off before that has ended", phase)
		}
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error {
		return c.PluginCommand(ctx, psuID, command, nil, nil)
	}), nil
}
