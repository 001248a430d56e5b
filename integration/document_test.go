package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// shapeOf lists all keys of decoded JSON, with their paths; lists and maps whose
// keys are names are not entered.
func shapeOf(v any, path string, closed ...string) []string {
	object, ok := v.(map[string]any)
	if !ok || slices.Contains(closed, path) {
		return []string{path}
	}
	var list []string
	for _, key := range slices.Sorted(maps.Keys(object)) {
		list = append(list, shapeOf(object[key], strings.TrimPrefix(path+"."+key, "."), closed...)...)
	}
	return list
}

const printerShape = `connection connection_detail error id
	job.elapsed_s job.estimate_origin job.estimated_total_s job.file job.filament job.finish job.layer job.layers job.origin job.path
	job.progress job.progress_bytes job.remaining_s job.size job.started job.user job.z_mm
	last_job.duration_s last_job.ended last_job.file last_job.path last_job.reason last_job.result
	maintenance name octoprint.url octoprint.user octoprint.version plugins printing problem ready state temperatures`

// TestDocumentsHaveAllKeys in every situation; what is unknown is null.
func TestDocumentsHaveAllKeys(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(w *world){
		"idle":        func(*world) {},
		"printing":    func(w *world) { w.print("left") },
		"offline":     func(w *world) { w.must(w.sims["left"].Disconnect()) },
		"unreachable": func(w *world) { w.sims["left"].line.SetUp(false); w.sims["left"].line.Cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				act(w)
				w.sleep(10 * time.Second)
				w.checkShape(w.topics.Document("left"), printerShape, "job.filament", "temperatures", "plugins")
				w.checkShape(w.topics.Document("farm"), "attention disabled error idle next_free offline paused printers printing ready unreachable", "attention")
				w.checkShape(w.topics.BridgeInfo(), "base_topic contract instance printers started version")
				w.checkShape(w.topics.BridgeHealth(), `broker.connected broker.dropped broker.published broker.received broker.reconnects goroutines instance memory_bytes
					printers.left.connection printers.left.errors printers.left.frames printers.left.last_frame printers.left.latency_ms printers.left.reconnects
					printers.left.refused printers.left.since time uptime_s`)
				for heater, reading := range w.doc(w.topics.Document("left"))["temperatures"].(map[string]any) {
					if got := shapeOf(reading, ""); !slices.Equal(got, []string{"actual", "offset", "target"}) {
						t.Errorf("%s has %q", heater, got)
					}
				}
				info := w.doc(w.topics.BridgeInfo())["printers"].([]any)[0]
				want := []string{"access", "id", "missing", "name", "octoprint_version", "permissions", "url", "user"}
				if got := shapeOf(info, ""); !slices.Equal(got, want) {
					t.Errorf("bridge/info has %q for a printer", got)
				}
				for _, m := range w.broker.since(0, w.topics.BridgeEvent()) {
					if got := shapeOf(decodeDoc(t, m.payload), ""); !slices.Equal(got, []string{"detail", "printer", "time", "type"}) {
						t.Errorf("bridge/event has %q", got)
					}
				}
			}, setup{prepare: withBenchy})
		})
	}
}

func (w *world) checkShape(topic, want string, closed ...string) {
	w.t.Helper()
	if got := shapeOf(w.doc(topic), "", closed...); !slices.Equal(got, slices.Sorted(slices.Values(strings.Fields(want)))) {
		w.t.Errorf("%s has\n%q, want\n%s", topic, got, want)
	}
}

// TestDocumentFollowsRows: the document says what the rows show, and comes at most
// once a second but for changes of the state.
func TestDocumentFollowsRows(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.must(w.sims["left"].Print(benchy().Path)) // it heats: something changes with every message
		w.sleep(2 * time.Minute)
		var last time.Time
		n, state := 0, "idle"
		for _, m := range w.broker.since(before, w.topics.Document("left")) {
			d := decodeDoc(t, m.payload)
			if m.at.Sub(last) < time.Second && d["state"] == state && n > 3 {
				t.Errorf("a document %v after the one before", m.at.Sub(last))
			}
			last, state = m.at, d["state"].(string)
			n++
		}
		if n < 30 || n > 130 {
			t.Errorf("%d documents in two minutes of heating", n)
		}
		w.sleep(2 * time.Second)
		d := w.doc(w.topics.Document("left"))
		if minutes := w.value("left", "elapsed"); minutes != "2" || at(d, "job", "elapsed_s") != 120.0 {
			t.Errorf("the row says %s min, the document %v s", minutes, at(d, "job", "elapsed_s"))
		}
		for key, path := range map[string][]string{
			"tool0_target": {"temperatures", "tool0", "target"}, "bed_temperature": {"temperatures", "bed", "actual"},
			"progress": {"job", "progress"}, "file": {"job", "file"}, "state": {"state"}, "finish": {"job", "finish"}, "file_size": {"job", "size"},
		} {
			if got := textOf(at(d, path...)); got != w.value("left", key) {
				t.Errorf("%s: the document says %s, the row %s", key, got, w.value("left", key))
			}
		}
	}, setup{prepare: withBenchy})
}

// textOf is a decoded value as a row writes it.
func textOf(v any) string {
	switch v := v.(type) {
	case float64:
		return number(&v, 3).payload()
	case bool:
		return onOff(v).payload()
	case string:
		return v
	}
	return unknownPayload
}

// TestStateIsToldAtOnce: rows and document, within the moment in which OctoPrint
// tells it.
func TestStateIsToldAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		for _, tt := range []struct {
			act  func() error
			want string
		}{{w.sims["left"].Pause, "pausing"}, {w.sims["left"].Resume, "printing"}, {w.sims["left"].Cancel, "cancelling"}} {
			w.must(tt.act())
			w.sleep(time.Millisecond)
			w.expect("left", "state", tt.want)
			if got := w.doc(w.topics.Document("left"))["state"]; got != tt.want {
				t.Errorf("the document says %v, want %s", got, tt.want)
			}
			w.sleep(5 * time.Second)
		}
	}, setup{prepare: withBenchy})
}

// TestDocumentFollowsWhatIsNoRow: parts of the document that no announced row shows
// must not go stale either.
func TestDocumentFollowsWhatIsNoRow(t *testing.T) {
	t.Parallel()
	twin := octoprinttest.File{Path: "other/benchy.gcode", Name: benchy().Name, Size: benchy().Size, PrintTime: benchy().PrintTime, FilamentLength: benchy().FilamentLength, FilamentVolume: benchy().FilamentVolume}
	inBubble(t, func(w *world) {
		w.up()
		w.must(w.sims["left"].Select(benchy().Path))
		w.sleep(15 * time.Second)
		w.must(w.sims["left"].Select(twin.Path)) // the same name in another folder
		w.sleep(15 * time.Second)
		if got := at(w.doc(w.topics.Document("left")), "job", "path"); got != twin.Path {
			t.Errorf("the document's path is %v, want %s", got, twin.Path)
		}
		client := octoprint.NewClient(octoprint.Options{URL: mustURL("http://left.test"), APIKey: "admin-key", Dial: w.sims["left"].line.Dial})
		w.must(client.SetOffset(w.t.Context(), "bed", 7)) // somebody else does
		w.sleep(15 * time.Second)
		if got := at(w.doc(w.topics.Document("left")), "temperatures", "bed", "offset"); got != 7.0 {
			t.Errorf("the document's offset is %v, want 7", got)
		}
	}, setup{config: func(c *PrinterConfig) { c.Access = AccessRead }, prepare: func(s *octoprinttest.Server) {
		withBenchy(s)
		s.AddFile(twin)
	}})
}
