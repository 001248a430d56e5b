package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// What the plugins have in common that switch plugs in the network.

// plug is a switched socket, as far as it decides rows. The journal has it.
type plug struct {
	Key   string `json:"key"` // of its switch
	Label string `json:"label"`
	// Watched plugs may not be switched.
	Watched bool `json:"watched,omitempty"`
	// Metered plugs have been seen to measure power and energy.
	Metered bool `json:"metered,omitempty"`
}

// plugAddress is what the plugin calls a plug.
type plugAddress struct {
	ip    string // as the owner wrote it: an address or a name
	index string // of several sockets of one device; empty where the plugin has no such thing
}

// plugReading is what a plug was heard to be like.
type plugReading struct {
	on            value
	power, energy value // W, kWh
	// metered tells that there was word of power and energy at all.
	metered bool
}

// plugs are the plugs of a plugin. They are never changed.
type plugs struct {
	addresses map[string]plugAddress // by key
	readings  map[string]plugReading // by key
}

// plugFamily is what such plugins differ in.
type plugFamily struct {
	id, name, prefix string
	permission       string
	// arguments name a plug in the plugin's commands.
	arguments func(plugAddress) map[string]any
	// read reads what the plugin tells of a plug; ok is false if it is something else.
	read func(json.RawMessage) (a plugAddress, r plugReading, ok bool)
	// oneMeter tells that energy can only be believed where a single plug measures it.
	oneMeter bool
}

// plugInterval is how often plugs are asked. The plugins keep a record of each
// answer.
const plugInterval = 5 * time.Minute

const plugRemark = "A switch for each plug that the plugin's settings list, called after its label, and power and energy where " +
	"the plug has been seen to measure them. Plugs whose labels are too much alike are left out, with a line in the log. None is " +
	"turned off while a job runs: it may feed the printer. Each is asked every five minutes, which the plugin records like its " +
	"own questions; who lacks the permission sees only what the plugin tells by itself."

func (f plugFamily) plugin() plugin {
	return plugin{
		id: f.id, name: f.name, remark: plugRemark, configured: f.configured, rows: f.rows, received: f.received, document: f.document,
		example: exampleParts(plug{Key: f.prefix + "{plug}", Label: "The plug's label", Metered: true}),
		actions: []action{{
			name: f.action(), about: "Switches a plug; off is refused while a job runs or a file is sent to the printer.",
			permissions: []string{f.permission}, runsIn: octoprint.Phases(), rowOnly: true, prepare: f.prepare,
		}},
		inquiries: []inquiry{{
			name: f.id, permission: f.permission, every: plugInterval, ask: f.ask,
			wanted: func(v *printerView) bool {
				p := pluginState[*plugs](v, f.id)
				return p != nil && len(p.addresses) > 0
			},
		}},
	}
}

func (f plugFamily) action() string { return f.id + "_switch" }

// wirePlug is a plug in the plugin's settings, where passwords stand beside.
type wirePlug struct {
	IP     string
	Index  loose `json:"idx"`
	Label  string
	Sensor bool `json:"is_sensor_only"`
}

// configured takes in which plugs there are. What they are called goes into the
// inventory, where they are only into the vitals.
func (f plugFamily) configured(v *printerView, settings, before json.RawMessage) {
	own, _ := decodeMessage[struct {
		List []wirePlug `json:"arrSmartplugs"`
	}](settings)
	own.List = slices.DeleteFunc(own.List, func(w wirePlug) bool { return w.IP == "" })
	known, _ := decodeMessage[[]plug](before)
	things := make([]labelled, len(own.List))
	for i, w := range own.List {
		things[i] = labelled{cmp.Or(clean(w.Label), clean(w.IP+" "+string(w.Index))), []string{"", "_power", "_energy"}}
	}
	list, addresses := []plug{}, make(map[string]plugAddress)
	for i, slug := range slugs(things) {
		if slug == "" {
			v.find(leftOut(f.name, things[i].label))
			continue
		}
		p := plug{Key: f.prefix + slug, Label: things[i].label, Watched: own.List[i].Sensor}
		p.Metered = slices.ContainsFunc(known, func(k plug) bool { return k.Key == p.Key && k.Metered })
		list = append(list, p)
		addresses[p.Key] = plugAddress{own.List[i].IP, string(own.List[i].Index)}
	}
	v.has = v.has.withPlugin(f.id, encodeParameters(list))
	next := &plugs{addresses: addresses, readings: make(map[string]plugReading)}
	if was := pluginState[*plugs](v, f.id); was != nil {
		for key, reading := range was.readings {
			if was.addresses[key] == addresses[key] {
				next.readings[key] = reading
			}
		}
	}
	v.withState(f.id, next)
}

func (f plugFamily) rows(v *printerView) []printerRow {
	list, _ := decodeMessage[[]plug](v.has.Plugins[f.id])
	meters := 0
	for _, p := range list {
		if p.Metered {
			meters++
		}
	}
	var rows []printerRow
	for _, p := range list {
		rows = append(rows, f.plugRows(p, !f.oneMeter || meters == 1)...)
	}
	return rows
}

