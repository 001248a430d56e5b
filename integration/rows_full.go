package integration

import (
	"encoding/json"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// fullRows take texts for the printer.
func fullRows() []printerRow {
	shortest, longest := 1.0, float64(maxLine)
	control := []string{octoprint.PermissionControl}
	return []printerRow{
		{
			key: actionMessage, access: AccessFull, permissions: control,
			about:     "Shows a line of up to 64 characters on the printer's display.",
			component: discovery.Component{Platform: discovery.Notify, Name: "Message on the display", Icon: "mdi:message-text-outline"},
			action:    actionMessage,
			parameters: func(payload string) (json.RawMessage, *refusal) {
				return encodeParameters(map[string]string{"text": payload}), nil
			},
		},
		{
			key: actionGcode, access: AccessFull, permissions: control,
			about:     "Sends a line of G-code to the printer, if `gcode_allow` in the configuration lists its word.",
			component: discovery.Component{Platform: discovery.Text, Name: "G-code", Disabled: true, Min: &shortest, Max: &longest, Mode: "text", Icon: "mdi:console-line"},
			action:    actionGcode,
			parameters: func(payload string) (json.RawMessage, *refusal) {
				return encodeParameters(map[string]string{"command": payload}), nil
			},
		},
	}
}
