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

	// What follows only fills selects: rows must not depend on it.

	Presets []octoprint.Preset `json:"presets,omitempty"`
}

// shape returns the part of the inventory that rows may depend on, as text.
func (i inventory) shape() string {
	i.Presets = nil
	i.Webcams = slices.Clone(i.Webcams)
	for n := range i.Webcams {
		i.Webcams[n] = octoprint.Webcam{ID: i.Webcams[n].ID, Name: i.Webcams[n].Name}
	}
	return mustMarshal(i)
}

// hasPlugin reports whether the server is known to have a plugin.
func (v *printerView) hasPlugin(id string) bool {
	_, ok := v.has.Plugins[id]
	return ok
}

// withPlugin returns the inventory with what is kept of a plugin.
func (i inventory) withPlugin(id string, kept json.RawMessage) inventory {
	i.Plugins = maps.Clone(i.Plugins)
	if i.Plugins == nil {
		i.Plugins = make(map[string]json.RawMessage)
	}
	i.Plugins[id] = kept
	return i
}

// vitals are live values that neither the push session's samples nor the
// inventory have. They are gone with the session.
type vitals struct {
	// plugins is what is known of each plugin at this moment, in its file's own
	// type. The values are never changed, only replaced.
	plugins map[string]any
}

// pluginState returns what is known of a plugin at this moment; the zero T if
// nothing is.
func pluginState[T any](v *printerView, id string) T {
	state, _ := v.now.plugins[id].(T)
	return state
}
