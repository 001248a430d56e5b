package integration

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"octoprint2mqtt/octoprint"
)

// heatActions are what rows about heat, and about what goes with it, stand for.
// None can be requested.
func heatActions() []action {
	control := []string{octoprint.PermissionControl}
	connected, idle := connectedPhases(), []octoprint.Phase{octoprint.PhaseIdle}
	list := []action{
		{name: actionSetPreset, about: "Sets the targets of a temperature preset; refused as a whole if one is above the configured limit, while `Off` is always tried.", permissions: control, runsIn: idle, rowOnly: true, prepare: preparePreset},
		{name: actionSetMode, about: "Switches a heater off, which is always tried; `heat` is refused without a target.", permissions: control, runsIn: connected, rowOnly: true, prepare: prepareMode},
	}
	for _, r := range rates() {
		list = append(list, action{name: r.action, about: "Sets the " + strings.ToLower(r.name) + " in percent.", permissions: control, runsIn: connected, rowOnly: true, prepare: r.prepare})
	}
	return list
}

// naming translates a select's payload into the only parameter of an action.
func naming(parameter string) func(string) (json.RawMessage, *refusal) {
	return func(payload string) (json.RawMessage, *refusal) {
		return encodeParameters(map[string]string{parameter: payload}), nil
	}
}

// preparePreset holds every target of the preset to its cap before any is sent.
// One that only switches heaters off is always tried.
func preparePreset(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		Preset string `json:"preset"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	targets, ok := v.targets(p.Preset)
	heaters := slices.Sorted(maps.Keys(targets))
	switch {
	case !ok:
		return call{}, refuse(CodeInvalid, "OctoPrint has no temperature preset %s", quote(p.Preset))
	case len(heaters) == 0:
		return call{}, refuse(CodeInvalid, "the preset %s says nothing of this printer's heaters", quote(p.Preset))
	}
	off := true
	for _, h := range heaters {
		if highest := v.config.limit(h); targets[h] < 0 || targets[h] > highest {
			return call{}, refuse(CodeOutOfRange, "the preset %s would set %s to %v, which is not from 0 to %v; nothing was set", quote(p.Preset), h, targets[h], highest)
		}
		off = off && targets[h] == 0
	}
	ready := sending(func(ctx context.Context, c *octoprint.Client) error { return c.SetTargets(ctx, targets) })
	ready.urgent, ready.heaters = off, heaters
	return ready, nil
}

// modeParameters are what a thermostat is set to.
type modeParameters struct {
	Heater string `json:"heater"`
	Mode   string `json:"mode"`
}

// prepareMode switches a heater off. Switching it on changes nothing: without a
// temperature nobody knows how hot is meant, and with one it is on.
func prepareMode(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p modeParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	switch p.Mode {
	case modeOff:
		return prepareTarget(encodeParameters(heatParameters{Heater: p.Heater, Target: new(0.0)}), v)
	case modeHeat:
		if target := v.state.Heaters[p.Heater].Target; v.state.Phase.Connected() && (target == nil || *target <= 0) {
			return call{}, refuse(CodeWrongState, "%s has no target to heat to: set a temperature", p.Heater)
		}
		return sending(func(context.Context, *octoprint.Client) error { return nil }), nil
	}
	return call{}, refuse(CodeInvalid, "a heater's mode is %s or %s, not %s", modeOff, modeHeat, quote(p.Mode))
}

// rate is a setting in percent that OctoPrint takes and doesn't report.
type rate struct {
	key, name, icon, action string
	about                   string // of its row
	low, high               float64
	// field is where the view has it.
	field func(*lastSent) **float64
	send  func(*octoprint.Client, context.Context, int) error
}

func rates() []rate {
	return []rate{
		{
			key: "fan", name: "Fan", icon: "mdi:fan", action: actionSetFan,
			about: "Sets the speed of the part cooling fan in percent; it shows what was sent last, and `None` once the printer disconnects or a print begins.",
			low:   0, high: 100,
			field: func(s *lastSent) **float64 { return &s.fan }, send: (*octoprint.Client).SetFan,
		},
		{
			key: "feedrate", name: "Feed rate", icon: "mdi:speedometer", action: actionSetFeedRate,
			about: "Sets how fast the printer moves, in percent of what G-code says; it shows what was sent last, and `None` once the printer disconnects or a print begins.",
			low:   10, high: 200,
			field: func(s *lastSent) **float64 { return &s.feedRate }, send: (*octoprint.Client).SetFeedRate,
		},
		{
			key: "flowrate", name: "Flow rate", icon: "mdi:waves-arrow-right", action: actionSetFlowRate,
			about: "Sets how much filament is extruded, in percent of what G-code says; it shows what was sent last, and `None` once the printer disconnects or a print begins.",
			low:   75, high: 125,
			field: func(s *lastSent) **float64 { return &s.flowRate }, send: (*octoprint.Client).SetFlowRate,
		},
	}
}

// rateParameters are what a rate is set to.
type rateParameters struct {
	Percent *float64 `json:"percent"`
}

func (r rate) prepare(parameters json.RawMessage, _ *printerView) (call, *refusal) {
	var p rateParameters
	if refused := decodeParameters(parameters, &p); refused != nil {
		return call{}, refused
	}
	if p.Percent == nil || *p.Percent != math.Trunc(*p.Percent) {
		return call{}, refuse(CodeInvalid, "the %s is set in whole percent", strings.ToLower(r.name))
	}
	percent := *p.Percent
	if refused := inRange(percent, r.low, r.high); refused != nil {
		return call{}, refused
	}
	ready := sending(func(ctx context.Context, c *octoprint.Client) error { return r.send(c, ctx, int(percent)) })
	ready.after = func(v *printerView, ok bool) {
		*r.field(&v.now.sent) = nil
		if ok {
			*r.field(&v.now.sent) = &percent
		}
	}
	return ready, nil
}
