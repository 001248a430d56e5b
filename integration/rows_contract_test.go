package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"octoprint2mqtt/discovery"
)

// promisedRow is a row as the contract has it.
type promisedRow struct {
	platform             discovery.Platform
	class, unit          string
	category             string
	off, bridged         bool
	access               Access
	permissions, options string
}

// checkRows holds rows of the printer left against the contract.
func checkRows(t *testing.T, want map[string]promisedRow) {
	t.Helper()
	all := make(map[string]facts)
	for _, f := range allFacts() {
		if f.device == "left" {
			all[f.key] = f
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		f := all[key]
		c := f.component
		got := promisedRow{c.Platform, c.DeviceClass, c.Unit, c.Category, c.Disabled, f.bridged, f.access, f.permission, strings.Join(c.Options, " ")}
		if got != want[key] {
			t.Errorf("%s is\n%+v, want\n%+v", key, got, want[key])
		}
	}
}

// TestServerRows: files, connection, system and diagnostics, as the contract has
// them.
func TestServerRows(t *testing.T) {
	t.Parallel()
	const config, diagnostic = "config", "diagnostic"
	const check = "PLUGIN_SOFTWAREUPDATE_CHECK"
	checkRows(t, map[string]promisedRow{
		"selected_file":         {platform: "select", off: true, access: AccessControl, permissions: "FILES_SELECT FILES_LIST", options: "-"},
		"profile":               {platform: "select", off: true, category: config, access: AccessControl, permissions: "CONNECTION", options: "-"},
		"port":                  {platform: "select", off: true, category: config, access: AccessControl, permissions: "CONNECTION", options: "AUTO"},
		"message":               {platform: "notify", access: AccessFull, permissions: "CONTROL"},
		"gcode":                 {platform: "text", off: true, access: AccessFull, permissions: "CONTROL"},
		"restart_octoprint":     {platform: "button", class: "restart", category: config, access: AccessFull, permissions: "SYSTEM"},
		"reboot":                {platform: "button", category: config, access: AccessFull, permissions: "SYSTEM"},
		"shutdown":              {platform: "button", category: config, access: AccessFull, permissions: "SYSTEM"},
		"system_custom_lamp_on": {platform: "button", category: config, access: AccessFull, permissions: "SYSTEM"},
		"octoprint_update":      {platform: "update", permissions: check},
		"plugin_updates":        {platform: "sensor", category: diagnostic, permissions: check},
		"firmware":              {platform: "sensor", category: diagnostic},
		"safe_mode":             {platform: "binary_sensor", class: "problem", category: diagnostic},
		"disk_free":             {platform: "sensor", class: "data_size", unit: "B", category: diagnostic, permissions: "FILES_LIST"},
		"missing_permissions":   {platform: "sensor", category: diagnostic, bridged: true},
		"reconnects":            {platform: "sensor", category: diagnostic, off: true, bridged: true},
		"frame_rate":            {platform: "sensor", unit: "1/min", category: diagnostic, off: true, bridged: true},
	})
	for _, f := range allFacts() {
		if f.key == "system_core_restart_safe" || f.key == "gcode" && f.component.StateTopic != "" {
			t.Errorf("%s: not by the contract: %+v", f.key, f.component)
		}
	}
}
