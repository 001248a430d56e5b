package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const (
	enclosureID     = "enclosure"
	enclosureSwitch = "enclosure_switch" // of rows only
	enclosurePower  = "enclosure_pwm"    // likewise
)

// enclosurePlugin is the plugin for sensors and outputs at the pins of a Raspberry Pi.
// Of the outputs only those that are switched (regular) or dimmed (pwm) are taken
// over, and none that its owner has hidden. Those that control a temperature are
// left out, as are colors, G-code and shell scripts.
//
// The plugin tells everything when something changes, and every 10 s if it has
// sensors. It needs no permission for anything, so the one to control the printer is
// taken for its outputs.
func enclosurePlugin() plugin {
	control := []string{octoprint.PermissionControl}
	return plugin{
		id: enclosureID, name: "Enclosure", verified: true,
		remark: "Temperature and humidity of each sensor; a switch for each output of the type regular and a number for each of the " +
			"type pwm, called after their labels, whatever the printer does. Left out are outputs that control a temperature, " +
			"lights with colors, G-code and scripts, outputs whose button is hidden in OctoPrint, and what has labels that are too much " +
			"alike. The plugin itself asks for no permission.",
		example: exampleParts(
			enclosurePart{Kind: enclosureSensor, Key: "enclosure_{sensor}", Label: "The sensor's label", Humid: true},
			enclosurePart{Kind: enclosureRegular, Key: "enclosure_{output}", Label: "The output's label"},
			enclosurePart{Kind: enclosurePWM, Key: "enclosure_{dimmer}", Label: "The output's label"},
		),
		configured: configureEnclosure, rows: enclosureRows, received: receiveEnclosure, document: enclosureDocument,
		actions: []action{
			{name: enclosureSwitch, about: "Switches an output.", permissions: control, runsIn: octoprint.Phases(), rowOnly: true, prepare: prepareOutput},
			{name: enclosurePower, about: "Sets an output's power.", permissions: control, runsIn: octoprint.Phases(), rowOnly: true, prepare: prepareOutputPower},
		},
		inquiries: []inquiry{{
			name: enclosureID,
			ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
				return nil, c.PluginRequest(ctx, http.MethodPost, "/plugin/enclosure/update", struct{}{}, nil) // it tells, then
			},
		}},
	}
}

// enclosurePart is a sensor or an output, as far as it decides rows.
type enclosurePart struct {
	ID    int    `json:"id"` // among its kind
	Key   string `json:"key"`
	Label string `json:"label"`
	Kind  string `json:"kind"` // regular, pwm or sensor
	// Humid sensors measure humidity, too.
	Humid bool `json:"humid,omitempty"`
	// Fahrenheit is what the sensor's owner wants to read.
	Fahrenheit bool `json:"fahrenheit,omitempty"`
}

const (
	enclosureRegular = "regular"
	enclosurePWM     = "pwm"
	enclosureSensor  = "sensor"
)

// dry are the sensors that measure no humidity, for which the plugin tells 0.
func dry(sensor string) bool {
	return slices.Contains([]string{"18b20", "rpi", "tmp102", "max31855", "mcp9808"}, sensor)
}

func configureEnclosure(v *printerView, settings, _ json.RawMessage) {
	parts := enclosureParts(settings)
	things := make([]labelled, len(parts))
	for i, p := range parts {
		things[i] = labelled{p.Label, p.endings()}
	}
	kept := []enclosurePart{}
	for i, slug := range slugs(things) {
		if slug == "" {
			v.find(leftOut("Enclosure", parts[i].Label))
			continue
		}
		parts[i].Key = "enclosure_" + slug
		kept = append(kept, parts[i])
	}
	v.has = v.has.withPlugin(enclosureID, encodeParameters(kept))
}

// endings are those of the keys of the part's rows.
func (p *enclosurePart) endings() []string {
	if p.Kind == enclosureSensor {
		return []string{"_temperature", "_humidity"}
	}
	return []string{""}
}

