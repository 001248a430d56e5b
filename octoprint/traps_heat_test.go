package octoprint_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

const operational = `"state":{"text":"Operational","flags":{"operational":true,"ready":true}}`

func TestTrap23ChamberIsAlwaysThereAndValuesMayBeMissing(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		s := b.opened(b.client("admin"))
		got := s.log()
		chamber, there := got.state.Heaters["chamber"]
		if !there || chamber.Actual != nil || chamber.Target != nil {
			t.Errorf("the chamber is %+v, %v", chamber, there)
		}
		if want := []string{"tool0", "bed"}; !slices.Equal(got.info.Profile.Heaters, want) {
			t.Errorf("the profile's heaters are %v, want %v", got.info.Profile.Heaters, want)
		}
		b.sim.Send([]byte(`{"current":{` + operational + `,"temps":[{"time":1},{"time":2,"bed":null,"tool0":{"actual":5.5}}]}}`))
		after(time.Millisecond)
		heaters := s.log().state.Heaters
		if tool := heaters["tool0"]; tool.Actual == nil || *tool.Actual != 5.5 || tool.Target != nil {
			t.Errorf("tool0 is %+v", tool)
		}
		if bed, there := heaters["bed"]; !there || bed.Actual != nil || bed.Target != nil {
			t.Errorf("the bed is %+v, %v", bed, there)
		}
		s.stop()
	})
}

func TestTrap24OtherSensorsAreAmongTheTemperatures(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{Profile: octoprinttest.Profile{Extruders: 2}}, func(b *bench) {
		s := b.opened(b.client("admin"))
		b.sim.Send([]byte(`{"current":{` + operational + `,"temps":[{"time":1,"P":{"actual":31.2,"target":null},
			"A":{"actual":44.1},"tool":{"actual":1},"tool32":{"actual":1},"tool01":{"actual":1},"Bed":{"actual":1}}]}}`))
		after(time.Millisecond)
		names := slices.Sorted(maps.Keys(s.log().state.Heaters))
		if want := []string{"chamber", "tool0", "tool1"}; !slices.Equal(names, want) {
			t.Errorf("heaters %v, want %v", names, want)
		}
		s.stop()
	})
}

// TestProfileDecidesTheHeaters is about what a printer has, with and without
// the permission to read its profile.
func TestProfileDecidesTheHeaters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		profile octoprinttest.Profile
		want    []string
	}{
		{"default", octoprinttest.Profile{}, []string{"tool0", "bed"}},
		{"bare", octoprinttest.Profile{Extruders: 1}, []string{"tool0"}},
		{"full", octoprinttest.Profile{Extruders: 3, HeatedBed: true, HeatedChamber: true}, []string{"tool0", "tool1", "tool2", "bed", "chamber"}},
		{"one nozzle", octoprinttest.Profile{Extruders: 4, SharedNozzle: true, HeatedBed: true}, []string{"tool0", "bed"}},
		{"a dozen", octoprinttest.Profile{Extruders: 12}, []string{
			"tool0", "tool1", "tool2", "tool3", "tool4", "tool5", "tool6", "tool7", "tool8", "tool9", "tool10", "tool11",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, octoprinttest.Options{Profile: c.profile}, func(b *bench) {
				for _, user := range []string{"admin", "statusonly"} {
					s := b.opened(b.client(user))
					p := s.log().info.Profile
					if p == nil || !slices.Equal(p.Heaters, c.want) {
						t.Errorf("%s sees the profile %+v, want the heaters %v", user, p, c.want)
					}
					if user == "admin" && (p.ID != "_default" || p.Name != "Default" || p.Model != "Generic RepRap Printer") {
						t.Errorf("the profile is %+v", p)
					}
					s.stop()
				}
			})
		})
	}
}

func TestProfileIsReadAgainAfterConnect(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		must(b.t, b.sim.Disconnect())
		s := b.opened(b.client("statusonly"))
		if p := s.log().info.Profile; p != nil {
			t.Errorf("of a printer that is off the profile is known: %+v", p)
		}
		reader := b.opened(b.client("admin"))
		must(b.t, b.sim.Connect())
		after(2 * time.Second)
		got := s.log()
		if got.infos != 1 || got.info.Profile == nil || !slices.Equal(got.info.Profile.Heaters, []string{"tool0", "bed"}) {
			t.Errorf("after connecting: %d changes, profile %+v", got.infos, got.info.Profile)
		}
		if n := reader.log().infos; n != 0 {
			t.Errorf("%d changes reported to one whose profile is the same as before", n)
		}
		must(b.t, b.sim.Disconnect())
		after(time.Minute)
		if got := s.log(); got.infos != 1 || got.info.Profile == nil {
			t.Errorf("a disconnect changed what the printer is like: %d changes, profile %+v", got.infos, got.info.Profile)
		}
		s.stop()
		reader.stop()
	})
}

// Right after connecting OctoPrint knows only the heaters that were given a target, and no temperature of them. Who may not
// read profiles has to wait for the others.
func TestHeatersAreNotReadBeforeTheyAreMeasured(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.5.3", "1.11.8", "2.0.0rc7"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
				must(b.t, b.sim.Disconnect())
				must(b.t, b.sim.Connect())
				after(200 * time.Millisecond) // it is connected, but hasn't been looked at
				must(b.t, b.sim.SetTarget("bed", 0))
				s := b.opened(b.client("statusonly"))
				if p := s.log().info.Profile; p != nil {
					t.Errorf("the profile is %+v before anything was measured", p)
				}
				if tool := s.log().state.Heaters["tool0"]; tool.Actual != nil {
					t.Errorf("tool0 has %v °C, which is from before the printer was connected anew", *tool.Actual)
				}
				after(2 * time.Second)
				if p := s.log().info.Profile; p == nil || !slices.Equal(p.Heaters, []string{"tool0", "bed"}) {
					t.Errorf("the profile is %+v, want tool0 and bed", p)
				}
				s.stop()
			})
		})
	}
}

func TestTemperaturesAndOffsets(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.client("operator")
		s := b.opened(c)
		must(b.t, c.SetTarget(b.t.Context(), "tool0", 200))
		must(b.t, c.SetTarget(b.t.Context(), "bed", 60.5))
		must(b.t, c.SetOffset(b.t.Context(), "bed", -3))
		after(10 * time.Second)
		heaters := s.log().state.Heaters
		if tool, bed := heaters["tool0"], heaters["bed"]; *tool.Target != 200 || *tool.Actual < 25 || tool.Offset != 0 || *bed.Target != 60.5 || bed.Offset != -3 {
			t.Errorf("tool0 %+v, bed %+v", tool, bed)
		}
		must(b.t, c.SetOffset(b.t.Context(), "bed", 0))
		must(b.t, b.sim.Disconnect())
		must(b.t, b.sim.Connect())
		after(10 * time.Second)
		if bed := s.log().state.Heaters["bed"]; bed.Offset != 0 || *bed.Target != 0 {
			t.Errorf("after connecting anew the bed is %+v", bed)
		}
		s.stop()
	})
}
