package integration

import (
	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

type printerRow = row[*printerView]

func phases() []string {
	var list []string
	for _, p := range octoprint.Phases() {
		list = append(list, string(p))
	}
	return list
}

// stateRows show what the printer does and how the bridge stands with it.
func stateRows() []printerRow {
	return []printerRow{
		{
			key: "state", prompt: true,
			component: discovery.Component{Platform: discovery.Sensor, Name: "State", DeviceClass: "enum", Options: phases(), Icon: "mdi:printer-3d"},
			value:     func(v *printerView) value { return text(string(v.state.Phase)) },
		},
		{
			key: "connection", prompt: true, bridged: true,
			component: discovery.Component{Platform: discovery.Sensor, Name: "Connection", DeviceClass: "enum", Options: connections(), Category: discovery.CategoryDiagnostic, Icon: "mdi:lan-connect"},
			value:     func(v *printerView) value { return text(string(v.connection)) },
		},
		{
			key: "connection_detail", bridged: true,
			component: discovery.Component{Platform: discovery.Sensor, Name: "Connection detail", Category: discovery.CategoryDiagnostic, Icon: "mdi:lan-pending"},
			value:     func(v *printerView) value { return text(v.detail) },
		},
		{
			key: "printing", prompt: true,
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "Printing", DeviceClass: "running"},
			value:     whileLive(func(v *printerView) value { return onOff(v.running()) }),
		},
		{
			key:       "connected",
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "Printer connected", DeviceClass: "connectivity"},
			value:     whileLive(func(v *printerView) value { return onOff(v.state.Phase.Connected()) }),
		},
		{
			key: "problem", prompt: true,
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "Problem", DeviceClass: "problem"},
			value:     whileLive(func(v *printerView) value { return onOff(v.state.Problem) }),
		},
		{
			key:       "error",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Error", Category: discovery.CategoryDiagnostic, Icon: "mdi:alert-circle-outline"},
			value:     func(v *printerView) value { return text(v.errorText()) },
		},
		{
			key:       "ready",
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "Ready for next print", Icon: "mdi:printer-3d-nozzle-outline"},
			value: func(v *printerView) value {
				ready, known := v.ready()
				if !known {
					return unknown
				}
				return onOff(ready)
			},
		},
		unattendedRow(),
		{
			key: "last_seen", bridged: true,
			component: discovery.Component{
				Platform: discovery.Sensor, Name: "Last seen", DeviceClass: "timestamp", Category: discovery.CategoryDiagnostic,
				Disabled: true, Icon: "mdi:eye-outline",
			},
			value: func(v *printerView) value { return instant(v.seen) },
		},
		{
			key:       "octoprint_version",
			component: discovery.Component{Platform: discovery.Sensor, Name: "OctoPrint version", Category: discovery.CategoryDiagnostic, Icon: "mdi:octagram-outline"},
			value:     whileLive(func(v *printerView) value { return text(v.info.Version) }),
		},
		{
			key:       "key_user",
			component: discovery.Component{Platform: discovery.Sensor, Name: "API key's user", Category: discovery.CategoryDiagnostic, Icon: "mdi:account-key-outline"},
			value:     whileLive(func(v *printerView) value { return text(v.info.User) }),
		},
		{
			key: "event", topic: discovery.Topics.Event, bridged: true,
			component: discovery.Component{Platform: discovery.Event, Name: "Event", EventTypes: eventTypes(), Icon: "mdi:bell-outline"},
		},
	}
}

// whileLive makes a value unknown while the printer's state is.
func whileLive(f func(*printerView) value) func(*printerView) value {
	return func(v *printerView) value {
		if !v.live() {
			return unknown
		}
		return f(v)
	}
}
