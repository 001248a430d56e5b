package integration

import (
	"maps"
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

// shapedView is of a printer with two tools, a bed and a chamber, whose user may
// do everything.
func shapedView() *printerView {
	v := zeroView()
	v.info = octoprint.Info{
		Version: "1.11.8", User: "admin",
		Permissions: []string{octoprint.PermissionStatus, octoprint.PermissionPrint, octoprint.PermissionControl, octoprint.PermissionConnection},
		Profile:     &octoprint.Profile{Heaters: []string{"tool0", "tool1", "bed", "chamber"}},
	}
	return v
}

// facts are what the same rules hold for, of a row of any device.
type facts struct {
	device, key        string
	component          discovery.Component
	zero               value // "" without a value
	hasValue, hasNoise bool
	prompt, bridged    bool
	access             Access
	permission, action string
	parameters         bool
}

func factsOf[V any](device string, rows []row[V], zero V) []facts {
	d := newDevice[V](device, discovery.Topics{Base: discovery.DefaultBase, Prefix: discovery.DefaultPrefix}, newOutbox())
	d.setRows(rows)
	components := d.components()
	var list []facts
	for _, r := range rows {
		f := facts{
			device: device, key: r.key, component: components[r.key], hasValue: r.value != nil, hasNoise: r.noise != nil, prompt: r.prompt,
			bridged: r.bridged, access: r.access, permission: r.permission, action: r.action, parameters: r.parameters != nil,
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
		factsOf(discovery.Bridge, bridgeRows(), bridge),
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
		if f.action != "" && (f.access == "" || f.access == AccessRead) {
			t.Errorf("%s: takes commands at access %q", at, f.access)
		}
		if f.device == "left" && (f.action != "") != (f.permission != "") {
			t.Errorf("%s: action %q with permission %q", at, f.action, f.permission)
		}
		if f.bridged != slices.Equal(c.Availability, []string{"octoprint2mqtt/bridge/state"}) {
			t.Errorf("%s: hangs on the bridge: %v, availability %v", at, f.bridged, c.Availability)
		}
		checkPlatform(t, at, f)
	}
}

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
	case discovery.Event:
		if f.hasValue || !f.bridged && f.device == "left" || !slices.Equal(c.EventTypes, eventTypes()) {
			t.Errorf("%s: an event has no value, hangs on the bridge, and has all types", at)
		}
	case discovery.Sensor, discovery.BinarySensor:
		if !f.hasValue && c.StateTopic != "octoprint2mqtt/bridge/state" {
			t.Errorf("%s: no value", at)
		}
	default:
		t.Errorf("%s: what rules does a %s follow?", at, c.Platform)
	}
	if f.device == "left" && f.hasValue && f.zero != unknown {
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
	return strings.HasSuffix(key, "_temperature") || slices.Contains([]string{"progress", "progress_bytes", "finish", "next_free", "z"}, key)
}

// TestZeroView: rows of a printer of which nothing is known at all.
func TestZeroView(t *testing.T) {
	t.Parallel()
	for _, f := range factsOf("left", printerRows(zeroView()), zeroView()) {
		if f.hasValue && f.zero != unknown {
			t.Errorf("%s shows %q", f.key, f.zero.payload())
		}
		if strings.HasPrefix(f.key, "tool") || strings.HasPrefix(f.key, "bed") {
			t.Errorf("%s: nobody knows yet that there is one", f.key)
		}
	}
}

// TestCoreRows: the rows that the contract marks [core] are there, as it has them.
func TestCoreRows(t *testing.T) {
	t.Parallel()
	const enum, seconds = "enum", "min"
	type want struct {
		platform         discovery.Platform
		class, unit      string
		options          string
		category         string
		off, bridged     bool
		access           Access
		permission, rest string
	}
	printer := map[string]want{
		"state": {platform: "sensor", class: enum, options: "offline connecting idle starting printing pausing paused resuming cancelling finishing error sending"},
		"connection": {platform: "sensor", class: enum, category: "diagnostic", bridged: true,
			options: "connected connecting unreachable unauthorized not_permitted tls_error not_octoprint starting disabled"},
		"connection_detail": {platform: "sensor", category: "diagnostic", bridged: true},
		"printing":          {platform: "binary_sensor", class: "running"},
		"connected":         {platform: "binary_sensor", class: "connectivity"},
		"problem":           {platform: "binary_sensor", class: "problem"},
		"error":             {platform: "sensor", category: "diagnostic"},
		"file":              {platform: "sensor"},
		"progress":          {platform: "sensor", unit: "%"},
		"elapsed":           {platform: "sensor", class: "duration", unit: seconds},
		"remaining":         {platform: "sensor", class: "duration", unit: seconds},
		"started":           {platform: "sensor", class: "timestamp"},
		"finish":            {platform: "sensor", class: "timestamp"},
		"last_result":       {platform: "sensor", class: enum, bridged: true, options: "success cancelled failed undetermined"},
		"last_file":         {platform: "sensor", bridged: true},
		"last_duration":     {platform: "sensor", class: "duration", unit: seconds, bridged: true},
		"last_ended":        {platform: "sensor", class: "timestamp", bridged: true},
		"pause":             {platform: "button", access: AccessControl, permission: "PRINT"},
		"resume":            {platform: "button", access: AccessControl, permission: "PRINT"},
		"cancel":            {platform: "button", access: AccessControl, permission: "PRINT"},
		"start":             {platform: "button", access: AccessControl, permission: "PRINT"},
		"connect":           {platform: "button", category: "config", access: AccessControl, permission: "CONNECTION"},
		"disconnect":        {platform: "button", category: "config", access: AccessControl, permission: "CONNECTION"},
		"emergency_stop":    {platform: "button", access: AccessControl, permission: "CONTROL"},
		"home":              {platform: "button", category: "config", access: AccessControl, permission: "CONTROL"},
		"event":             {platform: "event", bridged: true},
	}
	for _, h := range []string{"tool0", "tool1", "bed", "chamber"} {
		printer[h+"_temperature"] = want{platform: "sensor", class: "temperature", unit: "°C"}
		printer[h+"_target"] = want{platform: "sensor", class: "temperature", unit: "°C"}
		printer[h+"_setpoint"] = want{platform: "number", class: "temperature", unit: "°C", access: AccessControl, permission: "CONTROL"}
		printer[h+"_offset"] = want{platform: "number", class: "temperature_delta", unit: "°C", category: "config", off: true, access: AccessControl, permission: "CONTROL"}
	}
	farm := map[string]want{
		"next_free": {platform: "sensor", class: "timestamp"}, "attention": {platform: "binary_sensor", class: "problem"},
		"event": {platform: "event"}, "ready": {platform: "sensor"},
		"pause_all": {platform: "button", access: AccessControl}, "resume_all": {platform: "button", access: AccessControl},
	}
	for _, key := range []string{"printers", "printing", "paused", "idle", "offline", "error", "unreachable"} {
		farm[key] = want{platform: "sensor"}
	}
	all := make(map[string]facts)
	for _, f := range allFacts() {
		all[f.device+"/"+f.key] = f
	}
	check := func(device string, rows map[string]want) {
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			w, f := rows[key], all[device+"/"+key]
			c := f.component
			got := want{c.Platform, c.DeviceClass, c.Unit, strings.Join(c.Options, " "), c.Category, c.Disabled, f.bridged, f.access, f.permission, ""}
			if got != w {
				t.Errorf("%s/%s is\n%+v, want\n%+v", device, key, got, w)
			}
		}
	}
	check("left", printer)
	check("farm", farm)
	check("bridge", map[string]want{
		"version": {platform: "sensor", category: "diagnostic", bridged: true},
		"state":   {platform: "binary_sensor", class: "connectivity", category: "diagnostic"},
	})
	for h, limit := range map[string]float64{"tool0": 300, "tool1": 300, "bed": 120, "chamber": 70} {
		if c := all["left/"+h+"_setpoint"].component; *c.Min != 0 || *c.Max != limit {
			t.Errorf("%s_setpoint goes from %v to %v", h, *c.Min, *c.Max)
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
		p.view.info = v.info
		p.device.setRows(shapedRows(&p.view))
		d := p.discoveryLocked()
		if err := d.Validate(); err != nil {
			t.Error(err)
		}
		if n := len(d.Components); v.info.Version == "" && n > 20 || v.info.Version != "" && n < 60 {
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
