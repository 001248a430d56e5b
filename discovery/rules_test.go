package discovery

import (
	"maps"
	"math"
	"strings"
	"testing"
)

// rule breaks one specimen in one way; exactly the wanted errors must come of
// it.
type rule struct {
	specimen string
	change   func(*Component)
	want     []string
}

func TestComponentRules(t *testing.T) {
	t.Parallel()
	all := specimens()
	for name, r := range componentRules() {
		c, ok := all[r.specimen]
		if !ok {
			t.Fatalf("%s: no specimen %q", name, r.specimen)
		}
		wantErrors(t, name, with(c, r.change).Validate(), r.want...)
	}
}

func componentRules() map[string]rule {
	rules := commonRules()
	maps.Copy(rules, classRules())
	maps.Copy(rules, platformRules())
	return rules
}

func commonRules() map[string]rule {
	return map[string]rule{
		"unknown platform":  {"state", func(c *Component) { c.Platform = "light" }, []string{`unknown platform "light"`}},
		"foreign key":       {"emergency_stop", func(c *Component) { c.StateTopic = "a" }, []string{"button has no option stat_t"}},
		"foreign range":     {"preset", func(c *Component) { c.Min = new(1.0) }, []string{"select has no option min"}},
		"foreign heat":      {"state", func(c *Component) { c.Heat = &Heat{ActionTopic: "a"} }, []string{"sensor has no option act_t"}},
		"foreign trigger":   {"state", func(c *Component) { c.Type = "a" }, []string{"sensor has no option type"}},
		"foreign template":  {"state", func(c *Component) { c.ValueTemplate = "{{ value }}" }, []string{"sensor has no option val_tpl"}},
		"name spaces":       {"state", func(c *Component) { c.Name = " State" }, []string{"space at its ends"}},
		"name control":      {"state", func(c *Component) { c.Name = "Sta\nte" }, []string{"control characters"}},
		"name not UTF-8":    {"state", func(c *Component) { c.Name = "Sta\xffte" }, []string{"control characters"}},
		"unique id":         {"state", func(c *Component) { c.UniqueID = "a.b" }, []string{`unique id "a.b"`}},
		"unique id letters": {"state", func(c *Component) { c.UniqueID = "\u212a" }, []string{"unique id"}}, // Kelvin sign
		"entity id":         {"state", func(c *Component) { c.DefaultEntityID = "sensor.a__b" }, []string{"is not valid"}},
		"entity id no dot":  {"state", func(c *Component) { c.DefaultEntityID = "left_state" }, []string{"is not valid"}},
		"entity id long": {
			"state", func(c *Component) { c.DefaultEntityID = "sensor." + strings.Repeat("a", 249) },
			[]string{"is not valid"},
		},
		"entity id domain":   {"state", func(c *Component) { c.DefaultEntityID = "number.a" }, []string{"not of the domain sensor"}},
		"icon":               {"state", func(c *Component) { c.Icon = "printer" }, []string{`icon "printer"`}},
		"category of sensor": {"state", func(c *Component) { c.Category = CategoryConfig }, []string{"not for a sensor"}},
		"category of binary": {"printing", func(c *Component) { c.Category = CategoryConfig }, []string{"not for a binary_sensor"}},
		"unknown category":   {"state", func(c *Component) { c.Category = "system" }, []string{`unknown category "system"`}},
		"availability topic": {"state", func(c *Component) { c.Availability = []string{"a/#"} }, []string{"wildcard"}},
		"availability twice": {"state", func(c *Component) { c.Availability = []string{"a", "a"} }, []string{"occurs twice"}},
		"availability mode":  {"maintenance", func(c *Component) { c.AvailabilityMode = "most" }, []string{`mode "most"`}},
		"availability none":  {"state", func(c *Component) { c.AvailabilityMode = "all" }, []string{"mode all without topics"}},
		"qos":                {"state", func(c *Component) { c.QoS = new(3) }, []string{"qos 3 is not 0 to 2"}},
		"qos below":          {"state", func(c *Component) { c.QoS = new(-1) }, []string{"qos -1 is not 0 to 2"}},
		"qos lowest":         {"preset", func(c *Component) { c.QoS = new(0) }, nil},
		"qos highest":        {"state", func(c *Component) { c.QoS = new(2) }, nil},
		"longest entity id":  {"state", func(c *Component) { c.DefaultEntityID = "sensor." + strings.Repeat("a", 248) }, nil},
		"longest topic":      {"state", func(c *Component) { c.StateTopic = strings.Repeat("a", 65535) }, nil},
		"queued command":     {"preset", func(c *Component) { c.QoS = new(1) }, []string{"resend them late"}},
		"queued climate":     {"tool0_heater", func(c *Component) { c.QoS = new(1) }, []string{"resend them late"}},
		"state topic":        {"state", func(c *Component) { c.StateTopic = "a/+" }, []string{`topic "a/+": has a wildcard`}},
		"command topic":      {"preset", func(c *Component) { c.CommandTopic = "a//b" }, []string{"empty level"}},
		"attributes topic":   {"state", func(c *Component) { c.AttributesTopic = "/a" }, []string{"begins or ends with /"}},
		"long topic":         {"state", func(c *Component) { c.StateTopic = strings.Repeat("a", 65536) }, []string{"longer than"}},
		"climate topic":      {"tool0_heater", func(c *Component) { c.Heat = withAction(c.Heat, "a#") }, []string{`"a#"`}},
		"echo":               {"preset", func(c *Component) { c.CommandTopic = c.StateTopic }, []string{"have the same topic"}},
	}
}

