package main

import (
	"fmt"
	"net/url"
	"time"

	"octoprint2mqtt/integration"
)

// The highest limits that may be configured, in °C: more than any heater of
// its kind that is sold reaches.
const (
	maxToolLimit    = 500
	maxBedLimit     = 200
	maxChamberLimit = 120
)

// readPrinters reads the list of printers, which may be empty: printers can be
// added later.
func readPrinters(root *section) []integration.PrinterConfig {
	var printers []integration.PrinterConfig
	unique := uniquePrinters{ids: map[string]place{}, servers: map[string]place{}}
	root.each("printers", func(s *section) {
		printer := readPrinter(s)
		unique.check(s, printer)
		printers = append(printers, printer)
	})
	if len(printers) == 0 {
		root.src.report.warn(root.place("printers"), "there are no printers yet; octoprint2mqtt add adds one")
	}
	return printers
}

// readPrinter reads one item of the list of printers.
func readPrinter(s *section) integration.PrinterConfig {
	s.require("id", "the permanent name of the printer in topics, like left or mk4-2")
	printer := integration.PrinterConfig{ID: read(s, "id", "", printerID)}
	printer.Name = read(s, "name", printer.ID, plainText(100))
	printer.URL = readURL(s, printerAddress())
	printer.APIKey = s.secret("api_key", apiKey)
	printer.User = read(s, "user", "", plainText(255))
	printer.Area = read(s, "area", "", plainText(100))
	printer.Access = read(s, "access", integration.AccessControl, access)
	printer.Disabled = read(s, "disabled", false, boolean)
	printer.TLS = readTLS(s, printer.URL)
	printer.Limits = readLimits(s)
	printer.Camera = readCamera(s)
	printer.ReadyBelow = read(s, "ready_below", integration.DefaultReadyBelow, celsius(20, 100))
	printer.PlateCheck = read(s, "plate_check", false, boolean)
	printer.HeatWatch = read(s, "heat_watch", integration.DefaultHeatWatch, duration(time.Minute, 24*time.Hour, "45m or 1h30m"))
	printer.Arm = readList(s, "arm", armKey)
	printer.GcodeAllow = readList(s, "gcode_allow", gcodeWord)
	printer.Raw = readRaw(s)
	if !printer.Disabled && !s.has("api_key_file") {
		s.require("api_key", "what OctoPrint accepts this program by, made in its settings under Application Keys; only a disabled printer needs none")
	}
	return printer
}

// readLimits reads the highest targets of a printer's heaters.
func readLimits(printer *section) integration.Limits {
	limits := integration.DefaultLimits
	printer.section("limits", func(s *section) {
		limits.Tool = read(s, "tool", limits.Tool, celsius(1, maxToolLimit))
		limits.Bed = read(s, "bed", limits.Bed, celsius(1, maxBedLimit))
		limits.Chamber = read(s, "chamber", limits.Chamber, celsius(1, maxChamberLimit))
	})
	return limits
}

// readRaw reads what is passed through.
func readRaw(printer *section) integration.RawConfig {
	var raw integration.RawConfig
	printer.section("raw", func(s *section) {
		raw.Plugins = readList(s, "plugins", topicLevel)
		raw.Events = readList(s, "events", topicLevel)
	})
	return raw
}

// readCamera reads what is to be shown of a printer's cameras.
func readCamera(printer *section) integration.CameraConfig {
	camera := integration.CameraConfig{Enabled: true, Interval: integration.DefaultCameraInterval}
	printer.section("camera", func(s *section) {
		camera.Enabled = read(s, "enabled", true, boolean)
		camera.Interval = read(s, "interval", camera.Interval, duration(time.Second, time.Hour, "10s"))
		if address := s.secretIf("url", cameraAddress, hasLogin); address != "" {
			camera.URL, _ = url.Parse(address) // it was parsed before
		}
	})
	return camera
}

// uniquePrinters knows where each id and each server was seen first.
type uniquePrinters struct {
	ids, servers map[string]place
}

// check refuses an id that another printer has, and an OctoPrint that is
// configured twice, which would be two devices for one printer. A disabled
// printer may share its address with the one that replaces it.
func (u uniquePrinters) check(s *section, printer integration.PrinterConfig) {
	if first, double := u.ids[printer.ID]; double && printer.ID != "" {
		s.src.report.mistake(s.place("id"),
			fmt.Sprintf("is the id of the printer in line %d already; give each printer its own", first.line))
	} else {
		u.ids[printer.ID] = s.place("id")
	}
	if printer.URL == nil || printer.Disabled {
		return
	}
	server := sameServer(printer.URL)
	if first, double := u.servers[server]; double {
		s.src.report.mistake(s.place("url"),
			fmt.Sprintf("is the address of the printer in line %d already; each OctoPrint is one printer", first.line))
	} else {
		u.servers[server] = s.place("url")
	}
}
