package integration

import (
	"context"
	"encoding/json"
	"time"

	"octoprint2mqtt/discovery"
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
	// answer is called once, with nil when OctoPrint has accepted the command.
	answer func(*refusal)

	missed *job // instead of all else: a job whose result is to be asked for
}

// requested takes a request for one of the printer's actions.
func (p *printer) requested(name string, r request, at time.Time, answer func(*refusal)) {
	for _, a := range printerActions() {
		if a.name == name && !a.rowOnly {
			p.accept(&command{action: a, parameters: r.parameters, at: at, answer: answer}, r.transaction)
			return
		}
	}
	answer(refuse(CodeNoAction, "a printer has no action %s", quote(name)))
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
		for _, a := range printerActions() {
			if a.name == r.action {
				p.accept(&command{action: a, parameters: parameters, at: at, answer: answer}, nil)
			}
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
	p.mu.Unlock()
	if refused != nil {
		c.answer(refused)
		return
	}
	if ready.urgent && p.bridge.hurry(func(ctx context.Context) { p.send(ctx, c, ready) }) {
		return
	}
	select {
	case p.queue <- c:
	default:
		c.answer(refuse(CodeTimeout, "too many commands are waiting for this printer"))
	}
}

// admitLocked refuses what no waiting would make right.
func (p *printer) admitLocked(c *command, transaction json.RawMessage) (call, *refusal) {
	if r := c.action.allows(&p.view); r != nil {
		return call{}, r
	}
	ready, r := c.action.prepare(c.parameters, &p.view)
	if r != nil {
		return call{}, r
	}
	if p.config.Disabled {
		return call{}, refuse(CodeUnreachable, "this printer is disabled in the configuration")
	}
	return ready, p.recent.admit(c, transaction)
}

// work carries out queued commands, one at a time and in order, until ctx ends.
func (p *printer) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-p.queue:
			if c.missed != nil {
				p.resolve(ctx, c.missed)
				continue
			}
			p.carryOut(ctx, c)
		}
	}
}

// carryOut sends a queued command if it is still right to do so.
func (p *printer) carryOut(ctx context.Context, c *command) {
	if time.Since(c.at) > expiry {
		c.answer(refuse(CodeExpired, "it waited for more than %v", expiry))
		return
	}
	p.mu.Lock()
	ready, r := p.readyLocked(c)
	p.mu.Unlock()
	if r != nil {
		c.answer(r)
		return
	}
	p.send(ctx, c, ready)
}

// readyLocked checks the command against the printer's state of this moment.
func (p *printer) readyLocked(c *command) (call, *refusal) {
	ready, r := c.action.prepare(c.parameters, &p.view)
	switch {
	case r != nil || ready.urgent:
		return ready, r
	case !p.session:
		return call{}, refuse(CodeUnreachable, "the printer's state is not known: there is no connection to OctoPrint")
	}
	return ready, c.action.fits(&p.view)
}

func (p *printer) send(ctx context.Context, c *command, ready call) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	c.answer(refusalOf(ready.send(ctx, p.client)))
}

// recent remembers commands, so that one that is delivered or pressed twice is
// carried out once.
type recent struct {
	transactions map[string]time.Time
	commands     map[string]time.Time
}

const (
	transactionMemory = time.Minute
	maxRemembered     = 4096
)

// admit refuses a command that came a moment ago, and remembers it.
func (r *recent) admit(c *command, transaction json.RawMessage) *refusal {
	if t := string(transaction); t != "" && t != "null" {
		if at, ok := r.transactions[t]; ok && c.at.Sub(at) < transactionMemory {
			return refuse(CodeDuplicate, "a command with this transaction came less than a minute ago")
		}
		remember(&r.transactions, t, c.at)
	}
	if c.action.distinct == 0 {
		return nil
	}
	key := c.action.name + " " + string(c.parameters)
	if at, ok := r.commands[key]; ok && c.at.Sub(at) < c.action.distinct {
		return refuse(CodeDuplicate, "the same command came less than %v ago", c.action.distinct)
	}
	remember(&r.commands, key, c.at)
	return nil
}

