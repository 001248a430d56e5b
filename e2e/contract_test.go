//go:build e2e

package e2e

import (
	"slices"
	"strings"
)

// promise is one row that is promised to users: its key is part of topics and
// unique ids, so it can neither change nor go.
type promise struct {
	key      string
	platform string
	command  bool // takes commands; announced only where they are allowed
	bridge   bool // shown as long as the bridge runs, whatever OctoPrint does
}

// printerRows are the rows of a printer with one tool and a heated bed that
// every printer has.
func printerRows() []promise {
	rows := []promise{
		{key: "state", platform: "sensor"},
		{key: "connection", platform: "sensor", bridge: true},
		{key: "connection_detail", platform: "sensor", bridge: true},
		{key: "printing", platform: "binary_sensor"},
		{key: "connected", platform: "binary_sensor"},
		{key: "problem", platform: "binary_sensor"},
		{key: "error", platform: "sensor"},
		{key: "file", platform: "sensor"},
		{key: "progress", platform: "sensor"},
		{key: "elapsed", platform: "sensor"},
		{key: "remaining", platform: "sensor"},
		{key: "started", platform: "sensor"},
		{key: "finish", platform: "sensor"},
		{key: "last_result", platform: "sensor", bridge: true},
		{key: "last_file", platform: "sensor", bridge: true},
		{key: "last_duration", platform: "sensor", bridge: true},
		{key: "last_ended", platform: "sensor", bridge: true},
		{key: "event", platform: "event", bridge: true},
	}
	for _, heater := range []string{"tool0", "bed"} {
		rows = append(rows,
			promise{key: heater + "_temperature", platform: "sensor"},
			promise{key: heater + "_target", platform: "sensor"},
			promise{key: heater + "_setpoint", platform: "number", command: true},
		)
	}
	for _, key := range []string{"pause", "resume", "cancel", "start", "connect", "disconnect", "emergency_stop", "home"} {
		rows = append(rows, promise{key: key, platform: "button", command: true})
	}
	return rows
}

func farmRows() []promise {
	rows := []promise{
		{key: "next_free", platform: "sensor"},
		{key: "attention", platform: "binary_sensor"},
		{key: "event", platform: "event"},
		{key: "pause_all", platform: "button", command: true},
		{key: "resume_all", platform: "button", command: true},
	}
	for _, key := range []string{"printers", "printing", "paused", "idle", "offline", "error", "unreachable"} {
		rows = append(rows, promise{key: key, platform: "sensor"})
	}
	return rows
}

func bridgeRows() []promise {
	return []promise{{key: "state", platform: "binary_sensor"}, {key: "version", platform: "sensor"}}
}

// furtherPrinterRows are rows that may exist as well, by the same contract.
func furtherPrinterRows() []string {
	rows := strings.Fields(`ready unattended_heat last_seen progress_bytes estimate_origin estimated_total file_size
		filament_length filament_volume started_by z layer layers preset fan feedrate flowrate arm tool selected_file profile port
		message gcode plate_clear maintenance restart_octoprint reboot shutdown system_custom_lamp_on system_custom_lamp_off
		system_custom_fails system_core_restart_safe octoprint_update plugin_updates octoprint_version firmware key_user
		missing_permissions undervoltage overheating disk_free reconnects frame_rate safe_mode prompt prompt_answer`)
	for _, heater := range []string{"tool0", "bed"} {
		rows = append(rows, heater+"_heater", heater+"_offset")
	}
	return rows
}

func furtherFarmRows() []string {
	return []string{"ready", "arm", "cancel_all", "emergency_stop_all"}
}

func furtherBridgeRows() []string {
	return []string{"started", "broker_reconnects", "log_level", "restart"}
}

// coreEvents are the kinds of events that every printer can tell.
func coreEvents() []string {
	return []string{
		"print_started", "print_paused", "print_resumed", "print_finished", "print_cancelled", "print_failed",
		"printer_error", "printer_connected", "printer_disconnected",
	}
}

// retainedTopics returns, below the base, the topics that have to hold a
// retained message with these printers, and those that may hold one.
func retainedTopics(printers ...string) (required, allowed []string) {
	required = []string{"farm", "bridge/info", "bridge/health"}
	add := func(device string, rows []promise, further []string) {
		for _, row := range rows {
			if row.platform != "button" && row.platform != "event" {
				required = append(required, device+"/"+row.key)
			}
			further = append(further, row.key)
		}
		for _, key := range further {
			allowed = append(allowed, device+"/"+key, device+"/"+key+"/attributes")
		}
	}
	add("bridge", bridgeRows(), furtherBridgeRows())
	add("farm", farmRows(), furtherFarmRows())
	for _, printer := range printers {
		required = append(required, printer, printer+"/availability")
		allowed = append(allowed, printer+"/camera", printer+"/thumbnail")
		add(printer, printerRows(), furtherPrinterRows())
	}
	return required, slices.Concat(required, allowed)
}

// uniqueID is the id under which Home Assistant knows a row.
func uniqueID(device, row string) string { return baseTopic + "_" + device + "_" + row }

// entityID is the id that a row has in Home Assistant unless the user changes it.
func entityID(platform, device, row string) string { return platform + "." + device + "_" + row }
