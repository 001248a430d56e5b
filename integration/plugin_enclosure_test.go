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

const enclosureSettings = `{"notification_api_key":"secret-key","rpi_outputs":[
		{"index_id":1,"label":"Fan","output_type":"regular","gpio_pin":4,"active_low":true},
		{"index_id":2,"label":"Lights","output_type":"pwm","gpio_pin":5},
		{"index_id":3,"label":"Heater","output_type":"temp_hum_control","gpio_pin":6},
		{"index_id":4,"label":"Strip","output_type":"neopixel_direct"},
		{"index_id":5,"label":"Script","output_type":"shell_output","shell_script":"rm -rf /"},
		{"index_id":6,"label":"Hidden","output_type":"regular","hide_btn_ui":true},
		{"index_id":7,"label":"","output_type":"regular"},
		{"index_id":8,"label":"fan","output_type":"pwm"},
		{"label":"No id","output_type":"regular"}],
	"rpi_inputs":[
		{"index_id":1,"label":"Box","input_type":"temperature_sensor","temp_sensor_type":"22","use_fahrenheit":true},
		{"index_id":2,"label":"Pi","input_type":"temperature_sensor","temp_sensor_type":"rpi"},
		{"index_id":3,"label":"Door","input_type":"gpio"}]}`

// TestEnclosureRows: sensors, and of the outputs those that are switched or dimmed.
func TestEnclosureRows(t *testing.T) {
	t.Parallel()
	settings := strings.Replace(enclosureSettings, `"label":"fan"`, `"label":"Fan 2"`, 1)
	v := pluginView(map[string]string{"enclosure": settings})
	checkPluginRows(
		t, v,
		"enclosure_box_temperature sensor temperature °C", "enclosure_box_humidity sensor humidity %",
		"enclosure_pi_temperature sensor temperature °C",
		"enclosure_fan switch control CONTROL", "enclosure_lights number % control CONTROL",
		"enclosure_output_7 switch control CONTROL", "enclosure_fan_2 number % control CONTROL",
	)
	if kept := mustMarshal(v.has); strings.Contains(kept, "secret") || strings.Contains(kept, "rm -rf") {
		t.Errorf("the inventory has %s", kept)
	}
	v = pluginView(map[string]string{"enclosure": enclosureSettings})
	if table := strings.Join(rowTable(v), "\n"); strings.Contains(table, "fan") || len(v.has.findings) != 2 {
		t.Errorf("two fans that can't be told apart: %s; %q", table, v.has.findings)
	}
}

// TestEnclosureReadings: what messages make of the rows. Each message has some of it.
func TestEnclosureReadings(t *testing.T) {
	t.Parallel()
	v := pluginView(map[string]string{"enclosure": strings.Replace(enclosureSettings, `"label":"fan"`, `"label":"Fan 2"`, 1)})
	for _, tt := range []struct{ message, key, want string }{
		{`{"rpi_output_regular":[{"index_id":1,"status":true,"auto_startup":false}],"rpi_output_pwm":[{"index_id":2,"pwm_value":40}],"rpi_output_neopixel":[],"rpi_output_temp_hum_ctrl":[]}`, "enclosure_fan", "ON"},
		{`{"sensor_data":[{"index_id":1,"temperature":77.0,"humidity":45.5,"airquality":0.0},{"index_id":2,"temperature":40,"humidity":0}]}`, "enclosure_fan", "ON"},
		{`{"set_temperature":[]}`, "enclosure_lights", "40"},
		{`{"filament_sensor_status":[]}`, "enclosure_box_temperature", "25"},
		{`{"is_msg":true,"msg":"x","msg_type":"error"}`, "enclosure_box_humidity", "45.5"},
		{`"nonsense"`, "enclosure_pi_temperature", "40"},
		{`{"rpi_output_regular":[{"index_id":"1","status":0}]}`, "enclosure_fan", "OFF"},
		{`{"rpi_output_regular":[{"index_id":1,"status":1}]}`, "enclosure_fan", "ON"},
		{`{"rpi_output_regular":[{"index_id":1,"status":"ERROR"}]}`, "enclosure_fan", "None"},
		{`{"sensor_data":[{"index_id":2,"temperature":41,"humidity":0}]}`, "enclosure_box_temperature", "None"},
		{`{"rpi_output_pwm":[]}`, "enclosure_lights", "None"},
	} {
		receive(t, v, "enclosure", tt.message)
		if got := shownBy(t, v, tt.key); got != tt.want {
			t.Errorf("%s: %s = %s, want %s", tt.message, tt.key, got, tt.want)
		}
	}
	state := pluginState[*enclosureState](v, enclosureID)
	receive(t, v, "enclosure", `{"rpi_output_pwm":[]}`)
	if pluginState[*enclosureState](v, enclosureID) != state {
		t.Error("a message that says nothing new is taken for news")
	}
}

