package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

const spoolmanPage = `{"data":{"spools":[
	{"id":1,"filament":{"id":1,"name":"Galaxy Black","vendor":{"id":1,"name":"Prusament"},"material":"PLA","color_hex":"1a1a1a"},"remaining_weight":812.44,"archived":false},
	{"id":12,"filament":{"id":1,"name":"Galaxy Black","vendor":{"id":1,"name":"Prusament"},"material":"PLA","color_hex":"1a1a1a"},"remaining_weight":100,"archived":false},
	{"id":3,"filament":{"id":3,"material":"PETG","multi_color_hexes":"00ff00,0000FF"}},
	{"id":4,"filament":{"name":"Old"},"archived":true}]}}`

const spoolManagerPage = `{"allSpools":[
	{"databaseId":1,"displayName":"Red one","material":"PETG","color":"#ff0000","colorName":"red","remainingWeight":"750.0","isActive":true,"isTemplate":false},
	{"databaseId":2,"displayName":"Template","isTemplate":true},
	{"databaseId":5,"displayName":"Used up","isActive":false},
	{"databaseId":7,"displayName":"Blue","colorName":"blue","remainingWeight":"","isActive":true,"isTemplate":false}],
	"selectedSpools":[null,{"databaseId":1,"displayName":"Red one","remainingWeight":"750.0"}],"totalItemCount":4}`

var spoolTable = []string{
	"spool_tool0 select control CONTROL",
	"tool0_spool_name sensor", "tool0_spool_material sensor", "tool0_spool_color sensor", "tool0_spool_remaining sensor weight g",
	"spool_tool1 select control CONTROL",
	"tool1_spool_name sensor", "tool1_spool_material sensor", "tool1_spool_color sensor", "tool1_spool_remaining sensor weight g",
}

// TestSpoolRows: each tool has its rows, whichever plugin gives them; of both plugins
// Spoolman does.
func TestSpoolRows(t *testing.T) {
	t.Parallel()
	for _, settings := range []map[string]string{
		{"Spoolman": `{}`}, {"SpoolManager": `{"databasePassword":"secret"}`}, {"Spoolman": `{}`, "SpoolManager": `{}`},
	} {
		v := pluginView(settings)
		checkPluginRows(t, v, spoolTable...)
		if strings.Contains(mustMarshal(v.has), "secret") {
			t.Errorf("the inventory has %s", mustMarshal(v.has))
		}
		v.withSpools("Spoolman", newSpools([]spool{{id: "1", name: "A"}}, map[string]string{"tool0": "1"}))
		want := "A (#1)"
		if settings["Spoolman"] == "" {
			want = "None"
		}
		if got := shownBy(t, v, "spool_tool0"); got != want {
			t.Errorf("%v: %s, want %s", settings, got, want)
		}
	}
}

func spoolView() *printerView {
	v := pluginView(map[string]string{"Spoolman": `{}`})
	v.withSpools("Spoolman", newSpools(spoolmanSpools(json.RawMessage(spoolmanPage)), map[string]string{"tool0": "12", "tool1": ""}))
	return v
}

