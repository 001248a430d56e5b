package integration

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestFirstLayerDone: the event comes once a job, when its first layer is left, however
// the slicer counts.
func TestFirstLayerDone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		joined bool
		layers string // "-" is the plugin's reset
		want   int    // layers that were told when the event came; 0: it never did
	}{
		{"from 1", false, "- 1 1 2 3", 4},
		{"from 0", false, "- 0 1 2", 3},
		{"objects one after the other", false, "1 2 3 1 2 3", 2},
		{"the former print's last", false, "50 - 1 2", 4},
		{"one is skipped", false, "1 3", 2},
		{"joined in the first", true, "1 2", 2},
		{"joined later", true, "7 8 1 2", 0},
		{"one layer", false, "- 1 1", 0},
	} {
		tr := &tracker{printer: "left", active: &job{joined: tt.joined}}
		v := zeroView()
		v.prints = tr
		told, n := 0, 0
		for field := range strings.FieldsSeq(tt.layers) {
			n++
			p := layerProgress{}
			if l, err := strconv.ParseFloat(field, 64); err == nil {
				p.layer = &l
			}
			v.withLayers(p, false)
			if got := tr.news(); len(got) > 0 {
				if told != 0 || len(got) > 1 || got[0].Type != EventFirstLayerDone {
					t.Errorf("%s: told %+v", tt.name, got)
				}
				told = n
			}
		}
		if told != tt.want {
			t.Errorf("%s: told with the layer number %d, want %d", tt.name, told, tt.want)
		}
	}
}

// TestFirstLayerDoneOfAPrint is told with its file, and not again after a restart of
// the bridge.
func TestFirstLayerDoneOfAPrint(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.config.StateDir = t.TempDir()
		w.up()
		w.sleep(5 * time.Second)
		s := w.sims["left"]
		layer := func(n string) {
			s.Announce(layerID+"-websocket-payload", map[string]any{"currentLayer": n, "totalLayer": "9"})
			w.sleep(time.Second)
		}
		layer("2") // no print
		before := w.broker.seen()
		w.print("left")
		w.sleep(5 * time.Second)
		for _, n := range []string{"-", "1", "2", "3"} {
			layer(n)
		}
		w.expect("left", "layer", "3")
		w.expect("left", "layers", "9")
		w.sleep(time.Second)
		if j := w.doc(w.topics.Document("left"))["job"].(map[string]any); j["layer"] != 3.0 || j["layers"] != 9.0 {
			t.Errorf("the document has layer %v of %v", j["layer"], j["layers"])
		}
		w.stop()
		w.up()
		w.sleep(5 * time.Second)
		layer("1")
		layer("2")
		events := w.events(before, "left")
		if got := eventTypesOf(events); got != "print_started first_layer_done" || events[1].Path != benchy().Path || events[1].Late {
			t.Errorf("told %s: %+v", got, events)
		}
		// The plugin goes on telling of a print that has ended.
		w.expect("left", "layer", "2")
		w.must(s.Cancel())
		w.within(time.Minute, "idle", func() bool { return w.value("left", "state") == "idle" })
		layer("2")
		w.expect("left", "layer", "None")
		w.expect("left", "layers", "9")
	}, setup{prepare: withBenchy, options: octoprinttest.Options{Plugins: map[string]octoprinttest.Plugin{layerID: {}}}})
}
