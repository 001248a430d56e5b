package integration

import (
	"cmp"
	"slices"
	"sync"
)

// class orders what is sent after a connection: what comes first must have
// arrived before the next begins.
type class uint8

const (
	discoveryClass    class = iota // Home Assistant wants to know an entity before its state
	valueClass                     // states, documents, events, answers
	availabilityClass              // a printer is available when its values are right
	onlineClass                    // and the bridge when everything is
	pictureClass                   // nothing waits for pictures, which are large
	classes
)

// outbox holds what should be retained on the broker against what is known to be
// there, and the messages that wait to be sent. It sends nothing and has no time
// of its own: the broker connection asks it for the next message.
//
// What is retained never queues: a topic that changes many times while it can't
// be sent is sent once, with its last payload, and a topic is never in flight
// twice, so no older payload can follow a newer one. Events queue up to a bound
// until they are acknowledged, in order. Answers are sent once or never, and so is
// what is passed through, after everything else.
type outbox struct {
	wake   chan struct{} // holds one element while there may be something to send
	packer packer

	mu      sync.Mutex
	topics  topicIndex
	added   uint32               // how many there have been
	owed    [classes]int         // how many topics have not been acknowledged since Forget
	dirty   [classes][]*retained // each at most once, in the order in which they changed
	events  []*queued
	sent    int // how many of events, from the first, are in flight
	answers []message
	raw     []message // what is passed through
	rawSize int       // bytes of their payloads
	passing passing
	muted   bool // events and answers are not wanted
	dropped uint64
}

// The bounds of the queues. A farm of a thousand printers that all start and end
// a print while the broker is away stays below them.
const (
	maxEvents  = 4096
	maxAnswers = 1024
	maxRawSize = 1 << 20 // bytes
)

type retained struct {
	folder   *folder
	payload  packed
	leaf     uint32 // of its topic in topicIndex.leaves
	order    uint32 // of its first Put, in which all are sent again
	class    class
	dirty    bool // in outbox.dirty
	inFlight bool
	owed     bool // counted in outbox.owed
	gone     bool // from outbox.topics
}

// removed reports whether the topic is to be deleted. It is remembered, since a
// broker may come back with what it had before.
func (r *retained) removed() bool { return r.payload == packed{} }

type queued struct {
	topic  string
	render func() string // made when it is sent: whether it is late shows only then
	// acknowledged is called, without a lock, once the broker has it.
	acknowledged func()
}

// message is one publication. Its done is called, once, when the broker has
// acknowledged it; if it hasn't, outbox.Forget makes good for it.
type message struct {
	topic    string
	payload  string
	retained bool
	done     func()
}

func newOutbox() *outbox {
	return &outbox{wake: make(chan struct{}, 1), topics: newTopicIndex(), passing: make(passing)}
}

// Put sets what should be retained on a topic, which is never nothing.
func (o *outbox) Put(topic, payload string, c class) {
	kept := o.packer.pack(payload)
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.topics.get(topic)
	if r == nil {
		r = o.addLocked(topic)
	} else if r.payload == kept {
		return
	}
	o.classifyLocked(r, c)
	r.payload = kept
	o.markLocked(r)
}

// classifyLocked sets the class of a topic. A picture that another class takes the
// place of is dropped.
func (o *outbox) classifyLocked(r *retained, c class) {
	o.passing.drop(r)
	if r.class == c {
		return
	}
	if r.dirty {
		o.dirty[r.class] = slices.DeleteFunc(o.dirty[r.class], func(d *retained) bool { return d == r })
		r.dirty = false
	}
	o.settleLocked(r)
	r.class = c
}

func (o *outbox) addLocked(topic string) *retained {
	o.added++
	r := o.topics.add(topic)
	r.order = o.added
	return r
}

// Remove has a topic deleted from the broker.
func (o *outbox) Remove(topic string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.topics.get(topic)
	if r == nil {
		r = o.addLocked(topic)
		r.class = valueClass
	}
	o.removeLocked(r)
}

func (o *outbox) removeLocked(r *retained) {
	if r.class == pictureClass {
		o.classifyLocked(r, valueClass)
	}
	r.payload = packed{}
	o.markLocked(r)
}

