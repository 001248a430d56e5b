package integration

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// packetKind is the type of an MQTT packet.
type packetKind byte

// The packets that are told apart.
const (
	connackPacket     packetKind = 2
	publishPacket     packetKind = 3
	pubackPacket      packetKind = 4
	subscribePacket   packetKind = 8
	subackPacket      packetKind = 9
	unsubscribePacket packetKind = 10
	unsubackPacket    packetKind = 11
	pingrespPacket    packetKind = 13
)

// kindOf returns the type of a packet that begins with a byte.
func kindOf(first byte) packetKind { return packetKind(first >> 4) }

// qosOf returns the quality of service of a PUBLISH that begins with a byte.
func qosOf(first byte) byte { return first >> 1 & 3 }

// The reasons to part with a broker.
var (
	errNoBroker       = errors.New("what answers does not speak MQTT")
	errBadLength      = errors.New("the broker sent a packet with a malformed length")
	errPacketTooLarge = errors.New("the broker sent a packet of more than 8 MiB")
	errBadPacket      = errors.New("the broker sent a packet that MQTT does not allow here")
	errBadSuback      = errors.New("the broker acknowledged another number of subscriptions than were asked for")
	errBadAnswer      = errors.New("the broker acknowledged what was not sent to it")
)

// guard decides which packets of a broker the MQTT library gets to see. Whatever
// it refuses ends the connection. The library (v1.5.1) would make of
//
//   - a CONNACK with a code that MQTT doesn't have: a good connection, which it
//     has closed itself, and of which it may never tell that it ended;
//   - a SUBACK with a code too many: a crash;
//   - an acknowledgement for a packet that isn't written in full: a crash, if
//     writing it then fails;
//   - an acknowledgement of another kind than the packet asks for: the right one,
//     so that a refused subscription would pass for granted;
//   - packets of quality of service 2, which nobody asked for: memory that is held
//     until the broker says more, and answers about what was never sent.
//
// The rest of what is refused it would pass over, or end the connection with words
// that say less.
type guard struct {
	greeted bool // a CONNACK has come; of the reading side alone

	mu         sync.Mutex
	written    sync.Cond             // told when a write has ended
	unanswered map[uint16]sentPacket // by the packet's id
}

// sentPacket is one that the broker has to acknowledge.
type sentPacket struct {
	answer packetKind
	whole  bool // false while it is being written
}

func newGuard() *guard {
	g := &guard{unanswered: make(map[uint16]sentPacket)}
	g.written.L = &g.mu
	return g
}

// header refuses a packet by its first byte and the length of its body. filters
// is how many filters the subscription under way has.
func (g *guard) header(first byte, length, filters int) error {
	kind, flags := kindOf(first), first&0xf
	switch {
	case !g.greeted && kind != connackPacket:
		return errNoBroker
	case length > maxPacket:
		return errPacketTooLarge
	case kind == publishPacket && qosOf(first) < 2:
		return nil
	case kind == publishPacket:
		return fmt.Errorf("%w: a message of quality of service %d", errBadPacket, qosOf(first))
	case flags != 0, g.greeted && kind == connackPacket:
		return fmt.Errorf("%w: type %d, flags %d", errBadPacket, kind, flags)
	case kind == subackPacket && length != 2+filters:
		return fmt.Errorf("%w: %d bytes instead of %d", errBadSuback, length, 2+filters)
	case kind == subackPacket, kind == pingrespPacket && length == 0, kind == connackPacket && length == 2,
		kind == pubackPacket && length == 2, kind == unsubackPacket && length == 2:
		return nil
	}
	return fmt.Errorf("%w: type %d with %d bytes", errBadPacket, kind, length)
}

// body refuses a packet, whose header has been let through, by what is in it. It
// waits while the packet that is acknowledged is still being written: a quick
// broker may answer before the writer knows that it is done.
func (g *guard) body(kind packetKind, body []byte) error {
	switch kind {
	case connackPacket:
		if code := body[1]; code > 5 {
			return fmt.Errorf("%w: a CONNACK with the code %d", errBadPacket, code)
		}
		g.greeted = true
	case subackPacket:
		for _, code := range body[2:] {
			if code > 2 && code != 0x80 {
				return fmt.Errorf("%w: a SUBACK with the code %d", errBadPacket, code)
			}
		}
		return g.answered(binary.BigEndian.Uint16(body), kind)
	case pubackPacket, unsubackPacket:
		return g.answered(binary.BigEndian.Uint16(body), kind)
	}
	return nil
}

// answered takes in an acknowledgement.
func (g *guard) answered(id uint16, kind packetKind) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		sent, ok := g.unanswered[id]
		switch {
		case !ok || sent.answer != kind:
			return fmt.Errorf("%w: type %d for packet %d", errBadAnswer, kind, id)
		case sent.whole:
			delete(g.unanswered, id)
			return nil
		}
		g.written.Wait()
	}
}

// writing takes in that a packet is being written which asks for an answer.
func (g *guard) writing(id uint16, answer packetKind) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unanswered[id] = sentPacket{answer: answer}
}

// wrote takes in how that ended.
func (g *guard) wrote(id uint16, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		g.unanswered[id] = sentPacket{answer: g.unanswered[id].answer, whole: true}
	} else {
		delete(g.unanswered, id)
	}
	g.written.Broadcast()
}

// asksFor returns the id of a whole packet that the broker has to acknowledge, and
// with what. It is 0 for what needs no answer.
func asksFor(packet []byte) (id uint16, answer packetKind) {
	if len(packet) < 2 {
		return 0, 0
	}
	_, n := binary.Uvarint(packet[1:]) // the length is encoded like this
	body := packet[1+max(n, 0):]
	switch kind := kindOf(packet[0]); {
	case kind == subscribePacket:
		answer = subackPacket
	case kind == unsubscribePacket:
		answer = unsubackPacket
	case kind == publishPacket && qosOf(packet[0]) > 0 && len(body) >= 2:
		answer = pubackPacket
		body = body[min(2+int(binary.BigEndian.Uint16(body)), len(body)):] // the topic comes first
	}
	if answer == 0 || len(body) < 2 {
		return 0, 0
	}
	return binary.BigEndian.Uint16(body), answer
}
