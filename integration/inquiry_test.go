package integration

import (
	"net/http"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// gets counts the requests for a path.
func (s *sim) gets(path string) int {
	n := 0
	for _, r := range s.Requests() {
		if r.Method == http.MethodGet && r.Path == path {
			n++
		}
	}
	return n
}

// presets are the names of those that the bridge knows of a printer.
func (w *world) presets(id string) []string {
	p := w.bridge.printer(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	for _, preset := range p.view.has.Presets {
		names = append(names, preset.Name)
	}
	return names
}

// TestSettingsAreReadWhenTheyChange, and not on a timer.
func TestSettingsAreReadWhenTheyChange(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(10 * time.Minute)
		if n := w.sims["left"].gets("/api/settings"); n != 1 {
			t.Errorf("asked %d times in ten minutes, want once", n)
		}
		for range 5 { // together
			w.sims["left"].SetPresets(octoprinttest.Preset{Name: "PETG", Extruder: 235, Bed: 80})
		}
		w.sleep(4 * time.Second)
		if n := w.sims["left"].gets("/api/settings"); n != 2 {
			t.Errorf("asked %d times, want once more", n)
		}
		if got := w.presets("left"); len(got) != 1 || got[0] != "PETG" {
			t.Errorf("presets %q", got)
		}
		w.sims["left"].DropSockets()
		w.sleep(10 * time.Second)
		if n := w.sims["left"].gets("/api/settings"); n != 3 {
			t.Errorf("asked %d times, want once more for a new session", n)
		}
	})
}

// TestNothingIsAskedThatIsNotPermitted.
func TestNothingIsAskedThatIsNotPermitted(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sims["left"].SetPermissions("operator", "STATUS")
		w.sleep(10 * time.Second)
		n := w.sims["left"].gets("/api/settings")
		w.sims["left"].SetPresets(octoprinttest.Preset{Name: "PETG"})
		w.sleep(10 * time.Second)
		if more := w.sims["left"].gets("/api/settings"); more != n {
			t.Errorf("asked %d times without the permission", more-n)
		}
		w.sims["left"].SetPermissions("operator", "STATUS", "SETTINGS_READ")
		w.sleep(10 * time.Second)
		if got := w.presets("left"); len(got) != 1 || got[0] != "PETG" {
			t.Errorf("with the permission again, presets are %q", got)
		}
	})
}

// TestInquiryThatFailsIsMadeAgain, and what was known before stays.
func TestInquiryThatFailsIsMadeAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(10 * time.Second)
		w.sims["left"].HoldRequests(true)
		w.sims["left"].SetPresets(octoprinttest.Preset{Name: "PETG"})
		w.sleep(20 * time.Second)
		if got := w.presets("left"); len(got) != 2 {
			t.Errorf("while there is no answer, presets are %q", got)
		}
		w.sims["left"].HoldRequests(false)
		w.sleep(askRetry + 10*time.Second)
		if got := w.presets("left"); len(got) != 1 || got[0] != "PETG" {
			t.Errorf("presets %q", got)
		}
	})
}

// TestInventorySurvivesARestart, also if OctoPrint is off then.
func TestInventorySurvivesARestart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.config.StateDir = t.TempDir()
		w.up()
		w.sleep(5 * time.Second)
		w.stop()
		w.sims["left"].line.SetUp(false)
		w.start()
		w.sleep(5 * time.Second)
		if got := w.presets("left"); len(got) != 2 {
			t.Errorf("presets %q", got)
		}
	})
}