// RemoveAll has every topic deleted from the broker.
func (o *outbox) RemoveAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for r := range o.topics.all() {
		o.removeLocked(r)
	}
}

// Disown forgets a topic that somebody else has deleted: it stays deleted.
func (o *outbox) Disown(topic string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.topics.get(topic)
	if r == nil {
		return
	}
	o.topics.remove(r)
	o.passing.drop(r)
	o.settleLocked(r)
	if r.dirty {
		o.dirty[r.class] = slices.DeleteFunc(o.dirty[r.class], func(d *retained) bool { return d == r })
	}
}

// Event queues a message that is kept until it is acknowledged. The payload is
// rendered each time it is sent. If the queue is full the oldest is dropped. It
// is false if the outbox is muted: then nothing is queued, nor acknowledged.
func (o *outbox) Event(topic string, render func() string, acknowledged func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.muted {
		return false
	}
	if len(o.events) >= maxEvents {
		o.events = slices.Delete(o.events, o.sent, o.sent+1) // the oldest that isn't in flight
		o.dropped++
	}
	o.events = append(o.events, &queued{topic: topic, render: render, acknowledged: acknowledged})
	o.signal()
	return true
}

// Answer queues a message that is of use only now: it is dropped when the
// connection breaks before it was sent.
func (o *outbox) Answer(topic, payload string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.muted {
		return
	}
	if len(o.answers) >= maxAnswers {
		o.dropped++
		return
	}
	o.answers = append(o.answers, message{topic: topic, payload: payload, done: func() {}})
	o.signal()
}

// Raw queues a message that is passed through: it is of use only now, and of less use
// than everything else.
func (o *outbox) Raw(topic, payload string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.muted {
		return
	}
	if o.rawSize+len(payload) > maxRawSize {
		o.dropped++
		return
	}
	o.raw = append(o.raw, message{topic: topic, payload: payload, done: func() {}})
	o.rawSize += len(payload)
	o.signal()
}

// Drop counts a message that was lost before it could be queued.
func (o *outbox) Drop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dropped++
}

// Forget drops all knowledge of the broker: every retained topic is to be sent
// again, but pictures, which somebody has to put once more. It is called when a
// connection begins, with nothing in flight.
func (o *outbox) Forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = 0
	o.answers, o.raw, o.rawSize = nil, nil, 0
	clear(o.owed[:])
	o.dropPicturesLocked()
	for r := range o.topics.all() {
		r.inFlight, r.owed = false, r.class != pictureClass
		if r.owed {
			o.owed[r.class]++
		}
	}
	o.markAllLocked(func(*retained) bool { return true })
}

// Again has every retained topic sent once more on the running connection.
func (o *outbox) Again() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.markAllLocked(func(r *retained) bool { return !r.removed() || r.dirty })
}

// markAllLocked has everything that is wanted sent in the order of its first Put,
// so that a device is announced again after the one that it refers to.
func (o *outbox) markAllLocked(wanted func(*retained) bool) {
	clear(o.dirty[:])
	for _, r := range slices.SortedFunc(o.topics.all(), func(a, b *retained) int { return cmp.Compare(a.order, b.order) }) {
		send := wanted(r) && !r.payload.sent()
		r.dirty = false
		if send {
			o.markLocked(r)
		}
	}
}

func (o *outbox) markLocked(r *retained) {
	if !r.dirty {
		r.dirty = true
		o.dirty[r.class] = append(o.dirty[r.class], r)
	}
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default: // the sender has one waiting
	}
}

// Next returns the next message of a class up to limit.
func (o *outbox) Next(limit class) (message, bool) {
	m, kept, ok := o.next(limit)
	if m.retained {
		m.payload = o.packer.unpack(kept)
	}
	return m, ok
}

