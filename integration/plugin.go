package integration

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"octoprint2mqtt/octoprint"
)

// plugin is the support for one of OctoPrint's plugins. Each has a file of its
// own, and a word in [plugins]. The rows that it gives are there only on servers
// that have the plugin.
type plugin struct {
	// id is OctoPrint's identifier of the plugin, by which its settings are found.
	id string
	// name is what people call it.
	name string
	// verified says that what is known of it was seen on a running server. Else it
	// was only read in the plugin's code or documentation, which the docs mention.
	verified bool
	// remark is a sentence or two for the docs about what it does here.
	remark string
	// bundled plugins come with OctoPrint: every server counts as having it. Their
	// rows need a permission that isn't there where the plugin is switched off.
	bundled bool
	// asked plugins are known to be there by the answer to their own inquiry, with
	// which [printerView.found] and [printerView.notFound] are called, and not by
	// settings.
	asked bool
	// messages are the names under which it pushes messages; nil: its id.
	messages []string
	// keep returns what of the plugin's settings decides its rows, which the
	// journal keeps, too: never a secret. nil: nothing.
	keep func(settings json.RawMessage) json.RawMessage
	// configured does that and more where it matters what was kept before, which is
	// nil if nothing was, or where commands need something that the journal must
	// not have: that goes into the vitals. Nothing of the settings may be held on to.
	configured func(v *printerView, settings, before json.RawMessage)
	// rows are a function of the inventory alone.
	rows func(v *printerView) []printerRow
	// example is what could be kept of its settings, with what its owner names in
	// braces; for the documentation.
	example json.RawMessage
	// actions are those that the rows' commands stand for.
	actions []action
	// received takes in a pushed message: it returns how to put it into the view,
	// nil if it says nothing. The message is not valid any more when that is done.
	// What it says to have happened is told with [printerView.tell].
	received func(name string, message json.RawMessage) func(*printerView)
	// inquiries are made only where the plugin is, unless it is an asked one.
	inquiries []inquiry
	// document is what the printer's document says of the plugin, of values that
	// are filtered as the rows' are; nil: nothing.
	document func(d *device[*printerView], v *printerView) any
}

// plugins are all that are supported.
func plugins() []plugin {
	return []plugin{
		spoolmanPlugin(), spoolManagerPlugin(), tasmotaPlugin(), tplinkPlugin(), cancelObjectPlugin(), enclosurePlugin(),
		promptPlugin(), notificationPlugin(), piSupportPlugin(),
		psuControlPlugin(), displayLayerProgressPlugin(), printTimeGeniusPlugin(),
		resourceMonitorPlugin(), bedLevelVisualizerPlugin(), octolapsePlugin(),
		thumbnailPlugin(pluginSlicerThumbnails, "Slicer Thumbnails"), thumbnailPlugin(pluginUltimakerPackage, "UltiMaker Format Package"),
	}
}

// pluginMessages are the names under which plugins push.
func pluginMessages() []string {
	var names []string
	for _, p := range plugins() {
		if p.received != nil {
			names = append(names, p.names()...)
		}
	}
	return names
}

func (p *plugin) names() []string {
	if p.messages == nil {
		return []string{p.id}
	}
	return p.messages
}

// isOn reports whether the server is known to have the plugin.
func (p *plugin) isOn(v *printerView) bool { return p.bundled || v.hasPlugin(p.id) }

// inquiryEvents are the events that inquiries wait for.
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
// are, and what is kept of them. Of those that are asked, it is as before.
func presentPlugins(settings, before map[string]json.RawMessage) map[string]json.RawMessage {
	present := make(map[string]json.RawMessage)
	for _, p := range plugins() {
		if kept, ok := before[p.id]; ok && p.asked {
			present[p.id] = kept
		}
		own, ok := settings[p.id]
		if !ok || p.asked || p.bundled {
			continue
		}
		present[p.id] = nil
		if p.keep != nil {
			present[p.id] = p.keep(own)
		}
	}
	return present
}

// takeSettings takes in the settings of plugins: which there are, and what their
// files want of them.
func (v *printerView) takeSettings(settings map[string]json.RawMessage) {
	before := v.has.Plugins
	v.has.Plugins = presentPlugins(settings, before)
	v.has.findings = nil
	for _, p := range plugins() {
		if own, ok := settings[p.id]; ok && p.configured != nil {
			p.configured(v, own, before[p.id])
		}
	}
}

// ownInquiries are the plugin's, where it is.
func (p *plugin) ownInquiries() []inquiry {
	list := slices.Clone(p.inquiries)
	for i, wanted := range list {
		if p.asked || p.bundled {
			continue
		}
		list[i].wanted = func(v *printerView) bool {
			return v.hasPlugin(p.id) && (wanted.wanted == nil || wanted.wanted(v))
		}
	}
	return list
}

// pluginRows are those of the plugins that the server has.
func pluginRows(v *printerView) []printerRow {
	var rows []printerRow
	for _, p := range plugins() {
		if p.rows != nil && p.isOn(v) {
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

// decodeMessage decodes what a plugin tells, in a message or as an answer. ok is
// false where that isn't a T at all.
func decodeMessage[T any](message json.RawMessage) (t T, ok bool) {
	err := json.Unmarshal(message, &t)
	return t, err == nil
}

// loose is a word or a figure that a plugin tells as JSON of any kind: several tell
// figures as texts. What is neither text, number nor boolean is empty.
type loose string

// UnmarshalJSON implements [json.Unmarshaler]. It never fails.
func (l *loose) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || string(b) == "null":
	case json.Unmarshal(b, &s) != nil:
		s = string(b)
	}
	*l = loose(s)
	return nil
}

// number returns the figure at the beginning, as in "35.5 %"; nil if there is none.
func (l loose) number() *float64 {
	digits := strings.TrimSpace(string(l))
	end := strings.IndexFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789+-.eE", r) })
	if end >= 0 {
		digits = digits[:end]
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return &f
}

// withState puts what is known of a plugin into the view, beside what is known of
// others.
func (v *printerView) withState(id string, state any) {
	others := v.now.plugins
	v.now.plugins = make(map[string]any, len(others)+1)
	maps.Copy(v.now.plugins, others)
	v.now.plugins[id] = state
}
