package integration

import (
	"encoding/json"
	"maps"
	"slices"

	"octoprint2mqtt/octoprint"
)

// plugin is the support for one of OctoPrint's plugins. Each has a file of its
// own, and a word in [plugins]. The rows that it gives are there only on servers
// that have the plugin.
type plugin struct {
	// id is OctoPrint's identifier of the plugin, by which its settings are found.
	id string
	// messages are the names under which it pushes messages; nil: its id.
	messages []string
	// keep returns what of the plugin's settings decides its rows, which the
	// journal keeps, too: never a secret. nil: nothing.
	keep func(settings json.RawMessage) json.RawMessage
	// rows are a function of the inventory alone.
	rows func(v *printerView) []printerRow
	// actions are those that the rows' commands stand for.
	actions []action
	// received takes in a pushed message: it returns how to put it into the view,
	// nil if it says nothing. The message is not valid any more when that is done.
	received  func(name string, message json.RawMessage) func(*printerView)
	inquiries []inquiry
	// document is what the printer's document says of the plugin, of values that
	// are filtered as the rows' are; nil: nothing.
	document func(d *device[*printerView], v *printerView) any
}

// plugins are all that are supported.
func plugins() []plugin { return nil }

// pluginMessages are the names under which plugins push.
func pluginMessages() []string {
	var names []string
	for _, p := range plugins() {
		names = append(names, p.names()...)
	}
	return names
}

func (p *plugin) names() []string {
	if p.messages == nil {
		return []string{p.id}
	}
	return p.messages
}

// pluginEvents are the events that plugins' inquiries wait for.
func inquiryEvents(list []inquiry) []octoprint.EventType {
	var events []octoprint.EventType
	for _, r := range list {
		for _, t := range r.on {
			if !slices.Contains(events, t) {
				events = append(events, t)
			}
		}
	}
	return events
}

// presentPlugins returns those that are supported of the ones whose settings there
// are, and what is kept of them.
func presentPlugins(settings map[string]json.RawMessage) map[string]json.RawMessage {
	present := make(map[string]json.RawMessage)
	for _, p := range plugins() {
		own, ok := settings[p.id]
		if !ok {
			continue
		}
		present[p.id] = nil
		if p.keep != nil {
			present[p.id] = p.keep(own)
		}
	}
	return present
}

// pluginRows are those of the plugins that the server has.
func pluginRows(v *printerView) []printerRow {
	var rows []printerRow
	for _, p := range plugins() {
		if p.rows != nil && v.hasPlugin(p.id) {
			rows = append(rows, p.rows(v)...)
		}
	}
	return rows
}

func pluginActions() []action {
	var list []action
	for _, p := range plugins() {
		list = append(list, p.actions...)
	}
	return list
}

// pluginDocuments are the part of a printer's document that plugins fill.
func pluginDocuments(d *device[*printerView], v *printerView) map[string]any {
	docs := make(map[string]any)
	for _, p := range plugins() {
		if p.document != nil && v.hasPlugin(p.id) {
			docs[p.id] = p.document(d, v)
		}
	}
	return docs
}

// withState puts what is known of a plugin into the view, beside what is known of
// others.
func (v *printerView) withState(id string, state any) {
	others := v.now.plugins
	v.now.plugins = make(map[string]any, len(others)+1)
	maps.Copy(v.now.plugins, others)
	v.now.plugins[id] = state
}
