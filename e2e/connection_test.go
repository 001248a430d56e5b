//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

func TestDisconnectAndConnectInHomeAssistant(t *testing.T) {
	f := left(t)
	mark := f.broker.mark()
	f.ha.press(t, entityID("button", "left", "disconnect"))
	f.octo["left"].waitState(t, "Closed")
	f.expectOffline()
	f.ha.waitState(t, entityID("sensor", "left", "state"), "offline")
	f.ha.waitState(t, entityID("binary_sensor", "left", "connected"), "off")

	f.ha.press(t, entityID("button", "left", "connect"))
	f.octo["left"].waitState(t, "Operational")
	f.expect("left/state", "idle")
	f.expect("left/connected", "ON")
	f.settle()
	want := []string{"printer_disconnected", "printer_connected"}
	if got := typesOf(f.events(mark, "left/event")); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

// expectOffline wants a printer that is off: known to be off, not unavailable,
// and without any value that would be stale.
func (f *farm) expectOffline() {
	f.t.Helper()
	f.expect("left/state", "offline")
	f.expect("left/connected", "OFF")
	f.expect("left/printing", "OFF")
	f.expect("left/problem", "OFF")
	f.expect("left/availability", "online")
	for _, row := range []string{"tool0_temperature", "tool0_target", "tool0_setpoint", "bed_temperature", "progress", "file", "error"} {
		f.expect("left/"+row, "None")
	}
	f.expect("farm/offline", "1")
}

func TestPrinterDisconnectedAndConnectedInOctoPrint(t *testing.T) {
	f := left(t)
	mark := f.broker.mark()
	f.octo["left"].disconnect(t)
	f.expectOffline()
	f.octo["left"].connect(t)
	f.expect("left/state", "idle")
	f.expectThat("left/tool0_temperature", "a number", func(text string) bool { return text != "None" })
	f.settle()
	want := []string{"printer_disconnected", "printer_connected"}
	if got := typesOf(f.events(mark, "left/event")); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestPrinterThatIsOffFromTheStartIsOfflineNotUnavailable(t *testing.T) {
	f := newFarm(t, func(f *farm) {
		f.octo["left"].disconnect(t)
		f.octo["left"].waitState(t, "Closed")
	}, "left")
	f.waitOnline("left")
	f.expectOffline()
	f.compareWithHomeAssistant()
	if attention := f.value("farm/attention"); attention != "OFF" {
		t.Errorf("farm/attention is %s: a printer that is switched off needs nobody", attention)
	}
}

func TestFirmwareErrorDuringAPrint(t *testing.T) {
	f := left(t)
	path := f.startPrint("left", "doomed.gcode", 120)
	mark := f.broker.mark()
	f.octo["left"].gcode(t, "!!DEBUG:trigger_fatal_error_marlin")

	f.expect("left/state", "error")
	f.expect("left/problem", "ON")
	f.expectThat("left/error", "the reason", func(text string) bool { return text != "None" && text != "" })
	f.expect("left/printing", "OFF")
	f.expect("left/last_result", "failed")
	f.expect("left/last_file", path)
	f.expect("farm/error", "1")
	f.expect("farm/attention", "ON")
	f.ha.waitState(t, entityID("binary_sensor", "left", "problem"), "on")
	f.settle()
	f.wantOnce(mark, "left/event", "printer_error", "print_failed", "printer_disconnected")
	if failed := f.waitEvent(mark, "left", "print_failed"); failed.Reason != "error" || failed.File != path {
		t.Errorf("event %+v, want reason error, file %s", failed, path)
	}

	mark = f.broker.mark()
	f.ha.press(t, entityID("button", "left", "connect"))
	f.expect("left/state", "idle")
	f.expect("left/problem", "OFF")
	f.expect("left/error", "None")
	f.expect("farm/attention", "OFF")
	f.settle()
	f.wantOnce(mark, "left/event", "printer_connected")
}

// wantOnce wants exactly these kinds of events since a mark, in any order.
func (f *farm) wantOnce(mark int, topic string, kinds ...string) {
	f.t.Helper()
	got := typesOf(f.events(mark, topic))
	slices.Sort(got)
	slices.Sort(kinds)
	if !slices.Equal(got, kinds) {
		f.t.Errorf("events on %s: %s, want %s", topic, strings.Join(got, " "), strings.Join(kinds, " "))
	}
}

func TestEmergencyStopInHomeAssistant(t *testing.T) {
	f := left(t)
	f.startPrint("left", "stopped.gcode", 120)
	mark, sent := f.broker.mark(), len(f.octo["left"].serialSent(t))
	f.ha.press(t, entityID("button", "left", "emergency_stop"))
	f.octo["left"].waitState(t, "Closed")
	if commands := f.octo["left"].serialSent(t)[sent:]; !slices.ContainsFunc(commands, func(c string) bool { return strings.Contains(c, "M112") }) {
		t.Errorf("the printer got no M112, but %q", commands)
	}
	f.expect("left/state", "error")
	f.expect("left/last_result", "failed")
	f.waitEvent(mark, "left", "print_failed")
	f.settle()
	if got := typesOf(f.events(mark, "left/event")); count(got, "print_failed") != 1 || count(got, "print_cancelled") != 0 {
		t.Errorf("events %v, want one print_failed", got)
	}
}

func count(list []string, wanted string) int {
	number := 0
	for _, item := range list {
		if item == wanted {
			number++
		}
	}
	return number
}
