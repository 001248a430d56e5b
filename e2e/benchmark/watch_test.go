package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestFrames: a prepared frame is what the programs under test take for the sample
// of a printing printer, with the terminal's lines and without.
func TestFrames(t *testing.T) {
	t.Parallel()
	now := time.Now()
	f := newFrames("a.gcode", 1, now.Add(-time.Hour))
	target := f.retarget()
	full, plain := f.next(now, true)
	for lines, frame := range map[int][]byte{terminalLines + 1: full, 0: plain} {
		var in struct {
			Current struct {
				State    struct{ Flags struct{ Printing bool } }
				Progress struct{ Completion float64 }
				Temps    []map[string]any
				Logs     []string
			}
		}
		if err := json.Unmarshal(frame, &in); err != nil {
			t.Fatalf("%v in %s", err, frame)
		}
		c := in.Current
		if !c.State.Flags.Printing || c.Progress.Completion != 50 || len(c.Temps) != 1 || len(c.Logs) != lines {
			t.Errorf("want %d lines in %s", lines, frame)
		}
		if got := string(targetIn(frame)); got != fmt.Sprintf("%.1f", target) {
			t.Errorf("the target is %q, want %v", got, target)
		}
	}
	if !json.Valid([]byte(offlineFrame)) {
		t.Error("the frame of a printer that is off is not JSON")
	}
}

func TestRetarget(t *testing.T) {
	t.Parallel()
	f := newFrames("a.gcode", 1, time.Now())
	var all []float64
	for range 400 {
		all = append(all, f.retarget())
	}
	slices.Sort(all)
	if unique := slices.Compact(all); len(unique) != 400 || unique[0] < 0 || unique[399] > 300 {
		t.Errorf("%d different targets from %v to %v", len(unique), unique[0], unique[len(unique)-1])
	}
}

// TestWatch: what is published is seen, of the bridge and of a floor.
func TestWatch(t *testing.T) {
	t.Parallel()
	at := time.Now()
	for _, raw := range []bool{false, true} {
		w := newWatch(raw, 2)
		say := func(topic, payload string, after time.Duration) { w.receive(topic, []byte(payload), at.Add(after)) }
		publish := func() {
			for i := range 2 {
				say(baseTopic+"/"+printerID(i)+"/availability", "online", 0)
				say(baseTopic+"/"+printerID(i), `{"state":"printing","flags":{"printing":true}}`, 0)
			}
		}
		publish()
		if w.complete() != raw {
			t.Errorf("raw %v: complete is %v before the bridge is online", raw, w.complete())
		}
		say(baseTopic+"/bridge/state", "online", 0)
		say(baseTopic+"/printer-1/event", "{}", 0)
		if !w.complete() {
			t.Errorf("raw %v: not complete: %s", raw, w.state())
		}

		w.forget()
		if w.complete() || w.recovered() {
			t.Errorf("raw %v: something is there after all was forgotten", raw)
		}
		publish()
		if w.recovered() {
			t.Errorf("raw %v: recovered without the bridge's own topic", raw)
		}
		say(baseTopic+"/bridge/state", "online", 0)
		if !w.recovered() {
			t.Errorf("raw %v: not recovered: %s", raw, w.state())
		}

		if !w.expect("printer-0", 206, at) || w.expect("printer-0", 207, at) {
			t.Errorf("raw %v: a second target is awaited before the first was seen", raw)
		}
		for _, target := range []string{"205.9", "206"} {
			say(baseTopic+"/printer-0/tool0_target", target, 3*time.Millisecond)
			say(baseTopic+"/printer-0", `{"temps":[{"time":1,"tool0":{"actual":1.0,"target":`+target+`}}]}`, 3*time.Millisecond)
		}
		if got := w.takeProbes(); w.awaited() != 0 || !slices.Equal(got, []time.Duration{3 * time.Millisecond}) {
			t.Errorf("raw %v: %v, %d are still awaited", raw, got, w.awaited())
		}
	}
}
