package octoprinttest_test

import (
	"bufio"
	"embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

//go:embed testdata/*.jsonl
var recorded embed.FS

// record is one line of a recording: an event as it was sent, or the text of the state when that changed.
type record struct {
	Event   string         `json:"event"`
	Payload map[string]any `json:"payload"`
	Text    string         `json:"text"`
	Error   string         `json:"error"`
}

// TestReplay repeats on the simulation what was done to real servers, and compares events, their payloads' keys and
// the order of the states with what those sent.
func TestReplay(t *testing.T) {
	for name, play := range map[string]struct {
		version string
		acts    func(sim *octoprinttest.Server, c *client)
	}{
		"print":          {"1.11.8", playPrint},
		"print-2.0":      {"2.0.0rc7", playPrint},
		"pauses":         {"1.11.8", playPauses},
		"error":          {"1.11.8", playLoss(fatal)},
		"drop":           {"1.11.8", playLoss((*octoprinttest.Server).DropConnection)},
		"emergency-stop": {"1.11.8", playLoss((*octoprinttest.Server).EmergencyStop)},
		"reconnect":      {"1.11.8", playReconnect},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, octoprinttest.Options{Version: play.version}, func(sim *octoprinttest.Server, c *client) {
				t := c.t
				sim.AddFile(octoprinttest.File{Path: "a.gcode", Size: 100_000, PrintTime: 4 * time.Minute, Height: 0.4, M73: true})
				s := c.joined("admin")
				before := len(s.all())
				play.acts(sim, c)
				synctest.Wait()
				compare(t, readRecords(t, name), records(s.all()[before:]))
			})
		})
	}
}

func fatal(sim *octoprinttest.Server) error {
	return sim.FirmwareError("Thermal Runaway, system stopped! Heater_ID: bed - Printer halted. kill() called!")
}

// must is for acts that cannot fail here; the time after it is what the person waited.
func must(t *testing.T, err error, wait time.Duration) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(wait)
}

func playPrint(sim *octoprinttest.Server, c *client) {
	t := c.t
	must(t, sim.Select("a.gcode"), time.Second)
	must(t, sim.Start(), 10*time.Minute)
}

func playPauses(sim *octoprinttest.Server, c *client) {
	t := c.t
	must(t, sim.Print("a.gcode"), 5*time.Second)
	for range 2 {
		must(t, sim.Pause(), 3*time.Second)
		must(t, sim.Resume(), 3*time.Second)
	}
	must(t, sim.Pause(), 3*time.Second)
	c.post("/api/job", "admin", `{"command":"restart"}`, 204)
	time.Sleep(4 * time.Second)
	must(t, sim.Cancel(), 5*time.Second)
}

func playLoss(lose func(*octoprinttest.Server) error) func(*octoprinttest.Server, *client) {
	return func(sim *octoprinttest.Server, c *client) {
		must(c.t, sim.Print("a.gcode"), 3*time.Second)
		must(c.t, lose(sim), 2*time.Second)
	}
}

func playReconnect(sim *octoprinttest.Server, c *client) {
	t := c.t
	must(t, sim.Disconnect(), 2*time.Second)
	must(t, sim.Connect(), 2*time.Second)
}

// incidental are events that depend on the file's contents or on timing.
var incidental = []string{"ZChange", "Dwelling", "Home", "ClientAuthed", "ClientOpened", "UserLoggedIn", "ConnectionsAutorefreshed"}

func records(frames []frame) []record {
	var out []record
	text := "Operational"
	for _, f := range frames {
		switch {
		case f.kind == "event":
			payload, _ := f.at("payload").(map[string]any)
			out = append(out, record{Event: f.event(), Payload: payload})
		case f.kind == "current" && f.at("state", "text") != text:
			text = f.at("state", "text").(string)
			cause, _ := f.at("state", "error").(string)
			out = append(out, record{Text: text, Error: cause})
		}
	}
	return out
}

func readRecords(t *testing.T, name string) []record {
	t.Helper()
	file, err := recorded.Open("testdata/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []record
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// compare holds the events against each other; the texts of sampled states may be missed by either side, so each side's
// must only be in the order of the states that events tell.
func compare(t *testing.T, want, got []record) {
	t.Helper()
	a, b := events(want), events(got)
	for i := range min(len(a), len(b)) {
		if a[i].Event != b[i].Event || a[i].Payload["state_id"] != b[i].Payload["state_id"] {
			t.Fatalf("event %d is %s, was %s\n got %s\nwant %s", i, b[i], a[i], names(b), names(a))
		}
		if had, has := keys(a[i].Payload), keys(b[i].Payload); !slices.Equal(had, has) {
			t.Errorf("%s has %v, had %v", a[i].Event, has, had)
		}
	}
	if len(a) != len(b) {
		t.Errorf("events:\n got %s\nwant %s", names(b), names(a))
	}
	last := func(rs []record) record {
		i := len(rs) - 1
		for i > 0 && rs[i].Text == "" {
			i--
		}
		return rs[i]
	}
	same(t, "last state", last(got).Text, last(want).Text)
	same(t, "last error", last(got).Error, last(want).Error)
}

func events(rs []record) []record {
	return slices.DeleteFunc(slices.Clone(rs), func(r record) bool {
		return r.Event == "" || slices.Contains(incidental, r.Event)
	})
}

func names(rs []record) string {
	var all []string
	for _, r := range rs {
		all = append(all, r.String())
	}
	return strings.Join(all, " ")
}

func (r record) String() string {
	if id, _ := r.Payload["state_id"].(string); id != "" {
		return id
	}
	return r.Event
}

// keys leaves out the reason of a cancellation, which is there or not as two threads race.
func keys(payload map[string]any) []string {
	var all []string
	for k := range payload {
		if raced := k == "reason" && payload[k] == "cancelled"; k != "faq" && !raced {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}
