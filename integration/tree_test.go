package integration

import (
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// benchy is the file that most tests print: ten minutes, and hot.
func benchy() octoprinttest.File {
	return octoprinttest.File{
		Path: "parts/benchy.gcode", Name: "Benchy ü.gcode", Size: 2_500_000, PrintTime: 10 * time.Minute,
		FilamentLength: 4321.5, FilamentVolume: 10.395, ToolTarget: 205, BedTarget: 60,
	}
}

// withShortBenchy adds the same file, but one that prints within 90 s.
func withShortBenchy(s *octoprinttest.Server) {
	f := benchy()
	f.PrintTime = 90 * time.Second
	s.AddFile(f)
}

func withBenchy(s *octoprinttest.Server) { s.AddFile(benchy()) }

// must fails the test when a simulated person could not do something.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// print has a hot printer print, and waits until the print moves.
func (w *world) print(id string) {
	w.t.Helper()
	s := w.sims[id]
	w.must(s.SetTemperature("bed", benchy().BedTarget))
	w.must(s.SetTemperature("tool0", benchy().ToolTarget))
	w.must(s.Print(benchy().Path))
	w.sleep(15 * time.Second)
}

// TestRetainedTree compares everything that is retained in typical situations
// with what was found to be right.
func TestRetainedTree(t *testing.T) {
	t.Parallel()
	two := octoprinttest.Options{Profile: octoprinttest.Profile{Extruders: 2, HeatedBed: true, HeatedChamber: true, Model: "Twin"}}
	key := func(key string) func(*PrinterConfig) { return func(c *PrinterConfig) { c.APIKey = key } }
	for _, tt := range []struct {
		name   string
		setup  setup
		before func(w *world) // the start
		after  func(w *world) // the bridge is online
	}{
		{name: "idle"},
		{name: "printing", setup: setup{prepare: withBenchy}, after: func(w *world) { w.print("left") }},
		{name: "paused", setup: setup{prepare: withBenchy}, after: func(w *world) {
			w.print("left")
			w.must(w.sims["left"].Pause())
			w.sleep(5 * time.Second)
		}},
		{name: "finished", setup: setup{prepare: withShortBenchy}, after: func(w *world) {
			w.print("left")
			w.sleep(90 * time.Second)
		}},
		{name: "error", setup: setup{prepare: withBenchy}, after: func(w *world) {
			w.print("left")
			w.must(w.sims["left"].FirmwareError("Thermal Runaway, system stopped!"))
			w.sleep(5 * time.Second)
		}},
		{name: "offline", after: func(w *world) {
			w.must(w.sims["left"].Disconnect())
			w.sleep(5 * time.Second)
		}},
		{name: "unreachable", before: func(w *world) { w.sims["left"].line.SetUp(false) }},
		{name: "unreachable_after_print", setup: setup{prepare: withBenchy}, after: func(w *world) {
			w.print("left")
			w.must(w.sims["left"].Cancel())
			w.sleep(10 * time.Second)
			w.sims["left"].line.SetUp(false)
			w.sims["left"].line.Cut()
			w.sleep(10 * time.Second)
		}},
		{name: "key_rejected", setup: setup{config: key("wrong-key")}},
		{name: "read_only_access", setup: setup{config: func(c *PrinterConfig) { c.Access = AccessRead }}},
		{name: "read_only_user", setup: setup{config: key("readonly-key")}},
		{name: "two_tools", setup: setup{options: two}},
		{name: "disabled", setup: setup{config: func(c *PrinterConfig) { c.Disabled = true }}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if tt.before != nil {
					tt.before(w)
				}
				w.up()
				if tt.after != nil {
					tt.after(w)
				}
				w.sleep(2 * time.Second)
				w.checkContract()
				golden(t, "tree_"+tt.name, w.tree())
				golden(t, "discovery_"+tt.name, w.documents("bridge", "farm", "left"))
			}, tt.setup)
		})
	}
}
