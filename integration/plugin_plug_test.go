package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

const (
	tasmotaSettings = `{"arrSmartplugs":[
		{"ip":"10.0.0.5","idx":"1","label":"Printer power","username":"admin","password":"secret-1","currentState":"on"},
		{"ip":"10.0.0.5","idx":"2","label":"Lüfter","username":"admin","password":"secret-1"},
		{"ip":"10.0.0.6","idx":1,"label":"","is_sensor_only":true},
		{"ip":"10.0.0.7","idx":"1","label":"Lamp"},
		{"ip":"10.0.0.8","idx":"1","label":"lamp"},
		{"ip":"","idx":"1","label":"New"}]}`
	tplinkSettings = `{"arrSmartplugs":[{"ip":"10.0.1.5/2","label":"Printer"},{"ip":"plug.local","label":"Light"}]}`
)

func plugView() *printerView {
	return pluginView(map[string]string{"tasmota": tasmotaSettings, "tplinksmartplug": tplinkSettings})
}

// TestPlugRows: figures get rows where a plug was seen to have them, and names that
// don't tell plugs apart give none.
func TestPlugRows(t *testing.T) {
	t.Parallel()
	v := plugView()
	checkPluginRows(
		t, v,
		"tasmota_printer_power switch outlet control PLUGIN_TASMOTA_CONTROL",
		"tasmota_l_fter switch outlet control PLUGIN_TASMOTA_CONTROL",
		"tplink_printer switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
		"tplink_light switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
	)
	if n := len(v.has.findings); n != 2 || !strings.Contains(v.has.findings[0], "Lamp") {
		t.Errorf("findings %q", v.has.findings)
	}
	receive(t, v, "tasmota", `{"currentState":"on","ip":"10.0.0.5","idx":"1","energy_data":{"Total":12.3456,"Power":87,"Voltage":231}}`)
	receive(t, v, "tasmota", `{"currentState":"off","ip":"10.0.0.6","idx":"1","energy_data":{"Total":1,"Power":0}}`)
	receive(t, v, "tplinksmartplug", `{"currentState":"on","ip":"10.0.1.5/2","emeter":{"get_realtime":{"power_mw":1500,"total_wh":2500}}}`)
	checkPluginRows(
		t, v,
		"tasmota_printer_power switch outlet control PLUGIN_TASMOTA_CONTROL",
		"tasmota_printer_power_power sensor power W",
		"tasmota_printer_power_energy sensor energy kWh",
		"tasmota_l_fter switch outlet control PLUGIN_TASMOTA_CONTROL",
		"tasmota_10_0_0_6_1_power sensor power W",
		"tasmota_10_0_0_6_1_energy sensor energy kWh",
		"tplink_printer switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
		"tplink_printer_power sensor power W",
		"tplink_printer_energy sensor energy kWh",
		"tplink_light switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
	)
}

// TestTPLinkMeters: the plugin mixes up the energy of several plugs, which is not
// shown then, and power is.
func TestTPLinkMeters(t *testing.T) {
	t.Parallel()
	v := pluginView(map[string]string{"tplinksmartplug": `{"arrSmartplugs":[{"ip":"10.0.1.2","label":"Old"},{"ip":"10.0.1.3","label":"New"},{"ip":"10.0.1.5","label":"Plain"}]}`})
	receive(t, v, "tplinksmartplug", `{"currentState":"off","emeter":null,"ip":"10.0.1.5"}`)
	receive(t, v, "tplinksmartplug", `{"currentState":"on","emeter":{"get_realtime":{"current":0.256,"voltage":229.8,"power":58.74,"total":12.345,"err_code":0}},"ip":"10.0.1.2"}`)
	checkPluginRows(
		t, v,
		"tplink_old switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
		"tplink_old_power sensor power W",
		"tplink_old_energy sensor energy kWh",
		"tplink_new switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
		"tplink_plain switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
	)
	if got := shownBy(t, v, "tplink_old_energy"); got != "12.345" {
		t.Errorf("the energy of the only one is %s", got)
	}
	receive(t, v, "tplinksmartplug", `{"currentState":"on","emeter":{"get_realtime":{"current_ma":10,"voltage_mv":230100,"power_mw":2300,"total_wh":16766.0,"slot_id":0,"err_code":0}},"ip":"10.0.1.3"}`)
	checkPluginRows(
		t, v,
		"tplink_old switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
		"tplink_old_power sensor power W",
		"tplink_new switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
		"tplink_new_power sensor power W",
		"tplink_plain switch outlet control PLUGIN_TPLINKSMARTPLUG_CONTROL",
	)
	if a, b := shownBy(t, v, "tplink_old_power"), shownBy(t, v, "tplink_new_power"); a != "58.7" || b != "2.3" {
		t.Errorf("power is %s and %s", a, b)
	}
}

