package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestCategories: every printer is in exactly one, by its phase.
func TestCategories(t *testing.T) {
	t.Parallel()
	want := map[octoprint.Phase]category{
		"": categoryUnreachable, "offline": categoryOffline, "error": categoryError, "pausing": categoryPaused, "paused": categoryPaused,
		"starting": categoryPrinting, "printing": categoryPrinting, "resuming": categoryPrinting, "cancelling": categoryPrinting,
		"finishing": categoryPrinting, "sending": categoryPrinting, "connecting": categoryIdle, "idle": categoryIdle,
	}
	for _, p := range append(octoprint.Phases(), "") {
		c, known := want[p]
		if got := categoryOf(p); !known || got != c {
			t.Errorf("%q is in %d, want %d", p, got, c)
		}
	}
}

// TestFarm counts a farm with a printer in every situation.
func TestFarm(t *testing.T) {
	t.Parallel()
	files := func(minutes int) func(*octoprinttest.Server) {
		return func(s *octoprinttest.Server) {
			s.AddFile(octoprinttest.File{Path: benchy().Path, PrintTime: time.Duration(minutes) * time.Minute})
		}
	}
	inBubble(t, func(w *world) {
		w.sims["gone"].line.SetUp(false)
		w.up()
		for _, id := range []string{"short", "long", "paused"} {
			w.must(w.sims[id].Print(benchy().Path))
		}
		w.sleep(30 * time.Second)
		w.must(w.sims["paused"].FilamentRunout())
		w.must(w.sims["broken"].FirmwareError("MINTEMP triggered"))
		w.must(w.sims["off"].Disconnect())
		w.sleep(10 * time.Second)
		for key, want := range map[string]string{
			"printers": "9", "printing": "2", "paused": "1", "idle": "2", "offline": "1", "error": "1", "unreachable": "2",
			"ready": "1", "attention": "ON",
		} {
			w.expect("farm", key, want)
		}
		if got := w.value("farm", "next_free"); got != w.value("short", "finish") || got == "None" {
			t.Errorf("next free %s, short finishes %s", got, w.value("short", "finish"))
		}
		for key, want := range map[string]string{"error": `{"names":["Broken one"]}`, "unreachable": `{"names":["Gone one","Stranger one"]}`} {
			if got := w.retained(w.topics.Attributes("farm", key)); got != want {
				t.Errorf("farm/%s/attributes is %s, want %s", key, got, want)
			}
		}
		attention := w.doc(w.topics.Attributes("farm", "attention"))
		var who []string
		for id, reason := range attention {
			who = append(who, id)
			if s, ok := reason.(string); !ok || s == "" {
				t.Errorf("%s needs attention because of %v", id, reason)
			}
		}
		slices.Sort(who)
		if got := strings.Join(who, " "); got != "broken paused stranger" {
			t.Errorf("attention for %s", got)
		}
		doc := w.doc(w.topics.Document("farm"))
		for key, want := range map[string]float64{"printers": 9, "printing": 2, "disabled": 1, "unreachable": 2, "ready": 1} {
			if doc[key] != want {
				t.Errorf("the document says %s = %v, want %v", key, doc[key], want)
			}
		}
		if fmt.Sprint(doc["attention"]) != fmt.Sprint(attention) || doc["next_free"] != w.value("farm", "next_free") {
			t.Errorf("the document: %v", doc)
		}
	},
		setup{id: "short", prepare: files(20)}, setup{id: "long", prepare: files(90)}, setup{id: "paused", prepare: files(30)},
		setup{id: "idle"}, setup{id: "hot", prepare: func(s *octoprinttest.Server) {
			_ = s.SetTemperature("bed", 90)
			_ = s.SetTarget("bed", 90)
		}},
		setup{id: "broken"}, setup{id: "off"}, setup{id: "gone"}, setup{id: "stranger", config: func(c *PrinterConfig) { c.APIKey = "wrong" }},
		setup{id: "disabled", config: func(c *PrinterConfig) { c.Disabled = true }})
}

