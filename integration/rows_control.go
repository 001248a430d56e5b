package integration

import (
	"encoding/json"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// controlRows are the buttons of a printer, and the switch that takes it out of
// the farm's work.
func controlRows() []printerRow {
	const config = discovery.CategoryConfig
	return []printerRow{
		button(actionPause, octoprint.PermissionPrint, discovery.Component{Name: "Pause", Icon: "mdi:pause"}),
		button(actionResume, octoprint.PermissionPrint, discovery.Component{Name: "Resume", Icon: "mdi:play-pause"}),
		button(actionCancel, octoprint.PermissionPrint, discovery.Component{Name: "Cancel", Icon: "mdi:stop"}),
		button(actionStart, octoprint.PermissionPrint, discovery.Component{Name: "Start", Icon: "mdi:play"}),
		button(actionConnect, octoprint.PermissionConnection, discovery.Component{Name: "Connect", Category: config, Icon: "mdi:lan-connect"}),
		button(actionDisconnect, octoprint.PermissionConnection, discovery.Component{Name: "Disconnect", Category: config, Icon: "mdi:lan-disconnect"}),
		button(actionHome, octoprint.PermissionControl, discovery.Component{Name: "Home axes", Category: config, Icon: "mdi:home-import-outline"}),
		button(actionEmergencyStop, octoprint.PermissionControl, discovery.Component{Name: "Emergency stop", Icon: "mdi:alert-octagon"}),
		{
			key: actionMaintenance, prompt: true, bridged: true, access: AccessControl,
			component:  discovery.Component{Platform: discovery.Switch, Name: "Maintenance", Category: config, Icon: "mdi:wrench-clock"},
			value:      func(v *printerView) value { return onOff(v.maintenance) },
			action:     actionMaintenance,
			parameters: switched,
		},
	}
}

// switched translates a switch's payload.
func switched(payload string) (json.RawMessage, *refusal) {
	if payload != "ON" && payload != "OFF" {
		return nil, refuse(CodeInvalid, "a switch takes exactly ON or OFF, not %s", quote(payload))
	}
	return encodeParameters(maintenanceParameters{On: payload == "ON"}), nil
}

// button is a row that stands for the action of the same name.
func button(action, permission string, c discovery.Component) printerRow {
	c.Platform = discovery.Button
	return printerRow{
		key: action, component: c, access: AccessControl, permissions: []string{permission},
		action: action, parameters: pressed,
	}
}

// pressPayload is the only payload that a button takes.
const pressPayload = "PRESS"

// pressed translates a button's payload: an action without parameters.
func pressed(payload string) (json.RawMessage, *refusal) {
	if payload != pressPayload {
		return nil, refuse(CodeInvalid, "a button takes exactly %s, not %s", pressPayload, quote(payload))
	}
	return json.RawMessage("{}"), nil
}
