package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// answering installs a plugin that answers at one path with one text, and tells how
// often it was asked.
func answering(id, path, answer string, asked *int) octoprinttest.Options {
	return octoprinttest.Options{
		Users: []octoprinttest.User{{
			Name: "operator", Key: "operator-key", Groups: []string{"users"},
			Permissions: []string{psuPermission, piPermission},
		}},
		Plugins: map[string]octoprinttest.Plugin{id: {Serve: func(q octoprinttest.PluginRequest) (int, any) {
			if q.Path != path {
				return 404, nil
			}
			*asked++
			return 200, json.RawMessage(answer)
		}}},
	}
}

// show takes a message of a plugin in and returns what its rows say then.
func (p plugin) show(v *printerView, message string) string {
	if change := p.received(p.names()[0], json.RawMessage(message)); change != nil {
		change(v)
	}
	return p.shown(v)
}

func (p plugin) shown(v *printerView) string {
	var shown []string
	rows := p.rows(v)
	if p.id == layerID {
		rows = append(layerJobRows(), rows...)
	}
	for _, r := range rows {
		shown = append(shown, r.value(v).payload())
	}
	return strings.Join(shown, " ")
}

// TestPluginMessages: what each plugin's messages make of its rows. A message that
// says nothing changes nothing.
func TestPluginMessages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		plugin   plugin
		messages []string // message, then what the rows say
	}{
		{psuControlPlugin(), []string{
			`{}`, "None", `{"isPSUOn":true}`, "ON", `{"isPSUOn":false}`, "OFF", `{"isPSUOn":null}`, "OFF", `{"isPSUOn":"yes"}`, "OFF", `[]`, "OFF",
		}},
		{piSupportPlugin(), []string{
			`{"type":"other","state":{"current_undervoltage":true}}`, "None None",
			`{"type":"throttle_state","state":{"raw_value":327685,"current_undervoltage":true,"past_undervoltage":true,"current_overheat":false,"past_overheat":false,"current_issue":true,"past_issue":true}}`, "ON OFF",
			`{"type":"throttle_state","state":{"raw_value":458752,"current_undervoltage":false,"past_undervoltage":true,"current_overheat":true,"past_overheat":true}}`, "OFF ON",
			`{"type":"throttle_state"}`, "OFF ON",
		}},
		{displayLayerProgressPlugin(), []string{
			`{"updateReason":"frontEndCall","totalLayer":"120","currentLayer":"-","currentHeight":"-","totalHeight":"24.2","feedrate":"-","fanspeed":"-","progress":"0"}`, "None 120 None 24.2 None None",
			`{"updateReason":"layerChanged","totalLayer":"120","currentLayer":"7","currentHeight":"1.40","totalHeight":"24.2","feedrate":"4800.0","fanspeed":"35%","progress":"4"}`, "7 120 1.4 24.2 35 4800",
			`{"updateReason":"progressChanged","totalLayer":"7","currentLayer":"2","lastLayerDurationInSeconds":2,"averageLayerDurationInSeconds":"-","currentHeight":"0.60","currentHeightFormatted":"0.6","totalHeight":"1.4000000000000001","feedrate":"1500","feedrateG0":"-","fanspeed":"50%","progress":"29","m73progress":"0"}`, "2 7 0.6 1.4 50 1500",
			`{"totalLayer":120,"currentLayer":8,"currentHeight":1.6,"fanspeed":"Off"}`, "8 120 1.6 None 0 None",
			`{"busy":true}`, "8 120 1.6 None 0 None",
			`{"totalLayer":"-","currentLayer":"-3","fanspeed":"400%"}`, "None None None None None None",
		}},
		{bedLevelVisualizerPlugin(), []string{
			`{"processing":true}`, "None",
			`{"mesh":[["+0.1000","-0.0500","+0.0125"],["+0.2000","+0.0000"]],"bed":{"type":"rectangular","x_min":0,"x_max":200.0}}`, "0.25",
			`{"mesh":[[null,0.01,null],[0.02,-0.123,0.5]],"bed":{}}`, "0.623",
			`{"mesh":[]}`, "0.623", `{"mesh":[[null]]}`, "0.623", `{"mesh":"x"}`, "0.623", `{"error":"Home XYZ first"}`, "0.623",
			`{"mesh":[[0.3]]}`, "0",
		}},
		{octolapsePlugin(), []string{
			`{"type":"settings-changed"}`, "None None",
			`{"type":"timelapse-start","status":{"is_rendering":false}}`, "idle None",
			`{"type":"render-start","status":{"is_rendering":true}}`, "rendering None",
			`{"type":"render-progress","status":{"unfinished_renderings":{"in_process":{"progress_percent":42.31,"change_type":"progress"}}}}`, "rendering 42.3",
			`{"type":"snapshot-complete","status":{"is_rendering":true}}`, "rendering 42.3",
			`{"type":"render-complete","status":{"is_rendering":true,"unfinished_renderings":{"in_process":{"change_type":"removed"}}}}`, "completed None",
			`{"type":"file-changed","action":"added"}`, "completed None",
			`{"type":"unfinished-renderings-changed","status":{"unfinished_renderings":{"in_process":{"change_type":"removed"}}}}`, "completed None",
			`{"type":"render-end","status":{"is_rendering":false}}`, "completed None",
			`{"type":"state-changed","state":{"status":{"is_rendering":false}},"client_id":null}`, "completed None",
			`{"type":"timelapse-complete","status":{"is_rendering":true}}`, "rendering None",
			`{"type":"render-start","status":{"is_rendering":true}}`, "rendering None",
			`{"type":"render-progress","status":{"unfinished_renderings":{"in_process":{"rendering":{"progress":"preparing"},"progress_percent":null}}}}`, "rendering None",
			`{"type":"render-progress","status":{"unfinished_renderings":{"in_process":{"rendering":{"progress":"cleanup"},"progress_percent":0.0}}}}`, "rendering 0",
			`{"type":"render-failed","msg":"no ffmpeg","status":{"is_rendering":false}}`, "failed None",
			`{"type":"render-end","status":{"is_rendering":false}}`, "failed None",
			`{"type":"timelapse-start","status":{"is_rendering":true}}`, "rendering None",
			`{"type":"render-end"}`, "idle None",
		}},
	} {
		v := zeroView()
		v.state.Phase = octoprint.PhasePrinting
		for m := range slices.Chunk(tt.messages, 2) {
			if got := tt.plugin.show(v, m[0]); got != m[1] {
				t.Errorf("%s after %s: %s, want %s", tt.plugin.id, m[0], got, m[1])
			}
		}
	}
}

