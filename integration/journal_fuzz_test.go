package integration

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// toldFacts are what OctoPrint tells of a printer, as the client hands it on.
type toldFacts struct {
	Info  octoprint.Info
	State octoprint.State
	Event octoprint.Event
}

// possible reports whether the client can have handed it on.
func (d *toldFacts) possible() bool {
	for h := range d.State.Heaters {
		if !octoprint.IsHeater(h) || !d.State.Phase.Connected() {
			return false
		}
	}
	if p := d.Info.Profile; p != nil {
		if !slices.IsSorted(p.Heaters) || len(slices.Compact(slices.Clone(p.Heaters))) != len(p.Heaters) || slices.ContainsFunc(p.Heaters, func(h string) bool { return !octoprint.IsHeater(h) }) {
			return false
		}
	}
	return slices.Contains(octoprint.Phases(), d.State.Phase) && utf8.RuneCountInString(d.Info.Version) <= 200
}

// FuzzJournal: whatever a file of the journal holds, and whatever OctoPrint then
// tells, the printer starts, all that is published is valid, and what is kept of it
// is the same after a restart.
func FuzzJournal(f *testing.F) {
	seconds, now := 12.5, time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	running := &recordJob{File: "Benchy", Path: "dir/benchy.gcode", Origin: "local", User: "anna", Started: now, Elapsed: seconds}
	kept := record{
		Version: "1.11.8", User: "anna", Permissions: []string{"CONTROL", "PRINT"}, Known: true, Connected: true, Problem: true, Error: "Thermal Runaway",
		Profile: &recordShape{ID: "_default", Name: "Default", Model: "Generic RepRap Printer", Heaters: []string{"bed", "tool0"}},
		Active:  running, Missed: running,
		Last:   &recordLast{File: "a", Path: "a.gcode", Result: resultFailed, Reason: reasonError, Duration: &seconds, Ended: now},
		Events: []event{{Type: EventPrintStarted, ID: "left-1", Time: now, Printer: "left", File: "Benchy", Progress: &seconds}},
	}
	file := func(old, changed string) []byte {
		text := mustMarshal(entry{Version: journalVersion, Data: json.RawMessage(mustMarshal(kept))})
		return []byte(strings.ReplaceAll(text, old, changed))
	}
	const says = `{"Info":{"Version":"1.11.8","User":"anna","Permissions":["CONTROL","PRINT"],"Profile":{"Model":"M","Heaters":["bed","tool0"]}},
		"State":{"Phase":"printing","Z":0.2,"Job":{"Name":"a.gcode","Path":"a.gcode","Origin":"local","Size":1000,"Completion":12.5,"Elapsed":30,"Remaining":90,
		"RemainingOrigin":"estimate","Filament":{"tool0":{"Length":5000,"Volume":12}}},"Heaters":{"tool0":{"Actual":204.5,"Target":205}}},
		"Event":{"Type":"PrintFailed","Path":"a.gcode","Origin":"local","Reason":"error","Error":"it broke","Progress":12.5}}`
	f.Add(file("", ""), []byte(says))
	f.Add([]byte("{"), []byte(strings.ReplaceAll(says, "printing", "idle")))
	f.Add([]byte("{}"), []byte(strings.NewReplacer("estimate", "somebody", "205", "1e9").Replace(says)))
	f.Add([]byte(`{"version":1,"data":null}`), []byte(strings.ReplaceAll(says, "90", "1e300")))
	for _, c := range [][2]string{
		{`"2026-11-23T20:00:00Z"`, `"0000-01-01T00:00:00+23:00"`},
		{`"2026-11-23T20:00:00Z"`, `"9999-12-31T23:00:00-23:00"`},
		{`"bed"`, `"+/#"`},
		{`["bed","tool0"]`, `["tool0","tool0"]`},
		{`"tool0"`, `"tool99"`},
		{`"print_started"`, `"x"`},
		{`"printer":"left"`, `"printer":"#"`},
		{`"failed"`, `"x"`},
		{`12.5`, `-1e15`},
		{`"Benchy"`, `"` + strings.Repeat("x", 300) + `\n"`},
		{`12.5`, `1e300`},
		{`"1.11.8"`, `"\u0000"`},
		{`"local"`, `"` + strings.Repeat("x", 300) + `\n"`},
	} {
		f.Add(file(c[0], c[1]), []byte(strings.ReplaceAll(says, `"local"`, `"a\u0000b"`)))
	}
	dir := f.TempDir()
	if err := os.Mkdir(filepath.Join(dir, recordFolder), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file, says []byte) {
		var d toldFacts
		if json.Unmarshal(says, &d) != nil || !d.possible() {
			return
		}
		p := printerFrom(t, dir, file)
		p.SessionOpened(d.Info, &d.State)
		checkOutbox(t, p)
		p.EventReceived(d.Event, &d.State)
		p.StateChanged(&d.State)
		checkOutbox(t, p)
		p.failed(errors.New("gone"))
		p.tick(time.Now().Add(time.Minute))
		if missed := p.view.prints.missed; missed != nil {
			p.mu.Lock()
			p.resolvedLocked(missed, outcomeUnknown) // what waits for that is kept until then
			p.mu.Unlock()
		}
		checkOutbox(t, p)
		before := keptOf(p)
		if after := keptOf(printerFrom(t, dir, before)); string(after) != string(before) {
			t.Errorf("kept is\n%s, after a restart\n%s", before, after)
		}
	})
}

