//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// response is the answer to a command.
type response struct {
	Transaction any
	Status      string
	Error       *struct{ Code, Message string }
	Data        json.RawMessage
}

// event is one message on an event topic.
type event struct {
	Type    string `json:"event_type"`
	ID      string `json:"id"`
	Time    string `json:"time"`
	Printer string `json:"printer"`
	Late    bool   `json:"late"`
	File    string `json:"file"`
	Reason  string `json:"reason"`
	Error   string `json:"error"`
}

// command publishes on a topic below the base and returns the next answer on
// the response topic that belongs to it.
func (f *farm) command(topic, answerTopic, payload string, flags ...string) response {
	f.t.Helper()
	mark := f.broker.mark()
	f.broker.publish(f.t, baseTopic+"/"+topic, payload, flags...)
	return f.answerAfter(mark, answerTopic)
}

// answerAfter returns the first answer on a topic below the base after a mark.
// Without one the test fails, but goes on: the others are of interest, too.
func (f *farm) answerAfter(mark int, topic string) response {
	f.t.Helper()
	var text string
	done := f.broker.wait(soon, func() bool {
		m := f.broker.seen(mark, baseTopic+"/"+topic)
		if m != nil {
			text = m.Payload
		}
		return m != nil
	})
	if !done {
		f.t.Errorf("no answer on %s within %v", topic, soon)
		return response{}
	}
	var answer response
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		f.t.Fatalf("%s: %v in %s", topic, err, text)
	}
	return answer
}

// request sends an action's JSON to a printer, "farm" or "bridge".
func (f *farm) request(whom, action, payload string, flags ...string) response {
	f.t.Helper()
	return f.command(whom+"/request/"+action, whom+"/response/"+action, payload, flags...)
}

// set sends a value to a row, as Home Assistant does.
func (f *farm) set(whom, row, payload string, flags ...string) response {
	f.t.Helper()
	return f.command(whom+"/"+row+"/set", whom+"/response/"+row, payload, flags...)
}

func (r response) mustSucceed(t *testing.T) {
	t.Helper()
	if r.Status != "ok" || r.Error != nil {
		t.Fatalf("want success, have status %q, error %+v", r.Status, r.Error)
	}
}

// notFailed tells how a response differs from a failure with one of the codes;
// "" when it doesn't.
func (r response) notFailed(codes ...string) string {
	if r.Status != "error" || r.Error == nil || r.Error.Message == "" {
		return fmt.Sprintf("want a failure %v with a message, have status %q, error %+v", codes, r.Status, r.Error)
	}
	if !slices.Contains(codes, r.Error.Code) {
		return fmt.Sprintf("want error code %v, have %q: %s", codes, r.Error.Code, r.Error.Message)
	}
	return ""
}

func (r response) mustFail(t *testing.T, codes ...string) {
	t.Helper()
	if problem := r.notFailed(codes...); problem != "" {
		t.Error(problem)
	}
}

// later adds the answer that the bridge gives as long as it hasn't got an
// action at all: such a request has to come to nothing in any case.
func later(codes ...string) []string { return append(codes, "unknown_action") }

// settle returns when the bridge has handled what was sent to it before: it
// answers one request after the other.
func (f *farm) settle() {
	f.t.Helper()
	f.request("bridge", "info", "{}")
	f.broker.barrier(f.t)
}

// events returns the core events published on a topic below the base since a mark. What happens to files and
// heaters besides is told, too, and depends on what the virtual printer was doing before.
func (f *farm) events(mark int, topic string) []event {
	f.t.Helper()
	var events []event
	for _, text := range f.history(mark, topic) {
		var e event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			f.t.Fatalf("%s: %v in %s", topic, err, text)
		}
		if slices.Contains(coreEvents(), e.Type) {
			events = append(events, e)
		}
	}
	return events
}

func typesOf(events []event) []string {
	var types []string
	for _, e := range events {
		types = append(types, e.Type)
	}
	return types
}

// waitEvent waits for an event of a printer after a mark. The farm tells it,
// too; what comes after this call is after both.
func (f *farm) waitEvent(mark int, printer, kind string) event {
	f.t.Helper()
	return f.waitEventWithin(patient, mark, printer, kind)
}

// waitEventWithin is waitEvent for what takes its time, as a print does.
func (f *farm) waitEventWithin(limit time.Duration, mark int, printer, kind string) event {
	f.t.Helper()
	var found event
	done := f.broker.wait(limit, func() bool {
		own, ofFarm := f.findEvent(mark, printer, printer, kind), f.findEvent(mark, "farm", printer, kind)
		if own == nil || ofFarm == nil {
			return false
		}
		found = *own
		return true
	})
	if !done {
		f.t.Fatalf("no event %s of %s within %v; there were %v, and the farm's %v", kind, printer, limit,
			typesOf(f.events(mark, printer+"/event")), typesOf(f.events(mark, "farm/event")))
	}
	return found
}

// findEvent returns the first such event of a device after a mark; the
// broker's lock is held.
func (f *farm) findEvent(mark int, device, printer, kind string) *event {
	for _, m := range f.broker.stream[mark:] {
		var e event
		if m.Topic == baseTopic+"/"+device+"/event" && json.Unmarshal([]byte(m.Payload), &e) == nil && e.Type == kind && e.Printer == printer {
			return &e
		}
	}
	return nil
}

// startPrint uploads and prints a file that takes that many seconds, and waits
// until the bridge has told all about the start. It returns the file's path.
func (f *farm) startPrint(printer, name string, seconds int) string {
	f.t.Helper()
	mark := f.broker.mark()
	path := f.octo[printer].printFile(f.t, name, slowPrint(seconds))
	f.waitEvent(mark, printer, "print_started")
	f.expect(printer+"/state", "printing")
	return path
}
