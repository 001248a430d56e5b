package integration

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// drain takes all messages up to a class, without acknowledging them.
func drain(o *outbox, limit class) []message {
	var list []message
	for {
		m, ok := o.Next(limit)
		if !ok {
			return list
		}
		list = append(list, m)
	}
}

func acknowledge(list []message) {
	for _, m := range list {
		m.done()
	}
}

func texts(list []message) string {
	var s []string
	for _, m := range list {
		s = append(s, m.topic+"="+m.payload)
	}
	return strings.Join(s, " ")
}

func wantMessages(t *testing.T, what string, got []message, want string) {
	t.Helper()
	if texts(got) != want {
		t.Errorf("%s: %q, want %q", what, texts(got), want)
	}
}

func TestOutboxCoalesces(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	for i := range 20 {
		o.Put("a", strconv.Itoa(i), valueClass)
		o.Put("b", "same", valueClass)
	}
	list := drain(o, onlineClass)
	wantMessages(t, "twenty changes", list, "a=19 b=same")
	if o.Settled(onlineClass) != true || o.Known("a") {
		t.Error("sent but not acknowledged: settled, and not known")
	}
	acknowledge(list)
	o.Put("a", "19", valueClass)
	wantMessages(t, "no change", drain(o, onlineClass), "")
	if !o.Known("a") || o.Known("c") {
		t.Error("a is known, c is not")
	}
}

func TestOutboxSendsByClass(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	o.Put("online", "1", onlineClass)
	o.Put("availability", "1", availabilityClass)
	o.Put("value 2", "1", valueClass)
	o.Put("discovery 2", "1", discoveryClass)
	o.Put("discovery 1", "1", discoveryClass)
	o.Put("value 1", "1", valueClass)
	o.Answer("answer", "1")
	o.Event("event", func() string { return "1" }, func() {})
	for _, tt := range []struct {
		limit class
		want  string
	}{
		{discoveryClass, "discovery 2=1 discovery 1=1"},
		{valueClass, "event=1 answer=1 value 2=1 value 1=1"},
		{availabilityClass, "availability=1"},
		{onlineClass, "online=1"},
	} {
		if o.Settled(tt.limit) {
			t.Errorf("class %d is settled before", tt.limit)
		}
		list := drain(o, tt.limit)
		wantMessages(t, fmt.Sprint("class ", tt.limit), list, tt.want)
		acknowledge(list)
		if !o.Settled(tt.limit) {
			t.Errorf("class %d is not settled", tt.limit)
		}
	}
}

// TestP2ATopicIsNeverInFlightTwice: the second payload of a topic waits for the
// acknowledgement of the first, or a slow broker could keep the older one.
func TestP2ATopicIsNeverInFlightTwice(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	o.Put("a", "1", valueClass)
	first := drain(o, onlineClass)
	o.Put("a", "2", valueClass)
	o.Put("b", "1", valueClass)
	o.Put("a", "3", valueClass)
	wantMessages(t, "while in flight", drain(o, onlineClass), "b=1")
	<-o.wake
	acknowledge(first)
	select {
	case <-o.wake:
	default:
		t.Error("nobody is told that a can be sent")
	}
	wantMessages(t, "afterwards", drain(o, onlineClass), "a=3")
}

func TestOutboxForgets(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	o.Put("a", "1", valueClass)
	acknowledge(drain(o, onlineClass))
	o.Put("b", "1", valueClass)
	drain(o, onlineClass) // in flight when the connection breaks
	o.Event("event", func() string { return "1" }, func() {})
	o.Event("event", func() string { return "2" }, func() {})
	acknowledge(drain(o, onlineClass)[:1])
	o.Answer("answer", "1")
	o.Forget()
	list := drain(o, onlineClass)
	slices.SortFunc(list, func(a, b message) int { return strings.Compare(a.topic, b.topic) })
	wantMessages(t, "on the next connection", list, "a=1 b=1 event=2")
	for _, m := range list {
		if m.retained != (m.topic != "event") {
			t.Errorf("%s is retained: %v", m.topic, m.retained)
		}
	}
}

