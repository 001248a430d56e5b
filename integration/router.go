package integration

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	"octoprint2mqtt/discovery"
)

// deliver takes a message from the broker's goroutine, which must not wait.
func (b *Bridge) deliver(d delivery) {
	if d.topic != b.config.MQTT.BirthTopic && b.sweep.takes(&d) {
		return
	}
	select {
	case b.inbound <- d:
	default:
		b.mu.Lock()
		b.lost++
		b.mu.Unlock()
	}
}

// routeAll handles the broker's messages until ctx ends.
func (b *Bridge) routeAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-b.inbound:
			b.handle(d)
		}
	}
}

func (b *Bridge) handle(d delivery) {
	if c, ok := b.topics.ParseCommand(d.topic); ok {
		b.route(c, d)
		return
	}
	if d.topic == b.config.MQTT.BirthTopic {
		if string(d.payload) == online {
			b.mu.Lock()
			b.bornAt = time.Now().Add(rand.N(birthJitter))
			b.mu.Unlock()
		}
		return
	}
	if d.topic == b.topics.BridgeHealth() {
		if err := b.rivals.heard(&d); err != nil {
			b.broker.quit(err)
		}
		return
	}
	if device, ok := b.topics.DeviceOfConfig(d.topic); ok {
		b.discovered(device, d)
	}
}

// route takes a message from a command topic.
func (b *Bridge) route(c discovery.Command, d delivery) {
	respond := b.responder(c.Device, c.Name)
	switch {
	case d.retained:
		respond(nil, refuse(CodeRetained, "the message is retained: nobody sent it just now. Publish commands without the retain flag, and clear this topic"), nil)
		return
	case len(d.payload) > payloadLimit(c):
		respond(nil, refuse(CodeTooLarge, "the payload has %d bytes, more than %d", len(d.payload), payloadLimit(c)), nil)
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

// payloadLimit bounds a command's payload in bytes: uploads bring a file along.
func payloadLimit(c discovery.Command) int {
	if c.Kind == discovery.RequestCommand && c.Name == actionUpload {
		return maxUploadPayload
	}
	return maxPayload
}

func (b *Bridge) routeSet(c discovery.Command, d delivery, answer func(*refusal)) {
	switch p := b.printer(c.Device); {
	case p != nil:
		p.set(c.Name, string(d.payload), d.at, answer)
	case c.Device == discovery.Farm:
		b.farm.set(c.Name, string(d.payload), d.at, answer)
	case c.Device == discovery.Bridge:
		b.set(c.Name, string(d.payload), d.at, answer)
	default:
		answer(noPrinter(c.Device))
	}
}

func (b *Bridge) routeRequest(c discovery.Command, d delivery, q request, answer func(*refusal, any)) {
	switch p := b.printer(c.Device); {
	case p != nil:
		p.requested(c.Name, q, d.at, answer)
	case c.Device == discovery.Farm:
		b.farm.requested(c.Name, q, d.at, answer)
	case c.Device == discovery.Bridge:
		b.requested(c.Name, q, d.at, answer)
	default:
		answer(noPrinter(c.Device), nil)
	}
}

func noPrinter(id string) *refusal {
	return refuse(CodeNoPrinter, "no printer has the id %s", quote(id))
}

// response is the answer to a command.
type response struct {
	Transaction json.RawMessage `json:"transaction" schema:"string number"`
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
