package main

import (
	"fmt"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// demoPrinters describes the i-th printer of the demo. The first five are each in
// another state; the rest print.
func demoPrinters(i int) demoPrinter {
	mk3 := octoprinttest.Profile{ID: "mk3", Name: "Prusa MK3S", Model: "Prusa i3 MK3S", Extruders: 1, HeatedBed: true}
	xl := octoprinttest.Profile{ID: "xl", Name: "Prusa XL", Model: "Prusa XL", Extruders: 2, HeatedBed: true}
	voron := octoprinttest.Profile{ID: "voron", Name: "Voron 2.4", Model: "Voron 2.4", Extruders: 1, HeatedBed: true, HeatedChamber: true}
	printers := []demoPrinter{
		{id: "left", name: "Prusa left", options: octoprinttest.Options{Profile: mk3}, prepare: printing("bracket.gcode", 95*time.Minute)},
		{id: "right", name: "Prusa right", options: octoprinttest.Options{Profile: mk3}, prepare: idle},
		{id: "twin", name: "Prusa XL", options: octoprinttest.Options{Profile: xl, Version: "2.0.0rc7"}, prepare: paused},
		{id: "voron", name: "Voron", options: octoprinttest.Options{Profile: voron}, prepare: failed},
		{id: "mini", name: "Prusa mini", options: octoprinttest.Options{Profile: mk3, Version: "1.9.3"}, prepare: (*octoprinttest.Server).Disconnect},
	}
	if i < len(printers) {
		return printers[i]
	}
	n := i + 1
	return demoPrinter{
		id: fmt.Sprintf("printer-%d", n), name: fmt.Sprintf("Printer %d", n),
		options: octoprinttest.Options{Profile: mk3},
		prepare: printing(fmt.Sprintf("part-%d.gcode", n), time.Duration(20+n%100)*time.Minute),
	}
}

func demoFile(path string, d time.Duration) octoprinttest.File {
	return octoprinttest.File{
		Path: path, PrintTime: d, Estimate: d * 11 / 10, Size: int64(d.Minutes() * 120_000),
		FilamentLength: d.Minutes() * 90, FilamentVolume: d.Minutes() * 0.22,
		ToolTarget: 215, BedTarget: 60, Height: 48, Thumbnail: octoprinttest.Snapshot(1),
	}
}

func printing(path string, d time.Duration) func(*octoprinttest.Server) error {
	return func(s *octoprinttest.Server) error {
		s.AddFile(demoFile(path, d))
		return s.Print(path)
	}
}

func idle(s *octoprinttest.Server) error {
	s.AddFile(demoFile("vase.gcode", 40*time.Minute))
	return s.Select("vase.gcode")
}

// paused is a print that the printer paused by itself: its filament has run out.
func paused(s *octoprinttest.Server) error {
	if err := printing("duct.gcode", 3*time.Hour)(s); err != nil {
		return err
	}
	return s.FilamentRunout()
}

func failed(s *octoprinttest.Server) error {
	if err := printing("gear.gcode", time.Hour)(s); err != nil {
		return err
	}
	return s.FirmwareError("Heating failed, system stopped! Heater_ID: bed")
}
