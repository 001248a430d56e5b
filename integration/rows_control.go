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
		button(actionPause, octoprint.PermissionPrint, "Pauses the job.", discovery.Component{Name: "Pause", Icon: "mdi:pause"}),
		button(actionResume, octoprint.PermissionPrint, "Resumes the paused job.", discovery.Component{Name: "Resume", Icon: "mdi:play-pause"}),
		button(actionCancel, octoprint.PermissionPrint, "Cancels the job, for good.", discovery.Component{Name: "Cancel", Icon: "mdi:stop"}),
		button(actionStart, octoprint.PermissionPrint, "Prints the selected file.", discovery.Component{Name: "Start", Icon: "mdi:play"}),
		button(actionConnect, octoprint.PermissionConnection, "Has OctoPrint connect to the printer, with what was chosen for that.", discovery.Component{Name: "Connect", Category: config, Icon: "mdi:lan-connect"}),
		button(actionDisconnect, octoprint.PermissionConnection, "Has OctoPrint end its connection to the printer.", discovery.Component{Name: "Disconnect", Category: config, Icon: "mdi:lan-disconnect"}),
		button(actionHome, octoprint.PermissionControl, "Moves the axes X, Y and Z to their home positions.", discovery.Component{Name: "Home axes", Category: config, Icon: "mdi:home-import-outline"}),
		button(actionEmergencyStop, octoprint.PermissionControl, "Stops the printer at once (M112), whatever it does; it has to be connected again afterwards.", discovery.Component{Name: "Emergency stop", Icon: "mdi:alert-octagon"}),
		{
			key: actionMaintenance, prompt: true, bridged: true, access: AccessControl,
			about:      "Takes the printer out of the farm's work: while it is `ON` the printer isn't `ready` and wants no attention; it is kept over restarts.",
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
func button(action, permission, about string, c discovery.Component) printerRow {
	c.Platform = discovery.Button
	return printerRow{
		key: action, about: about, component: c, access: AccessControl, permissions: []string{permission},
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