// TestSpools: what the plugins' answers say.
func TestSpools(t *testing.T) {
	t.Parallel()
	v := spoolView()
	for key, want := range map[string]string{
		"spool_tool0": "Prusament Galaxy Black (#12)", "tool0_spool_name": "Prusament Galaxy Black", "tool0_spool_material": "PLA",
		"tool0_spool_color": "#1A1A1A", "tool0_spool_remaining": "100",
		"spool_tool1": "-", "tool1_spool_name": "None", "tool1_spool_remaining": "None",
	} {
		if got := shownBy(t, v, key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	s := pluginState[*spools](v, "Spoolman")
	if want := []string{"-", "(#3)", "Prusament Galaxy Black (#12)", "Prusament Galaxy Black (#1)"}; !slices.Equal(s.options, want) {
		t.Errorf("options %q, want %q", s.options, want)
	}
	if s.list[0].color != "#00FF00,#0000FF" {
		t.Errorf("colors %q", s.list[0].color)
	}
	m := spoolManagerState(json.RawMessage(spoolManagerPage))
	if want := []string{"-", "Blue (#7)", "Red one (#1)"}; !slices.Equal(m.options, want) {
		t.Errorf("options %q, want %q", m.options, want)
	}
	if m.loaded["tool0"] != nil || m.loaded["tool1"].color != "#FF0000" || *m.loaded["tool1"].remaining != 750 || m.list[0].color != "blue" || m.list[0].remaining != nil {
		t.Errorf("%+v %+v", m.loaded["tool1"], m.list[0])
	}
	for _, foreign := range []string{"", "nonsense", "[]", `{"data":[]}`, `{"allSpools":{},"selectedSpools":7}`} {
		if n := len(spoolmanSpools(json.RawMessage(foreign))) + len(spoolManagerState(json.RawMessage(foreign)).list); n > 0 {
			t.Errorf("%q has spools", foreign)
		}
	}
}

// TestManySpools: the newest are offered, and what is on a tool in any case.
func TestManySpools(t *testing.T) {
	t.Parallel()
	var all []spool
	for i := range 3 * maxSpools {
		all = append(all, spool{id: strconv.Itoa(i + 1), name: "PLA"})
	}
	s := newSpools(all, map[string]string{"tool0": "5", "tool1": "9999"})
	v := pluginView(map[string]string{"Spoolman": `{}`})
	v.withSpools("Spoolman", s)
	if len(s.options) != maxSpools+1 || !slices.Contains(s.options, fmt.Sprintf("PLA (#%d)", 3*maxSpools)) || slices.Contains(s.options, "PLA (#1)") {
		t.Errorf("%d options: %q", len(s.options), s.options[:3])
	}
	if a, b, c := shownBy(t, v, "spool_tool0"), shownBy(t, v, "tool0_spool_name"), shownBy(t, v, "spool_tool1"); a != "PLA (#5)" || b != "PLA" || c != "#9999" {
		t.Errorf("%s %s %s", a, b, c)
	}
}

// TestSpoolGuards: a spool may be changed at any time that OctoPrint is there.
func TestSpoolGuards(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"Spoolman", "SpoolManager"} {
		prepare := func(v *printerView) {
			v.takeSettings(rawSettings(map[string]string{id: `{}`}))
			v.withSpools(id, newSpools([]spool{{id: "1", name: "A"}}, nil))
		}
		checkGuards(
			t, prepare,
			rowGuard{"spool_tool0", "A (#1)", "CONTROL", "any", true},
			rowGuard{"spool_tool0", "-", "CONTROL", "any", true},
		)
		s := situation{AccessControl, []string{"CONTROL"}, octoprint.PhaseIdle}
		for _, payload := range []string{"A", "A (#2)", "", "None", "1"} {
			if got := decidePluginRow(t, s, prepare, "spool_tool0", payload); got != CodeInvalid {
				t.Errorf("%s %q: %s", id, payload, got)
			}
		}
		unheard := func(v *printerView) { v.takeSettings(rawSettings(map[string]string{id: `{}`})) }
		if got := decidePluginRow(t, s, unheard, "spool_tool0", "-"); got != CodeWrongState {
			t.Errorf("%s before it has told its spools: %s", id, got)
		}
	}
}

// TestSpoolman: the whole way, with the events that the plugin sends.
func TestSpoolman(t *testing.T) {
	t.Parallel()
	loaded, down := map[string]any{}, false
	host := &pluginHost{settings: `{}`}
	host.answers = map[string]func(map[string]any) (int, any){
		"GET /plugin/Spoolman/spoolman/spools": func(map[string]any) (int, any) {
			if down {
				return 400, json.RawMessage(`{"error":{"code":"spoolman_api__connection_failed"}}`)
			}
			return 200, json.RawMessage(spoolmanPage)
		},
		"POST /plugin/Spoolman/self/spool": func(body map[string]any) (int, any) {
			loaded[fmt.Sprint(body["toolIdx"])] = map[string]any{"spoolId": body["spoolId"]}
			return 200, json.RawMessage(`{"data":{}}`)
		},
	}
	plugin := host.plugin()
	plugin.Settings = map[string]any{"spoolmanUrl": "http://spoolman.test", "selectedSpoolIds": loaded}
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		w.expect("left", "spool_tool0", "-")
		before := w.broker.seen()
		began := time.Now()
		if r := w.set("left", "spool_tool0", "Prusament Galaxy Black (#12)"); r.code() != "ok" {
			t.Fatalf("%v", r.Error)
		}
		w.sims["left"].Emit("plugin_Spoolman_spool_selected", map[string]any{"toolIdx": 0, "spoolId": "12"})
		w.within(6*time.Second, "the spool is shown", func() bool { return w.value("left", "spool_tool0") == "Prusament Galaxy Black (#12)" })
		w.expect("left", "tool0_spool_remaining", "100")
		if sent := host.since(0, "self/spool"); len(sent) != 1 || sent[0] != `POST /plugin/Spoolman/self/spool {"spoolId":"12","toolIdx":0}` {
			t.Errorf("sent %q after %v", sent, time.Since(began))
		}
		if list := w.broker.since(before, w.topics.Config("left")); len(list) > 0 {
			t.Errorf("what was offered before is announced again")
		}
		spools := w.doc(w.topics.Document("left"))["plugins"].(map[string]any)["Spoolman"].(map[string]any)
		if got := mustMarshal(spools["tool0"]); got != `{"color":"#1A1A1A","id":"12","material":"PLA","name":"Prusament Galaxy Black","remaining_g":100}` {
			t.Errorf("the document says %s", got)
		}

		// No spool at all.
		if r := w.set("left", "spool_tool0", "-"); r.code() != "ok" {
			t.Fatalf("%v", r.Error)
		}
		w.sleep(4 * time.Second)
		w.expect("left", "spool_tool0", "-")
		w.expect("left", "tool0_spool_name", "None")
		if sent := host.since(0, `"spoolId":null`); len(sent) != 1 {
			t.Errorf("sent %q", sent)
		}

		// While Spoolman is away the last that was told stands, and it is asked again.
		down = true
		w.sims["left"].Emit("plugin_Spoolman_spool_usage_committed", map[string]any{"toolIdx": 0})
		w.sleep(5 * time.Second)
		w.expect("left", "spool_tool0", "-")
		down = false
		loaded["0"] = map[string]any{"spoolId": "3"}
		w.sleep(11 * time.Minute)
		w.expect("left", "tool0_spool_material", "PETG")
		w.checkTruth()
	}, setup{options: octoprinttest.Options{Plugins: map[string]octoprinttest.Plugin{"Spoolman": plugin}}})
}