func withAction(h *Heat, topic string) *Heat {
	heat := *h
	heat.ActionTopic = topic
	return &heat
}

func classRules() map[string]rule {
	enum := []string{"device class enum with a unit"}
	return map[string]rule{
		"enum with unit":        {"state", func(c *Component) { c.Unit = "%" }, enum},
		"enum with state class": {"state", func(c *Component) { c.StateClass = "measurement" }, enum},
		"enum with precision":   {"state", func(c *Component) { c.Precision = new(0) }, enum},
		"enum without options":  {"state", func(c *Component) { c.Options = nil }, []string{"go together"}},
		"options without enum":  {"state", func(c *Component) { c.DeviceClass = "" }, []string{"go together"}},
		"timestamp with unit":   {"progress", func(c *Component) { c.DeviceClass = "timestamp" }, []string{"device class timestamp with a unit"}},
		"unit":                  {"tool0_temperature", func(c *Component) { c.Unit = "bar" }, []string{`with the unit "bar"`}},
		"no unit":               {"tool0_temperature", func(c *Component) { c.Unit = "" }, []string{`with the unit ""`}},
		"no currency":           {"progress", func(c *Component) { c.DeviceClass, c.StateClass, c.Unit = "monetary", "total", "" }, []string{`unit ""`}},
		"unit of number":        {"tool0_setpoint", func(c *Component) { c.Unit = "%" }, []string{`with the unit "%"`}},
		"unit spaces":           {"progress", func(c *Component) { c.Unit = "% " }, []string{"space at its ends"}},
		"state class":           {"progress", func(c *Component) { c.StateClass = "average" }, []string{`unknown state class "average"`}},
		"state class clash":     {"tool0_temperature", func(c *Component) { c.StateClass = "total" }, []string{"with the state class total"}},
		"volume measurement":    {"progress", func(c *Component) { c.DeviceClass, c.Unit = "volume", "mL" }, []string{"state class measurement"}},
		"precision":             {"progress", func(c *Component) { c.Precision = new(-1) }, []string{"precision -1"}},
		"class of sensor":       {"progress", func(c *Component) { c.DeviceClass = "running" }, []string{`no device class "running"`}},
		"class of number":       {"tool0_setpoint", func(c *Component) { c.DeviceClass = "timestamp" }, []string{"number has no device class"}},
		"class of binary":       {"printing", func(c *Component) { c.DeviceClass = "printing" }, []string{"binary_sensor has no device class"}},
		"class of button":       {"emergency_stop", func(c *Component) { c.DeviceClass = "stop" }, []string{"button has no device class"}},
		"class of select":       {"preset", func(c *Component) { c.DeviceClass = "enum" }, []string{"no option dev_cla", "no device class"}},
		"class of switch":       {"maintenance", func(c *Component) { c.DeviceClass = "plug" }, []string{"switch has no device class"}},
		"class of update":       {"octoprint_update", func(c *Component) { c.DeviceClass = "os" }, []string{"update has no device class"}},
		"class of event":        {"event", func(c *Component) { c.DeviceClass = "print" }, []string{"event has no device class"}},
		"wrong enum of class":   {"state", func(c *Component) { c.DeviceClass = "Enum" }, []string{"no device class", "go together"}},
	}
}

