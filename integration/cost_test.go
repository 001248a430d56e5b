package integration

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// printingState is what a printing printer sends twice a second.
func printingState() octoprint.State {
	n := func(f float64) *float64 { return &f }
	return octoprint.State{
		Phase: octoprint.PhasePrinting, Z: n(12.4),
		Job: octoprint.Job{
			Name: "benchy.gcode", Path: "parts/benchy.gcode", Display: "Benchy ü.gcode", Origin: "local", User: "anna",
			Size: n(2_500_000), Estimated: n(3600), Completion: n(42.5), Elapsed: n(1530), Remaining: n(2070), RemainingOrigin: "estimate",
			Filament: map[string]octoprint.Filament{"tool0": {Length: n(4321.5), Volume: n(10.4)}},
		},
		Heaters: map[string]octoprint.Heater{"tool0": {Actual: n(205.1), Target: n(205)}, "bed": {Actual: n(60), Target: n(60)}},
	}
}

// printingPrinter is a printer that does, with all that is told of it.
func printingPrinter() (*printer, *octoprint.State) {
	return printingPrinterWith(situation{AccessControl, []string{"PRINT", "CONTROL"}, "idle"}, func(string) bool { return true })
}

// printingPrinterWith has only the rows that are wanted.
func printingPrinterWith(s situation, wanted func(key string) bool) (*printer, *octoprint.State) {
	p := printerIn(s)
	p.device.setRows(slices.DeleteFunc(shapedRows(&p.view), func(r printerRow) bool { return !wanted(r.key) }))
	state := printingState()
	p.SessionOpened(p.view.info, &state)
	return p, &state
}

// frameAllocations is how many allocations a message of OctoPrint may cost that
// changes nothing which is worth telling.
const frameAllocations = 3

// TestFrameAllocations: the bridge spends its life on messages that say nothing
// new.
func TestFrameAllocations(t *testing.T) {
	p, state := printingPrinter()
	p.StateChanged(state)
	shown := 0
	for _, s := range p.device.shown {
		if s.ok {
			shown++
		}
	}
	if got := testing.AllocsPerRun(1000, func() { p.StateChanged(state) }); got > frameAllocations {
		t.Errorf("%v allocations, allowed are %d", got, frameAllocations)
	}
	if shown < 30 {
		t.Errorf("only %d rows are shown", shown)
	}
}

// BenchmarkRows compares a printer that has all rows with one that has only the core of
// them, by turns, with messages that change its temperatures and its progress. The
// figure that counts is all/core, which is to stay below 2.
func BenchmarkRows(b *testing.B) {
	core := []string{
		"state", "connection", "connection_detail", "printing", "connected", "problem", "error", "file", "progress", "elapsed", "remaining", "started",
		"finish", "last_result", "last_file", "last_duration", "last_ended", "tool0_temperature", "tool0_target", "tool0_setpoint", "bed_temperature",
		"bed_target", "bed_setpoint", "pause", "resume", "cancel", "start", "connect", "disconnect", "emergency_stop", "home", "event",
	}
	everything := situation{AccessFull, octoprinttest.DefaultPermissions("admins"), "idle"}
	few, state := printingPrinterWith(everything, func(key string) bool { return slices.Contains(core, key) })
	many, _ := printingPrinterWith(everything, func(string) bool { return true })
	if few, many := len(few.device.rows), len(many.device.rows); few != len(core) || many < 60 {
		b.Fatalf("%d and %d rows", few, many)
	}
	other := *state
	other.Heaters = map[string]octoprint.Heater{"tool0": {Actual: new(207.3), Target: new(205.0)}, "bed": {Actual: new(61.2), Target: new(60.0)}}
	other.Job.Completion = new(42.7)
	states := []*octoprint.State{state, &other}
	var spent [2]time.Duration
	for i := 0; b.Loop(); i++ {
		for n, p := range []*printer{few, many} {
			began := time.Now()
			p.StateChanged(states[i%2])
			spent[n] += time.Since(began)
		}
	}
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "all/core")
	b.ReportMetric(float64(len(many.device.rows)), "rows")
}

