package integration

import (
	"testing"
	"time"
)

// TestMaintenance: a printer that is taken out of the farm's work is not ready and
// wants nobody's attention, whether OctoPrint is there or not, and over restarts.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		w.up()
		expect := func(maintenance, ready, count string) {
			t.Helper()
			w.sleep(2 * time.Second)
			w.expect("left", "maintenance", maintenance)
			w.expect("left", "ready", ready)
			w.expect("farm", "ready", count)
			if got := w.doc(w.topics.Document("left"))["maintenance"]; got != (maintenance == "ON") {
				t.Errorf("the document says %v", got)
			}
		}
		expect("OFF", "ON", "1")
		if r := w.set("left", "maintenance", "ON"); r.code() != "ok" {
			t.Fatalf("%+v", r)
		}
		expect("ON", "OFF", "0")
		w.must(w.sims["left"].FirmwareError("MINTEMP"))
		w.sleep(5 * time.Second)
		w.expect("farm", "attention", "OFF")
		w.expect("left", "problem", "ON")

		w.stop()
		w.sims["left"].line.SetUp(false)
		w.up()
		w.expect("left", "maintenance", "ON")
		w.expect("left", "ready", "None")
		for _, payload := range []string{"", "on", "PRESS", "ON "} {
			if r := w.set("left", "maintenance", payload); r.code() != CodeInvalid {
				t.Errorf("%q: %+v", payload, r)
			}
		}
		if r := w.set("left", "maintenance", "OFF"); r.code() != "ok" {
			t.Errorf("while OctoPrint is away: %+v", r)
		}
		w.expect("left", "maintenance", "OFF")
		if got := w.sims["left"].sentTo(0); len(got) > 0 {
			t.Errorf("sent to OctoPrint: %q", got)
		}
	})
}

// TestMaintenanceNeedsControl.
func TestMaintenanceNeedsControl(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		if r := w.set("left", "maintenance", "ON"); r.code() != CodeAccessDenied {
			t.Errorf("%+v", r)
		}
		if got := w.value("left", "maintenance"); got != "" {
			t.Errorf("it is shown: %q", got)
		}
	}, setup{config: func(c *PrinterConfig) { c.Access = AccessRead }})
}
