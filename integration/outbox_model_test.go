package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// TestOutboxModel holds the outbox against a model of what the broker has, over
// random histories: in the end the broker has what was put last, nothing older
// ever follows something newer, and each event arrives once at least, in order.
func TestOutboxModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		(&model{t: t, random: rand.New(rand.NewPCG(seed, 1)), o: newOutbox(), broker: map[string]string{}, truth: map[string]string{}, pictures: map[string]bool{}, disowned: map[string]bool{}}).run(400)
	}
}

type model struct {
	t      *testing.T
	random *rand.Rand
	o      *outbox

	broker, truth map[string]string
	pictures      map[string]bool // whose truth is a picture, which may get lost
	fates         int             // of pictures, that are still to be told
	disowned      map[string]bool
	inFlight      []message
	events        []string // as the broker got them
	n             int
}

func (m *model) run(steps int) {
	for range steps {
		m.step()
	}
	for range 5 { // what waits for acknowledgements comes later
		m.acknowledge(len(m.inFlight))
		for _, next := range drain(m.o, pictureClass) {
			m.send(next)
		}
	}
	for topic, payload := range m.truth {
		if m.broker[topic] != payload && !m.pictures[topic] {
			m.t.Fatalf("%s is %q on the broker, want %q", topic, m.broker[topic], payload)
		}
	}
	m.acknowledge(len(m.inFlight))
	if !m.o.Introduced(onlineClass) || !m.o.Settled(pictureClass) || m.o.owed != [classes]int{} || m.fates != 0 || len(m.o.passing) > 0 {
		m.t.Fatalf("everything is acknowledged, but not settled: owed %v, %d fates", m.o.owed, m.fates)
	}
	seen := make(map[string]bool)
	for _, e := range m.events {
		seen[e] = true
	}
	first := slices.CompactFunc(slices.Clone(m.events), func(a, b string) bool { return a == b })
	if len(seen) != m.n || len(first) == 0 && m.n > 0 {
		m.t.Fatalf("%d of %d events arrived", len(seen), m.n)
	}
}

func (m *model) step() {
	topic, payload := fmt.Sprint("t", m.random.IntN(6)), strconv.Itoa(m.random.IntN(4))
	switch m.random.IntN(12) {
	case 0, 1, 2:
		if !m.disowned[topic] {
			m.o.Put(topic, payload, class(topic[1]%2)) // a topic keeps its class
			m.truth[topic], m.pictures[topic] = payload, false
		}
	case 3:
		if !m.disowned[topic] && class(topic[1]%2) == valueClass {
			m.fates++
			m.o.PutPicture(topic, "picture "+payload, func(bool) { m.fates-- })
			m.truth[topic], m.pictures[topic] = "picture "+payload, true
		}
	case 4:
		if class(topic[1]%2) == valueClass && !m.disowned[topic] {
			m.o.Remove(topic)
			m.truth[topic], m.pictures[topic] = "", false
		}
	case 5:
		m.n++
		id := fmt.Sprint("event ", m.n)
		m.o.Event("e", func() string { return id }, func() {})
	case 6, 7, 8:
		if next, ok := m.o.Next(class(m.random.IntN(int(classes)))); ok {
			m.send(next)
		}
	case 9, 10:
		m.acknowledge(m.random.IntN(len(m.inFlight) + 1))
	case 11:
		switch m.random.IntN(4) {
		case 2:
			if m.random.IntN(5) == 0 { // for good
				m.o.Disown(topic)
				m.disowned[topic] = true
				delete(m.truth, topic)
			}
		case 0: // the connection breaks; the broker has some of what was in flight
			m.inFlight = nil
			m.o.Forget()
			if m.fates != 0 {
				m.t.Fatalf("%d pictures have no fate", m.fates)
			}
		case 1:
			m.o.Again()
		}
	}
}

// send delivers a message. A topic that is in flight already may not be sent.
func (m *model) send(next message) {
	for _, other := range m.inFlight {
		if other.retained && other.topic == next.topic {
			m.t.Fatalf("%s is in flight twice", next.topic)
		}
	}
	m.inFlight = append(m.inFlight, next)
	if !next.retained {
		if last := len(m.events) - 1; last >= 0 && number1(next.payload) > number1(m.events[last])+1 {
			m.t.Fatalf("%s follows %s", next.payload, m.events[last])
		}
		m.events = append(m.events, next.payload)
		return
	}
	m.broker[next.topic] = next.payload
}

func number1(event string) (n int) {
	_, _ = fmt.Sscanf(event, "event %d", &n)
	return n
}

func (m *model) acknowledge(n int) {
	acknowledge(m.inFlight[:n])
	m.inFlight = m.inFlight[n:]
}
