package integration

import (
	"octoprint2mqtt/discovery"
)

type farmRow = row[*farmView]

// farmRows are the rows of the farm. Its buttons are there if any printer may be
// controlled.
func farmRows(control bool) []farmRow {
	rows := []farmRow{
		counting("printers", "Printers", "mdi:printer-3d", "How many printers there are, without those that the configuration disables.", (*farmView).enabled),
		counting("printing", "Printing", "mdi:printer-3d-nozzle", "How many printers are printing or being sent a file.", inCategory(categoryPrinting)),
		counting("paused", "Paused", "mdi:pause-circle-outline", "How many printers are paused or pausing.", inCategory(categoryPaused)),
		counting("idle", "Idle", "mdi:sleep", "How many printers have nothing to do or are connecting.", inCategory(categoryIdle)),
		counting("offline", "Offline", "mdi:power-plug-off-outline", "How many printers OctoPrint has no connection to.", inCategory(categoryOffline)),
		named(counting("error", "Error", "mdi:alert-circle-outline", "How many printers have an error; the attributes name them.", inCategory(categoryError)), categoryError),
		named(counting("unreachable", "Unreachable", "mdi:lan-disconnect", "How many printers have an OctoPrint that the bridge has no session with; the attributes name them.", inCategory(categoryUnreachable)), categoryUnreachable),
		counting("ready", "Ready", "mdi:printer-3d-nozzle-outline", "How many printers are ready for the next print.", func(v *farmView) int { return v.ready }),
		{
			key: "next_free", noise: finishing,
			about:     "The earliest finish of all jobs that are running; `None` without any.",
			component: timestamp("Next free", "mdi:clock-end"),
			value:     func(v *farmView) value { return v.nextFree },
		},
		{
			key: "attention", prompt: true,
			about:      "`ON` while a printer needs a person: for an error, a pause that the printer made by itself, unattended heat, a prompt, or a rejected API key; the attributes say which and why.",
			component:  discovery.Component{Platform: discovery.BinarySensor, Name: "Attention", DeviceClass: "problem"},
			value:      func(v *farmView) value { return onOff(len(v.attention) > 0) },
			attributes: func(v *farmView) any { return v.attention },
		},
		{
			key: "event", topic: discovery.Topics.Event,
			about:     "Every event of every printer, by its `event_type`.",
			component: discovery.Component{Platform: discovery.Event, Name: "Event", EventTypes: eventTypes(), Icon: "mdi:bell-outline"},
		},
	}
	if control {
		rows = append(rows,
			farmButton("pause_all", "Pause all", "mdi:pause", "Pauses every job that is running."),
			farmButton("resume_all", "Resume all", "mdi:play-pause", "Resumes every job that is paused."),
			rarely(farmButton(actionArm, "Arm", "mdi:shield-key-outline", "Allows one of `cancel_all` and `emergency_stop_all`, within the next 10 s.")),
			rarely(farmButton("cancel_all", "Cancel all", "mdi:stop", "Cancels every job, if `arm` was pressed less than 10 s ago.")),
			rarely(farmButton(actionEmergencyStopAll, "Emergency stop of all", "mdi:alert-octagon", "Stops every printer at once (M112), if `arm` was pressed less than 10 s ago.")),
		)
	}
	return rows
}

func inCategory(c category) func(*farmView) int {
	return func(v *farmView) int { return v.counts[c] }
}

func counting(key, name, icon, about string, n func(*farmView) int) farmRow {
	return farmRow{
		key:       key,
		about:     about,
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

func farmButton(key, name, icon, about string) farmRow {
	return farmRow{
		key: key, about: about, access: AccessControl, action: key,
		component:  discovery.Component{Platform: discovery.Button, Name: name, Icon: icon},
		parameters: pressed,
	}
}