// plugRows are those of one plug, with its energy only if that can be believed.
func (f plugFamily) plugRows(p plug, energy bool) []printerRow {
	of := func(figure func(plugReading) value) func(*printerView) value {
		return func(v *printerView) value {
			if s := pluginState[*plugs](v, f.id); s != nil {
				return figure(s.readings[p.Key])
			}
			return unknown
		}
	}
	var rows []printerRow
	if !p.Watched {
		rows = append(rows, printerRow{
			key: p.Key, prompt: true, access: AccessControl, permissions: []string{f.permission},
			about:     "Switches the plug; off is refused while a job runs or a file is sent to the printer, which it may feed.",
			component: discovery.Component{Platform: discovery.Switch, Name: p.Label, DeviceClass: "outlet"},
			value:     of(func(r plugReading) value { return r.on }),
			action:    f.action(),
			parameters: func(payload string) (json.RawMessage, *refusal) {
				if payload != "ON" && payload != "OFF" {
					return nil, refuse(CodeInvalid, "a switch takes exactly ON or OFF, not %s", quote(payload))
				}
				return encodeParameters(plugParameters{Plug: p.Key, On: payload == "ON"}), nil
			},
		})
	}
	if p.Metered {
		rows = append(rows, printerRow{
			key:       p.Key + "_power",
			about:     "The power that the plug delivers, in watts.",
			component: discovery.Component{Platform: discovery.Sensor, Name: p.Label + " power", DeviceClass: "power", Unit: "W", StateClass: "measurement"},
			value:     of(func(r plugReading) value { return r.power }),
		})
	}
	if p.Metered && energy {
		rows = append(rows, printerRow{
			key:       p.Key + "_energy",
			about:     "The energy that the plug has delivered altogether, in kilowatt-hours.",
			component: discovery.Component{Platform: discovery.Sensor, Name: p.Label + " energy", DeviceClass: "energy", Unit: "kWh", StateClass: "total_increasing"},
			value:     of(func(r plugReading) value { return r.energy }),
		})
	}
	return rows
}

// plugParameters are what a plug's switch stands for.
type plugParameters struct {
	Plug string `json:"plug"`
	On   bool   `json:"on"`
}

// prepare switches a plug. It may be the one that feeds the printer, so none is
// turned off while there is something to lose.
func (f plugFamily) prepare(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p plugParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	command := "turnOff"
	if p.On {
		command = "turnOn"
	} else if v.running() || v.state.Phase == octoprint.PhaseSending {
		return call{}, refuse(CodeWrongState, "a plug is not turned off while the printer is %s: it may feed it", v.state.Phase)
	}
	s := pluginState[*plugs](v, f.id)
	if s == nil {
		return call{}, notKnown(v, "where the plug is")
	}
	address, ok := s.addresses[p.Plug]
	if !ok {
		return call{}, refuse(CodeInvalid, "%s has no plug of this name any more", f.name)
	}
	ready := sending(func(ctx context.Context, c *octoprint.Client) error {
		return c.PluginCommand(ctx, f.id, command, f.arguments(address), nil)
	})
	ready.asks = f.id
	return ready, nil
}

// ask asks for the state of every plug. A plug that doesn't answer makes the plugin
// fail, say that it doesn't know, or wait for it longer than anybody waits for the
// plugin. That is nothing against the other plugs.
func (f plugFamily) ask(ctx context.Context, c *octoprint.Client, v printerView) (func(*printerView), error) {
	known := pluginState[*plugs](&v, f.id)
	if known == nil {
		return nil, nil //nolint:nilnil // where the plugs are, the settings haven't told yet
	}
	readings := make(map[plugAddress]plugReading)
	var silence error
	for _, address := range known.addresses {
		var answer json.RawMessage
		err := c.PluginCommand(ctx, f.id, "checkStatus", f.arguments(address), &answer)
		switch {
		case err == nil, errors.Is(err, octoprint.ServerFailed):
		case errors.Is(err, octoprint.Unreachable) && ctx.Err() == nil:
			silence = err
		default:
			return nil, err
		}
		_, reading, _ := f.read(answer)
		readings[address] = reading
	}
	return func(v *printerView) { f.heard(v, readings) }, silence
}

func (f plugFamily) received(_ string, message json.RawMessage) func(*printerView) {
	address, reading, ok := f.read(message)
	if !ok {
		return nil
	}
	return func(v *printerView) { f.heard(v, map[plugAddress]plugReading{address: reading}) }
}

// heard takes in what plugs are like. Without word of it power isn't known any more,
// and what was used before still is.
func (f plugFamily) heard(v *printerView, readings map[plugAddress]plugReading) {
	was := pluginState[*plugs](v, f.id)
	if was == nil {
		return
	}
	next := &plugs{addresses: was.addresses, readings: maps.Clone(was.readings)}
	list, _ := decodeMessage[[]plug](v.has.Plugins[f.id])
	news := false
	for i, p := range list {
		reading, ok := readings[was.addresses[p.Key]]
		if !ok {
			continue
		}
		if !reading.metered {
			reading.energy = was.readings[p.Key].energy
		}
		if reading.metered && !p.Metered {
			list[i].Metered, news = true, true
		}
		next.readings[p.Key] = reading
	}
	v.withState(f.id, next)
	if news {
		v.has = v.has.withPlugin(f.id, encodeParameters(list))
	}
}

// plugDoc is what a printer's document has of a plug.
type plugDoc struct {
	Name   string `json:"name"`
	On     value  `json:"on"`
	Power  value  `json:"power_w"`
	Energy value  `json:"energy_kwh"`
}

func (f plugFamily) document(d *device[*printerView], v *printerView) any {
	list, _ := decodeMessage[[]plug](v.has.Plugins[f.id])
	doc := make(map[string]plugDoc)
	for _, p := range list {
		on := d.get(p.Key)
		if s := pluginState[*plugs](v, f.id); s != nil && on == unknown {
			on = s.readings[p.Key].on // the switch is for those who may use it
		}
		doc[p.Key[len(f.prefix):]] = plugDoc{Name: p.Label, On: on, Power: d.get(p.Key + "_power"), Energy: d.get(p.Key + "_energy")}
	}
	return doc
}

// plugState reads the state of a plug.
func plugState(state string) value {
	switch state {
	case "on":
		return onOff(true)
	case "off":
		return onOff(false)
	}
	return unknown
}
