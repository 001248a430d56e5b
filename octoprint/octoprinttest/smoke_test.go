package octoprinttest_test

import (
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

func TestSmoke(t *testing.T) {
	bubble(t, octoprinttest.Options{}, func(t *testing.T, sim *octoprinttest.Server, c *client) {
		s := c.joined("admin")
		sim.AddFile(octoprinttest.File{Path: "a.gcode", PrintTime: time.Minute, ToolTarget: 200, BedTarget: 60})
		if err := sim.Print("a.gcode"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		for _, f := range s.all() {
			if f.kind == "current" {
				t.Log(f.at("state", "text"), f.at("progress"), f.at("temps", 0), f.at("logs"))
			} else {
				t.Log(f.kind, f.body)
			}
		}
		t.Log(c.get("/api/job", "admin").text)
		t.Log(c.get("/api/printer", "admin").text)
		s.close()
	})
}