// next returns the next message. If it is retained, its payload stands beside it.
func (o *outbox) next(limit class) (message, packed, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := discoveryClass; c <= limit; c++ {
		if c == valueClass {
			if m, ok := o.nextQueuedLocked(); ok {
				return m, packed{}, true
			}
		}
		if c == pictureClass {
			if m, kept, ok := o.nextPictureLocked(); ok {
				return m, kept, true
			}
			continue
		}
		if r := o.nextDirtyLocked(c); r != nil {
			return message{topic: o.topics.topicOf(r), retained: true, done: func() { o.acknowledged(r) }}, r.payload, true
		}
	}
	if limit >= valueClass && len(o.raw) > 0 {
		m := o.raw[0]
		o.raw, o.rawSize = rest(o.raw), o.rawSize-len(m.payload)
		return m, packed{}, true
	}
	return message{}, packed{}, false
}

// nextDirtyLocked takes the first topic of a class that isn't in flight.
func (o *outbox) nextDirtyLocked(c class) *retained {
	for i, r := range o.dirty[c] {
		if r.inFlight {
			continue
		}
		if i == 0 {
			o.dirty[c] = rest(o.dirty[c])
		} else {
			o.dirty[c] = slices.Delete(o.dirty[c], i, i+1)
		}
		r.dirty, r.inFlight = false, true
		return r
	}
	return nil
}

// rest is a queue without its first, of which it keeps nothing. What an empty one had
// when much was waiting is given back.
func rest[T any](queue []T) []T {
	if len(queue) == 1 {
		return nil
	}
	var nothing T
	queue[0] = nothing
	return queue[1:]
}

func (o *outbox) nextQueuedLocked() (message, bool) {
	if o.sent < len(o.events) {
		e := o.events[o.sent]
		o.sent++
		return message{topic: e.topic, payload: e.render(), done: func() { o.eventAcknowledged(); e.acknowledged() }}, true
	}
	if len(o.answers) > 0 {
		m := o.answers[0]
		o.answers = rest(o.answers)
		return m, true
	}
	return message{}, false
}

func (o *outbox) acknowledged(r *retained) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r.inFlight = false
	o.settleLocked(r)
	if r.dirty {
		o.signal()
	} else if r.removed() && r.class == discoveryClass && o.topics.has(r) {
		o.topics.remove(r) // Home Assistant wonders about what it never had
	}
}

func (o *outbox) settleLocked(r *retained) {
	if r.owed {
		r.owed = false
		o.owed[r.class]--
	}
}

// eventAcknowledged drops the first event: they are acknowledged in order.
func (o *outbox) eventAcknowledged() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = rest(o.events)
	o.sent--
}

// Introduced reports whether the broker has acknowledged, since Forget, every
// topic of a class up to limit that there was then. What changes meanwhile, as
// something always does in a large farm, doesn't put that off.
func (o *outbox) Introduced(limit class) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := discoveryClass; c <= limit; c++ {
		if o.owed[c] > 0 {
			return false
		}
	}
	return true
}

// Settled reports whether nothing of a class up to limit waits to be sent.
func (o *outbox) Settled(limit class) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := discoveryClass; c <= limit; c++ {
		if len(o.dirty[c]) > 0 {
			return false
		}
	}
	return limit < valueClass || o.sent == len(o.events) && len(o.answers) == 0
}

// Wants reports whether a topic is to hold exactly this payload.
func (o *outbox) Wants(topic, payload string) bool {
	wanted := o.packer.pack(payload)
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.topics.get(topic)
	return r != nil && !r.removed() && r.payload == wanted
}

// Owns reports whether a topic is to hold something.
func (o *outbox) Owns(topic string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.topics.get(topic)
	return r != nil && !r.removed()
}

// Mute drops the events and answers that wait, and those to come until Unmute:
// somebody else tells them. It is called with nothing in flight.
func (o *outbox) Mute() {
	o.mu.Lock()
	dropped := o.events
	o.muted, o.events, o.sent, o.answers, o.raw, o.rawSize = true, nil, 0, nil, nil, 0
	o.mu.Unlock()
	for _, e := range dropped {
		e.acknowledged()
	}
}

// Unmute ends what Mute began.
func (o *outbox) Unmute() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.muted = false
}

// Known reports whether the broker is known to have what a topic should be.
func (o *outbox) Known(topic string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.topics.get(topic)
	return r != nil && !r.dirty && !r.inFlight
}

// Dropped returns how many messages were lost to full queues.
func (o *outbox) Dropped() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}