func TestEnclosureGuards(t *testing.T) {
	t.Parallel()
	settings := strings.Replace(enclosureSettings, `"label":"fan"`, `"label":"Fan 2"`, 1)
	prepare := func(v *printerView) { v.takeSettings(rawSettings(map[string]string{"enclosure": settings})) }
	checkGuards(
		t, prepare,
		rowGuard{"enclosure_fan", "ON", "CONTROL", "any", true},
		rowGuard{"enclosure_fan", "OFF", "CONTROL", "any", true},
		rowGuard{"enclosure_lights", "100", "CONTROL", "any", true},
	)
	s := situation{AccessControl, []string{"CONTROL"}, octoprint.PhasePrinting}
	for _, tt := range []struct {
		key, payload string
		want         Code
	}{
		{"enclosure_fan", "on", CodeInvalid},
		{"enclosure_fan", "TOGGLE", CodeInvalid},
		{"enclosure_fan", "", CodeInvalid},
		{"enclosure_lights", "0", "ok"},
		{"enclosure_lights", "55.0", "ok"},
		{"enclosure_lights", "55.5", CodeInvalid},
		{"enclosure_lights", "101", CodeOutOfRange},
		{"enclosure_lights", "-1", CodeOutOfRange},
		{"enclosure_lights", "ON", CodeInvalid},
	} {
		if got := decidePluginRow(t, s, prepare, tt.key, tt.payload); got != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.key, tt.payload, got, tt.want)
		}
	}
	// The plugin would accept an output that isn't there, or is of another kind.
	v := pluginView(map[string]string{"enclosure": settings})
	for _, parameters := range []string{`{"output":3,"on":true,"power":0}`, `{"output":2,"on":true,"power":0}`, `{"output":6,"on":true,"power":0}`, `{"output":99,"on":true,"power":0}`} {
		if _, r := prepareOutput(json.RawMessage(parameters), v); r == nil || r.Code != CodeInvalid {
			t.Errorf("%s: %v", parameters, r)
		}
	}
	if _, r := prepareOutputPower(json.RawMessage(`{"output":1,"on":false,"power":5}`), v); r == nil || r.Code != CodeInvalid {
		t.Errorf("a switched output is dimmed: %v", r)
	}
}

// TestEnclosure: the whole way.
func TestEnclosure(t *testing.T) {
	t.Parallel()
	done := func(map[string]any) (int, any) { return 204, nil }
	host := &pluginHost{settings: enclosureSettings, answers: map[string]func(map[string]any) (int, any){
		"POST /plugin/enclosure/update": done, "PATCH /plugin/enclosure/outputs/7": done, "PATCH /plugin/enclosure/pwm/2": done,
	}}
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		if sent := host.since(0, "update"); len(sent) != 1 {
			t.Errorf("asked %q", host.heard)
		}
		w.expect("left", "enclosure_output_7", "None")
		w.sims["left"].Announce("enclosure", json.RawMessage(`{"rpi_output_regular":[{"index_id":7,"status":false}],"rpi_output_pwm":[{"index_id":2,"pwm_value":40}]}`))
		w.sims["left"].Announce("enclosure", json.RawMessage(`{"sensor_data":[{"index_id":1,"temperature":77.0,"humidity":45.5}]}`))
		w.sleep(time.Second)
		w.expect("left", "enclosure_output_7", "OFF")
		w.expect("left", "enclosure_lights", "40")
		w.expect("left", "enclosure_box_temperature", "25")
		for _, c := range [][2]string{{"enclosure_output_7", "ON"}, {"enclosure_lights", "0"}} {
			if r := w.set("left", c[0], c[1]); r.code() != "ok" {
				t.Errorf("%s: %v", c[0], r.Error)
			}
		}
		want := []string{`PATCH /plugin/enclosure/outputs/7 {"status":true}`, `PATCH /plugin/enclosure/pwm/2 {"duty_cycle":0}`}
		if sent := host.since(0, "PATCH"); !slices.Equal(sent, want) {
			t.Errorf("sent %q", sent)
		}
		w.sleep(2 * time.Second)
		got := mustMarshal(w.doc(w.topics.Document("left"))["plugins"].(map[string]any)["enclosure"])
		if got != `{"box_humidity":45.5,"box_temperature":25,"lights":40,"output_7":false,"pi_temperature":null}` {
			t.Errorf("the document says %s", got)
		}
		w.checkTruth()
	}, setup{options: octoprinttest.Options{Plugins: map[string]octoprinttest.Plugin{"enclosure": host.plugin()}}})
}

// TestPluginValuesAreFree: rows are read with every sample of the printer.
func TestPluginValuesAreFree(t *testing.T) {
	spool, plug, object := spoolView(), plugView(), objectView(t, `{"objects":`+objectList+`}`, `{"ActiveID":2}`)
	receive(t, plug, "tasmota", `{"currentState":"on","ip":"10.0.0.5","idx":"1","energy_data":{"Total":12.3456,"Power":87}}`)
	enclosure := pluginView(map[string]string{"enclosure": enclosureSettings})
	receive(t, enclosure, "enclosure", `{"sensor_data":[{"index_id":1,"temperature":77.0,"humidity":45.5}]}`)
	for _, v := range []*printerView{spool, plug, object, enclosure} {
		checkFree(t, v)
	}
}
