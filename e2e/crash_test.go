//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// toldOf returns a printer's events since a mark on a device's topic, without repetitions: one whose acknowledgement was
// lost in a crash comes again, with the same id.
func (f *farm) toldOf(mark int, device, printer string) []event {
	f.t.Helper()
	seen := map[string]bool{}
	return slices.DeleteFunc(f.events(mark, device+"/event"), func(e event) bool {
		again := seen[e.ID]
		seen[e.ID] = true
		return again || e.Printer != printer
	})
}

// waitKept waits until what is to survive a crash of the bridge has come to its folder.
func (f *farm) waitKept(id, text string) {
	f.t.Helper()
	file := filepath.Join(filepath.Dir(f.file), "state", "printers", id+".json")
	eventually(f.t, text+" is kept", soon, func() (bool, string) {
		kept, err := os.ReadFile(file)
		active := strings.Index(string(kept), `"active":{`) // it may stand in lists of files before that
		return active >= 0 && strings.Contains(string(kept[active:]), text), fmt.Sprintf("%s %v", kept, err)
	})
}

// restartBridge starts it again and waits until it shows all printers.
func (f *farm) restartBridge() {
	f.t.Helper()
	f.restartBridgeWithin(patient)
}

func (f *farm) restartBridgeWithin(limit time.Duration) {
	f.t.Helper()
	mark := f.broker.mark()
	f.startBridge()
	if !f.broker.wait(limit, func() bool { return f.broker.told(mark, baseTopic+"/bridge/state", "online") }) {
		f.t.Fatalf("the bridge doesn't come back; its output:\n%s", f.bridge.text())
	}
	f.waitOnline(keysOf(f.octo)...)
}

func TestBridgeKilledInAPrintAndBackBeforeItsEnd(t *testing.T) {
	f := left(t)
	mark := f.broker.mark()
	path := f.startPrint("left", "watched.gcode", 15)
	started := f.value("left/started")
	f.waitKept("left", path)
	f.bridge.kill(t)
	f.restartBridge()
	f.expect("left/state", "printing")
	f.expect("left/started", started)
	f.waitTruth(soon, "left")
	e := f.waitEvent(mark, "left", "print_finished")
	if e.Late || e.File != path {
		t.Errorf("event %+v, want file %s and not late", e, path)
	}
	f.expect("left/last_result", "success")
	f.expect("left/last_file", path)
	f.expectThat("left/last_duration", "a duration", func(text string) bool { return text != "None" })
	f.settle()
	for _, device := range []string{"left", "farm"} {
		if told := typesOf(f.toldOf(mark, device, "left")); !slices.Equal(told, []string{"print_started", "print_finished"}) {
			t.Errorf("events on the topic of %s: %v", device, told)
		}
	}
	f.compareWithHomeAssistant()
}

// TestPrintThatEndedWhileTheBridgeWasAway is told once, late: true, over any number of restarts.
func TestPrintThatEndedWhileTheBridgeWasAway(t *testing.T) {
	f := newFarm(t, nil, printerIDs[:]...)
	f.waitOnline(printerIDs[:]...)
	f.startPrint("middle", "unseen.gcode", 120)
	f.startPrint("right", "unseen.gcode", 120)
	mark := f.broker.mark()
	path := f.startPrint("left", "unseen.gcode", 10)
	for _, id := range printerIDs {
		f.waitKept(id, path)
	}
	f.bridge.kill(t)
	f.octo["left"].waitState(t, "Operational")
	f.octo["middle"].job(t, "cancel")
	f.octo["middle"].waitState(t, "Operational")
	f.octo["right"].gcode(t, "!!DEBUG:trigger_fatal_error_marlin")
	f.octo["right"].waitState(t, "Closed")
	f.restartBridge()
	for id, want := range map[string]event{
		"left":   {Type: "print_finished"},
		"middle": {Type: "print_failed", Reason: "unknown"},
		"right":  {Type: "print_failed", Reason: "unknown"},
	} {
		e := f.waitEvent(mark, id, want.Type)
		if !e.Late || e.File != path || e.Reason != want.Reason {
			t.Errorf("%s: event %+v, want late, file %s, reason %q", id, e, path, want.Reason)
		}
	}
	for id, result := range map[string]string{"left": "success", "middle": "undetermined", "right": "undetermined"} {
		f.expect(id+"/last_result", result)
		f.expect(id+"/last_file", path)
	}
	f.expect("right/state", "error")
	f.ha.waitFor(t, entityID("event", "left", "event"), "tells the end", func(s entityState) bool {
		return s.Attributes["event_type"] == "print_finished" && s.Attributes["late"] == true
	})
	f.bridge.kill(t)
	f.restartBridge()
	f.settle()
	for _, id := range printerIDs {
		for _, device := range []string{id, "farm"} {
			if told := f.endsOf(mark, device, id); len(told) != 1 {
				t.Errorf("%s: on the topic of %s there are the ends %v", id, device, told)
			}
		}
	}
	f.compareWithHomeAssistant()
}

