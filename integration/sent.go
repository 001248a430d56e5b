package integration

import "octoprint2mqtt/octoprint"

// lastSent are settings of the printer that OctoPrint doesn't report: what it was told
// last by us, or what a plugin says. They are void once the printer disconnects or
// a print begins, since its file has settings of its own.
type lastSent struct {
	fan, feedRate, flowRate *float64 // %; nil: not known
	tool                    string   // empty: not known
	// era counts how often they have become void, since the bridge started.
	era uint64
}

// voidLocked forgets what was sent.
func (p *printer) voidLocked() {
	p.eras++
	p.view.now.sent = lastSent{era: p.eras}
}

// voids reports whether what was sent is void when one state follows another.
func voids(was, is *octoprint.State) bool {
	return was.Phase.Connected() && !is.Phase.Connected() || !was.Phase.Job() && is.Phase.Job()
}
