package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// offers returns what a select of the printer left offers to Home Assistant.
func (w *world) offers(key string) []string {
	w.t.Helper()
	var list []string
	options, _ := w.components("left")[key]["ops"].([]any)
	for _, o := range options {
		list = append(list, fmt.Sprint(o))
	}
	return list
}

// TestFileOptions: the newest fifty, by their own names, if those fit.
func TestFileOptions(t *testing.T) {
	t.Parallel()
	files := []octoprint.File{
		{Origin: "printer", Path: "A~1.GCO"},
		{Origin: "local", Path: "a\nb.gcode"},
		{Origin: "local", Path: strings.Repeat("x", 300)},
		{Origin: "local", Path: "none"},
		{Origin: "local", Path: "none"},
	}
	if got := fmt.Sprint(fileOptions(files)); got != "[sdcard/A~1.GCO local/none]" {
		t.Errorf("%s", got)
	}
	for i := range 100 {
		files = append(files, octoprint.File{Origin: "local", Path: fmt.Sprintf("%d.gcode", i)})
	}
	if got := fileOptions(files); len(got) != maxFileOptions || got[49] != "local/47.gcode" {
		t.Errorf("%d: %s", len(got), got)
	}
}

// TestSelectedFile: what is offered follows the files, what is shown the printer,
// and a choice selects.
func TestSelectedFile(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.sims["left"]
		w.up()
		w.sleep(5 * time.Second)
		w.expect("left", "selected_file", "None")
		if got := w.offers("selected_file"); !slices.Equal(got, []string{noOption}) {
			t.Errorf("without files: %q", got)
		}
		if r := w.set("left", "selected_file", noOption); r.code() != CodeInvalid {
			t.Errorf("no file: %s", r.code())
		}
		before := w.broker.seen()
		s.AddFile(octoprinttest.File{Path: "parts/a & b.gcode"})
		w.sleep(time.Second)
		s.AddFile(octoprinttest.File{Path: "new.gcode"})
		w.sleep(5 * time.Second)
		if got := w.offers("selected_file"); !slices.Equal(got, []string{"local/new.gcode", "local/parts/a & b.gcode"}) {
			t.Errorf("offered are %q", got)
		}
		if n := len(w.broker.since(before, w.topics.Config("left"))); n > 2 {
			t.Errorf("announced %d times for two files", n)
		}
		if r := w.set("left", "selected_file", "local/parts/a & b.gcode"); r.code() != "ok" {
			t.Errorf("%+v", r)
		}
		w.sleep(2 * time.Second)
		w.expect("left", "selected_file", "local/parts/a & b.gcode")
		if r := w.set("left", "selected_file", "local/gone.gcode"); r.code() != CodeInvalid {
			t.Errorf("a file that isn't there: %s", r.code())
		}
		w.must(s.Print("new.gcode"))
		w.sleep(2 * time.Second)
		w.expect("left", "selected_file", "local/new.gcode")
		if r := w.set("left", "selected_file", "local/parts/a & b.gcode"); r.code() != CodeWrongState {
			t.Errorf("while printing: %s", r.code())
		}
		s.line.SetUp(false)
		s.line.Cut()
		w.sleep(10 * time.Second)
		w.expect("left", "selected_file", "None")
	})
}

// TestFilesAreAskedForWhereTheyAreWanted: not for who may not select one.
func TestFilesAreAskedForWhereTheyAreWanted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key    string
		access Access
		asked  bool
	}{{"operator-key", AccessControl, true}, {"operator-key", AccessRead, false}, {"readonly-key", AccessControl, false}} {
		inBubble(t, func(w *world) {
			w.up()
			w.sleep(5 * time.Second)
			asked := slices.ContainsFunc(w.sims["left"].Requests(), func(r octoprinttest.Request) bool { return r.Path == "/api/files" && r.Query != "" })
			if asked != tt.asked {
				t.Errorf("%+v: asked for files: %v", tt, asked)
			}
		}, setup{config: func(c *PrinterConfig) { c.APIKey, c.Access = tt.key, tt.access }})
	}
}
