package integration

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// zeroView is what is known before anything is.
func zeroView() *printerView {
	c := printerConfig("left")
	return &printerView{config: &c, prints: &tracker{printer: "left"}}
}

// shapedView is of a printer with two tools, a bed, a chamber and all plugins, whose
// user may do everything.
func shapedView() *printerView {
	v := zeroView()
	v.config.Arm, v.config.PlateCheck = []string{actionCancel}, true
	v.config.Camera.Enabled = true
	v.info = octoprint.Info{
		Version: "1.11.8", User: "admin",
		Permissions: []string{octoprint.PermissionStatus, octoprint.PermissionPrint, octoprint.PermissionControl, octoprint.PermissionConnection},
		Profile:     &octoprint.Profile{Heaters: []string{"tool0", "tool1", "bed", "chamber"}},
	}
	v.has = allPlugins()
	v.has.Webcams = []octoprint.Webcam{{ID: "a", Name: "Front"}, {ID: "b", Name: "Back"}}
	v.has.Presets = []octoprint.Preset{{Name: "PLA", Tool: new(210.0), Bed: new(60.0)}}
	v.has.Commands, v.has.Connector = coreCommands(), octoprint.SerialConnector
	return v
}

func coreCommands() []octoprint.SystemCommand {
	return []octoprint.SystemCommand{
		{Source: "core", Action: "restart", Name: "Restart OctoPrint"},
		{Source: "core", Action: "reboot", Name: "Reboot system"},
		{Source: "core", Action: "shutdown", Name: "Shutdown system"},
		{Source: "core", Action: "restart_safe", Name: "Restart OctoPrint in safe mode"},
		{Source: "custom", Action: "lamp on!", Name: "Lamp on"},
	}
}

// facts are what the same rules hold for, of a row of any device.
type facts struct {
	device, key, about string
	component          discovery.Component
	zero               value // "" without a value
	hasValue, hasNoise bool
	picture            bool
	prompt, bridged    bool
	access             Access
	permission, action string
	parameters, admin  bool
}

func factsOf[V any](device string, rows []row[V], zero V) []facts {
	d := newDevice[V](device, discovery.Topics{Base: discovery.DefaultBase, Prefix: discovery.DefaultPrefix}, newOutbox())
	d.setRows(rows)
	components := d.components(zero)
	var list []facts
	for _, r := range rows {
		f := facts{
			device: device, key: r.key, about: r.about, component: components[r.key], hasValue: r.value != nil, picture: r.picture != nil, hasNoise: r.noise != nil, prompt: r.prompt,
			bridged: r.bridged, access: r.access, permission: strings.Join(r.permissions, " "), action: r.action, parameters: r.parameters != nil, admin: r.admin,
		}
		if r.value != nil {
			f.zero = r.value(zero)
		}
		list = append(list, f)
	}
	return list
}

func allFacts() []facts {
	v := shapedView()
	bridge := printerIn(situation{AccessControl, nil, "idle"}).bridge
	return slices.Concat(
		factsOf("left", printerRows(v), v),
		factsOf(discovery.Farm, farmRows(true), &farmView{}),
		factsOf(discovery.Bridge, bridgeRows(true), bridge),
	)
}

var keyPattern = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

