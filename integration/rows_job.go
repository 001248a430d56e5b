package integration

import (
	"slices"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// jobRows show the selected or running file, how far its print has come, and how
// the last one ended.
func jobRows() []printerRow {
	return slices.Concat(progressRows(), lastJobRows(), fileRows(), layerJobRows())
}

func minutes(name, icon string) discovery.Component {
	return discovery.Component{Platform: discovery.Sensor, Name: name, DeviceClass: "duration", Unit: "min", StateClass: "measurement", Icon: icon}
}

func timestamp(name, icon string) discovery.Component {
	return discovery.Component{Platform: discovery.Sensor, Name: name, DeviceClass: "timestamp", Icon: icon}
}

func percent(name, icon string) discovery.Component {
	return discovery.Component{Platform: discovery.Sensor, Name: name, Unit: "%", StateClass: "measurement", Precision: new(1), Icon: icon}
}

func progressRows() []printerRow {
	return []printerRow{
		{
			key: "file", prompt: true,
			about:     "The name of the selected or running file as OctoPrint shows it; `None` without one.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "File", Icon: "mdi:file-outline"},
			value:     func(v *printerView) value { return text(v.state.Job.Display) },
		},
		{
			key: "progress", noise: percentage,
			about:     "How much of the job is done, in percent: by time where OctoPrint's estimate of the time left is good, else by the file's bytes; `None` without a job.",
			component: percent("Progress", "mdi:progress-clock"),
			value:     func(v *printerView) value { return number(v.progress(), 1) },
		},
		{
			key:       "elapsed",
			about:     "How long the job has been running, in whole minutes; `None` without one.",
			component: minutes("Time elapsed", "mdi:timer-play-outline"),
			value:     (*printerView).elapsed,
		},
		{
			key:       "remaining",
			about:     "How long the job will take from now on as OctoPrint estimates it, in minutes, a minute begun being a whole one; `None` without a job and while it is paused.",
			component: minutes("Time remaining", "mdi:timer-sand"),
			value:     (*printerView).remaining,
		},
		{
			key: "started", prompt: true,
			about:     "When the job started; `None` without one.",
			component: timestamp("Started", "mdi:clock-start"),
			value:     func(v *printerView) value { return instant(v.started()) },
		},
		{
			key: "finish", noise: finishing,
			about:     "When the job will be done as OctoPrint estimates it; it moves only when it is off by more than a minute and a hundredth of the time left, and is `None` without a job and while it is paused.",
			component: timestamp("Finish", "mdi:clock-end"),
			value:     func(v *printerView) value { return instant(v.finish()) },
		},
		{
			key: "progress_bytes", noise: percentage,
			about:     "How much of the file has been sent to the printer, in percent of its bytes; `None` without a job.",
			component: disabled(percent("Progress by bytes", "mdi:file-percent-outline")),
			value: func(v *printerView) value {
				if !v.running() {
					return unknown
				}
				return number(v.state.Job.Completion, 1)
			},
		},
	}
}

func disabled(c discovery.Component) discovery.Component {
	c.Disabled = true
	return c
}

// origins are what OctoPrint bases its estimate of the time left on.
func origins() []string {
	return []string{"linear", "analysis", "estimate", "average", "mixed-analysis", "mixed-average", "genius", "printer"}
}

func lastJobRows() []printerRow {
	return []printerRow{
		{
			key: "last_result", prompt: true, bridged: true,
			about: "How the last print ended: `undetermined` is one that nobody saw end and that was no success.",
			component: discovery.Component{
				Platform: discovery.Sensor, Name: "Last result", DeviceClass: "enum", Icon: "mdi:flag-checkered",
				Options: results(),
			},
			value: func(v *printerView) value { return text(v.prints.last.result) },
		},
		{
			key: "last_file", bridged: true,
			about:     "The name of the file that was printed last.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Last file", Icon: "mdi:file-check-outline"},
			value:     func(v *printerView) value { return text(v.prints.last.file) },
		},
		{
			key: "last_duration", bridged: true,
			about:     "How long the last print took, in minutes.",
			component: minutes("Last duration", "mdi:timer-check-outline"),
			value: func(v *printerView) value {
				d := v.prints.last.duration
				if d == nil {
					return unknown
				}
				m := *d / 60
				return number(&m, 0)
			},
		},
		{
			key: "last_ended", bridged: true,
			about:     "When the last print ended.",
			component: timestamp("Last ended", "mdi:clock-check-outline"),
			value:     func(v *printerView) value { return instant(v.prints.last.ended) },
		},
	}
}

