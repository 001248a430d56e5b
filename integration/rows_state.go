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
			about:     "What the printer does: `offline` is a printer that OctoPrint has no connection to, `error` one that has failed or that OctoPrint lost after an error, `sending` one that a file is being sent to.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "State", DeviceClass: "enum", Options: phases(), Icon: "mdi:printer-3d"},
			value:     func(v *printerView) value { return text(string(v.state.Phase)) },
		},
		{
			key: "connection", prompt: true, bridged: true,
			about:     "How the bridge stands with the OctoPrint server; `connection_detail` says more of what is wrong.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Connection", DeviceClass: "enum", Options: connections(), Category: discovery.CategoryDiagnostic, Icon: "mdi:lan-connect"},
			value:     func(v *printerView) value { return text(string(v.connection)) },
		},
		{
			key: "connection_detail", bridged: true,
			about:     "Why the bridge isn't connected with OctoPrint, and what to do about it; `None` while it is.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Connection detail", Category: discovery.CategoryDiagnostic, Icon: "mdi:lan-pending"},
			value:     func(v *printerView) value { return text(v.detail) },
		},
		{
			key: "printing", prompt: true,
			about:     "`ON` from the start of a job to its end, also while it is paused.",
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "Printing", DeviceClass: "running"},
			value:     whileLive(func(v *printerView) value { return onOff(v.running()) }),
		},
		{
			key:       "connected",
			about:     "Whether OctoPrint has a connection to the printer.",
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "Printer connected", DeviceClass: "connectivity"},
			value:     whileLive(func(v *printerView) value { return onOff(v.state.Phase.Connected()) }),
		},
		{
			key: "problem", prompt: true,
			about:     "`ON` while an error of the printer is standing.",
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "Problem", DeviceClass: "problem"},
			value:     whileLive(func(v *printerView) value { return onOff(v.state.Problem) }),
		},
		{
			key:       "error",
			about:     "The reason of the error that is standing, until the printer is connected again; `None` without one.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Error", Category: discovery.CategoryDiagnostic, Icon: "mdi:alert-circle-outline"},
			value:     func(v *printerView) value { return text(v.errorText()) },
		},
		{
			key:       "ready",
			about:     "`ON` while the next print may begin: the printer is idle and not in maintenance, no error is standing, every heater is below `ready_below`, and the plate is cleared where `plate_check` is on.",
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
			about: "When OctoPrint was heard of last, told once a minute at most.",
			component: discovery.Component{
				Platform: discovery.Sensor, Name: "Last seen", DeviceClass: "timestamp", Category: discovery.CategoryDiagnostic,
				Disabled: true, Icon: "mdi:eye-outline",
			},
			value: func(v *printerView) value { return instant(v.seen) },
		},
		{
			key:       "octoprint_version",
			about:     "The version of OctoPrint.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "OctoPrint version", Category: discovery.CategoryDiagnostic, Icon: "mdi:octagram-outline"},
			value:     whileLive(func(v *printerView) value { return text(v.info.Version) }),
		},
		{
			key:       "key_user",
			about:     "The OctoPrint user whose API key the bridge has.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "API key's user", Category: discovery.CategoryDiagnostic, Icon: "mdi:account-key-outline"},
			value:     whileLive(func(v *printerView) value { return text(v.info.User) }),
		},
		{
			key: "event", topic: discovery.Topics.Event, bridged: true,
			about:     "Every event of the printer, by its `event_type`.",
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
