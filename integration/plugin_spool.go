package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// What the two plugins have in common that know which spool of filament is on which
// tool.

const (
	// noSpool is the option of a tool without a spool.
	noSpool = "-"
	// maxSpools bounds how many spools a select offers: those with the highest ids,
	// which came last.
	maxSpools = 200
)

// spool is a spool of filament.
type spool struct {
	id        string // the plugin's, digits
	name      string
	material  string
	color     string   // #RRGGBB, several separated by commas, or what people call it
	remaining *float64 // g
}

// spools are those that a plugin has told of. They are never changed.
type spools struct {
	list    []spool  // as they are offered
	options []string // noSpool, then those of list
	loaded  map[string]*loadedSpool
}

// loadedSpool is what is on a tool.
type loadedSpool struct {
	option string
	spool  // of one that isn't offered only the id is known
}

// newSpools takes in all spools and the ids of those on each tool, such as
// tool0; an id may be empty.
func newSpools(all []spool, loaded map[string]string) *spools {
	slices.SortFunc(all, func(a, b spool) int { return cmp.Or(len(b.id)-len(a.id), cmp.Compare(b.id, a.id)) })
	s := &spools{list: all[:min(len(all), maxSpools)], loaded: make(map[string]*loadedSpool)}
	slices.SortStableFunc(s.list, func(a, b spool) int { return cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	names := []string{noSpool}
	for _, one := range s.list {
		names = append(names, one.option())
	}
	s.options = optionNames(names)
	for tool, id := range loaded {
		if id == "" {
			continue
		}
		on := &loadedSpool{spool: spool{id: id}, option: "#" + id}
		if i := slices.IndexFunc(all, func(one spool) bool { return one.id == id }); i >= 0 {
			on.spool, on.option = all[i], all[i].option()
		}
		if i := slices.IndexFunc(s.list, func(one spool) bool { return one.id == id }); i >= 0 {
			on.spool, on.option = s.list[i], s.options[i+1]
		}
		s.loaded[tool] = on
	}
	return s
}

func (s *spool) option() string { return strings.TrimSpace(clean(s.name) + " (#" + s.id + ")") }

func (v *printerView) withSpools(plugin string, s *spools) {
	v.withState(plugin, s)
	v.offerAnew()
}

// spoolRows are those of each tool, with the action that selects a spool.
func spoolRows(plugin, selects string, v *printerView) []printerRow {
	var rows []printerRow
	for _, tool := range v.heaters() {
		if strings.HasPrefix(tool, "tool") {
			rows = append(rows, toolSpoolRows(plugin, selects, tool, heaterName(tool, v.heaters())+" spool")...)
		}
	}
	return rows
}

func toolSpoolRows(plugin, selects, tool, name string) []printerRow {
	choice := printerRow{
		key:       "spool_" + tool,
		about:     "Says which spool is on the tool; it offers all spools by name and number, and `-` for none.",
		component: discovery.Component{Platform: discovery.Select, Name: name, Icon: "mdi:printer-3d-nozzle"},
		value: func(v *printerView) value {
			s := pluginState[*spools](v, plugin)
			switch {
			case s == nil:
				return unknown
			case s.loaded[tool] == nil:
				return text(noSpool)
			}
			return text(s.loaded[tool].option)
		},
		options: func(v *printerView) []string {
			if s := pluginState[*spools](v, plugin); s != nil {
				return s.options
			}
			return []string{noSpool}
		},
		access: AccessControl, permissions: []string{octoprint.PermissionControl},
		action: selects,
		parameters: func(payload string) (json.RawMessage, *refusal) {
			return encodeParameters(spoolParameters{Tool: tool, Spool: payload}), nil
		},
	}
	return append([]printerRow{choice}, spoolFigures(plugin, tool, name)...)
}

// spoolFigures show the spool that is on a tool.
func spoolFigures(plugin, tool, name string) []printerRow {
	of := func(figure func(*loadedSpool) value) func(*printerView) value {
		return func(v *printerView) value {
			s := pluginState[*spools](v, plugin)
			if s == nil || s.loaded[tool] == nil {
				return unknown
			}
			return figure(s.loaded[tool])
		}
	}
	return []printerRow{
		{
			key:       tool + "_spool_name",
			about:     "The name of the spool on the tool; `None` without one.",
			component: discovery.Component{Platform: discovery.Sensor, Name: name + " name", Icon: "mdi:label"},
			value:     of(func(s *loadedSpool) value { return text(s.name) }),
		},
		{
			key:       tool + "_spool_material",
			about:     "The material of the spool on the tool; `None` without one.",
			component: discovery.Component{Platform: discovery.Sensor, Name: name + " material", Icon: "mdi:flask"},
			value:     of(func(s *loadedSpool) value { return text(s.material) }),
		},
		{
			key:       tool + "_spool_color",
			about:     "The color of the spool on the tool as `#RRGGBB`, several separated by commas, or its name; `None` without one.",
			component: discovery.Component{Platform: discovery.Sensor, Name: name + " color", Icon: "mdi:palette"},
			value:     of(func(s *loadedSpool) value { return text(s.color) }),
		},
		{
			key:       tool + "_spool_remaining",
			about:     "How much filament is left on the tool's spool, in grams; `None` where that isn't known.",
			component: discovery.Component{Platform: discovery.Sensor, Name: name + " remaining", DeviceClass: "weight", Unit: "g", StateClass: "measurement"},
			value:     of(func(s *loadedSpool) value { return number(s.remaining, 1) }),
		},
	}
}

// spoolParameters are what a spool's select stands for.
type spoolParameters struct {
	Tool  string `json:"tool"`
	Spool string `json:"spool"` // an option
}

// choosesSpool prepares the selection of a spool. send gets the tool's number and the
// spool's id, empty to take the spool off. Printing doesn't matter: a spool may be
// changed in the middle of it.
func choosesSpool(plugin string, send func(ctx context.Context, c *octoprint.Client, tool int, id string) error) func(json.RawMessage, *printerView) (call, *refusal) {
	return func(parameters json.RawMessage, v *printerView) (call, *refusal) {
		var p spoolParameters
		if r := decodeParameters(parameters, &p); r != nil {
			return call{}, r
		}
		tool, err := strconv.Atoi(strings.TrimPrefix(p.Tool, "tool"))
		if err != nil || !slices.Contains(v.heaters(), p.Tool) {
			return call{}, refuse(CodeInvalid, "this printer has no tool %s", quote(p.Tool))
		}
		s := pluginState[*spools](v, plugin)
		if s == nil {
			return call{}, notKnown(v, "which spools there are")
		}
		i := slices.Index(s.options, p.Spool)
		if i < 0 {
			return call{}, refuse(CodeInvalid, "there is no spool %s; the select lists them, and %s for none", quote(p.Spool), noSpool)
		}
		id := ""
		if i > 0 {
			id = s.list[i-1].id
		}
		ready := sending(func(ctx context.Context, c *octoprint.Client) error { return send(ctx, c, tool, id) })
		ready.asks = plugin
		return ready, nil
	}
}

// notKnown refuses a command for want of something that is known in a session only.
func notKnown(v *printerView, what string) *refusal {
	if !v.live() {
		return refuse(CodeUnreachable, "the printer's state is not known: there is no connection to OctoPrint")
	}
	return refuse(CodeWrongState, "%s is not known yet; try again in a moment", what)
}

// spoolDoc is what a printer's document has of the spool on a tool.
type spoolDoc struct {
	ID        value `json:"id"`
	Name      value `json:"name"`
	Material  value `json:"material"`
	Color     value `json:"color"`
	Remaining value `json:"remaining_g"`
}

func spoolDocument(plugin string) func(*device[*printerView], *printerView) any {
	return func(d *device[*printerView], v *printerView) any {
		doc := make(map[string]spoolDoc)
		s := pluginState[*spools](v, plugin)
		for _, tool := range v.heaters() {
			if !strings.HasPrefix(tool, "tool") {
				continue
			}
			one := spoolDoc{
				Name: d.get(tool + "_spool_name"), Material: d.get(tool + "_spool_material"),
				Color: d.get(tool + "_spool_color"), Remaining: d.get(tool + "_spool_remaining"),
			}
			if s != nil && s.loaded[tool] != nil {
				one.ID = text(s.loaded[tool].id)
			}
			doc[tool] = one
		}
		return doc
	}
}
