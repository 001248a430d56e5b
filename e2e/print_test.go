//go:build e2e

package e2e

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestPrintFromUploadToEnd(t *testing.T) {
	f := left(t)
	f.expect("left/state", "idle")
	mark, begin := f.broker.mark(), time.Now()
	const name = "whole print.gcode" // OctoPrint stores it without the space, but shows it like this
	const lasts = 70 * time.Second
	f.octo["left"].printFile(t, name, slowPrint(int(lasts.Seconds())))

	f.waitEvent(mark, "left", "print_started")
	f.expect("left/printing", "ON")
	f.expect("left/file", name)
	f.expect("farm/printing", "1")
	f.expectThat("left/started", "the time of the start", func(text string) bool {
		started, err := time.Parse(time.RFC3339, text)
		return err == nil && started.Sub(begin).Abs() < soon
	})
	f.expectWithin(patient, "left/finish", "a time to come", func(text string) bool {
		finish, err := time.Parse(time.RFC3339, text)
		return err == nil && finish.After(begin) && finish.Before(begin.Add(time.Hour))
	})
	f.ha.waitState(t, entityID("binary_sensor", "left", "printing"), "on")

	f.waitEventWithin(lasts+patient, mark, "left", "print_finished")
	f.expect("left/state", "idle")
	f.expect("left/printing", "OFF")
	took := time.Since(begin)
	f.settle()

	if got, want := typesOf(f.events(mark, "left/event")), []string{"print_started", "print_finished"}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	for _, e := range f.events(mark, "left/event") {
		if e.File != name || e.Printer != "left" || e.ID == "" || e.Late {
			t.Errorf("event %+v, want file %s, printer left, an id, not late", e, name)
		}
	}
	checkProgress(t, f.history(mark, "left/progress"))
	for _, row := range []string{"progress", "elapsed", "remaining", "started", "finish"} {
		f.expect("left/"+row, "None")
	}
	f.expect("left/last_result", "success")
	f.expect("left/last_file", name)
	f.expectThat("left/last_duration", "the minutes that it took", func(text string) bool {
		minutes, err := strconv.ParseFloat(text, 64)
		return err == nil && minutes >= took.Minutes()-2 && minutes <= took.Minutes()+1
	})
	f.expectThat("left/last_ended", "just now", func(text string) bool {
		ended, err := time.Parse(time.RFC3339, text)
		return err == nil && time.Since(ended).Abs() < patient
	})
	f.ha.waitFor(t, entityID("event", "left", "event"), "tells the end", func(s entityState) bool {
		return s.Attributes["event_type"] == "print_finished" && s.Attributes["file"] == name
	})
	f.compareWithHomeAssistant()
}

// checkProgress wants it to rise to 100 in more than one step and to end as
// unknown.
func checkProgress(t *testing.T, values []string) {
	t.Helper()
	last, steps := -1.0, 0
	for i, text := range values {
		number, err := strconv.ParseFloat(text, 64)
		switch {
		case text == "None" && (i == 0 || i == len(values)-1):
		case err != nil || number < last || number > 100:
			t.Errorf("progress %q does not rise", values)
			return
		default:
			last = number
			steps++
		}
	}
	if steps < 3 || last != 100 || values[len(values)-1] != "None" {
		t.Errorf("progress %q, want several steps up to 100, then None", values)
	}
}

func TestPauseResumeAndCancelInHomeAssistant(t *testing.T) {
	f := left(t)
	mark := f.broker.mark()
	path := f.startPrint("left", "stop-and-go.gcode", 120)

	f.ha.press(t, entityID("button", "left", "pause"))
	f.octo["left"].waitState(t, "Paused")
	f.expect("left/state", "paused")
	f.expect("left/printing", "ON")
	f.expect("left/finish", "None")
	f.expect("left/remaining", "None")
	f.expect("farm/paused", "1")
	f.ha.waitState(t, entityID("sensor", "left", "state"), "paused")

	f.ha.press(t, entityID("button", "left", "resume"))
	f.octo["left"].waitState(t, "Printing")
	f.expect("left/state", "printing")

	f.ha.press(t, entityID("button", "left", "cancel"))
	f.octo["left"].waitState(t, "Operational")
	f.expect("left/state", "idle")
	f.expect("left/last_result", "cancelled")
	f.expect("left/last_file", path)
	f.settle()
	want := []string{"print_started", "print_paused", "print_resumed", "print_cancelled"}
	if got := typesOf(f.events(mark, "left/event")); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if got := typesOf(f.events(mark, "farm/event")); !slices.Equal(got, want) {
		t.Errorf("events of the farm %v, want %v", got, want)
	}
}

func TestStartPrintsTheSelectedFileAgain(t *testing.T) {
	f := left(t)
	path := f.octo["left"].upload(t, "again.gcode", slowPrint(60), map[string]string{"select": "true"})
	f.expect("left/file", path)
	f.expect("left/printing", "OFF")
	mark := f.broker.mark()
	f.ha.press(t, entityID("button", "left", "start"))
	f.octo["left"].waitState(t, "Printing")
	f.waitEvent(mark, "left", "print_started")
	f.request("left", "cancel", "{}").mustSucceed(t)
	f.waitEvent(mark, "left", "print_cancelled")
}

func TestPrintThatRanBeforeTheBridgeIsShown(t *testing.T) {
	var path string
	f := newFarm(t, func(f *farm) {
		path = f.octo["left"].printFile(t, "earlier.gcode", slowPrint(120))
		f.octo["left"].waitState(t, "Printing")
	}, "left")
	f.waitOnline("left")
	f.expect("left/state", "printing")
	f.expect("left/file", path)
	f.expectThat("left/started", "a time", func(text string) bool {
		started, err := time.Parse(time.RFC3339, text)
		return err == nil && time.Since(started) < 2*patient
	})
	f.settle()
	if events := typesOf(f.events(f.start, "left/event")); slices.Contains(events, "print_started") {
		t.Errorf("events %v tell a start that nobody saw", events)
	}
}