// TestPluginAnswers: what plugins are asked when a session begins, and what their
// rows say then. All is unknown again when the session is gone.
func TestPluginAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, plugin, path, answer string
		rows                       map[string]string
		document                   string
		printing                   bool
	}{
		{
			"psu", psuID, "/api/plugin/psucontrol", `{"isPSUOn":true}`,
			map[string]string{"psu": "ON"},
			`{"on":true}`, false,
		},
		{
			"pi", piID, "/api/plugin/pi_support",
			`{"model":"Raspberry Pi 4 Model B Rev 1.4","throttle_enabled":true,"throttle_functional":true,"throttle_state":{"current_overheat":false,"current_undervoltage":true}}`,
			map[string]string{"undervoltage": "ON", "overheating": "OFF"},
			`{"overheating":false,"undervoltage":true}`, false,
		},
		{
			"a Pi that can't tell", piID, "/api/plugin/pi_support",
			`{"throttle_enabled":true,"throttle_functional":false,"throttle_state":{"current_overheat":false,"current_undervoltage":false}}`,
			map[string]string{"undervoltage": "None", "overheating": "None"},
			`{"overheating":null,"undervoltage":null}`, false,
		},
		{
			"layers", layerID, "/plugin/DisplayLayerProgress/values",
			`{"layer":{"total":"50","current":"3"},"height":{"total":"10.0","current":"0.60"},"fanSpeed":"100%","feedrate":"1500","feedrateG0":"-"}`,
			map[string]string{"layer": "3", "layers": "50", "height": "0.6", "total_height": "10", "dlp_fan": "100", "dlp_feedrate": "1500"},
			`{"fan":100,"feedrate_mm_min":1500,"height_mm":0.6,"total_height_mm":10}`, true,
		},
		{
			"layers of a print that has ended", layerID, "/plugin/DisplayLayerProgress/values",
			`{"currentFilename":"a.gcode","fanSpeed":"50%","feedrate":"1500","height":{"current":"2.40","total":"2.1999999999999997"},"layer":{"averageLayerDuration":"-","current":"11","total":"11"},"print":{"printerState":"operational"}}`,
			map[string]string{"layer": "None", "layers": "11", "height": "None", "total_height": "2.2", "dlp_fan": "50", "dlp_feedrate": "1500"},
			`{"fan":50,"feedrate_mm_min":1500,"height_mm":null,"total_height_mm":2.2}`, false,
		},
		{
			"no layers", layerID, "/plugin/DisplayLayerProgress/values",
			`{"currentFilename":"-","fanSpeed":"-","feedrate":"-","height":{"current":"-","total":"-"},"layer":{"current":"-","total":"-"}}`,
			map[string]string{"layer": "None", "layers": "None", "height": "None", "total_height": "None", "dlp_fan": "None", "dlp_feedrate": "None"},
			`{"fan":null,"feedrate_mm_min":null,"height_mm":null,"total_height_mm":null}`, true,
		},
		{
			"resources", resourceID, "/plugin/resource_monitor/stats",
			`{"cpu":{"average":12.34,"cores":[1,2]},"memory":{"percent":41.0,"total":1},"temp":{"celsius":{"current":52.618},"fahrenheit":{}}}`,
			map[string]string{"cpu": "12.3", "memory": "41", "soc_temperature": "52.6"},
			`{"cpu":12.3,"memory":41,"soc_temperature":52.6}`, false,
		},
		{
			"no sensor", resourceID, "/plugin/resource_monitor/stats", `{"battery":{},"cpu":{"average":0.4,"octoprint":0.0},"memory":{"percent":6.0},"temp":{"celsius":{},"fahrenheit":{}}}`,
			map[string]string{"cpu": "0.4", "memory": "6", "soc_temperature": "None"},
			`{"cpu":0.4,"memory":6,"soc_temperature":null}`, false,
		},
		{
			"garbage", layerID, "/plugin/DisplayLayerProgress/values", `[1]`,
			map[string]string{"layer": "None", "layers": "None", "height": "None"},
			`{"fan":null,"feedrate_mm_min":null,"height_mm":null,"total_height_mm":null}`, true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			inBubble(t, func(w *world) {
				w.up()
				if tt.printing {
					w.print("left")
				}
				w.sleep(5 * time.Second)
				for key, want := range tt.rows {
					w.expect("left", key, want)
				}
				if got := mustMarshal(w.doc(w.topics.Document("left"))["plugins"].(map[string]any)[tt.plugin]); got != tt.document {
					t.Errorf("document: %s", got)
				}
				w.sleep(2 * time.Minute)
				if regular := asked > 1; asked == 0 || regular != (tt.plugin == resourceID) {
					t.Errorf("asked %d times", asked)
				}
				s := w.sims["left"]
				s.line.SetUp(false)
				s.line.Cut()
				w.sleep(20 * time.Second)
				for key := range tt.rows {
					w.expect("left", key, "None")
				}
			}, setup{prepare: withBenchy, options: answering(tt.plugin, tt.path, tt.answer, &asked)})
		})
	}
}

