package integration

import (
	"context"
	"encoding/json"
	"time"

	"octoprint2mqtt/octoprint"
)

const (
	// queueLength is how many commands of one printer may wait. More than a few
	// only happen when something sends them in a loop.
	queueLength = 16
	// expiry is how long a command may wait before it is no longer what somebody
	// wants just now.
	expiry = 10 * time.Second
	// commandTimeout bounds one command to OctoPrint.
	commandTimeout = 10 * time.Second
)

// command is a request for a printer's action, on its way from the broker to
// OctoPrint.
type command struct {
	action     action
	parameters json.RawMessage
	at         time.Time
	// answer is called once, with nil when OctoPrint has accepted the command, and
	// with what it has told.
	answer func(*refusal, any)

	row   string // its key, if the command came to one
	armed bool   // somebody has armed it already

	number uint64 // in the order in which the printer's commands came
}

// requested takes a request for one of the printer's actions.
func (p *printer) requested(name string, r request, at time.Time, answer func(*refusal, any)) {
	a, ok := actionNamed(name)
	if !ok || a.rowOnly {
		answer(refuse(CodeNoAction, "a printer has no action %s", quote(name)), nil)
		return
	}
	p.accept(&command{action: a, parameters: r.parameters, at: at, answer: answer}, r.transaction)
}

// set takes a command for one of the printer's rows.
func (p *printer) set(key, payload string, at time.Time, answer func(*refusal)) {
	p.mu.Lock()
	rows := printerRows(&p.view)
	p.mu.Unlock()
	for _, r := range rows {
		if r.key != key || r.action == "" {
			continue
		}
		parameters, refused := r.parameters(payload)
		if refused != nil {
			answer(refused)
			return
		}
		if a, ok := actionNamed(r.action); ok {
			p.accept(&command{action: a, row: key, parameters: parameters, at: at, answer: func(r *refusal, _ any) { answer(r) }}, nil)
		}
		return
	}
	answer(refuse(CodeNoAction, "this printer has no row %s that takes commands", quote(key)))
}

// accept checks what can be checked at once, and queues the command or, when it
// is urgent, runs it past the queue. It doesn't block.
func (p *printer) accept(c *command, transaction json.RawMessage) {
	p.mu.Lock()
	ready, refused := p.admitLocked(c, transaction)
	switch {
	case refused != nil, ready.urgent:
	case ready.own != nil:
		if refused = p.standsLocked(&c.action); refused == nil {
			p.actLocked(ready)
		}
	case ready.pictures:
		refused = p.snapshotLocked(c)
	default:
		refused = p.enqueueLocked(c)
	}
	p.mu.Unlock()
	switch {
	case refused != nil, ready.own != nil:
		c.answer(refused, nil)
	case ready.urgent:
		p.hurry(c, ready)
	}
}

// standsLocked checks an action that concerns the bridge alone against the
// printer's state, if it depends on it.
func (p *printer) standsLocked(a *action) *refusal {
	switch {
	case len(a.runsIn) == 0:
		return nil
	case !p.session:
		return stateUnknown()
	}
	return a.fits(&p.view)
}

func stateUnknown() *refusal {
	return refuse(CodeUnreachable, "the printer's state is not known: there is no connection to OctoPrint")
}

// actLocked carries out what concerns the bridge alone.
func (p *printer) actLocked(ready call) {
	now, used := time.Now(), p.view.plateUsed
	ready.own(&p.view)
	if used && !p.view.plateUsed {
		p.tellLocked([]event{p.view.prints.event(EventPlateCleared, now)})
	}
	p.device.stale, p.unrecorded = true, true
	p.observeLocked(now)
}

// admitLocked refuses what no waiting would make right.
func (p *printer) admitLocked(c *command, transaction json.RawMessage) (call, *refusal) {
	if p.gone {
		return call{}, noPrinter(p.id)
	}
	if r := c.action.allows(&p.view); r != nil {
		return call{}, r
	}
	ready, r := c.action.prepare(c.parameters, &p.view)
	if r != nil {
		return call{}, r
	}
	if p.view.config.Disabled && ready.own == nil {
		return call{}, refuse(CodeUnreachable, "this printer is disabled in the configuration")
	}
	guarded := p.guarded(c, ready)
	if guarded {
		if r := p.view.arming.check(c.action.name, c.at); r != nil {
			return call{}, r
		}
	}
	p.commands++
	c.number = p.commands
	r = p.recent.admit(c, transaction)
	if r == nil && guarded {
		p.view.arming.used = true
	}
	return ready, r
}

// carryOut sends a queued command if it is still right to do so.
func (p *printer) carryOut(ctx context.Context, c *command) {
	if ctx.Err() != nil {
		c.answer(refuse(CodeUnreachable, "the bridge is letting go of this printer"), nil)
		return
	}
	if time.Since(c.at) > expiry {
		c.answer(refuse(CodeExpired, "it waited for more than %v", expiry), nil)
		return
	}
	p.mu.Lock()
	ready, r := p.readyLocked(c)
	p.mu.Unlock()
	switch {
	case r != nil:
		c.answer(r, nil)
	case ready.renew != nil:
		ready.renew(p)
		c.answer(nil, nil)
	default:
		p.send(ctx, c, ready)
	}
}

// readyLocked checks the command against the printer's state of this moment.
func (p *printer) readyLocked(c *command) (call, *refusal) {
	ready, r := c.action.prepare(c.parameters, &p.view)
	switch {
	case r != nil:
		return ready, r
	case p.urgent.overtook(c, ready):
		return call{}, refuse(CodeExpired, "a later command has made the printer safer")
	case c.at.Before(ready.since):
		return call{}, refuse(CodeWrongState, "what it is about has changed just before it came; look at it and send it again")
	case !p.session:
		return call{}, stateUnknown()
	}
	return ready, c.action.fits(&p.view)
}

func (p *printer) send(ctx context.Context, c *command, ready call) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	p.mu.Lock()
	client, sent := p.client, p.view.now.sent
	p.mu.Unlock()
	data, err := ready.send(ctx, client)
	if ready.after != nil {
		p.sentTo(client, sent.era, ready.after, err == nil)
	}
	p.askAfterCommand(ready.asks)
	c.answer(refusalOf(err), data)
}

// sentTo takes in what a call has made known, unless that is over already: the
// answer may come after a print has begun.
func (p *printer) sentTo(client *octoprint.Client, era uint64, after func(*printerView, bool), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.client != client || !p.view.live() || p.view.now.sent.era != era {
		return
	}
	p.changeLocked(func(v *printerView) { after(v, ok) }, time.Now())
}