// TestSilentPlug: a plug that the plugin gets no answer of, and so gives none itself,
// is unknown, and the others are what they are.
func TestSilentPlug(t *testing.T) {
	t.Parallel()
	silent := "10.0.1.4"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ IP string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		if asked.IP == silent {
			panic(http.ErrAbortHandler) // as unheard as an answer that doesn't come in time
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"currentState":"on","emeter":null,"ip":"` + asked.IP + `"}`))
	}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := octoprint.NewClient(octoprint.Options{URL: address})
	v := pluginView(map[string]string{"tplinksmartplug": `{"arrSmartplugs":[{"ip":"10.0.1.2","label":"A"},{"ip":"10.0.1.3","label":"B"},{"ip":"10.0.1.4","label":"C"},{"ip":"10.0.1.5","label":"D"}]}`})
	receive(t, v, "tplinksmartplug", `{"currentState":"on","emeter":null,"ip":"10.0.1.4"}`)
	inquiry := tplinkPlugin().inquiries[0]
	for _, want := range []string{"ON ON None ON", "ON ON ON ON"} {
		answer, err := inquiry.ask(t.Context(), client, *v)
		if failed := err != nil; failed != (silent != "") || answer == nil {
			t.Fatalf("the inquiry fails with %v", err)
		}
		answer(v)
		var got []string
		for _, key := range []string{"tplink_a", "tplink_b", "tplink_c", "tplink_d"} {
			got = append(got, shownBy(t, v, key))
		}
		if all := strings.Join(got, " "); all != want {
			t.Errorf("%s, want %s", all, want)
		}
		silent = ""
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if answer, err := inquiry.ask(ended, client, *v); err == nil || answer != nil {
		t.Errorf("without time to ask: %v", err)
	}
}

// TestPlugSecrets: the journal, and with it the shape, knows neither passwords nor
// where plugs are.
func TestPlugSecrets(t *testing.T) {
	t.Parallel()
	v := plugView()
	receive(t, v, "tasmota", `{"currentState":"on","ip":"10.0.0.5","idx":"1","energy_data":{"Total":12,"Power":87}}`)
	kept := mustMarshal(v.has)
	for _, secret := range []string{"secret-1", "admin", "10.0.0.5", "10.0.1.5", "plug.local"} {
		if strings.Contains(kept, secret) || strings.Contains(v.shape().inventory, secret) {
			t.Errorf("the inventory has %s: %s", secret, kept)
		}
	}
	if !strings.Contains(kept, "Printer power") {
		t.Errorf("the inventory is %s", kept)
	}
}

// TestPlugReadings: what messages of all kinds make of a plug.
func TestPlugReadings(t *testing.T) {
	t.Parallel()
	v := plugView()
	for _, tt := range []struct{ id, message, key, want string }{
		{"tasmota", `{"currentState":"on","ip":"10.0.0.5","idx":"1"}`, "tasmota_printer_power", "ON"},
		{"tasmota", `{"currentState":"off","ip":"10.0.0.5","idx":"1"}`, "tasmota_printer_power", "OFF"},
		{"tasmota", `{"currentState":"on","ip":"10.0.0.5","idx":"2"}`, "tasmota_printer_power", "OFF"},
		{"tasmota", `{"currentState":"on","ip":"10.9.9.9","idx":"1"}`, "tasmota_printer_power", "OFF"},
		{"tasmota", `{"powerOffWhenIdle":false,"type":"timeout","timeout_value":null}`, "tasmota_printer_power", "OFF"},
		{"tasmota", `{"thermal_runaway":true,"type":"bed"}`, "tasmota_printer_power", "OFF"},
		{"tasmota", `"nonsense"`, "tasmota_printer_power", "OFF"},
		{"tasmota", `{"currentState":"on","ip":"10.0.0.5","idx":1,"energy_data":{"Total":[1.5,2.5],"Power":[10,20]}}`, "tasmota_printer_power_power", "10"},
		{"tasmota", `{"currentState":"on","ip":"10.0.0.5","idx":"2","energy_data":{"Total":[1.5,2.5],"Power":[10,20]}}`, "tasmota_l_fter_energy", "2.5"},
		// Without word of power it isn't known, and what was used is what it was.
		{"tasmota", `{"currentState":"off","ip":"10.0.0.5","idx":"1"}`, "tasmota_printer_power_power", "None"},
		{"tasmota", `{"currentState":"off","ip":"10.0.0.5","idx":"1"}`, "tasmota_printer_power_energy", "1.5"},
		{"tasmota", `{"currentState":"unknown","ip":"10.0.0.5","idx":"1","energy_data":null}`, "tasmota_printer_power", "None"},
		{"tplinksmartplug", `{"currentState":"on","ip":"plug.local","emeter":null}`, "tplink_light", "ON"},
		{"tplinksmartplug", `{"check_status":true,"ip":"plug.local"}`, "tplink_light", "ON"},
		{"tplinksmartplug", `{"updatePlot":true}`, "tplink_light", "ON"},
		{"tplinksmartplug", `{"currentState":"off","ip":"plug.local","emeter":{"get_realtime":{"power":3.25,"total":7}}}`, "tplink_light_power", "3.3"},
		{"tplinksmartplug", `{"currentState":"off","ip":"plug.local","emeter":{"get_realtime":{"err_code":0}}}`, "tplink_light_power", "None"},
	} {
		receive(t, v, tt.id, tt.message)
		if got := shownBy(t, v, tt.key); got != tt.want {
			t.Errorf("%s: %s = %s, want %s", tt.message, tt.key, got, tt.want)
		}
	}
	// Other settings: what is known of a plug goes with its address.
	receive(t, v, "tplinksmartplug", `{"currentState":"on","ip":"plug.local"}`)
	v.takeSettings(rawSettings(map[string]string{"tplinksmartplug": `{"arrSmartplugs":[{"ip":"10.0.1.9","label":"Printer"},{"ip":"plug.local","label":"Light"}]}`}))
	if a, b := shownBy(t, v, "tplink_light"), shownBy(t, v, "tplink_printer"); a != "ON" || b != "None" {
		t.Errorf("after a change of the settings: %s %s", a, b)
	}
	if got := shownBy(t, v, "tplink_light_energy"); got != "7" {
		t.Errorf("that a plug has a meter is forgotten: %s", got)
	}
}

// TestPlugGuards: a plug is turned on at any time, and off only without a job.
func TestPlugGuards(t *testing.T) {
	t.Parallel()
	prepare := func(v *printerView) {
		v.takeSettings(rawSettings(map[string]string{"tasmota": tasmotaSettings, "tplinksmartplug": tplinkSettings}))
	}
	const idle = "offline connecting idle error"
	checkGuards(
		t, prepare,
		rowGuard{"tasmota_printer_power", "ON", permissionTasmota, "any", true},
		rowGuard{"tasmota_printer_power", "OFF", permissionTasmota, idle, true},
		rowGuard{"tplink_light", "ON", permissionTPLink, "any", true},
		rowGuard{"tplink_light", "OFF", permissionTPLink, idle, true},
	)
	s := situation{AccessControl, []string{permissionTasmota}, octoprint.PhaseIdle}
	for _, payload := range []string{"on", "TOGGLE", "1", "", "ON "} {
		if got := decidePluginRow(t, s, prepare, "tasmota_printer_power", payload); got != CodeInvalid {
			t.Errorf("%q: %s", payload, got)
		}
	}
	forgotten := func(v *printerView) { prepare(v); v.now = vitals{} }
	if got := decidePluginRow(t, s, forgotten, "tasmota_printer_power", "ON"); got != CodeWrongState {
		t.Errorf("without an address: %s", got)
	}
}

// TestPlugs: the whole way, with real messages.
func TestPlugs(t *testing.T) {
	t.Parallel()
	on := false
	host := &pluginHost{settings: tasmotaSettings}
	status := func(body map[string]any) (int, any) {
		if body["ip"] != "10.0.0.5" || body["idx"] != "1" {
			return 500, nil // the plug can't be reached
		}
		state := map[bool]string{true: "on", false: "off"}[on]
		return 200, json.RawMessage(`{"currentState":"` + state + `","ip":"10.0.0.5","idx":"1","energy_data":{"Power":87.04,"Total":12.345},"sensor_data":null}`)
	}
	host.answers = map[string]func(map[string]any) (int, any){
		"POST /api/plugin/tasmota checkStatus": status,
		"POST /api/plugin/tasmota turnOn":      func(map[string]any) (int, any) { on = true; return 204, nil },
		"POST /api/plugin/tasmota turnOff":     func(map[string]any) (int, any) { on = false; return 204, nil },
	}
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		w.expect("left", "tasmota_printer_power", "OFF")
		w.expect("left", "tasmota_printer_power_power", "87")
		w.expect("left", "tasmota_printer_power_energy", "12.345")
		w.expect("left", "tasmota_l_fter", "None")
		if lines := w.logs.lines("warn", "left out"); len(lines) != 2 {
			t.Errorf("%d lines about what is left out:\n%s", len(lines), w.logs)
		}

		if r := w.set("left", "tasmota_printer_power", "ON"); r.code() != "ok" {
			t.Fatalf("on: %v", r.Error)
		}
		w.sleep(2 * time.Second) // nothing is pushed: it is asked
		w.expect("left", "tasmota_printer_power", "ON")
		if err := w.sims["left"].Print("a.gcode"); err != nil {
			t.Fatal(err)
		}
		w.sleep(3 * time.Second)
		before := len(host.heard)
		if r := w.set("left", "tasmota_printer_power", "OFF"); r.code() != CodeWrongState {
			t.Errorf("off while printing: %v", r.Error)
		}
		if sent := host.since(before, "turnOff"); len(sent) > 0 || !on {
			t.Errorf("sent %q", sent)
		}
		if err := w.sims["left"].Cancel(); err != nil {
			t.Fatal(err)
		}
		w.sleep(10 * time.Second)
		if r := w.set("left", "tasmota_printer_power", "OFF"); r.code() != "ok" || on {
			t.Errorf("off: %v", r.Error)
		}
		if sent := host.since(before, "turnOff"); len(sent) != 1 || !strings.Contains(sent[0], `"ip":"10.0.0.5"`) || strings.Contains(sent[0], "secret") {
			t.Errorf("sent %q", sent)
		}
		w.sleep(2 * time.Second)
		plugs := w.doc(w.topics.Document("left"))["plugins"].(map[string]any)["tasmota"]
		if got := mustMarshal(plugs.(map[string]any)["printer_power"]); got != `{"energy_kwh":12.345,"name":"Printer power","on":false,"power_w":87}` {
			t.Errorf("the document says %s", got)
		}

		// It is asked every five minutes.
		before = len(host.heard)
		w.sleep(11 * time.Minute)
		if n := len(host.since(before, `"checkStatus"`)); n != 6 {
			t.Errorf("asked %d times of three plugs in 11 minutes", n)
		}
		// And nothing is left standing without OctoPrint.
		w.sims["left"].line.Close()
		w.sims["left"].DropSockets()
		w.sleep(10 * time.Second)
		w.expect("left", "tasmota_printer_power", "None")
		w.checkTruth()
	}, setup{options: octoprinttest.Options{
		Plugins: map[string]octoprinttest.Plugin{"tasmota": host.plugin()},
		Users:   []octoprinttest.User{{Name: "operator", Key: "operator-key", Groups: []string{"users"}, Permissions: []string{permissionTasmota}}},
	}, prepare: func(s *octoprinttest.Server) { s.AddFile(octoprinttest.File{Path: "a.gcode"}) }})
}