// TestOutboxKeepsTheOrderOfDiscovery: bridge, farm and printers are announced in
// this order, since each refers to the one before.
func TestOutboxKeepsTheOrderOfDiscovery(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	var want []string
	for i := range 30 {
		topic := fmt.Sprint("config ", i)
		o.Put(topic, "1", discoveryClass)
		want = append(want, topic+"=1")
	}
	for _, how := range []string{"first", "Forget", "Again"} {
		switch how {
		case "Forget":
			o.Forget()
		case "Again":
			o.Again()
		}
		list := drain(o, onlineClass)
		wantMessages(t, how, list, strings.Join(want, " "))
		acknowledge(list)
	}
}

func TestOutboxRemoves(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	o.Put("a", "1", valueClass)
	acknowledge(drain(o, onlineClass))
	o.Remove("a")
	list := drain(o, onlineClass)
	if len(list) != 1 || list[0].payload != "" || !list[0].retained {
		t.Fatalf("removing sends %+v", list)
	}
	o.Forget() // not acknowledged: once more
	list = drain(o, onlineClass)
	wantMessages(t, "again", list, "a=")
	acknowledge(list)
	o.Again()
	wantMessages(t, "removed", drain(o, onlineClass), "")
	o.Forget() // by a broker that may have come back with what it had long before
	list = drain(o, onlineClass)
	wantMessages(t, "another connection", list, "a=")
	acknowledge(list)

	o.Put("c", "1", discoveryClass)
	acknowledge(drain(o, onlineClass))
	o.Remove("c")
	acknowledge(drain(o, onlineClass))
	o.Forget()
	wantMessages(t, "a device is removed for good", drain(o, onlineClass), "a=")

	o.Remove("b") // from an earlier run
	o.Put("b", "1", valueClass)
	wantMessages(t, "put after removed", drain(o, onlineClass), "b=1")
}

// TestOutboxRemovesAndPuts while messages are in flight.
func TestOutboxRemovesAndPuts(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	o.Put("a", "1", valueClass)
	first := drain(o, onlineClass)
	o.Remove("a")
	o.Put("a", "1", valueClass)
	acknowledge(first)
	last := drain(o, onlineClass)
	wantMessages(t, "put again", last, "a=1")
	acknowledge(last)
	o.Remove("a")
	gone := drain(o, onlineClass)
	o.Put("a", "2", valueClass)
	acknowledge(gone)
	wantMessages(t, "put while being removed", drain(o, onlineClass), "a=2")
}

func TestOutboxDisowns(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	o.Put("a", "1", discoveryClass)
	o.Put("b", "1", discoveryClass)
	o.Disown("a")
	o.Disown("nothing")
	wantMessages(t, "what is left", drain(o, onlineClass), "b=1")
	o.Forget()
	o.Disown("b")
	o.Again()
	wantMessages(t, "nothing is left", drain(o, onlineClass), "")

	o.Put("c", "1", discoveryClass)
	list := drain(o, onlineClass)
	o.Disown("c")
	acknowledge(list)
	o.Forget()
	wantMessages(t, "disowned in flight", drain(o, onlineClass), "")
}

func TestOutboxEventsAreBounded(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	event := func(i int) { o.Event("e", func() string { return strconv.Itoa(i) }, func() {}) }
	for i := range 10 {
		event(i)
	}
	inFlight := drain(o, onlineClass)
	for i := range maxEvents {
		event(10 + i)
	}
	if o.Dropped() != 10 {
		t.Errorf("%d dropped, want 10", o.Dropped())
	}
	acknowledge(inFlight)
	list := drain(o, onlineClass)
	if len(list) != maxEvents-10 || list[0].payload != "20" || list[len(list)-1].payload != strconv.Itoa(maxEvents+9) {
		t.Errorf("%d events, from %s to %s", len(list), list[0].payload, list[len(list)-1].payload)
	}
	for range maxAnswers + 5 {
		o.Answer("a", "1")
	}
	if len(drain(o, onlineClass)) != maxAnswers || o.Dropped() != 15 {
		t.Errorf("answers: %d dropped in all, want 15", o.Dropped())
	}
}