func enclosureParts(settings json.RawMessage) []enclosurePart {
	own, _ := decodeMessage[struct {
		Outputs []struct {
			ID     loose `json:"index_id"`
			Label  string
			Type   string `json:"output_type"`
			Hidden bool   `json:"hide_btn_ui"`
		} `json:"rpi_outputs"`
		Inputs []struct {
			ID         loose `json:"index_id"`
			Label      string
			Type       string `json:"input_type"`
			Sensor     loose  `json:"temp_sensor_type"`
			Fahrenheit bool   `json:"use_fahrenheit"`
		} `json:"rpi_inputs"`
	}](settings)
	var parts []enclosurePart
	for _, w := range own.Inputs {
		if id, err := strconv.Atoi(string(w.ID)); err == nil && w.Type == "temperature_sensor" {
			parts = append(parts, enclosurePart{ID: id, Label: label(w.Label, "Sensor", id), Kind: enclosureSensor, Humid: !dry(string(w.Sensor)), Fahrenheit: w.Fahrenheit})
		}
	}
	for _, w := range own.Outputs {
		id, err := strconv.Atoi(string(w.ID))
		if err == nil && !w.Hidden && (w.Type == enclosureRegular || w.Type == enclosurePWM) {
			parts = append(parts, enclosurePart{ID: id, Label: label(w.Label, "Output", id), Kind: w.Type})
		}
	}
	return parts
}

func label(given, kind string, id int) string {
	if given = clean(given); given != "" {
		return given
	}
	return fmt.Sprintf("%s %d", kind, id)
}

// enclosureState is what the parts were heard to be like, by their ids. It is never
// changed.
type enclosureState struct {
	regular, pwm, temperature, humidity map[int]value
}

func enclosureRows(v *printerView) []printerRow {
	parts, _ := decodeMessage[[]enclosurePart](v.has.Plugins[enclosureID])
	var rows []printerRow
	for _, p := range parts {
		if p.Kind == enclosureSensor {
			rows = append(rows, p.sensorRows()...)
		} else {
			rows = append(rows, p.outputRow())
		}
	}
	return rows
}

func enclosureValue(figures func(*enclosureState) map[int]value, id int) func(*printerView) value {
	return func(v *printerView) value {
		if s := pluginState[*enclosureState](v, enclosureID); s != nil {
			return figures(s)[id]
		}
		return unknown
	}
}

func (p enclosurePart) sensorRows() []printerRow {
	read := enclosureValue(func(s *enclosureState) map[int]value { return s.temperature }, p.ID)
	rows := []printerRow{{
		key: p.Key + "_temperature", about: "The temperature that the sensor measures, in °C.", noise: temperature, component: celsius(p.Label+" temperature", 1),
		value: func(v *printerView) value {
			t := read(v)
			if p.Fahrenheit && t.kind == numberValue {
				celsius := (t.number - 32) / 1.8
				return number(&celsius, 1)
			}
			return t
		},
	}}
	if p.Humid {
		rows = append(rows, printerRow{
			key:       p.Key + "_humidity",
			about:     "The relative humidity that the sensor measures, in percent.",
			component: discovery.Component{Platform: discovery.Sensor, Name: p.Label + " humidity", DeviceClass: "humidity", Unit: "%", StateClass: "measurement"},
			value:     enclosureValue(func(s *enclosureState) map[int]value { return s.humidity }, p.ID),
		})
	}
	return rows
}

// outputParameters are what an output's row stands for.
type outputParameters struct {
	Output int  `json:"output"`
	On     bool `json:"on"`
	Power  int  `json:"power"` // %
}

func (p enclosurePart) outputRow() printerRow {
	r := printerRow{key: p.Key, access: AccessControl, permissions: []string{octoprint.PermissionControl}}
	if p.Kind == enclosureRegular {
		r.about = "Switches the output, whatever the printer does."
		r.component = discovery.Component{Platform: discovery.Switch, Name: p.Label, Icon: "mdi:electric-switch"}
		r.value = enclosureValue(func(s *enclosureState) map[int]value { return s.regular }, p.ID)
		r.action, r.prompt = enclosureSwitch, true
		r.parameters = func(payload string) (json.RawMessage, *refusal) {
			if payload != "ON" && payload != "OFF" {
				return nil, refuse(CodeInvalid, "a switch takes exactly ON or OFF, not %s", quote(payload))
			}
			return encodeParameters(outputParameters{Output: p.ID, On: payload == "ON"}), nil
		}
		return r
	}
	low, high, step := 0.0, 100.0, 1.0
	r.about = "Sets the output's power in percent, whatever the printer does."
	r.component = discovery.Component{Platform: discovery.Number, Name: p.Label, Unit: "%", Min: &low, Max: &high, Step: &step, Mode: "slider", Icon: "mdi:gauge"}
	r.value = enclosureValue(func(s *enclosureState) map[int]value { return s.pwm }, p.ID)
	r.action = enclosurePower
	r.parameters = func(payload string) (json.RawMessage, *refusal) {
		n, refused := parseNumber(payload)
		switch {
		case refused != nil:
			return nil, refused
		case n != float64(int(n)):
			return nil, refuse(CodeInvalid, "%s is not a whole number", quote(payload))
		}
		return encodeParameters(outputParameters{Output: p.ID, Power: int(n)}), nil
	}
	return r
}

