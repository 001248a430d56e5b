package integration

import (
	"encoding/json"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// sentRows set what OctoPrint doesn't report; see [lastSent].
func sentRows(v *printerView) []printerRow {
	var rows []printerRow
	for _, r := range rates() {
		rows = append(rows, r.row())
	}
	if tools := v.tools(); len(tools) > 1 {
		rows = append(rows, toolRow(tools))
	}
	return rows
}

func (r rate) row() printerRow {
	step := 1.0
	return printerRow{
		key:   r.key,
		about: r.about,
		component: discovery.Component{
			Platform: discovery.Number, Name: r.name, Unit: "%", Disabled: true, Icon: r.icon,
			Min: &r.low, Max: &r.high, Step: &step, Mode: "box",
		},
		value:  func(v *printerView) value { return number(within(*r.field(&v.now.sent), r.low, r.high), 0) },
		access: AccessControl, permissions: []string{octoprint.PermissionControl},
		action: r.action,
		parameters: func(payload string) (json.RawMessage, *refusal) {
			n, refused := parseNumber(payload)
			if refused != nil {
				return nil, refused
			}
			return encodeParameters(rateParameters{Percent: &n}), nil
		},
	}
}

// within returns f unless it is out of a range, which Home Assistant refuses.
func within(f *float64, low, high float64) *float64 {
	if f == nil || *f < low || *f > high {
		return nil
	}
	return f
}

func toolRow(tools []string) printerRow {
	return printerRow{
		key:   actionTool,
		about: "Puts a tool to use; it shows the one that was sent last, and `None` once the printer disconnects or a print begins.",
		component: discovery.Component{
			Platform: discovery.Select, Name: "Tool", Options: tools, Disabled: true, Icon: "mdi:printer-3d-nozzle-outline",
		},
		value:  func(v *printerView) value { return text(v.now.sent.tool) },
		access: AccessControl, permissions: []string{octoprint.PermissionControl},
		action:     actionTool,
		parameters: naming(actionTool),
	}
}
