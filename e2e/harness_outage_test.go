//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// outage is one way in which neighbours of the bridge are lost and come back, and what the bridge makes of it.
type outage struct {
	name string
	// lose has it begin, and waits until the bridge has noticed, if it is to notice.
	lose func(f *farm)
	// restore ends it.
	restore func(f *farm)
	// log are the beginnings of all lines that the bridge writes meanwhile.
	log []string
	// events are all that are told meanwhile, on the farm's topic, with the printer: "left print_failed".
	events []string
	// may be told as well, or not: it depends on when the bridge looks.
	may []string
	// changed tells that OctoPrint itself isn't the same afterwards.
	changed bool
}

// each runs outages one after the other, each as a test of its own, up to one that fails: what comes after it would only
// fail for its sake.
func (f *farm) each(t *testing.T, outages []outage, printers ...string) {
	t.Helper()
	for _, o := range outages {
		passed := t.Run(o.name, func(t *testing.T) {
			part := *f
			part.t = t
			o.run(&part, printers...)
			if part.bridge != f.bridge {
				f.bridge = part.bridge // it has been restarted
			}
		})
		if !passed {
			return
		}
	}
}

// run carries the outage out on a farm that works, and wants it to work afterwards as if nothing had been. With printers
// named it looks at those only: others may have an outage of their own at the same time.
func (o outage) run(f *farm, printers ...string) {
	f.t.Helper()
	of := printers
	if len(of) == 0 {
		of = keysOf(f.octo)
	}
	f.waitTruth(patient, of...)
	before, mark, logged, bridge := f.picture(printers...), f.broker.mark(), f.bridge.logMark(), f.bridge
	o.lose(f)
	o.restore(f)
	if f.bridge != bridge {
		logged = 0 // it is another process
	}
	f.waitTruth(returned, of...)
	f.compareWithHomeAssistant()
	eventually(f.t, "everything is there as before", soon, func() (bool, string) {
		found := before.differences(f.picture(printers...), !o.changed)
		return len(found) == 0, strings.Join(found, "\n")
	})
	// Home Assistant's return is answered within some seconds, while the next outage may have begun.
	f.bridge.wantLog(f.t, logged, o.log, []string{haStarted}, printers...)
	var told []string
	for _, e := range f.events(mark, "farm/event") {
		if text := e.Printer + " " + e.Type; slices.Contains(of, e.Printer) && !slices.Contains(o.may, text) {
			told = append(told, text)
		}
	}
	if !slices.Equal(told, o.events) {
		f.t.Errorf("events %q, want %q", told, o.events)
	}
}

// expectLost waits until a printer's server is shown as lost in this way, and wants nothing stale to be left standing.
func (f *farm) expectLost(id, connection string) {
	f.t.Helper()
	f.expectWithin(noticed, id+"/connection", connection, func(text string) bool { return text == connection })
	f.expect(id+"/availability", "offline")
	for _, row := range []string{"state", "file", "printing", "connected", "tool0_temperature", "bed_target", "progress"} {
		f.expect(id+"/"+row, "None")
	}
	f.expectThat(id+"/connection_detail", "a sentence", func(text string) bool { return strings.Contains(text, " ") })
	f.ha.waitState(f.t, entityID("sensor", id, "state"), "unavailable")
	f.ha.waitState(f.t, entityID("sensor", id, "connection"), connection)
}
