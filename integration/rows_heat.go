package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// heatRows show and set the temperatures of the heaters that the printer profile
// has.
func heatRows(c *PrinterConfig, heaters []string) []printerRow {
	var rows []printerRow
	for _, h := range heaters {
		rows = append(rows, heaterRows(c, h, heaterName(h, heaters))...)
	}
	if len(heaters) > 0 {
		rows = append(rows, presetRow())
	}
	return rows
}

// heaterName is what people call a heater. Tools are numbered only where there
// are several.
func heaterName(heater string, all []string) string {
	switch heater {
	case "bed":
		return "Bed"
	case "chamber":
		return "Chamber"
	}
	if slices.Contains(all, "tool1") {
		return "Tool " + strings.TrimPrefix(heater, "tool")
	}
	return "Nozzle"
}

func heaterRows(c *PrinterConfig, heater, name string) []printerRow {
	lowest, highest := 0.0, c.limit(heater)
	coldest, hottest, step := -50.0, 50.0, 1.0
	return []printerRow{
		{
			key: heater + "_temperature", noise: temperature,
			about:     "The heater's temperature in °C; `None` while OctoPrint has no connection to the printer.",
			component: celsius(name+" temperature", 1),
			value:     reading(heater, func(h octoprint.Heater) *float64 { return h.Actual }),
		},
		{
			key:       heater + "_target",
			about:     "The temperature in °C that the heater is to have, whoever has set it; 0 is off, and `None` means that OctoPrint has no connection to the printer.",
			component: celsius(name+" target", 0),
			value:     reading(heater, func(h octoprint.Heater) *float64 { return h.Target }),
		},
		{
			key:   heater + "_setpoint",
			about: "Sets the heater's target in °C, 0 to switch it off; it shows the target, or `None` where that is above the configured limit.",
			component: discovery.Component{
				Platform: discovery.Number, Name: name + " setpoint", DeviceClass: "temperature", Unit: "°C",
				Min: &lowest, Max: &highest, Step: &step, Mode: "box", Icon: "mdi:thermometer-lines",
			},
			value: reading(heater, func(h octoprint.Heater) *float64 {
				if h.Target == nil || *h.Target > highest {
					return nil // Home Assistant refuses what is out of its range
				}
				return h.Target
			}),
			access: AccessControl, permissions: []string{octoprint.PermissionControl},
			action:     actionSetTemperature,
			parameters: heating(heater),
		},
		{
			key:   heater + "_offset",
			about: "Sets what OctoPrint adds to each target of the heater that comes from G-code, in °C.",
			component: discovery.Component{
				Platform: discovery.Number, Name: name + " offset", DeviceClass: "temperature_delta", Unit: "°C", Disabled: true,
				Min: &coldest, Max: &hottest, Step: &step, Mode: "box", Category: discovery.CategoryConfig, Icon: "mdi:thermometer-plus",
			},
			value:  reading(heater, offset),
			access: AccessControl, permissions: []string{octoprint.PermissionControl},
			action:     actionSetOffset,
			parameters: heating(heater),
		},
		climateRow(heater, name, highest),
	}
}

func celsius(name string, digits int) discovery.Component {
	return discovery.Component{Platform: discovery.Sensor, Name: name, DeviceClass: "temperature", Unit: "°C", StateClass: "measurement", Precision: &digits}
}

// The modes of a climate.
const (
	modeOff  = "off"
	modeHeat = "heat"
)

// climateRow is the heater as a thermostat. Its own topics are those of the mode;
// the temperature is set by the setpoint's.
func climateRow(heater, name string, highest float64) printerRow {
	lowest, step := 0.0, 1.0
	return printerRow{
		key:   heater + "_heater",
		about: "The heater as a thermostat: `off` sets a target of 0, and `heat` is refused without a target; the temperature is set by the setpoint.",
		component: discovery.Component{
			Platform: discovery.Climate, Name: name + " heater", Disabled: true, Icon: "mdi:radiator",
			Min: &lowest, Max: &highest, Step: &step,
			Heat: &discovery.Heat{Modes: []string{modeOff, modeHeat}, TemperatureUnit: "C"},
		},
		value: func(v *printerView) value {
			switch target := v.state.Heaters[heater].Target; {
			case target == nil:
				return unknown
			case *target > 0:
				return text(modeHeat)
			}
			return text(modeOff)
		},
		wire: func(c *discovery.Component, t discovery.Topics, device string) {
			h := *c.Heat
			h.ModeStateTopic, h.ModeCommandTopic = c.StateTopic, c.CommandTopic
			h.TemperatureStateTopic, h.TemperatureCommandTopic = t.Value(device, heater+"_setpoint"), t.Set(device, heater+"_setpoint")
			h.CurrentTemperatureTopic = t.Value(device, heater+"_temperature")
			c.Heat, c.StateTopic, c.CommandTopic = &h, "", ""
		},
		access: AccessControl, permissions: []string{octoprint.PermissionControl},
		action: actionSetMode,
		parameters: func(payload string) (json.RawMessage, *refusal) {
			return encodeParameters(modeParameters{Heater: heater, Mode: payload}), nil
		},
	}
}

// reading reads one figure of a heater, unknown while the printer is off.
func reading(heater string, figure func(octoprint.Heater) *float64) func(*printerView) value {
	return func(v *printerView) value {
		h, ok := v.state.Heaters[heater]
		if !ok {
			return unknown
		}
		return number(figure(h), 1)
	}
}

// heatParameters are what set_temperature takes.
type heatParameters struct {
	Heater string   `json:"heater"`
	Target *float64 `json:"target"`
}

// heating translates a number's payload.
func heating(heater string) func(string) (json.RawMessage, *refusal) {
	return func(payload string) (json.RawMessage, *refusal) {
		n, r := parseNumber(payload)
		if r != nil {
			return nil, r
		}
		return encodeParameters(heatParameters{Heater: heater, Target: &n}), nil
	}
}

func (p heatParameters) check(v *printerView) *refusal {
	switch {
	case p.Target == nil:
		return refuse(CodeInvalid, "set_temperature needs heater and target, such as {\"heater\": \"tool0\", \"target\": 200}")
	case !octoprint.IsHeater(p.Heater):
		return refuse(CodeInvalid, "%s is no heater; heaters are tool0, tool1 …, bed and chamber", quote(p.Heater))
	case v.heaters() != nil && !slices.Contains(v.heaters(), p.Heater):
		return refuse(CodeInvalid, "this printer has no heater %s; it has %s", p.Heater, strings.Join(v.heaters(), ", "))
	case v.heaters() == nil && *p.Target != 0 && v.live():
		// OctoPrint would send a tool that isn't there to the one that is.
		return refuse(CodeWrongState, "which heaters the printer has is not known yet")
	}
	return nil
}

func inRange(n, low, high float64) *refusal {
	if n < low || n > high {
		return refuse(CodeOutOfRange, "%v is not from %v to %v", n, low, high)
	}
	return nil
}

func quote(s string) string {
	const limit = 40
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

func offset(h octoprint.Heater) *float64 { return &h.Offset }
