package integration

import (
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestPrintingAgainIsANewPrint: OctoPrint keeps the figures of the last print, and
// tells the phase before it tells the start. They are not the new print's.
func TestPrintingAgainIsANewPrint(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				w.print("left")
				w.within(2*time.Minute, "the first print has ended", func() bool { return w.value("left", "last_result") == "success" })
				w.sleep(30 * time.Second)
				before := w.broker.seen()
				w.print("left")
				w.sleep(3 * time.Second)
				if got := eventTypesOf(w.events(before, "left")); got != "print_started" {
					t.Errorf("told %s", got)
				}
				w.expect("left", "last_result", "success")
				for _, m := range w.broker.since(before, w.topics.Value("left", "progress")) {
					if m.payload == "100" {
						t.Error("the new print is shown as done")
					}
				}
				if got := w.value("left", "started"); got == "" || got == "None" {
					t.Errorf("started is %q", got)
				}
			}, setup{options: octoprinttest.Options{Version: version}, prepare: withShortBenchy})
		})
	}
}

// TestErrorOutlivesALongLoss: a session that comes back after the values were
// given up, and a restart of the bridge, still know the reason.
func TestErrorOutlivesALongLoss(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		w.must(w.sims["left"].FirmwareError("MINTEMP triggered"))
		w.sleep(2 * time.Second)
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(10 * time.Second)
		w.expect("left", "error", "None")
		w.sims["left"].line.SetUp(true)
		w.within(time.Minute, "the session is back", func() bool { return w.value("left", "connection") == "connected" })
		w.expect("left", "error", "MINTEMP triggered")
		w.stop()
		w.up()
		w.expect("left", "error", "MINTEMP triggered")
	}, setup{options: octoprinttest.Options{Version: "2.0.0rc7"}})
}

// TestHeatersStayWhileTheirTemperaturesAreOut: a user who may not read profiles
// learns the heaters from temperatures, which come a while after the printer is
// connected.
func TestHeatersStayWhileTheirTemperaturesAreOut(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		if !strings.Contains(w.retained(w.topics.Config("left")), "tool0_temperature") {
			t.Fatal("no nozzle is announced")
		}
		before := w.broker.seen()
		w.must(w.sims["left"].Disconnect())
		w.sleep(5 * time.Second)
		w.must(w.sims["left"].Connect())
		w.sleep(10 * time.Second)
		for _, m := range w.broker.since(before, w.topics.Config("left")) {
			if !strings.Contains(m.payload, `"tool0_temperature":{"`) {
				t.Errorf("announced without the nozzle: %s", m.payload)
			}
		}
		w.expect("left", "tool0_target", "0")
	}, setup{config: func(c *PrinterConfig) { c.APIKey = "statusonly-key" }})
}
