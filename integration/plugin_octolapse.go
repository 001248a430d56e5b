package integration

import (
	"encoding/json"

	"octoprint2mqtt/discovery"
)

const octolapseID = "octolapse"

// The states of a rendering.
const (
	renderIdle      = "idle"
	renderRunning   = "rendering"
	renderCompleted = "completed"
	renderFailed    = "failed"
)

// rendering is how Octolapse makes a film of pictures.
type rendering struct {
	state    string   // empty: not known
	progress *float64 // percent
}

// octolapsePlugin tells how a timelapse is rendered. It says nothing of it before
// something happens: only administrators may ask. Tried with its code of June 2025,
// which is later than 0.4.5.
func octolapsePlugin() plugin {
	return plugin{
		id: octolapseID, name: "Octolapse", verified: true,
		remark: "How its timelapse is rendered. It is unknown until Octolapse says something.",
		rows: func(*printerView) []printerRow {
			return []printerRow{
				{
					key:   "octolapse_render",
					about: "How far Octolapse is with the film of a print; `None` until it says something.",
					component: discovery.Component{
						Platform: discovery.Sensor, Name: "Octolapse rendering", DeviceClass: "enum", Icon: "mdi:filmstrip",
						Options: []string{renderIdle, renderRunning, renderCompleted, renderFailed},
					},
					value: func(v *printerView) value { return text(pluginState[rendering](v, octolapseID).state) },
				},
				{
					key: "octolapse_progress", noise: percentage,
					about:     "How far the rendering's present step is, in percent, such as preparing the pictures and making the film of them; `None` where it doesn't say, and while no film is rendered.",
					component: percent("Octolapse rendering progress", "mdi:filmstrip"),
					value:     func(v *printerView) value { return number(pluginState[rendering](v, octolapseID).progress, 1) },
				},
			}
		},
		received: octolapseReceived,
		document: func(d *device[*printerView], _ *printerView) any {
			return map[string]value{"render": d.get("octolapse_render"), "progress": d.get("octolapse_progress")}
		},
	}
}

// octolapseReceived takes in a turn of a rendering. Other messages say whether there
// is one.
func octolapseReceived(_ string, message json.RawMessage) func(*printerView) {
	m, ok := decodeMessage[octolapseMessage](message)
	if !ok {
		return nil
	}
	next := m.rendering
	switch m.Type {
	case "render-start":
		next = becoming(rendering{state: renderRunning})
	case "render-progress":
		next = becoming(rendering{state: renderRunning, progress: m.Status.Unfinished.InProcess.Progress.amount()})
	case "render-complete":
		next = becoming(rendering{state: renderCompleted})
	case "render-failed", "post-render-failed":
		next = becoming(rendering{state: renderFailed})
	}
	return func(v *printerView) {
		before := pluginState[rendering](v, octolapseID)
		if after := next(before); after.state != "" {
			v.withState(octolapseID, after)
		}
	}
}

type octolapseMessage struct {
	Type   string
	Status struct {
		Rendering  *bool `json:"is_rendering"`
		Unfinished struct {
			InProcess struct {
				Progress *loose `json:"progress_percent"`
			} `json:"in_process"`
		} `json:"unfinished_renderings"`
	}
}

func becoming(r rendering) func(rendering) rendering { return func(rendering) rendering { return r } }

// rendering follows from what most messages say beside what they are about. How the
// last one ended stays.
func (m octolapseMessage) rendering(before rendering) rendering {
	running := m.Status.Rendering
	switch {
	case m.Type == "render-end" && before.state == renderRunning, running != nil && !*running && (before.state == "" || before.state == renderRunning):
		return rendering{state: renderIdle}
	case running != nil && *running && before.state != renderRunning:
		return rendering{state: renderRunning}
	}
	return before
}