// TestRowRules holds every row of every device against the rules that all follow.
func TestRowRules(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	names := make(map[string]string)
	for _, f := range allFacts() {
		at := f.device + "/" + f.key
		c := f.component
		if seen[at] {
			t.Errorf("%s occurs twice", at)
		}
		seen[at] = true
		if other := names[f.device+c.Name]; other != "" {
			t.Errorf("%s and %s have the same name %q", at, other, c.Name)
		}
		names[f.device+c.Name] = at
		if !keyPattern.MatchString(f.key) || discovery.ReservedKey(f.key) {
			t.Errorf("%s: the key is not allowed", at)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if f.parameters != (f.action != "") {
			t.Errorf("%s: an action without parameters, or the other way round", at)
		}
		// Who may not install an update may look at it.
		if f.action != "" && !f.admin && (f.access == "" || f.access == AccessRead) && c.Platform != discovery.Update {
			t.Errorf("%s: takes commands at access %q", at, f.access)
		}
		if f.admin && (f.action == "" || f.device != discovery.Bridge) {
			t.Errorf("%s: needs mqtt.admin to change nothing of the bridge", at)
		}
		// Some rows concern the bridge alone.
		if f.device == "left" && !slices.Contains(ownRows(), f.key) && f.action != "" && f.permission == "" {
			t.Errorf("%s: action %q with permission %q", at, f.action, f.permission)
		}
		if f.bridged != slices.Equal(c.Availability, []string{"octoprint2mqtt/bridge/state"}) {
			t.Errorf("%s: hangs on the bridge: %v, availability %v", at, f.bridged, c.Availability)
		}
		checkPlatform(t, at, f)
	}
}

// ownRows take commands that OctoPrint has no part in.
func ownRows() []string { return []string{actionMaintenance, actionPlateClear, actionArm} }

func checkPlatform(t *testing.T, at string, f facts) {
	t.Helper()
	c := f.component
	switch c.Platform {
	case discovery.Button:
		if f.action == "" || f.hasValue {
			t.Errorf("%s: a button has an action and no value", at)
		}
	case discovery.Number:
		if f.action == "" || !f.hasValue || c.Min == nil || c.Max == nil || *c.Min >= *c.Max {
			t.Errorf("%s: a number has an action, a value and a range", at)
		}
	case discovery.Select:
		if f.action == "" || !f.hasValue || len(c.Options) == 0 {
			t.Errorf("%s: a select has an action, a value and options", at)
		}
	case discovery.Switch:
		if f.action == "" || !f.hasValue {
			t.Errorf("%s: a switch has an action and a value", at)
		}
	case discovery.Climate:
		base := "octoprint2mqtt/" + f.device + "/"
		setpoint := base + strings.TrimSuffix(f.key, "_heater") + "_setpoint"
		h := c.Heat
		if f.action == "" || !f.hasValue || h == nil || h.ModeStateTopic != base+f.key || h.ModeCommandTopic != base+f.key+"/set" ||
			h.TemperatureStateTopic != setpoint || h.TemperatureCommandTopic != setpoint+"/set" ||
			h.CurrentTemperatureTopic != strings.TrimSuffix(setpoint, "_setpoint")+"_temperature" || !slices.Equal(h.Modes, []string{"off", "heat"}) {
			t.Errorf("%s: a thermostat has its mode, and the setpoint's temperature: %+v", at, h)
		}
	case discovery.Event:
		if f.hasValue || !f.bridged && f.device == "left" || !slices.Equal(c.EventTypes, eventTypes()) {
			t.Errorf("%s: an event has no value, hangs on the bridge, and has all types", at)
		}
	case discovery.Notify, discovery.Text:
		if f.action == "" || f.hasValue {
			t.Errorf("%s: a line to type into has an action and no value", at)
		}
	case discovery.Update:
		if f.action == "" || !f.hasValue || c.StateTopic == "" || c.PayloadInstall == "" {
			t.Errorf("%s: an update has an action, a value and a state", at)
		}
	case discovery.Camera, discovery.Image:
		if f.hasValue || !f.picture || f.action != "" || c.Topic != "octoprint2mqtt/"+f.device+"/"+f.key || c.AttributesTopic != c.Topic+"/attributes" ||
			(c.ContentType == "") != (c.Platform == discovery.Camera) {
			t.Errorf("%s: a picture has a source, a topic and attributes, and Home Assistant wants to know what kind of image it is", at)
		}
	case discovery.Sensor, discovery.BinarySensor:
		if !f.hasValue && c.StateTopic != "octoprint2mqtt/bridge/state" {
			t.Errorf("%s: no value", at)
		}
	default:
		t.Errorf("%s: what rules does a %s follow?", at, c.Platform)
	}
	if f.device == "left" && f.hasValue && f.key != actionMaintenance && f.zero != unknown {
		t.Errorf("%s: shows %q when nothing is known", at, f.zero.payload())
	}
	if f.hasNoise && (f.prompt || !f.hasValue) {
		t.Errorf("%s: has a noise rule, but is prompt or has no value", at)
	}
	if f.hasNoise != noisy(f.key) {
		t.Errorf("%s: has a noise rule: %v", at, f.hasNoise)
	}
}

// noisy says whether the contract has a noise rule for a row.
func noisy(key string) bool {
	return strings.HasSuffix(key, "_temperature") || slices.Contains([]string{"progress", "progress_bytes", "finish", "next_free", "z", "height", "dlp_feedrate", "octolapse_progress"}, key)
}

// TestZeroView: rows of a printer of which nothing is known at all.
func TestZeroView(t *testing.T) {
	t.Parallel()
	for _, f := range factsOf("left", printerRows(zeroView()), zeroView()) {
		if f.hasValue && f.zero != unknown && f.key != actionMaintenance {
			t.Errorf("%s shows %q", f.key, f.zero.payload())
		}
		if strings.HasPrefix(f.key, "tool") || strings.HasPrefix(f.key, "bed") {
			t.Errorf("%s: nobody knows yet that there is one", f.key)
		}
	}
}

// TestDiscoveryDocumentsAreValid holds the documents of all devices against Home
// Assistant's rules, for several shapes of a printer.
func TestDiscoveryDocumentsAreValid(t *testing.T) {
	t.Parallel()
	for _, v := range []*printerView{zeroView(), shapedView()} {
		p := printerIn(situation{AccessFull, []string{"PRINT", "CONTROL", "CONNECTION"}, "idle"})
		p.bridge.topics.Prefix = discovery.DefaultPrefix
		p.bridge.config.Version, p.bridge.config.Farm.Name = "1.0.0", "Print farm"
		p.view.info, p.view.has = v.info, v.has
		p.device.setRows(shapedRows(&p.view))
		d, _ := p.describe()
		if err := d.Validate(); err != nil {
			t.Error(err)
		}
		if n := len(d.Components); v.info.Version == "" && n > 40 || v.info.Version != "" && n < 60 {
			t.Errorf("%d components", n)
		}
	}
	for device, components := range map[string]map[string]discovery.Component{
		"farm": factComponents("farm"), "bridge": factComponents("bridge"),
	} {
		d := discovery.Document{
			Device: discovery.Device{Identifier: "octoprint2mqtt_" + device, Name: "Something"}, Origin: discovery.Origin{Name: "octoprint2mqtt"},
			Components: components,
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", device, err)
		}
	}
}

func factComponents(device string) map[string]discovery.Component {
	components := make(map[string]discovery.Component)
	for _, f := range allFacts() {
		if f.device == device {
			components[f.key] = f.component
		}
	}
	return components
}

// TestSetpointAboveTheCap: Home Assistant refuses a state out of a number's range.
func TestSetpointAboveTheCap(t *testing.T) {
	t.Parallel()
	v := shapedView()
	hot, now := 301.0, time.Now()
	v.at = now
	v.state = octoprint.State{Phase: octoprint.PhaseIdle, Heaters: map[string]octoprint.Heater{"tool0": {Target: &hot}}}
	shown := make(map[string]string)
	for _, r := range printerRows(v) {
		if r.value != nil {
			shown[r.key] = r.value(v).payload()
		}
	}
	if shown["tool0_setpoint"] != "None" || shown["tool0_target"] != "301" {
		t.Errorf("setpoint %s, target %s", shown["tool0_setpoint"], shown["tool0_target"])
	}
}