func remember(m *map[string]time.Time, key string, at time.Time) {
	if *m == nil {
		*m = make(map[string]time.Time)
	}
	if len(*m) >= maxRemembered {
		clear(*m) // somebody floods us: better to forget than to grow
	}
	(*m)[key] = at
}

// forget drops what is too old to matter.
func (r *recent) forget(now time.Time) {
	for key, at := range r.transactions {
		if now.Sub(at) > transactionMemory {
			delete(r.transactions, key)
		}
	}
	for key, at := range r.commands {
		if now.Sub(at) > transactionMemory {
			delete(r.commands, key)
		}
	}
}

// route takes a message from a command topic.
func (b *Bridge) route(c discovery.Command, d delivery) {
	respond := b.responder(c.Device, c.Name)
	switch {
	case d.retained:
		respond(nil, refuse(CodeRetained, "the message is retained: nobody sent it just now. Publish commands without the retain flag, and clear this topic"), nil)
		return
	case len(d.payload) > maxPayload:
		respond(nil, refuse(CodeTooLarge, "the payload has %d bytes, more than %d", len(d.payload), maxPayload), nil)
		return
	case len(d.payload) == 0:
		respond(nil, refuse(CodeInvalid, "the payload is empty"), nil)
		return
	}
	if c.Kind == discovery.SetCommand {
		b.routeSet(c, d, func(r *refusal) { respond(nil, r, nil) })
		return
	}
	q, r := parseRequest(d.payload)
	if r != nil {
		respond(nil, r, nil)
		return
	}
	b.routeRequest(c, d, q, func(r *refusal, data any) { respond(q.transaction, r, data) })
}

func (b *Bridge) routeSet(c discovery.Command, d delivery, answer func(*refusal)) {
	switch p := b.printers[c.Device]; {
	case p != nil:
		p.set(c.Name, string(d.payload), d.at, answer)
	case c.Device == discovery.Farm:
		b.farm.set(c.Name, string(d.payload), d.at, answer)
	case c.Device == discovery.Bridge:
		answer(refuse(CodeNoAction, "the bridge has no row %s that takes commands", quote(c.Name)))
	default:
		answer(noPrinter(c.Device))
	}
}

func (b *Bridge) routeRequest(c discovery.Command, d delivery, q request, answer func(*refusal, any)) {
	switch p := b.printers[c.Device]; {
	case p != nil:
		p.requested(c.Name, q, d.at, func(r *refusal) { answer(r, nil) })
	case c.Device == discovery.Farm:
		b.farm.requested(c.Name, q, d.at, answer)
	case c.Device == discovery.Bridge:
		b.requested(c.Name, q, answer)
	default:
		answer(noPrinter(c.Device), nil)
	}
}

func noPrinter(id string) *refusal {
	return refuse(CodeNoPrinter, "no printer has the id %s", quote(id))
}

// response is the answer to a command.
type response struct {
	Transaction json.RawMessage `json:"transaction"`
	Status      string          `json:"status"`
	Error       *refusal        `json:"error"`
	Data        any             `json:"data"`
}

// The states of a response.
const (
	statusOK    = "ok"
	statusError = "error"
)

// responder answers one command: on its response topic, in the log and in the
// counters.
func (b *Bridge) responder(device, name string) func(transaction json.RawMessage, r *refusal, data any) {
	return func(transaction json.RawMessage, r *refusal, data any) {
		if len(transaction) == 0 {
			transaction = json.RawMessage("null")
		}
		answer := response{Transaction: transaction, Status: statusOK, Error: r, Data: data}
		outcome := statusOK
		if r != nil {
			answer.Status, outcome = statusError, string(r.Code)
			b.countRefusal(device)
			b.commandLog.Warn().Str("device", device).Str("command", name).Str("code", outcome).Msg(r.Message)
		} else {
			b.commandLog.Info().Str("device", device).Str("command", name).Msg("command carried out")
		}
		b.outbox.Answer(b.topics.Response(device, name), mustMarshal(answer))
		b.lifecycle("command", device, name+": "+outcome)
	}
}
