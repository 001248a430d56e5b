package integration

import (
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestLostAfterAnEarlierSuccess: what OctoPrint remembers of the file is an earlier
// print, and says nothing about the one that was lost.
func TestLostAfterAnEarlierSuccess(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s := w.sims["left"]
		w.print("left")
		w.within(2*time.Minute, "the first print has ended", func() bool { return w.value("left", "last_result") == "success" })
		w.sleep(5 * time.Second)
		w.print("left")
		before := w.broker.seen()
		s.line.SetUp(false)
		s.line.Cut()
		s.SetStarting(true)
		w.sleep(10 * time.Second)
		s.SetStarting(false)
		s.line.SetUp(true)
		w.within(time.Minute, "the second print is lost", func() bool { return w.value("left", "last_result") == "failed" })
		lost := 0
		for _, e := range w.events(before, "left") {
			switch {
			case e.Type == EventPrintFailed && e.Reason == "lost" && e.Late:
				lost++
			case e.Result != "":
				t.Errorf("told %+v", e)
			}
		}
		if lost != 1 {
			t.Errorf("told %d times that the print was lost", lost)
		}
	}, setup{prepare: withShortBenchy})
}

// TestErrorOutlivesAShortLoss: OctoPrint 2.0 tells the reason only once, so a new
// session does not know it.
func TestErrorOutlivesAShortLoss(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				w.must(w.sims["left"].FirmwareError("MINTEMP triggered"))
				w.sleep(2 * time.Second)
				w.expect("left", "error", "MINTEMP triggered")
				before := w.broker.seen()
				w.sims["left"].DropSockets()
				w.sleep(5 * time.Second)
				w.expect("left", "error", "MINTEMP triggered")
				w.expect("left", "problem", "ON")
				if events := w.events(before, "left"); len(events) > 0 {
					t.Errorf("told again: %s", eventTypesOf(events))
				}
				w.must(w.sims["left"].Connect())
				w.sleep(2 * time.Second)
				w.expect("left", "error", "None")
				w.expect("left", "problem", "OFF")
			}, setup{options: octoprinttest.Options{Version: version}})
		})
	}
}
