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

const objectList = `[
	{"id":0,"object":"STARTGCODE","active":false,"cancelled":false,"ignore":true,"max_x":0},
	{"id":1,"object":"Box id:0 copy 0","active":false,"cancelled":false,"ignore":false},
	{"id":2,"object":"Door","active":false,"cancelled":false,"ignore":false,"max_x":80.0,"min_x":20.0,"max_y":75.0,"min_y":30.0},
	{"id":3,"object":"Lid","active":false,"cancelled":true,"ignore":false},
	{"id":4,"object":"T&#252;r id:1 copy 0","active":false,"cancelled":false,"ignore":false,"max_x":0,"min_x":10000,"max_y":0,"min_y":10000},
	{"id":5,"object":"Pad ","active":false,"cancelled":false,"ignore":false},
	{"id":6,"object":"a;b","active":false,"cancelled":false,"ignore":false}]`

func objectView(t *testing.T, messages ...string) *printerView {
	t.Helper()
	v := pluginView(map[string]string{"cancelobject": `{"shownav":true}`})
	v.state.Phase = octoprint.PhasePrinting
	for _, m := range messages {
		receive(t, v, "cancelobject", m)
	}
	return v
}

func TestObjectRows(t *testing.T) {
	t.Parallel()
	v := objectView(t)
	v.state.Phase = ""
	checkPluginRows(t, v, "objects sensor", "current_object sensor", "cancel_object select control PRINT")
}

// TestObjects: what messages make of the rows.
func TestObjects(t *testing.T) {
	t.Parallel()
	list := strings.ReplaceAll(`{"objects":`+objectList+`}`, "\n", "")
	for _, tt := range []struct {
		messages                  string // one in each line
		objects, current, options string
	}{
		{list, "6", "None", "-|Box id:0 copy 0|Door"},
		{list + "\n" + `{"ActiveID":2}`, "6", "Door", "-|Box id:0 copy 0|Door"},
		{list + "\n" + `{"navBarActive":"Box id:0 copy 0"}`, "6", "Box id:0 copy 0", "-|Box id:0 copy 0|Door"},
		{list + "\n" + `{"ActiveID":4}`, "6", "Tür id:1 copy 0", "-|Box id:0 copy 0|Door"},
		{list + "\n" + `{"ActiveID":99}`, "6", "None", "-|Box id:0 copy 0|Door"},
		{list + "\n" + `{"ActiveID":1}` + "\n" + list, "6", "Box id:0 copy 0", "-|Box id:0 copy 0|Door"},
		{list + "\n" + `{"ActiveID":1}` + "\n" + `{"objects":[]}`, "0", "None", "-"},
		{list + "\n" + `{"ActiveID":1}` + "\n" + `{"navBarActive":"None"}`, "6", "None", "-|Box id:0 copy 0|Door"},
		{`{"ActiveID":1}`, "None", "None", "-"},
		{"nonsense\n[]\n{}\n" + `{"objects":null}`, "None", "None", "-"},
		{`{"objects":[{"id":"x","object":"a"},{"id":1},{"id":2,"object":"a"},{"id":3,"object":"a"}]}`, "2", "None", "-|a|a (2)"},
	} {
		v := objectView(t, strings.Split(tt.messages, "\n")...)
		if a, b, c := shownBy(t, v, "objects"), shownBy(t, v, "current_object"), strings.Join(offersOf(v, "cancel_object"), "|"); a != tt.objects || b != tt.current || c != tt.options {
			t.Errorf("%s: %s, %s, %s", tt.messages, a, b, c)
		}
	}
	v := objectView(t, list, `{"ActiveID":2}`)
	v.state.Phase = octoprint.PhaseIdle
	if got := shownBy(t, v, "current_object"); got != "None" {
		t.Errorf("without a job %s is printed", got)
	}
}

func offersOf(v *printerView, key string) []string {
	for _, r := range pluginRows(v) {
		if r.key == key {
			return r.options(v)
		}
	}
	return nil
}

