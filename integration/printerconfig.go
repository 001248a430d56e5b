package integration

import (
	"time"

	"octoprint2mqtt/octoprint"
)

// configureLocked takes over a configuration. With another connection to make,
// nothing is known of the printer any more but what it was like.
func (p *printer) configureLocked(c *PrinterConfig) {
	same := p.client != nil && sameConnection(p.view.config, c)
	p.view.config = c
	p.view.prints.readyBelow = c.ReadyBelow
	p.view.arming, p.view.now.heat.unattended = arming{}, false
	if same {
		return
	}
	p.client = octoprint.NewClient(octoprint.Options{
		URL: c.URL, APIKey: c.APIKey, User: c.User, TLS: c.TLS, Dial: c.Dial,
		Agent:  "octoprint2mqtt/" + p.bridge.config.Version,
		Events: c.Raw.events(p.bridge.events), Plugins: c.Raw.plugins(p.bridge.messages),
	})
	p.session, p.lost = false, nil
	p.counters.since = time.Now()
	p.view.state, p.view.now = octoprint.State{}, vitals{}
	p.view.connection, p.view.detail = connectionConnecting, ""
	if c.Disabled {
		p.triedOnce.Do(func() { close(p.tried) })
		p.view.connection, p.view.detail = connectionDisabled, "This printer is disabled in the configuration."
	}
}

// start puts everything that is known before the first session into the outbox.
func (p *printer) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recall()
	p.publishLocked(time.Now())
}

// publishLocked announces the printer and publishes all that is known of it.
func (p *printer) publishLocked(now time.Time) {
	p.purged = false
	p.availableLocked()
	p.reshapeLocked()
	p.observeLocked(now)
}

// availableLocked tells whether the bridge can talk to the printer's OctoPrint.
func (p *printer) availableLocked() {
	if p.purged {
		return
	}
	payload := offline
	if p.view.connection == connectionConnected {
		payload = online
	}
	p.bridge.outbox.Put(p.bridge.topics.Availability(p.id), payload, availabilityClass)
}

// reconfigure takes over a changed configuration. If the connection is another
// one, no session may be kept while it runs.
func (p *printer) reconfigure(c *PrinterConfig) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.configureLocked(c)
	now := time.Now()
	p.publishLocked(now)
	if p.session {
		p.askAllLocked(now) // more may be wanted with another access
	}
}

// eraseLocked removes everything from the broker that was published of the
// printer, and publishes nothing of it until publishLocked.
func (p *printer) eraseLocked() {
	p.purged = true
	p.announced.eraseLocked()
	p.device.remove()
	p.arrangeLocked()
	p.bridge.outbox.Remove(p.bridge.topics.Availability(p.id))
}

// remove takes the printer out of everything. Neither its session nor its worker
// may run any more.
func (p *printer) remove() {
	p.mu.Lock()
	p.eraseLocked()
	p.gone = true
	waiting := p.queue
	p.queue = nil
	p.mu.Unlock()
	p.answerSnapshots()
	p.bridge.farm.remove(p.id, time.Now())
	p.bridge.journal.drop(p.recordName())
	for _, c := range waiting {
		c.answer(noPrinter(p.id), nil)
	}
}

func (p *printer) disabled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view.config.Disabled
}
