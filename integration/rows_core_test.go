package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"octoprint2mqtt/discovery"
)

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
		"connection": {
			platform: "sensor", class: enum, category: "diagnostic", bridged: true,
			options: "connected connecting unreachable unauthorized not_permitted tls_error not_octoprint starting disabled",
		},
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

		"unattended_heat": {platform: "binary_sensor", class: "problem"},
		"last_seen":       {platform: "sensor", class: "timestamp", category: "diagnostic", off: true, bridged: true},
		"preset":          {platform: "select", options: "Off PLA", access: AccessControl, permission: "CONTROL"},
		"fan":             {platform: "number", unit: "%", off: true, access: AccessControl, permission: "CONTROL"},
		"feedrate":        {platform: "number", unit: "%", off: true, access: AccessControl, permission: "CONTROL"},
		"flowrate":        {platform: "number", unit: "%", off: true, access: AccessControl, permission: "CONTROL"},
		"tool":            {platform: "select", options: "tool0 tool1", off: true, access: AccessControl, permission: "CONTROL"},
		"arm":             {platform: "button", access: AccessControl},
		"plate_clear":     {platform: "button", bridged: true, access: AccessControl},
	}
	for key, permissions := range map[string]string{"camera": "WEBCAM SETTINGS_READ", "camera_2": "WEBCAM SETTINGS_READ"} {
		printer[key] = want{platform: "camera", permission: permissions}
	}
	printer["thumbnail"] = want{platform: "image", permission: "FILES_LIST"}
	for _, h := range []string{"tool0", "tool1", "bed", "chamber"} {
		printer[h+"_temperature"] = want{platform: "sensor", class: "temperature", unit: "°C"}
		printer[h+"_target"] = want{platform: "sensor", class: "temperature", unit: "°C"}
		printer[h+"_setpoint"] = want{platform: "number", class: "temperature", unit: "°C", access: AccessControl, permission: "CONTROL"}
		printer[h+"_offset"] = want{platform: "number", class: "temperature_delta", unit: "°C", category: "config", off: true, access: AccessControl, permission: "CONTROL"}
		printer[h+"_heater"] = want{platform: "climate", off: true, access: AccessControl, permission: "CONTROL"}
	}
	farm := map[string]want{
		"next_free": {platform: "sensor", class: "timestamp"}, "attention": {platform: "binary_sensor", class: "problem"},
		"event": {platform: "event"}, "ready": {platform: "sensor"},
		"pause_all": {platform: "button", access: AccessControl}, "resume_all": {platform: "button", access: AccessControl},
		"arm": {platform: "button", off: true, access: AccessControl}, "cancel_all": {platform: "button", off: true, access: AccessControl},
		"emergency_stop_all": {platform: "button", off: true, access: AccessControl},
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
	for key, limits := range map[string][2]float64{"fan": {0, 100}, "feedrate": {10, 200}, "flowrate": {75, 125}} {
		if c := all["left/"+key].component; *c.Min != limits[0] || *c.Max != limits[1] {
			t.Errorf("%s goes from %v to %v", key, *c.Min, *c.Max)
		}
	}
	for h, limit := range map[string]float64{"tool0": 300, "tool1": 300, "bed": 120, "chamber": 70} {
		if c := all["left/"+h+"_setpoint"].component; *c.Min != 0 || *c.Max != limit {
			t.Errorf("%s_setpoint goes from %v to %v", h, *c.Min, *c.Max)
		}
	}
}
