package integration

import (
	"octoprint2mqtt/discovery"
)

type farmRow = row[*farmView]

// farmRows are the rows of the farm. Its buttons are there if any printer may be
// controlled.
func farmRows(control bool) []farmRow {
	rows := []farmRow{
		counting("printers", "Printers", "mdi:printer-3d", (*farmView).enabled),
		counting("printing", "Printing", "mdi:printer-3d-nozzle", inCategory(categoryPrinting)),
		counting("paused", "Paused", "mdi:pause-circle-outline", inCategory(categoryPaused)),
		counting("idle", "Idle", "mdi:sleep", inCategory(categoryIdle)),
		counting("offline", "Offline", "mdi:power-plug-off-outline", inCategory(categoryOffline)),
		named(counting("error", "Error", "mdi:alert-circle-outline", inCategory(categoryError)), categoryError),
		named(counting("unreachable", "Unreachable", "mdi:lan-disconnect", inCategory(categoryUnreachable)), categoryUnreachable),
		counting("ready", "Ready", "mdi:printer-3d-nozzle-outline", func(v *farmView) int { return v.ready }),
		{
			key: "next_free", noise: finishing,
			component: timestamp("Next free", "mdi:clock-end"),
			value:     func(v *farmView) value { return v.nextFree },
		},
		{
			key: "attention", prompt: true,
			component:  discovery.Component{Platform: discovery.BinarySensor, Name: "Attention", DeviceClass: "problem"},
			value:      func(v *farmView) value { return onOff(len(v.attention) > 0) },
			attributes: func(v *farmView) any { return v.attention },
		},
		{
			key: "event", topic: discovery.Topics.Event,
			component: discovery.Component{Platform: discovery.Event, Name: "Event", EventTypes: eventTypes(), Icon: "mdi:bell-outline"},
		},
	}
	if control {
		rows = append(rows,
			farmButton("pause_all", "Pause all", "mdi:pause"), farmButton("resume_all", "Resume all", "mdi:play-pause"),
			rarely(farmButton(actionArm, "Arm", "mdi:shield-key-outline")),
			rarely(farmButton("cancel_all", "Cancel all", "mdi:stop")),
			rarely(farmButton(actionEmergencyStopAll, "Emergency stop of all", "mdi:alert-octagon")),
		)
	}
	return rows
}

func inCategory(c category) func(*farmView) int {
	return func(v *farmView) int { return v.counts[c] }
}

func counting(key, name, icon string, n func(*farmView) int) farmRow {
	return farmRow{
		key:       key,
		component: discovery.Component{Platform: discovery.Sensor, Name: name, StateClass: "measurement", Precision: new(0), Icon: icon},
		value:     func(v *farmView) value { return count(n(v)) },
		prompt:    true,
	}
}

// named adds the names of the printers that a row counts.
func named(r farmRow, c category) farmRow {
	r.attributes = func(v *farmView) any {
		names := v.names[c]
		if names == nil {
			names = []string{}
		}
		return map[string][]string{"names": names}
	}
	return r
}

// rarely is a row that users have to enable first.
func rarely(r farmRow) farmRow {
	r.component = disabled(r.component)
	return r
}

func farmButton(key, name, icon string) farmRow {
	return farmRow{
		key: key, access: AccessControl, action: key,
		component:  discovery.Component{Platform: discovery.Button, Name: name, Icon: icon},
		parameters: pressed,
	}
}