// endsOf returns how a printer's prints have ended since a mark, by a device's topic.
func (f *farm) endsOf(mark int, device, printer string) []string {
	f.t.Helper()
	return slices.DeleteFunc(typesOf(f.toldOf(mark, device, printer)), func(kind string) bool {
		return !slices.Contains([]string{"print_finished", "print_cancelled", "print_failed"}, kind)
	})
}

// TestEventsWhileTheBrokerIsAway are told in order once it is back, each once, also if the bridge has crashed meanwhile.
func TestEventsWhileTheBrokerIsAway(t *testing.T) {
	f := left(t)
	mark, octo := f.broker.mark(), f.octo["left"]
	first := f.startPrint("left", "first.gcode", 4)
	f.brokerLine.drop()
	octo.waitState(t, "Operational")
	second := octo.printFile(t, "second.gcode", slowPrint(15))
	f.waitKept("left", second)
	f.bridge.kill(t)
	f.startBridge()
	f.bridge.waitLog(t, soon, 0, brokerLost)
	f.bridge.waitLog(t, soon, 0, "info left: connected to OctoPrint")
	octo.waitState(t, "Operational")
	f.brokerLine.raise()
	f.expectWithin(patient, "bridge/state", "online", func(text string) bool { return text == "online" }) // attempts are up to half a minute apart
	f.waitOnline("left")
	f.expect("left/last_file", second)
	f.settle()
	for _, device := range []string{"left", "farm"} {
		var told []string
		events := f.toldOf(mark, device, "left")
		for _, e := range events {
			told = append(told, e.Type+" "+e.File)
		}
		want := []string{"print_started " + first, "print_finished " + first, "print_started " + second, "print_finished " + second}
		if !slices.Equal(told, want) {
			t.Errorf("on the topic of %s: events %q, want %q", device, told, want)
		} else if !events[1].Late {
			t.Errorf("on the topic of %s: event %+v, want it late", device, events[1])
		}
	}
	f.waitTruth(soon, "left")
	f.compareWithHomeAssistant()
}

// TestBridgeKilledRightAtTheEndOfPrints kills it at several moments around the end. Whatever it had already done, there
// is one end of each print: a repetition has the same id.
func TestBridgeKilledRightAtTheEndOfPrints(t *testing.T) {
	f := newFarm(t, nil, printerIDs[:]...)
	f.waitOnline(printerIDs[:]...)
	seen := func(topic string) func(f *farm, mark int) {
		return func(f *farm, mark int) {
			if !f.broker.wait(patient, func() bool { return f.findEvent(mark, topic, "left", "print_finished") != nil }) {
				f.t.Fatal("the print doesn't end")
			}
		}
	}
	for _, moment := range []struct {
		name string
		wait func(f *farm, mark int)
	}{
		{"before it has read of the end", func(f *farm, _ int) {
			must(f.t, f.bridge.cmd.Process.Signal(syscall.SIGSTOP))
			for _, id := range printerIDs {
				f.octo[id].waitState(f.t, "Operational")
			}
		}},
		{"when OctoPrint has ended it", func(f *farm, _ int) { f.octo["left"].waitState(f.t, "Operational") }},
		{"when the printer's event is out", seen("left")},
		{"when the farm's event is out", seen("farm")},
	} {
		t.Run(moment.name, func(t *testing.T) {
			part := *f
			part.t = t
			part.killAtTheEnd(moment.wait)
			f.bridge = part.bridge
		})
	}
}

func (f *farm) killAtTheEnd(wait func(f *farm, mark int)) {
	f.t.Helper()
	mark := f.broker.mark()
	var path string
	for _, id := range printerIDs {
		path = f.startPrint(id, "short.gcode", 4)
	}
	wait(f, mark)
	f.bridge.kill(f.t)
	for _, id := range printerIDs {
		f.octo[id].waitState(f.t, "Operational")
	}
	f.restartBridge()
	for _, id := range printerIDs {
		f.waitEvent(mark, id, "print_finished")
		f.expect(id+"/last_result", "success")
		f.expect(id+"/last_file", path)
		f.expect(id+"/state", "idle")
	}
	f.compareWithHomeAssistant()
	f.settle()
	for _, id := range printerIDs {
		for _, device := range []string{id, "farm"} {
			if told := f.endsOf(mark, device, id); len(told) != 1 {
				f.t.Errorf("%s: on the topic of %s there are the ends %v", id, device, told)
			}
		}
	}
}