// BenchmarkUnchangedFrame is the cost of such a message.
func BenchmarkUnchangedFrame(b *testing.B) {
	p, state := printingPrinter()
	b.ReportAllocs()
	for b.Loop() {
		p.StateChanged(state)
	}
}

// bridgeGoroutines counts those that run the project's own code outside of the
// tests and the simulation, or serve it.
func bridgeGoroutines() int {
	buffer := make([]byte, 8<<20)
	n := 0
	for g := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(g, "(*Bridge).Run") || strings.Contains(g, "integration.attend") || strings.Contains(g, "octoprint.(*Client)") || strings.Contains(g, "octoprint.(*Session)") || strings.Contains(g, "integration.(*sessions)") || strings.Contains(g, "http.(*persistConn)") {
			n++
		}
	}
	return n
}

// TestP6GoroutinesAreBounded is a part of promise P6: so many per printer and no more,
// whatever printers and broker do, and none after the stop.
func TestP6GoroutinesAreBounded(t *testing.T) {
	const printers, perPrinter, others = 50, 1, 30
	var setups []setup
	for i := range printers {
		setups = append(setups, setup{id: fmt.Sprintf("p%d", i)})
	}
	inBubble(t, func(w *world) {
		w.up()
		idle := bridgeGoroutines()
		if idle < perPrinter*printers || idle > perPrinter*printers+others {
			t.Errorf("%d goroutines for %d printers", idle, printers)
		}
		for i := range printers {
			id := fmt.Sprint("p", i)
			w.sims[id].HoldRequests(true)
			for range 5 {
				w.post(id, "home", "{}")
			}
			w.broker.publish(w.topics.Set(id, "emergency_stop"), "PRESS", false)
		}
		w.sleep(2 * time.Second)
		// A worker and an emergency stop a printer, and two requests with the connections
		// that they are waiting on.
		if busy := bridgeGoroutines(); busy > (perPrinter+6)*printers+others {
			t.Errorf("%d goroutines under load", busy)
		}
		for _, s := range w.sims {
			s.HoldRequests(false)
			s.DropSockets()
		}
		w.broker.crash()
		w.broker.restart(false)
		w.sleep(8 * time.Second)
		if after := bridgeGoroutines(); after > idle+printers {
			t.Errorf("%d goroutines before, %d afterwards", idle, after)
		}
		w.stop()
		synctest.Wait()
		if left := bridgeGoroutines(); left > 0 {
			t.Errorf("%d goroutines are left after the stop", left)
		}
	}, setups...)
}

// TestP6CommandsAreBounded: a flood of commands is answered or counted as lost, and
// what it leaves behind is bounded.
func TestP6CommandsAreBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sims["left"].HoldRequests(true)
		const flood = 5000 // more than are remembered
		for i := range flood {
			w.post("left", "home", fmt.Sprintf(`{"transaction":%d}`, i))
		}
		w.sleep(5 * time.Second)
		w.bridge.outbox.mu.Lock()
		events, answers := len(w.bridge.outbox.events), len(w.bridge.outbox.answers)
		w.bridge.outbox.mu.Unlock()
		if events > maxEvents || answers > maxAnswers || len(w.bridge.printers()[0].recent.transactions) > maxRemembered {
			t.Errorf("%d events, %d answers", events, answers)
		}
		if lines := len(w.logs.lines("warn", "")); lines > 60 {
			t.Errorf("%d lines in the log", lines)
		}
		w.sims["left"].HoldRequests(false)
		w.sleep(15 * time.Second)
		if r := w.request("left", "home", "{}"); r.code() != "ok" {
			t.Errorf("afterwards: %v", r.Error)
		}
	})
}

// BenchmarkCard is what an open page costs for each printer and second.
func BenchmarkCard(b *testing.B) {
	p, _ := printingPrinter()
	b.ReportAllocs()
	for b.Loop() {
		mustMarshal(p.card())
	}
}
