package integration

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestStreamTellsWhatChanges: everything at first, and then, once a second at most,
// only the printers that changed.
func TestStreamTellsWhatChanges(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		w.up()
		s := page.stream(t)
		defer s.conn.Close()
		w.sleep(5 * time.Second)
		first := s.told()
		if len(first) != 1 || !first[0].Full || first[0].Farm.Name != "Print farm" || len(first[0].Printers) != 2 {
			t.Fatalf("at first: %+v", first)
		}
		if p := first[0].Printers[0]; p["id"] != "left" || p["group"] != "idle" || p["name"] != "Left one" || p["url"] != "http://left.test" {
			t.Errorf("left is %v", p)
		}
		if len(first[0].Happenings) == 0 {
			t.Error("nothing has happened")
		}

		w.sims["left"].AddFile(octoprinttest.File{Path: "a.gcode", PrintTime: time.Hour, ToolTarget: 200})
		if err := w.sims["left"].Print("a.gcode"); err != nil {
			t.Fatal(err)
		}
		w.sleep(30 * time.Second)
		var state any
		happened := false
		var last time.Time
		for _, u := range s.told() {
			if u.Full || u.Farm != nil || len(u.Printers) > 1 {
				t.Errorf("an update has %+v", u)
			}
			if u.at.Sub(last) < updateInterval {
				t.Errorf("%v after the one before", u.at.Sub(last))
			}
			last = u.at
			for _, p := range u.Printers {
				if p["id"] != "left" {
					t.Errorf("%v didn't change", p)
				}
				state = p["state"]
			}
			happened = happened || slices.ContainsFunc(u.Happenings, func(h struct{ Printer, Text, Tone string }) bool {
				return h.Printer == "left" && h.Text == "Print started: a.gcode"
			})
		}
		if state != "printing" || !happened {
			t.Errorf("left is %v at last, and the start was told: %v", state, happened)
		}
		if s.isOver() {
			t.Error("the stream has ended")
		}
	}, setup{id: "left"}, setup{id: "right"})
}

// TestStreamAfterReload: printers come and go, with the page open.
func TestStreamAfterReload(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		host := changeable(w)
		w.up()
		s := page.stream(t)
		defer s.conn.Close()
		w.sleep(2 * time.Second)
		s.told()
		host.reload(func(c *Config) {
			c.Printers = c.Printers[1:]
			c.Farm.Name = "Workshop"
		})
		w.sleep(3 * time.Second)
		var full []streamed
		for _, u := range s.told() {
			if u.Full {
				full = append(full, u)
			}
		}
		if len(full) != 1 || len(full[0].Printers) != 1 || full[0].Printers[0]["id"] != "right" || full[0].Farm.Name != "Workshop" {
			t.Errorf("after the reload: %+v", full)
		}
	}, setup{id: "left"}, setup{id: "right"})
}

// TestStreamsAreBounded: a page that doesn't take its updates is let go without
// the others noticing, and there are only so many.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		w.up()
		deaf, err := page.dial(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer deaf.Close()
		if _, err := io.WriteString(deaf, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		w.sleep(time.Second)
		var open []*openStream
		for range maxWatchers - 1 {
			open = append(open, page.stream(t))
		}
		more := page.stream(t)
		if more.status != http.StatusServiceUnavailable {
			t.Errorf("one page more: %d", more.status)
		}
		more.conn.Close()
		w.sleep(2 * time.Second)
		open[0].told()
		began := time.Now()
		for i := range 60 {
			must(t, w.sims["left"].SetTemperature("tool0", float64(40+i)))
			w.sleep(time.Second)
		}
		if n := len(open[0].told()); n < 50 {
			t.Errorf("a page got %d updates in a minute beside a deaf one", n)
		}
		again := page.stream(t)
		defer again.conn.Close()
		if again.status != http.StatusOK {
			t.Errorf("%v later the deaf one is still served: %d", time.Since(began), again.status)
		}
		for _, s := range open {
			if s.isOver() {
				t.Error("a page that listens was let go")
			}
			s.conn.Close()
		}
	})
}