func platformRules() map[string]rule {
	return map[string]rule{
		"enum option twice":   {"state", func(c *Component) { c.Options = []string{"a", "a"} }, []string{"occurs twice"}},
		"option twice":        {"preset", func(c *Component) { c.Options = []string{"a", "b", "a"} }, []string{"occurs twice"}},
		"option none":         {"preset", func(c *Component) { c.Options = []string{"nOne"} }, []string{"means unknown"}},
		"option empty":        {"preset", func(c *Component) { c.Options = []string{""} }, []string{"empty"}},
		"option with space":   {"preset", func(c *Component) { c.Options = []string{"PLA "} }, nil},
		"option control":      {"preset", func(c *Component) { c.Options = []string{"a\x00"} }, []string{"control characters"}},
		"option long":         {"preset", func(c *Component) { c.Options = []string{strings.Repeat("ä", 256)} }, []string{"longer than 255"}},
		"option just fits":    {"preset", func(c *Component) { c.Options = []string{strings.Repeat("ä", 255)} }, nil},
		"payloads equal":      {"printing", func(c *Component) { c.PayloadOn = "OFF" }, []string{"occurs twice"}},
		"payload none":        {"maintenance", func(c *Component) { c.PayloadOff = "None" }, []string{"means unknown"}},
		"range empty":         {"tool0_setpoint", func(c *Component) { c.Max = new(0.0) }, []string{"minimum 0 is not below"}},
		"range NaN":           {"tool0_setpoint", func(c *Component) { c.Max = new(math.NaN()) }, []string{"NaN"}},
		"range infinite":      {"tool0_setpoint", func(c *Component) { c.Min = new(math.Inf(-1)) }, []string{"infinity"}},
		"step small":          {"tool0_setpoint", func(c *Component) { c.Step = new(0.0009) }, []string{"step 0.0009"}},
		"step smallest":       {"tool0_setpoint", func(c *Component) { c.Step = new(0.001) }, nil},
		"mode of number":      {"tool0_setpoint", func(c *Component) { c.Mode = "text" }, []string{`mode "text" of a number`}},
		"mode of text":        {"gcode", func(c *Component) { c.Mode = "box" }, []string{`mode "box" of a text`}},
		"text too long":       {"gcode", func(c *Component) { c.Max = new(256.0) }, []string{"not within 0 to 255"}},
		"text below 0":        {"gcode", func(c *Component) { c.Min = new(-1.0) }, []string{"not within 0 to 255"}},
		"text turned round":   {"gcode", func(c *Component) { c.Min, c.Max = new(3.0), new(2.0) }, []string{"not within 0 to 255"}},
		"text in halves":      {"gcode", func(c *Component) { c.Max = new(2.5) }, []string{"not within 0 to 255"}},
		"text NaN":            {"gcode", func(c *Component) { c.Max = new(math.NaN()) }, []string{"not within 0 to 255"}},
		"text pattern":        {"gcode", func(c *Component) { c.Pattern = "(" }, []string{"no regular expression"}},
		"climate range":       {"tool0_heater", func(c *Component) { c.Max = new(-1.0) }, []string{"not below"}},
		"climate mode":        {"tool0_heater", func(c *Component) { c.Heat = withModes(c.Heat, "on") }, []string{`mode "on": unknown`}},
		"climate modes twice": {"tool0_heater", func(c *Component) { c.Heat = withModes(c.Heat, "off", "off") }, []string{"occurs twice"}},
		"climate unit":        {"tool0_heater", func(c *Component) { c.Heat = withUnit(c.Heat, "°C") }, []string{"neither C nor F"}},
		"content type":        {"thumbnail", func(c *Component) { c.ContentType = "text/html" }, []string{"is no image"}},
		"install nothing":     {"octoprint_update", func(c *Component) { c.PayloadInstall = "" }, []string{"payload to install"}},
		"install nowhere":     {"octoprint_update", func(c *Component) { c.CommandTopic = "" }, []string{"payload to install"}},
		"update title":        {"octoprint_update", func(c *Component) { c.Title = "a\n" }, []string{"title"}},
		"release URL":         {"octoprint_update", func(c *Component) { c.ReleaseURL = "/releases" }, []string{"not a full http"}},
		"event type":          {"event", func(c *Component) { c.EventTypes = []string{"Print started"} }, []string{"lower-case"}},
		"event types twice":   {"event", func(c *Component) { c.EventTypes = []string{"a", "a"} }, []string{"occurs twice"}},
	}
}

func withModes(h *Heat, modes ...string) *Heat {
	heat := *h
	heat.Modes = modes
	return &heat
}

func withUnit(h *Heat, unit string) *Heat {
	heat := *h
	heat.TemperatureUnit = unit
	return &heat
}
