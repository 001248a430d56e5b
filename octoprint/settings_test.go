package octoprint_test

import (
	"fmt"
	"slices"
	"testing"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestSettings: what every release says that a server has.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		o := octoprinttest.Options{
			Version: version, Name: "Left", SnapshotURL: "http://127.0.0.1:8080/?action=snapshot",
			Presets: []octoprinttest.Preset{{Name: "PLA", Extruder: 205, Bed: 60}, {Name: "", Bed: 1}},
			Plugins: map[string]octoprinttest.Plugin{"psucontrol": {Settings: map[string]any{"switchingMethod": "GPIO"}}},
		}
		bubble(t, o, func(b *bench) {
			s, err := b.client("readonly").Settings(b.t.Context())
			must(b.t, err)
			if s.Name != "Left" || len(s.Presets) != 1 || s.Presets[0].Name != "PLA" || *s.Presets[0].Tool != 205 || *s.Presets[0].Bed != 60 {
				t.Errorf("%s: %+v", version, s)
			}
			if len(s.Webcams) != 1 || s.Webcams[0].Snapshot != o.SnapshotURL || s.Webcams[0].ID != "classic" {
				t.Errorf("%s: webcams %+v", version, s.Webcams)
			}
			if got := string(s.Plugins["psucontrol"]); got != `{"switchingMethod":"GPIO"}` {
				t.Errorf("%s: the plugin's settings are %s", version, got)
			}
			_, err = b.client("statusonly").Settings(b.t.Context())
			wantFailure(b.t, err, octoprint.NotPermitted)
		})
	}
}

// TestPluginMessages: a session tells of the plugins and events that it was asked
// for, of servers that know subscriptions as of those that send everything.
func TestPluginMessages(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.7.3", "1.11.8"} {
		bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
			s := b.opened(b.clientWith(octoprint.Options{
				APIKey: "operator-key", Plugins: []string{"psucontrol"}, Events: []octoprint.EventType{"plugin_spoolman_spool_selected"},
			}))
			b.sim.Announce("psucontrol", map[string]any{"isPSUOn": true})
			b.sim.Announce("octolapse", map[string]any{"type": "state-changed"})
			b.sim.Emit("plugin_spoolman_spool_selected", map[string]any{"toolIdx": 0})
			b.sim.Emit("ZChange", map[string]any{"new": 1})
			after(0)
			if got := s.log().messages; !slices.Equal(got, []string{`psucontrol {"isPSUOn":true}`}) {
				t.Errorf("%s: messages %q", version, got)
			}
			var events []string
			for _, e := range s.log().events {
				events = append(events, fmt.Sprint(e.Type, " ", string(e.Payload)))
			}
			if !slices.Equal(events, []string{`plugin_spoolman_spool_selected {"toolIdx":0}`}) {
				t.Errorf("%s: events %q", version, events)
			}
			s.stop()
		})
	}
}

// TestPluginCommands go to the plugin, and its answer comes back.
func TestPluginCommands(t *testing.T) {
	t.Parallel()
	o := octoprinttest.Options{Plugins: map[string]octoprinttest.Plugin{"psucontrol": {
		Serve: func(q octoprinttest.PluginRequest) (int, any) {
			return 200, map[string]string{"asked": q.Method + " " + q.Path + " " + string(q.Body) + " " + q.User}
		},
	}}}
	bubble(t, o, func(b *bench) {
		c := b.client("operator")
		var answer struct{ Asked string }
		must(t, c.PluginCommand(b.t.Context(), "psucontrol", "turnPSUOn", map[string]any{"x": 1}, &answer))
		if want := `POST /api/plugin/psucontrol {"command":"turnPSUOn","x":1} operator`; answer.Asked != want {
			t.Errorf("%q, want %q", answer.Asked, want)
		}
		data, err := c.PluginData(b.t.Context(), "psucontrol")
		if want := `{"asked":"GET /api/plugin/psucontrol  operator"}`; err != nil || string(data) != want {
			t.Errorf("%s, %v, want %s", data, err, want)
		}
		must(t, c.PluginRequest(b.t.Context(), "PUT", "/plugin/psucontrol/x", map[string]int{"y": 2}, &answer))
		if want := `PUT /plugin/psucontrol/x {"y":2} operator`; answer.Asked != want {
			t.Errorf("%q, want %q", answer.Asked, want)
		}
		_, err = c.PluginData(b.t.Context(), "octolapse")
		wantFailure(t, err, octoprint.Refused)
	})
}