// TestStreamEndsUnasked: a page that was closed is forgotten, and while none is
// open nothing is remembered for them.
func TestStreamEndsUnasked(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		h := newHub(New(w.config, zerolog.Nop()), false)
		one, err := h.join()
		if err != nil {
			t.Fatal(err)
		}
		two, _ := h.join()
		h.leave(one)
		if h.told.cards == nil {
			t.Error("what the other page knows is forgotten")
		}
		h.leave(two)
		if h.told.cards != nil || len(h.watchers) != 0 {
			t.Errorf("%+v is left", h)
		}
	})
}

// TestStreamEscapes: whatever printers are called and print, an update is one line
// of JSON, of which nothing gets out.
func TestStreamEscapes(t *testing.T) {
	t.Parallel()
	const name = "</script><img src=x onerror=alert(1)>"
	const file = "a\n\ndata: {\"full\":true}\n\n<b>.gcode"
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		w.up()
		w.sims["left"].AddFile(octoprinttest.File{Path: "a.gcode", Name: file, PrintTime: time.Hour})
		if err := w.sims["left"].Print("a.gcode"); err != nil {
			t.Fatal(err)
		}
		w.sleep(2 * time.Second)
		s := page.stream(t)
		defer s.conn.Close()
		w.sleep(time.Second / 2)
		told := s.told()
		if len(told) != 1 || len(told[0].Printers) != 1 {
			t.Fatalf("got %+v", told)
		}
		p := told[0].Printers[0]
		if p["name"] != name || p["file"] != strings.ReplaceAll(file, "\n", " ") {
			t.Errorf("got %v", p)
		}
	}, setup{config: func(c *PrinterConfig) { c.Name = name }})
}

// TestHappeningsAreBounded: the last are remembered, in order.
func TestHappeningsAreBounded(t *testing.T) {
	t.Parallel()
	var h happenings
	for i := range 3*maxHappenings + 7 {
		h.add(happening{Text: strconv.Itoa(i)})
	}
	list, last := h.since(0)
	if len(list) != maxHappenings || list[0].Text != strconv.Itoa(2*maxHappenings+7) || list[maxHappenings-1].Number != last {
		t.Errorf("%d are remembered, from %+v to %+v", len(list), list[0], list[len(list)-1])
	}
	h.add(happening{Text: "more"})
	if list, _ := h.since(last); len(list) != 1 || list[0].Text != "more" {
		t.Errorf("since the last: %+v", list)
	}
}

// TestHappeningsInWords: what people read of what is published.
func TestHappeningsInWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ typ, detail, want string }{
		{"session_up", "", "good: Connected to OctoPrint"},
		{"session_lost", "No answer.", "bad: Lost OctoPrint: No answer."},
		{"printer_added", "", ": Printer added"},
		{"command", "pause: ok", ": Command pause: ok"},
		{"config_rejected", "line 3", "bad: The changed configuration is not used: line 3"},
		{"enroll", "waiting: open http://left.test/plugin/appkeys/auth/TOKEN", ": Application key: waiting for a click on Allow in OctoPrint"},
		{"enroll", "granted: to anna", "good: Application key granted: to anna"},
		{"enroll", "failed: denied", "bad: Application key failed: denied"},
	} {
		h := lifecycleHappening(tt.typ, "left", tt.detail, time.Now())
		if got := string(h.Tone) + ": " + h.Text; got != tt.want || h.Printer != "left" {
			t.Errorf("%s %q: %s", tt.typ, tt.detail, got)
		}
	}
	for _, tt := range []struct {
		event event
		want  string
	}{
		{event{Type: EventPrintFinished, File: "a.gcode"}, "good: Print finished: a.gcode"},
		{event{Type: EventPrintFailed, File: "a.gcode", Reason: "error", Error: "Heating failed"}, "bad: Print failed: a.gcode (Heating failed)"},
		{event{Type: EventPrintFailed, File: "a.gcode", Reason: "lost"}, "bad: Print failed: a.gcode (lost)"},
		{event{Type: EventPrinterDisconnected}, ": Printer disconnected"},
	} {
		if h := eventHappening(tt.event); string(h.Tone)+": "+h.Text != tt.want {
			t.Errorf("%+v: %s: %s", tt.event, h.Tone, h.Text)
		}
	}
}