// TestResourcesOfAFreshThread: a use of nothing is what the plugin says when it
// hasn't measured yet, also in between.
func TestResourcesOfAFreshThread(t *testing.T) {
	t.Parallel()
	v := zeroView()
	for _, tt := range [][2]string{
		{`{"cpu":{"average":0.0},"memory":{"percent":6.0},"temp":{"celsius":{}}}`, "None 6 None"},
		{`{"cpu":{"average":52.7},"memory":{"percent":6.1},"temp":{"celsius":{"critical":null,"current":52.618,"high":null,"label":""}}}`, "52.7 6.1 52.6"},
		{`{"cpu":{"average":0.0},"memory":{"percent":6.2},"temp":{"celsius":{}}}`, "52.7 6.2 None"},
		{`{"cpu":{},"memory":{"percent":6.2},"temp":{"celsius":{}}}`, "None 6.2 None"},
	} {
		resourcesAnswered(json.RawMessage(tt[0]))(v)
		if got := resourceMonitorPlugin().shown(v); got != tt[1] {
			t.Errorf("%s: %s, want %s", tt[0], got, tt[1])
		}
	}
}

// TestPiSupportComesAndGoes: it has no settings, so its own answer says whether it is
// there; a server that is away says nothing of it.
func TestPiSupportComesAndGoes(t *testing.T) {
	t.Parallel()
	asked := 0
	o := answering(piID, "/api/plugin/pi_support", `{"throttle_state":{"current_overheat":false,"current_undervoltage":true}}`, &asked)
	pi := o.Plugins[piID]
	o.Plugins = nil
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		s := w.sims["left"]
		again := func() {
			s.DropSockets()
			w.sleep(2 * time.Minute)
		}
		if got := w.value("left", "undervoltage"); got != "" {
			t.Errorf("without a Pi undervoltage is %q", got)
		}
		s.SetPlugin(piID, &pi)
		w.sleep(5 * time.Second)
		if got := w.value("left", "undervoltage"); got != "" {
			t.Errorf("settings alone made undervoltage %q", got)
		}
		again()
		w.expect("left", "undervoltage", "ON")
		s.Announce(piID, map[string]any{"type": "throttle_state", "state": map[string]any{"current_undervoltage": false, "current_overheat": true}})
		w.sleep(time.Second)
		w.expect("left", "undervoltage", "OFF")
		w.expect("left", "overheating", "ON")
		s.SetPresets() // the settings are read again
		w.sleep(5 * time.Second)
		w.expect("left", "overheating", "ON")
		s.SetPlugin(piID, nil)
		again()
		if got := w.value("left", "undervoltage"); got != "" {
			t.Errorf("without the plugin undervoltage is %q", got)
		}
	}, setup{options: o})
}