// TestObjectGuards: an object is only cancelled in a running print, and only one that
// it has.
func TestObjectGuards(t *testing.T) {
	t.Parallel()
	prepare := func(v *printerView) {
		v.takeSettings(rawSettings(map[string]string{"cancelobject": `{}`}))
		receive(t, v, "cancelobject", `{"objects":`+objectList+`}`)
	}
	checkGuards(t, prepare, rowGuard{"cancel_object", "Door", "PRINT", "printing pausing paused resuming", false})
	s := situation{AccessControl, []string{"PRINT"}, octoprint.PhasePrinting}
	for _, payload := range []string{"-", "Lid", "STARTGCODE", "Tür id:1 copy 0", "Pad", "Pad ", "a;b", "1", "", "None"} {
		if got := decidePluginRow(t, s, prepare, "cancel_object", payload); got != CodeInvalid {
			t.Errorf("%q: %s", payload, got)
		}
	}
	unheard := func(v *printerView) { v.takeSettings(rawSettings(map[string]string{"cancelobject": `{}`})) }
	if got := decidePluginRow(t, s, unheard, "cancel_object", "Door"); got != CodeWrongState {
		t.Errorf("before it has told its objects: %s", got)
	}
	// A command that was sent before these objects came can't have meant them. The same
	// ones once more are no others.
	v := objectView(t, `{"objects":`+objectList+`}`)
	came := pluginState[*objects](v, cancelObjectID).since
	receive(t, v, "cancelobject", `{"objects":`+strings.ReplaceAll(objectList, `"cancelled":false`, `"cancelled":true`)+`}`)
	receive(t, v, "cancelobject", `{"objects":`+objectList+`}`)
	ready, r := prepareCancelObject(json.RawMessage(`{"object":"Door"}`), v)
	if r != nil || came.IsZero() || !ready.since.Equal(came) {
		t.Errorf("%v: objects of %v came at %v", r, ready.since, came)
	}
	receive(t, v, "cancelobject", `{"objects":[{"id":2,"object":"Door"}]}`)
	if ready, r := prepareCancelObject(json.RawMessage(`{"object":"Door"}`), v); r != nil || !ready.since.After(came) {
		t.Errorf("%v: other objects came at %v, too", r, ready.since)
	}
}

// TestCancelObject: the whole way. An object is cancelled once, whatever is asked for.
func TestCancelObject(t *testing.T) {
	t.Parallel()
	list := []map[string]any{{"id": 0, "object": "Box", "cancelled": false, "ignore": false}, {"id": 1, "object": "Lid", "cancelled": false, "ignore": false}}
	host := &pluginHost{settings: `{}`}
	host.answers = map[string]func(map[string]any) (int, any){
		"POST /api/plugin/cancelobject objlist": func(map[string]any) (int, any) { return 200, map[string]any{"list": list} },
		"POST /api/plugin/cancelobject cancel": func(body map[string]any) (int, any) {
			list[int(body["cancelled"].(float64))]["cancelled"] = true
			return 204, nil
		},
	}
	cancels := func() []string { return host.since(0, `"cancel"`) }
	inBubble(t, func(w *world) {
		w.up()
		if err := w.sims["left"].Print("a.gcode"); err != nil {
			t.Fatal(err)
		}
		w.sleep(5 * time.Second)
		w.expect("left", "objects", "2")
		w.expect("left", "cancel_object", "-")
		w.sims["left"].Announce("cancelobject", json.RawMessage(`{"ActiveID":1}`))
		w.sleep(time.Second)
		w.expect("left", "current_object", "Lid")

		// A command twice at once is sent once.
		before := w.broker.seen()
		for range 2 {
			w.broker.publish(w.topics.Set("left", "cancel_object"), "Lid", false)
		}
		w.sleep(3 * time.Second)
		var codes []string
		for _, r := range w.replies(before, w.topics.Response("left", "cancel_object")) {
			codes = append(codes, string(r.code()))
		}
		if !slices.Equal(codes, []string{"ok", "wrong_state"}) {
			t.Errorf("twice at once: %q", codes)
		}
		if sent := cancels(); len(sent) != 1 || sent[0] != `POST /api/plugin/cancelobject {"cancelled":1,"command":"cancel"}` {
			t.Fatalf("sent %q", sent)
		}
		if options := mustMarshal(w.components("left")["cancel_object"]["ops"]); options != `["-","Box"]` {
			t.Errorf("offered: %s", options)
		}
		if r := w.set("left", "cancel_object", "Lid"); r.code() != CodeInvalid {
			t.Errorf("once more: %v", r.Error)
		}

		// Other objects have come meanwhile, and nobody has told yet.
		list[0]["object"] = "Bolt"
		if r := w.set("left", "cancel_object", "Box"); r.code() != CodeWrongState {
			t.Errorf("an object of another print: %v", r.Error)
		}
		if sent := cancels(); len(sent) != 1 {
			t.Errorf("sent %q", sent)
		}
		objects := w.doc(w.topics.Document("left"))["plugins"].(map[string]any)["cancelobject"]
		if got := sortedKeys(objects); got != "current objects" {
			t.Errorf("the document has %s", got)
		}
		w.checkTruth()
	}, setup{
		options: octoprinttest.Options{Plugins: map[string]octoprinttest.Plugin{"cancelobject": host.plugin()}},
		prepare: func(s *octoprinttest.Server) { s.AddFile(octoprinttest.File{Path: "a.gcode"}) },
	})
}
