package discovery

// fields are a JSON object by Home Assistant's abbreviated keys. Encoding sorts
// them.
type fields map[string]any

// put sets what is not the zero value.
func put[T comparable](f fields, key string, v T) {
	var zero T
	if v != zero {
		f[key] = v
	}
}

func putList[T any](f fields, key string, v []T) {
	if len(v) > 0 {
		f[key] = v
	}
}

func (c Component) fields() fields {
	f := fields{"p": c.Platform}
	c.putEntity(f)
	c.putTopics(f)
	c.putValues(f)
	c.putTrigger(f)
	if c.Heat != nil {
		c.Heat.put(f)
	}
	return f
}

func (c Component) putEntity(f fields) {
	put(f, "name", c.Name)
	put(f, "uniq_id", c.UniqueID)
	put(f, "def_ent_id", c.DefaultEntityID)
	put(f, "dev_cla", c.DeviceClass)
	put(f, "stat_cla", c.StateClass)
	put(f, "unit_of_meas", c.Unit)
	put(f, "ent_cat", c.Category)
	put(f, "ic", c.Icon)
	if c.Disabled {
		f["en"] = false
	}
	put(f, "sug_dsp_prc", c.Precision)
}

func (c Component) putTopics(f fields) {
	put(f, "stat_t", c.StateTopic)
	put(f, "cmd_t", c.CommandTopic)
	put(f, "json_attr_t", c.AttributesTopic)
	put(f, "l_ver_t", c.LatestVersionTopic)
	topicKey := "t"
	if c.Platform == Image {
		topicKey = "img_t"
	}
	put(f, topicKey, c.Topic)
	putAvailability(f, c.Availability, c.AvailabilityMode)
	switch {
	case c.QoS != nil:
		f["qos"] = *c.QoS
	case c.takesCommands():
		f["qos"] = 0
	}
}

// putAvailability spells a missing mode out: Home Assistant's default is that
// the latest word of any topic wins, and a component without a mode takes the
// document's.
func putAvailability(f fields, topics []string, mode string) {
	list := make([]fields, len(topics))
	for i, topic := range topics {
		list[i] = fields{"t": topic}
	}
	putList(f, "avty", list)
	if mode == "" && len(topics) > 1 {
		mode = AvailabilityAll
	}
	put(f, "avty_mode", mode)
}

func (c Component) putValues(f fields) {
	putList(f, "ops", c.Options)
	putList(f, "evt_typ", c.EventTypes)
	put(f, c.rangeKey("min"), c.Min)
	put(f, c.rangeKey("max"), c.Max)
	put(f, c.rangeKey("step"), c.Step)
	put(f, "mode", c.Mode)
	put(f, "ptrn", c.Pattern)
	put(f, "pl_on", c.PayloadOn)
	put(f, "pl_off", c.PayloadOff)
	put(f, "pl_inst", c.PayloadInstall)
	put(f, "tit", c.Title)
	put(f, "rel_u", c.ReleaseURL)
	put(f, "cont_type", c.ContentType)
}

func (c Component) rangeKey(key string) string {
	if c.Platform != Climate {
		return key
	}
	if key == "step" {
		return "temp_step"
	}
	return key + "_temp"
}

func (c Component) putTrigger(f fields) {
	if c.Platform == DeviceAutomation && c.Type != "" {
		f["atype"] = "trigger"
	}
	put(f, "type", c.Type)
	put(f, "stype", c.Subtype)
	put(f, "pl", c.Payload)
	put(f, "val_tpl", c.ValueTemplate)
}

func (h *Heat) put(f fields) {
	putList(f, "modes", h.Modes)
	put(f, "mode_stat_t", h.ModeStateTopic)
	put(f, "mode_cmd_t", h.ModeCommandTopic)
	put(f, "temp_stat_t", h.TemperatureStateTopic)
	put(f, "temp_cmd_t", h.TemperatureCommandTopic)
	put(f, "curr_temp_t", h.CurrentTemperatureTopic)
	put(f, "act_t", h.ActionTopic)
	put(f, "temp_unit", h.TemperatureUnit)
}