// TestLargeFarm doesn't look at all printers with each change of one, and yet misses
// none.
func TestLargeFarm(t *testing.T) {
	t.Parallel()
	c := Config{MQTT: MQTTConfig{URL: mustURL("mqtt://broker.test:1883"), BaseTopic: "base"}}
	for i := range largeFarm {
		c.Printers = append(c.Printers, printerConfig(fmt.Sprintf("p%d", i)))
	}
	b := New(c, zerolog.Nop())
	b.farm.configure(&c)
	now := time.Now()
	for _, p := range c.Printers {
		b.farm.update(p.ID, summary{name: p.ID, category: categoryIdle}, now)
	}
	b.farm.tick(now)
	printing := func() float64 { return b.farm.device.get("printing").number }
	for i, want := range []float64{0, 0, 0, 4} {
		if i == 3 {
			now = now.Add(farmPause)
		}
		b.farm.update(c.Printers[i].ID, summary{name: c.Printers[i].ID, category: categoryPrinting}, now)
		if printing() != want {
			t.Errorf("after %d changes %v print, want %v", i+1, printing(), want)
		}
	}
	b.farm.update(c.Printers[4].ID, summary{name: c.Printers[4].ID, category: categoryPrinting}, now)
	b.farm.tick(now)
	if printing() != 5 {
		t.Errorf("in the end %v print, want 5", printing())
	}
}

// TestFarmActions: pause_all and resume_all act on all printers that can, at once,
// and say what happened to each.
func TestFarmActions(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.must(w.sims["left"].Print(benchy().Path))
		w.must(w.sims["right"].Print(benchy().Path))
		w.sleep(5 * time.Second)
		results := func(r reply) string {
			var data map[string]printerResult
			if err := json.Unmarshal(r.Data, &data); err != nil {
				t.Errorf("%v in %s", err, r.Data)
			}
			var list []string
			for id, result := range data {
				code := Code("")
				if result.Error != nil {
					code = result.Error.Code
				}
				list = append(list, fmt.Sprintf("%s %s %s", id, result.Status, code))
			}
			slices.Sort(list)
			return strings.Join(list, ", ")
		}
		skipped := "gone skipped octoprint_unreachable, idle skipped wrong_state"
		r := w.request("farm", "pause_all", `{"transaction":"x"}`)
		if got, want := results(r), skipped+", left ok , readonly skipped access_denied, right ok "; got != want || r.Status != "ok" {
			t.Errorf("pause_all: %s\nwant %s, %v", got, want, r.Error)
		}
		w.sleep(3 * time.Second)
		w.expect("left", "state", "paused")
		w.expect("right", "state", "paused")
		w.expect("idle", "state", "idle")
		if r := w.set("farm", "resume_all", "PRESS"); r.code() != "ok" {
			t.Errorf("resume_all: %v", r.Error)
		}
		w.sleep(time.Second)
		w.expect("left", "state", "printing")
		w.expect("right", "state", "printing")

		// One fails although it should not.
		w.sims["right"].SetProxyPage(500, "<html>")
		r = w.request("farm", "pause_all", "{}")
		if r.code() != CodeOctoPrint || !strings.Contains(r.Error.Message, "right") || !strings.Contains(results(r), "left ok ,") {
			t.Errorf("with a failure: %v, %s", r.Error, results(r))
		}
	}, setup{prepare: withBenchy}, setup{id: "right", prepare: withBenchy}, setup{id: "idle"},
		setup{id: "gone", config: func(c *PrinterConfig) { c.Disabled = true }},
		setup{id: "readonly", config: func(c *PrinterConfig) { c.Access = AccessRead }})
}

// TestFarmWithoutControl has no buttons and takes no commands.
func TestFarmWithoutControl(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		for key, c := range w.components("farm") {
			if c["cmd_t"] != nil {
				t.Errorf("%s takes commands", key)
			}
		}
		if r := w.request("farm", "pause_all", "{}"); r.code() != CodeAccessDenied {
			t.Errorf("pause_all: %v", r.Error)
		}
		if r := w.set("farm", "resume_all", "PRESS"); r.code() != CodeAccessDenied {
			t.Errorf("resume_all: %v", r.Error)
		}
	}, setup{config: func(c *PrinterConfig) { c.Access = AccessRead }})
}

// TestFarmPauseAllWithAHangingPrinter answers all the same, and pauses the others
// at once.
func TestFarmPauseAllWithAHangingPrinter(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.must(w.sims["left"].Print(benchy().Path))
		w.must(w.sims["right"].Print(benchy().Path))
		w.sleep(5 * time.Second)
		w.sims["left"].HoldRequests(true)
		before, began := w.broker.seen(), time.Now()
		w.post("farm", "pause_all", "{}")
		w.sleep(2 * time.Second)
		w.expect("right", "state", "paused")
		r := w.await(before, w.topics.Response("farm", "pause_all"), 15*time.Second)
		if r.code() != CodeTimeout || time.Since(began) > 11*time.Second {
			t.Errorf("answer after %v: %v", time.Since(began), r.Error)
		}
		w.sims["left"].HoldRequests(false)
	}, setup{prepare: withBenchy}, setup{id: "right", prepare: withBenchy})
}