func fileRows() []printerRow {
	return []printerRow{
		{
			key:   "estimate_origin",
			about: "What OctoPrint bases its estimate of the time left on; `None` where it has none.",
			component: discovery.Component{
				Platform: discovery.Sensor, Name: "Estimate based on", DeviceClass: "enum", Options: origins(),
				Category: discovery.CategoryDiagnostic, Disabled: true, Icon: "mdi:crystal-ball",
			},
			value: func(v *printerView) value { return oneOf(v.state.Job.RemainingOrigin, origins()) },
		},
		{
			key:       "estimated_total",
			about:     "How long the selected file takes by OctoPrint's analysis or its former prints, in minutes; `None` where that isn't known.",
			component: disabled(minutes("Estimated total", "mdi:timer-cog-outline")),
			value: func(v *printerView) value {
				e := v.state.Job.Estimated
				if e == nil {
					return unknown
				}
				m := *e / 60
				return number(&m, 0)
			},
		},
		{
			key:   "file_size",
			about: "The size of the selected file in bytes; `None` without one.",
			component: discovery.Component{
				Platform: discovery.Sensor, Name: "File size", DeviceClass: "data_size", Unit: "B",
				Category: discovery.CategoryDiagnostic, Disabled: true, Icon: "mdi:file-document-outline",
			},
			value: func(v *printerView) value { return number(v.state.Job.Size, 0) },
		},
		{
			key:       "filament_length",
			about:     "The length of filament that the selected file needs, of all tools together, in metres; `None` where it isn't known.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Filament length", DeviceClass: "distance", Unit: "m", Precision: new(2), Icon: "mdi:tape-measure"},
			value: func(v *printerView) value {
				return number(v.filament(func(f octoprint.Filament) *float64 { return f.Length }, 0.001), 2)
			},
		},
		{
			key:       "filament_volume",
			about:     "The volume of filament that the selected file needs, of all tools together, in cubic centimetres; `None` where it isn't known.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Filament volume", Unit: "cm³", Precision: new(1), Icon: "mdi:cube-outline"},
			value: func(v *printerView) value {
				return number(v.filament(func(f octoprint.Filament) *float64 { return f.Volume }, 1), 2)
			},
		},
		{
			key:       "started_by",
			about:     "The OctoPrint user who started the job; `None` without a job or where OctoPrint doesn't say.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Started by", Disabled: true, Icon: "mdi:account-outline"},
			value: func(v *printerView) value {
				if !v.running() || v.prints.active == nil {
					return unknown
				}
				return text(v.prints.active.user)
			},
		},
		{
			key: "z", noise: everyMinute,
			about:     "The height of the print head in mm, told once a minute at most; `None` where it isn't known.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Z height", DeviceClass: "distance", Unit: "mm", Precision: new(2), Icon: "mdi:axis-z-arrow"},
			value: func(v *printerView) value {
				if !v.state.Phase.Connected() {
					return unknown
				}
				return number(v.state.Z, 2)
			},
		},
	}
}

// oneOf is a text that must be one of a list; anything else is unknown to us.
func oneOf(s string, list []string) value {
	if !slices.Contains(list, s) {
		return unknown
	}
	return text(s)
}