// output returns the output that a command is for, if there is one of this kind: the
// plugin would accept any number.
func (p *outputParameters) output(v *printerView, kind string) *refusal {
	parts, _ := decodeMessage[[]enclosurePart](v.has.Plugins[enclosureID])
	if !slices.ContainsFunc(parts, func(e enclosurePart) bool { return e.Kind == kind && e.ID == p.Output }) {
		return refuse(CodeInvalid, "Enclosure has no such output any more")
	}
	return nil
}

func prepareOutput(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p outputParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if r := p.output(v, enclosureRegular); r != nil {
		return call{}, r
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error {
		return c.PluginRequest(ctx, http.MethodPatch, "/plugin/enclosure/outputs/"+strconv.Itoa(p.Output), map[string]any{"status": p.On}, nil)
	}), nil
}

func prepareOutputPower(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p outputParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if r := p.output(v, enclosurePWM); r != nil {
		return call{}, r
	}
	if r := inRange(float64(p.Power), 0, 100); r != nil {
		return call{}, r
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error {
		return c.PluginRequest(ctx, http.MethodPatch, "/plugin/enclosure/pwm/"+strconv.Itoa(p.Output), map[string]any{"duty_cycle": p.Power}, nil)
	}), nil
}

// wireEnclosure is a message. Each has some of the members, all of their kind.
type wireEnclosure struct {
	Sensors []struct {
		ID          loose `json:"index_id"`
		Temperature loose
		Humidity    loose
	} `json:"sensor_data"`
	Regular []struct {
		ID     loose `json:"index_id"`
		Status loose // true or 1, false or 0
	} `json:"rpi_output_regular"`
	PWM []struct {
		ID    loose `json:"index_id"`
		Value loose `json:"pwm_value"`
	} `json:"rpi_output_pwm"`
}

func receiveEnclosure(_ string, message json.RawMessage) func(*printerView) {
	m, ok := decodeMessage[wireEnclosure](message)
	if !ok || m.Sensors == nil && m.Regular == nil && m.PWM == nil {
		return nil
	}
	heard := &enclosureState{make(map[int]value), make(map[int]value), make(map[int]value), make(map[int]value)}
	put := func(into map[int]value, id loose, v value) {
		if i, err := strconv.Atoi(string(id)); err == nil {
			into[i] = v
		}
	}
	for _, w := range m.Sensors {
		put(heard.temperature, w.ID, number(w.Temperature.number(), 1))
		put(heard.humidity, w.ID, number(w.Humidity.number(), 1))
	}
	for _, w := range m.Regular {
		switch w.Status {
		case "true", "1":
			put(heard.regular, w.ID, onOff(true))
		case "false", "0":
			put(heard.regular, w.ID, onOff(false))
		}
	}
	for _, w := range m.PWM {
		put(heard.pwm, w.ID, number(w.Value.number(), 0))
	}
	return func(v *printerView) {
		next := *heard
		if was := pluginState[*enclosureState](v, enclosureID); was != nil {
			if m.Sensors == nil {
				next.temperature, next.humidity = was.temperature, was.humidity
			}
			if m.Regular == nil {
				next.regular = was.regular
			}
			if m.PWM == nil {
				next.pwm = was.pwm
			}
			if maps.Equal(next.temperature, was.temperature) && maps.Equal(next.humidity, was.humidity) &&
				maps.Equal(next.regular, was.regular) && maps.Equal(next.pwm, was.pwm) {
				return
			}
		}
		v.withState(enclosureID, &next)
	}
}

// enclosureDocument has the parts by what their keys have after enclosure_.
func enclosureDocument(d *device[*printerView], v *printerView) any {
	parts, _ := decodeMessage[[]enclosurePart](v.has.Plugins[enclosureID])
	doc := make(map[string]value)
	for _, p := range parts {
		for _, ending := range p.endings() {
			if ending == "_humidity" && !p.Humid {
				continue
			}
			doc[p.Key[len("enclosure_"):]+ending] = d.get(p.Key + ending)
		}
	}
	return doc
}
