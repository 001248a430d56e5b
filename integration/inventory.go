package integration

import (
	"encoding/json"
	"maps"
	"slices"

	"octoprint2mqtt/octoprint"
)

// inventory is what an OctoPrint server has, as far as it was ever told. It
// decides, beside what [octoprint.Info] says, which rows a printer has and what
// their selects offer. It is kept while the server is away, and by the journal.
// Nothing that it refers to is changed later.
type inventory struct {
	// Plugins are those that this program supports and the server has, with what
	// their files want to keep of them; nil: the server hasn't told.
	Plugins map[string]json.RawMessage `json:"plugins,omitempty"`
	Webcams []octoprint.Webcam         `json:"webcams,omitempty"`
	// Commands are the entries of the system menu.
	Commands []octoprint.SystemCommand `json:"commands,omitempty"`
	// Connector is what OctoPrint connects to the printer by; empty: it hasn't told.
	Connector string `json:"connector,omitempty"`

	// What follows only fills selects: rows must not depend on it.

	Presets []octoprint.Preset `json:"presets,omitempty"`
	Files   []string           `json:"files,omitempty"` // see [fileOption]
	// What there is to connect to and with, and what OctoPrint prefers.
	Ports            []string        `json:"ports,omitempty"`
	Profiles         []profileOption `json:"profiles,omitempty"`
	PreferredPort    string          `json:"preferred_port,omitempty"`
	PreferredProfile string          `json:"preferred_profile,omitempty"`

	// findings are sentences about what could not be taken over from the settings,
	// for the log.
	findings []string
}

// shape returns the part of the inventory that rows may depend on, as text.
func (i inventory) shape() string {
	i.Presets, i.Files = nil, nil
	i.Ports, i.Profiles, i.PreferredPort, i.PreferredProfile = nil, nil, "", ""
	i.Webcams = slices.Clone(i.Webcams)
	for n := range i.Webcams {
		i.Webcams[n] = octoprint.Webcam{ID: i.Webcams[n].ID, Name: i.Webcams[n].Name}
	}
	return mustMarshal(i)
}

// find notes what could not be taken over from the settings.
func (v *printerView) find(sentence string) {
	v.has.findings = append(slices.Clone(v.has.findings), sentence)
}

// hasPlugin reports whether the server is known to have a plugin.
func (v *printerView) hasPlugin(id string) bool {
	_, ok := v.has.Plugins[id]
	return ok
}

// found takes in that the server has a plugin that is asked for.
func (v *printerView) found(id string, kept json.RawMessage) { v.has = v.has.withPlugin(id, kept) }

// notFound takes in that it hasn't.
func (v *printerView) notFound(id string) { v.has = v.has.withoutPlugin(id) }

// withPlugin returns the inventory with what is kept of a plugin.
func (i inventory) withPlugin(id string, kept json.RawMessage) inventory {
	i.Plugins = maps.Clone(i.Plugins)
	if i.Plugins == nil {
		i.Plugins = make(map[string]json.RawMessage)
	}
	i.Plugins[id] = kept
	return i
}

func (i inventory) withoutPlugin(id string) inventory {
	i.Plugins = maps.Clone(i.Plugins)
	delete(i.Plugins, id)
	return i
}

// vitals are live values that neither the push session's samples nor the
// inventory have. They are gone with the session.
type vitals struct {
	// file is what is known of the selected file beyond the state.
	file selectedFile
	// plugins is what is known of each plugin at this moment, in its file's own
	// type. The values are never changed, only replaced.
	plugins map[string]any
	// offers counts how often selects offer something else for it. Without a step
	// that shows only when their state changes.
	offers int

	port     string // the serial port in use
	firmware string
	safeMode value
	diskFree *float64 // bytes
	updates  *updates
	// sent is what OctoPrint doesn't report.
	sent lastSent
	heat heatWatch
}

// heard takes in what an event says that no state has.
func (n *vitals) heard(e octoprint.Event) {
	switch {
	case e.Type == octoprint.EventFirmwareData && e.Name != "":
		n.firmware = e.Name
	case e.Type == octoprint.EventDisconnected:
		n.firmware, n.port = "", ""
	}
}

// offerAnew has what selects offer looked at again, after something in the vitals
// has changed that it follows from.
func (v *printerView) offerAnew() { v.now.offers++ }

// pluginState returns what is known of a plugin at this moment; the zero T if
// nothing is.
func pluginState[T any](v *printerView, id string) T {
	state, _ := v.now.plugins[id].(T)
	return state
}