// TestSpoolManager: it tells nothing by itself, and refuses in the middle of a print.
func TestSpoolManager(t *testing.T) {
	t.Parallel()
	printing, selected, page := false, "null", spoolManagerPage
	host := &pluginHost{settings: `{"selectedSpoolsDatabaseIds":[]}`}
	host.answers = map[string]func(map[string]any) (int, any){
		"GET /plugin/SpoolManager/loadSpoolsByQuery": func(map[string]any) (int, any) {
			return 200, json.RawMessage(strings.Replace(page, `"selectedSpools":[null,`, `"selectedSpools":[`+selected+`,`, 1))
		},
		"PUT /plugin/SpoolManager/selectSpool": func(body map[string]any) (int, any) {
			if printing {
				return 409, nil
			}
			selected = fmt.Sprintf(`{"databaseId":%v}`, body["databaseId"])
			if body["databaseId"] == -1.0 {
				selected = "null"
			}
			return 200, json.RawMessage(`{"selectedSpool":null}`)
		},
	}
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		w.expect("left", "spool_tool0", "-")
		if r := w.set("left", "spool_tool0", "Blue (#7)"); r.code() != "ok" {
			t.Fatalf("%v", r.Error)
		}
		w.sleep(3 * time.Second)
		w.expect("left", "spool_tool0", "Blue (#7)")
		printing = true
		r := w.set("left", "spool_tool0", "-")
		if r.code() != CodeWrongState || !strings.Contains(r.Error.Message, "SpoolManager") {
			t.Errorf("in the middle of a print: %v", r.Error)
		}
		printing = false
		if r := w.set("left", "spool_tool0", "-"); r.code() != "ok" {
			t.Errorf("%v", r.Error)
		}
		w.sleep(3 * time.Second)
		w.expect("left", "spool_tool0", "-")
		want := []string{
			`PUT /plugin/SpoolManager/selectSpool {"databaseId":7,"toolIndex":0}`,
			`PUT /plugin/SpoolManager/selectSpool {"databaseId":-1,"toolIndex":0}`,
			`PUT /plugin/SpoolManager/selectSpool {"databaseId":-1,"toolIndex":0}`,
		}
		if sent := host.since(0, "PUT"); !slices.Equal(sent, want) {
			t.Errorf("sent %q", sent)
		}
		// What somebody selects in OctoPrint is noticed within five minutes.
		selected = `{"databaseId":1}`
		w.sleep(5*time.Minute + 2*time.Second)
		w.expect("left", "spool_tool0", "Red one (#1)")
		// So is a new spool.
		page = strings.Replace(spoolManagerPage, `"Template"`, `"New"`, 1)
		page = strings.Replace(page, `"isTemplate":true`, `"isTemplate":false`, 1)
		before := len(host.heard)
		w.sleep(30 * time.Minute)
		if options := mustMarshal(w.components("left")["spool_tool0"]["ops"]); options != `["-","Blue (#7)","New (#2)","Red one (#1)"]` {
			t.Errorf("offered: %s", options)
		}
		if n := len(host.since(before, "GET")); n != 6 {
			t.Errorf("asked %d times in 30 minutes", n)
		}
		w.checkTruth()
	}, setup{options: octoprinttest.Options{Plugins: map[string]octoprinttest.Plugin{"SpoolManager": host.plugin()}}})
}
