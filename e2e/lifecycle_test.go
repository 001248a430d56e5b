//go:build e2e

package e2e

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStopSaysOfflineWithinFiveSeconds(t *testing.T) {
	f := left(t)
	code, took := f.bridge.stop(t)
	if code != 0 || took > 5*time.Second {
		t.Errorf("exit code %d after %v, want 0 within 5s", code, took)
	}
	f.broker.barrier(t)
	if state := f.value("bridge/state"); state != "offline" {
		t.Errorf("bridge/state is %q after the end", state)
	}
	if availability := f.value("left/availability"); availability != "online" {
		t.Errorf("left/availability is %q: a stop says nothing about OctoPrint", availability)
	}
}

func TestStopDuringAPrintLeavesThePrintAlone(t *testing.T) {
	f := left(t)
	f.startPrint("left", "undisturbed.gcode", 120)
	f.bridge.stop(t)
	f.startBridge()
	f.waitOnline("left")
	f.expect("left/state", "printing")
	if state := f.octo["left"].state(); state != "Printing" {
		t.Errorf("OctoPrint is %s", state)
	}
	f.expectNoChanges()
}

func TestOctoPrintStoppedAndStarted(t *testing.T) {
	f := left(t)
	mark := f.broker.mark()
	port := strconv.Itoa(f.octo["left"].server.Port)
	runServers(t, "octoprint-down", port)
	t.Cleanup(func() { f.octo["left"].up(t) })
	f.expect("left/connection", "unreachable")
	f.expect("left/availability", "offline")
	f.expect("left/state", "None")
	f.expect("left/tool0_temperature", "None")
	f.expect("farm/unreachable", "1")
	f.ha.waitState(t, entityID("sensor", "left", "state"), "unavailable")
	f.ha.waitState(t, entityID("sensor", "left", "connection"), "unreachable")
	f.request("left", "pause", "{}").mustFail(t, "octoprint_unreachable")
	f.octo["left"].up(t)
	f.expectWithin(2*patient, "left/connection", "connected", func(text string) bool { return text == "connected" })
	f.expect("left/state", "idle")
	f.expect("left/availability", "online")
	f.compareWithHomeAssistant()
	f.settle()
	for _, kind := range typesOf(f.events(mark, "left/event")) {
		if strings.HasPrefix(kind, "print_") {
			t.Errorf("event %s without a print", kind)
		}
	}
}