// TestMeshFromSettings: a stored mesh is there without being collected anew.
func TestMeshFromSettings(t *testing.T) {
	t.Parallel()
	o := octoprinttest.Options{Plugins: map[string]octoprinttest.Plugin{
		meshID: {Settings: map[string]any{"stored_mesh": [][]any{{"0.1", "0.35"}, {nil, "0.2"}}}},
	}}
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		w.expect("left", "mesh_range", "0.25")
		w.sims["left"].Announce(meshID, map[string]any{"mesh": [][]any{{0.1, 0.2}}, "bed": map[string]any{}})
		w.sleep(time.Second)
		w.expect("left", "mesh_range", "0.1")
	}, setup{options: o})
}

// TestGenius: the estimate of PrintTimeGenius is believed.
func TestGenius(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		w.sleep(5 * time.Minute)
		w.expect("left", "estimate_origin", "genius")
		job := w.sims["left"].itself(t)
		percent := 100 * *job.Elapsed / (*job.Elapsed + *job.Left)
		if *job.Percent-percent < 5 {
			t.Fatalf("by bytes it is at %v, by time at %v: no difference", *job.Percent, percent)
		}
		for key, want := range map[string]want{
			"progress": between(percent-4, percent+1), "remaining": job.rows(time.Now())["remaining"], "finish": job.rows(time.Now())["finish"],
		} {
			if right := want(w.value("left", key)); right != "" {
				t.Errorf("%s is %s, want %s", key, w.value("left", key), right)
			}
		}
	}, setup{
		prepare: func(s *octoprinttest.Server) {
			f := benchy()
			f.Genius, f.Header = true, 0.4
			s.AddFile(f)
		},
		options: octoprinttest.Options{Plugins: map[string]octoprinttest.Plugin{"PrintTimeGenius": {}}},
	})
}
