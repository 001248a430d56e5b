package discovery

import "slices"

// keys are what a component of a platform must and may have, by Home
// Assistant's abbreviations. Home Assistant drops every other one silently.
type keys struct{ required, optional []string }

func (k keys) know(key string) bool {
	return slices.Contains(k.required, key) || slices.Contains(k.optional, key)
}

// entityKeys are common to every platform but device triggers. The unique id is
// what lets an entity belong to a device; without a name, or with an unknown
// one, it would be shown by its platform.
var entityKeys = keys{
	required: []string{"p", "name", "uniq_id"},
	optional: []string{"def_ent_id", "ent_cat", "ic", "en", "json_attr_t", "avty", "avty_mode", "qos"},
}

// platformKeys are required wherever Home Assistant would otherwise reject the
// component or assume something: a state that it made up itself, a range of 0
// to 100.
var platformKeys = map[Platform]keys{
	Sensor: {
		required: []string{"stat_t"},
		optional: []string{"dev_cla", "stat_cla", "unit_of_meas", "sug_dsp_prc", "ops"},
	},
	BinarySensor: {
		required: []string{"stat_t"},
		optional: []string{"dev_cla", "pl_on", "pl_off"},
	},
	Button: {
		required: []string{"cmd_t"},
		optional: []string{"dev_cla"},
	},
	Number: {
		required: []string{"cmd_t", "stat_t", "min", "max"},
		optional: []string{"dev_cla", "unit_of_meas", "step", "mode"},
	},
	Select: {
		required: []string{"cmd_t", "stat_t", "ops"},
	},
	Switch: {
		required: []string{"cmd_t", "stat_t"},
		optional: []string{"dev_cla", "pl_on", "pl_off"},
	},
	// A text without a state is a line to type into, as a terminal's.
	Text: {
		required: []string{"cmd_t"},
		optional: []string{"stat_t", "min", "max", "mode", "ptrn"},
	},
	Climate: {
		required: []string{
			"modes", "mode_cmd_t", "mode_stat_t", "temp_cmd_t", "temp_stat_t", "temp_unit", "min_temp", "max_temp",
		},
		optional: []string{"curr_temp_t", "act_t", "temp_step"},
	},
	Camera: {
		required: []string{"t"},
	},
	Image: {
		required: []string{"img_t"},
		optional: []string{"cont_type"},
	},
	Update: {
		required: []string{"stat_t"},
		optional: []string{"dev_cla", "cmd_t", "pl_inst", "tit", "rel_u", "l_ver_t"},
	},
	Event: {
		required: []string{"stat_t", "evt_typ"},
		optional: []string{"dev_cla"},
	},
	Notify: {
		required: []string{"cmd_t"},
	},
	DeviceAutomation: {
		required: []string{"p", "atype", "type", "stype", "t"},
		optional: []string{"pl", "val_tpl"},
	},
}

// keysOf returns all that a platform must and may have; ok is false for an
// unknown platform.
func keysOf(p Platform) (k keys, ok bool) {
	k, ok = platformKeys[p]
	if !ok || p == DeviceAutomation {
		return k, ok
	}
	return keys{
		required: slices.Concat(entityKeys.required, k.required),
		optional: slices.Concat(entityKeys.optional, k.optional),
	}, true
}

// hvacModes are the modes that a climate can have.
var hvacModes = []string{"auto", "cool", "dry", "fan_only", "heat", "heat_cool", "off"}
