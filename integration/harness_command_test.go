package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing/synctest"
	"time"
)

// reply is a response as it was sent.
type reply struct {
	Transaction json.RawMessage `json:"transaction"`
	Status      string          `json:"status"`
	Error       *refusal        `json:"error"`
	Data        json.RawMessage `json:"data"`

	at time.Time
}

// code is the code of the refusal, ok without one.
func (r reply) code() Code {
	if r.Error == nil {
		return "ok"
	}
	return r.Error.Code
}

// request publishes a request for an action and waits for the answer.
func (w *world) request(device, action, payload string) reply {
	w.t.Helper()
	return w.command(w.topics.Request(device, action), w.topics.Response(device, action), payload)
}

// set publishes a command for a row and waits for the answer.
func (w *world) set(device, key, payload string) reply {
	w.t.Helper()
	return w.command(w.topics.Set(device, key), w.topics.Response(device, key), payload)
}

// post publishes a request and waits for nothing.
func (w *world) post(device, action, payload string) {
	w.broker.publish(w.topics.Request(device, action), payload, false)
}

func (w *world) command(topic, response, payload string) reply {
	w.t.Helper()
	before := w.broker.seen()
	w.broker.publish(topic, payload, false)
	return w.await(before, response, 30*time.Second)
}

// await returns the first response since a message on a topic.
func (w *world) await(since int, topic string, limit time.Duration) reply {
	w.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		synctest.Wait()
		if list := w.replies(since, topic); len(list) > 0 {
			return list[0]
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("no answer on %s within %v\nlog:\n%s", topic, limit, w.logs)
		}
		w.sleep(10 * time.Millisecond)
	}
}

// replies returns all responses on a topic since a message.
func (w *world) replies(since int, topic string) []reply {
	w.t.Helper()
	var list []reply
	for _, m := range w.broker.since(since, topic) {
		if m.topic != topic {
			continue
		}
		r := reply{at: m.at}
		if err := json.Unmarshal([]byte(m.payload), &r); err != nil {
			w.t.Fatalf("%s: %v in %q", topic, err, m.payload)
		}
		if m.retain {
			w.t.Errorf("the response on %s is retained", topic)
		}
		list = append(list, r)
	}
	return list
}

// events returns a printer's events since a message.
func (w *world) events(since int, printer string) []event {
	w.t.Helper()
	var list []event
	for _, m := range w.broker.since(since, w.topics.Event(printer)) {
		var e event
		if err := json.Unmarshal([]byte(m.payload), &e); err != nil {
			w.t.Fatalf("%s: %v in %q", m.topic, err, m.payload)
		}
		if m.retain {
			w.t.Errorf("the event on %s is retained", m.topic)
		}
		list = append(list, e)
	}
	return list
}

// eventTypesOf returns just the types.
func eventTypesOf(events []event) string {
	var list []string
	for _, e := range events {
		list = append(list, string(e.Type))
	}
	return strings.Join(list, " ")
}

// sentTo returns the requests that changed something on a printer's server since
// the n-th, as "POST /api/job {…}".
func (s *sim) sentTo(since int) []string {
	var list []string
	for _, r := range s.Requests()[since:] {
		if r.Method != http.MethodGet && r.Path != "/api/login" {
			list = append(list, fmt.Sprintf("%s %s %s", r.Method, r.Path, r.Body))
		}
	}
	return list
}

// dials returns how many push connections there have been.
func (s *sim) dials() int {
	n := 0
	for _, r := range s.Requests() {
		if r.Path == "/sockjs/websocket" {
			n++
		}
	}
	return n
}
