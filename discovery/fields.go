package discovery

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// fields are a JSON object by Home Assistant's abbreviated keys. They are put in any
// order and encoded sorted. What is the zero value is left out.
type fields struct {
	list   []field
	values []byte // of all fields, encoded
}

// field is where the value of a key is in values, or what appends it.
type field struct {
	key      string
	from, to int
	encode   func(b []byte) []byte
}

// reset forgets all fields and keeps their memory.
func (f *fields) reset() { f.list, f.values = f.list[:0], f.values[:0] }

// encoded puts what is encoded already, with a function that appends it.
func (f *fields) encoded(key string, encode func(b []byte) []byte) {
	from := len(f.values)
	f.values = encode(f.values)
	f.list = append(f.list, field{key: key, from: from, to: len(f.values)})
}

// later puts what is large: encode appends it where it belongs at once.
func (f *fields) later(key string, encode func(b []byte) []byte) {
	f.list = append(f.list, field{key: key, encode: encode})
}

func (f *fields) text(key, v string) {
	if v != "" {
		f.required(key, v)
	}
}

// required puts a text also if it is empty.
func (f *fields) required(key, v string) {
	f.encoded(key, func(b []byte) []byte { return appendText(b, v) })
}

func (f *fields) texts(key string, v []string) {
	if len(v) > 0 {
		f.encoded(key, func(b []byte) []byte { return appendTexts(b, v, appendText) })
	}
}

func (f *fields) number(key string, v *float64) {
	if v != nil {
		f.encoded(key, func(b []byte) []byte { return strconv.AppendFloat(b, *v, 'f', -1, 64) })
	}
}

// whole is for numbers of which zero is one.
func (f *fields) whole(key string, v int) {
	f.encoded(key, func(b []byte) []byte { return strconv.AppendInt(b, int64(v), 10) })
}

// no puts false.
func (f *fields) no(key string) {
	f.encoded(key, func(b []byte) []byte { return append(b, "false"...) })
}

// appendTo appends the object.
func (f *fields) appendTo(b []byte) []byte {
	slices.SortFunc(f.list, func(x, y field) int { return strings.Compare(x.key, y.key) })
	b = append(b, '{')
	for i, v := range f.list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, v.key), ':')
		if v.encode != nil {
			b = v.encode(b)
		} else {
			b = append(b, f.values[v.from:v.to]...)
		}
	}
	return append(b, '}')
}

// appendText appends a JSON string, in which what is not UTF-8 is replaced.
func appendText(b []byte, v string) []byte {
	b, _ = jsontext.AppendQuote(b, v)
	return b
}

func appendTexts(b []byte, list []string, appendOne func(b []byte, v string) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOne(b, v)
	}
	return append(b, ']')
}

func (c *Component) put(f *fields) {
	f.required("p", string(c.Platform))
	c.putEntity(f)
	c.putTopics(f)
	c.putValues(f)
	c.putTrigger(f)
	if c.Heat != nil {
		c.Heat.put(f)
	}
}

func (c *Component) putEntity(f *fields) {
	f.text("name", c.Name)
	f.text("uniq_id", c.UniqueID)
	f.text("def_ent_id", c.DefaultEntityID)
	f.text("dev_cla", c.DeviceClass)
	f.text("stat_cla", c.StateClass)
	f.text("unit_of_meas", c.Unit)
	f.text("ent_cat", c.Category)
	f.text("ic", c.Icon)
	if c.Disabled {
		f.no("en")
	}
	if c.Precision != nil {
		f.whole("sug_dsp_prc", *c.Precision)
	}
}

func (c *Component) putTopics(f *fields) {
	f.text("stat_t", c.StateTopic)
	f.text("cmd_t", c.CommandTopic)
	f.text("json_attr_t", c.AttributesTopic)
	f.text("l_ver_t", c.LatestVersionTopic)
	topicKey := "t"
	if c.Platform == Image {
		topicKey = "img_t"
	}
	f.text(topicKey, c.Topic)
	putAvailability(f, c.Availability, c.AvailabilityMode)
	switch {
	case c.QoS != nil:
		f.whole("qos", *c.QoS)
	case c.takesCommands():
		f.whole("qos", 0)
	}
}

// putAvailability spells a missing mode out: Home Assistant's default is that
// the latest word of any topic wins, and a component without a mode takes the
// document's.
func putAvailability(f *fields, topics []string, mode string) {
	if len(topics) > 0 {
		f.encoded("avty", func(b []byte) []byte { return appendTexts(b, topics, appendTopic) })
	}
	if mode == "" && len(topics) > 1 {
		mode = AvailabilityAll
	}
	f.text("avty_mode", mode)
}

func appendTopic(b []byte, topic string) []byte {
	return append(appendText(append(b, `{"t":`...), topic), '}')
}

func (c *Component) putValues(f *fields) {
	f.texts("ops", c.Options)
	f.texts("evt_typ", c.EventTypes)
	f.number(c.rangeKey("min"), c.Min)
	f.number(c.rangeKey("max"), c.Max)
	f.number(c.rangeKey("step"), c.Step)
	f.text("mode", c.Mode)
	f.text("ptrn", c.Pattern)
	f.text("pl_on", c.PayloadOn)
	f.text("pl_off", c.PayloadOff)
	f.text("pl_inst", c.PayloadInstall)
	f.text("tit", c.Title)
	f.text("rel_u", c.ReleaseURL)
	f.text("cont_type", c.ContentType)
}

func (c *Component) rangeKey(key string) string {
	if c.Platform != Climate {
		return key
	}
	if key == "step" {
		return "temp_step"
	}
	return key + "_temp"
}

func (c *Component) putTrigger(f *fields) {
	if c.Platform == DeviceAutomation && c.Type != "" {
		f.text("atype", "trigger")
	}
	f.text("type", c.Type)
	f.text("stype", c.Subtype)
	f.text("pl", c.Payload)
	f.text("val_tpl", c.ValueTemplate)
}

func (h *Heat) put(f *fields) {
	f.texts("modes", h.Modes)
	f.text("mode_stat_t", h.ModeStateTopic)
	f.text("mode_cmd_t", h.ModeCommandTopic)
	f.text("temp_stat_t", h.TemperatureStateTopic)
	f.text("temp_cmd_t", h.TemperatureCommandTopic)
	f.text("curr_temp_t", h.CurrentTemperatureTopic)
	f.text("act_t", h.ActionTopic)
	f.text("temp_unit", h.TemperatureUnit)
}
