package integration

import (
	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// presetOff is the option that switches every heater off.
const presetOff = "Off"

// namedPresets gives presets names by which a select can offer them.
func namedPresets(list []octoprint.Preset) []octoprint.Preset {
	names := []string{presetOff}
	for _, p := range list {
		names = append(names, p.Name)
	}
	var named []octoprint.Preset
	for i, option := range optionNames(names)[1:] {
		p := list[i]
		p.Name = option
		named = append(named, p)
	}
	return named
}

// presetRow sets all heaters at once.
func presetRow() printerRow {
	return printerRow{
		key:       "preset",
		about:     "Sets the target of every heater as the temperature preset of that name in OctoPrint's settings has it, refused as a whole if any is above the configured limit; it shows the preset that all targets match, else `None`.",
		component: discovery.Component{Platform: discovery.Select, Name: "Preset", Icon: "mdi:thermometer-auto"},
		value:     func(v *printerView) value { return text(v.preset()) },
		options: func(v *printerView) []string {
			options := []string{presetOff}
			for _, p := range v.has.Presets {
				options = append(options, p.Name)
			}
			return options
		},
		access: AccessControl, permissions: []string{octoprint.PermissionControl},
		action:     actionSetPreset,
		parameters: naming("preset"),
	}
}

// preset is the name of the one that all targets match, presetOff where all are 0;
// empty if there is none, or a target isn't known.
func (v *printerView) preset() string {
	off := len(v.heaters()) > 0
	for _, h := range v.heaters() {
		target := v.state.Heaters[h].Target
		if target == nil {
			return ""
		}
		off = off && *target == 0
	}
	if off {
		return presetOff
	}
	for i := range v.has.Presets {
		if v.matches(&v.has.Presets[i]) {
			return v.has.Presets[i].Name
		}
	}
	return ""
}

// matches reports whether every target is what a preset says of its heater. That
// it says nothing of any is no match.
func (v *printerView) matches(p *octoprint.Preset) bool {
	said := false
	for _, h := range v.heaters() {
		want := presetTarget(p, h)
		if want == nil {
			continue
		}
		if *want != *v.state.Heaters[h].Target {
			return false
		}
		said = true
	}
	return said
}

// presetTarget is what a preset says of a heater, nil if it leaves it alone.
func presetTarget(p *octoprint.Preset, heater string) *float64 {
	switch heater {
	case "bed":
		return p.Bed
	case "chamber":
		return p.Chamber
	}
	return p.Tool
}

// targets are all that a preset sets, by heater of the printer; ok is false if
// there is no such preset.
func (v *printerView) targets(preset string) (targets map[string]float64, ok bool) {
	targets = make(map[string]float64)
	if preset == presetOff {
		for _, h := range v.heaters() {
			targets[h] = 0
		}
		return targets, true
	}
	for i := range v.has.Presets {
		p := &v.has.Presets[i]
		if p.Name != preset {
			continue
		}
		for _, h := range v.heaters() {
			if t := presetTarget(p, h); t != nil {
				targets[h] = *t
			}
		}
		return targets, true
	}
	return nil, false
}