// printerFrom returns a printer that has started with a file of the journal, and
// whose first words are valid.
func printerFrom(t *testing.T, dir string, file []byte) *printer {
	t.Helper()
	c := printerConfig("left")
	c.Access = AccessFull
	b := New(Config{
		Version: "1.0.0", StateDir: dir, Farm: FarmConfig{Name: "Print farm"}, Printers: []PrinterConfig{c},
		MQTT: MQTTConfig{URL: mustURL("mqtt://broker.test:1883"), BaseTopic: discovery.DefaultBase, DiscoveryPrefix: discovery.DefaultPrefix},
	}, zerolog.Nop())
	p := b.printer("left")
	if err := os.WriteFile(b.journal.path(p.recordName()), file, 0o600); err != nil {
		t.Fatal(err)
	}
	b.begin(true)
	checkOutbox(t, p)
	return p
}

// keptOf returns what the journal would keep of a printer.
func keptOf(p *printer) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return []byte(mustMarshal(entry{Version: journalVersion, Data: json.RawMessage(mustMarshal(p.recordNowLocked(p.view.prints.active)))}))
}

// checkOutbox sends all that waits and fails unless it is valid.
func checkOutbox(t *testing.T, p *printer) {
	t.Helper()
	d, _ := p.describe()
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
	for m, ok := p.bridge.outbox.Next(onlineClass); ok; m, ok = p.bridge.outbox.Next(onlineClass) {
		m.done()
		allowed := passingTopics
		if m.retained {
			allowed = retainedTopics
		}
		if !allowed.MatchString(m.topic) {
			t.Errorf("a message on %q", m.topic)
		}
		if len(m.payload) > maxPayload {
			t.Errorf("%s has %d bytes", m.topic, len(m.payload))
		}
		switch last := m.topic[strings.LastIndex(m.topic, "/")+1:]; {
		case last == "event" && strings.Contains(m.topic, "/bridge/"):
		case last == "event":
			checkEvent(t, m.payload)
		case strings.HasPrefix(m.payload, "{"):
			if !json.Valid([]byte(m.payload)) {
				t.Errorf("%s: %s", m.topic, m.payload)
			}
		case m.payload != "": // else the row is gone
			checkText(t, m.payload)
			if row, ok := strings.CutPrefix(m.topic, p.bridge.topics.Value(p.view.config.ID, "")); ok {
				checkState(t, row, p.device.components(&p.view)[row], m.payload)
			}
		}
	}
}

// checkState fails unless Home Assistant takes a payload for the state of a
// component.
func checkState(t *testing.T, row string, c discovery.Component, payload string) {
	t.Helper()
	n, notNumber := strconv.ParseFloat(payload, 64)
	_, notTime := time.Parse(time.RFC3339, payload)
	ok := true
	switch {
	case payload == unknownPayload:
	case c.Platform == discovery.BinarySensor:
		ok = payload == "ON" || payload == "OFF"
	case c.Platform == discovery.Number:
		ok = notNumber == nil && n >= *c.Min && n <= *c.Max
	case c.DeviceClass == "enum":
		ok = slices.Contains(c.Options, payload)
	case c.DeviceClass == "timestamp":
		ok = notTime == nil
	case c.Unit != "" || c.StateClass != "":
		ok = notNumber == nil
	}
	if !ok {
		t.Errorf("%s shows %q", row, payload)
	}
}

func checkEvent(t *testing.T, payload string) {
	t.Helper()
	var e event
	if err := json.Unmarshal([]byte(payload), &e); err != nil {
		t.Errorf("%v: %s", err, payload)
	}
	if !slices.Contains(eventTypes(), string(e.Type)) || e.ID == "" || e.Printer != "left" {
		t.Errorf("an event %s", payload)
	}
	for _, text := range []string{e.ID, e.File, e.Path, e.Origin, e.User, e.Reason, e.Error, e.Result} {
		if text != clean(text) {
			t.Errorf("an event with the text %q", text)
		}
	}
}
