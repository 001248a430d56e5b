package integration

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// meddler sits on the line between the broker and the bridge. It takes down what
// comes out of it, which is when a command is delivered, and repeats, delays and
// reorders commands as it is told to.
type meddler struct {
	dial dialFunc

	mu         sync.Mutex
	random     *rand.Rand // nil: it only watches
	lines      int
	deliveries []*delivered
	ended      map[int]time.Time // when a line ended
}

// delivered is a message as it reached the bridge.
type delivered struct {
	at       time.Time
	line     int // the number of the connection
	topic    string
	payload  string
	retained bool
	repeated bool // by us, as brokers repeat what is not acknowledged
}

func newMeddler(dial dialFunc, random *rand.Rand) *meddler {
	return &meddler{dial: dial, random: random, ended: make(map[int]time.Time)}
}

// Dial fits [MQTTConfig].
func (m *meddler) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := m.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines++
	l := &meddledLine{Conn: c, near: near, far: far, meddler: m, number: m.lines}
	go l.pump()
	return l, nil
}

// meddledLine is the bridge's side of a connection.
type meddledLine struct {
	net.Conn
	near, far net.Conn
	meddler   *meddler
	number    int
	writing   sync.Mutex // to far
}

func (l *meddledLine) Read(b []byte) (int, error) { return l.near.Read(b) }

func (l *meddledLine) SetReadDeadline(t time.Time) error { return l.near.SetReadDeadline(t) }

func (l *meddledLine) SetDeadline(t time.Time) error {
	_ = l.near.SetReadDeadline(t)
	return l.Conn.SetDeadline(t)
}

func (l *meddledLine) Close() error {
	l.near.Close()
	l.far.Close()
	return l.Conn.Close()
}

// publishType is MQTT's packet type of a message.
const publishType = 3

// packetSize returns how long the packet is that some bytes begin with; false if it
// is not complete.
func packetSize(b []byte) (int, bool) {
	length, shift := 0, 0
	for i := 1; i < len(b); i++ {
		length |= int(b[i]&0x7f) << shift
		shift += 7
		if b[i]&0x80 == 0 {
			return 1 + i + length, len(b) >= 1+i+length
		}
	}
	return 0, false
}

// pump hands on what comes from the broker, one packet at a time.
func (l *meddledLine) pump() {
	defer l.end()
	var waiting sync.WaitGroup
	defer waiting.Wait()
	from, packet := bufio.NewReader(l.Conn), []byte(nil)
	for {
		b, err := from.ReadByte()
		if err != nil {
			l.far.Close()
			return
		}
		packet = append(packet, b)
		size, ok := packetSize(packet)
		if size > len(packet) {
			rest := make([]byte, size-len(packet))
			if _, err := io.ReadFull(from, rest); err != nil {
				l.far.Close()
				return
			}
			packet, ok = append(packet, rest...), true
		}
		if !ok {
			continue
		}
		for _, d := range l.plan(packet) {
			if d.after == 0 {
				l.hand(d)
				continue
			}
			waiting.Go(func() {
				time.Sleep(d.after)
				l.hand(d)
			})
		}
		packet = nil
	}
}

func (l *meddledLine) end() {
	l.meddler.mu.Lock()
	defer l.meddler.mu.Unlock()
	l.meddler.ended[l.number] = time.Now()
}

// handover is a packet that is to reach the bridge after a while.
type handover struct {
	packet   []byte
	after    time.Duration
	repeated bool
}

// plan says when a packet, and repetitions of it, are to reach the bridge.
func (l *meddledLine) plan(packet []byte) []handover {
	m := l.meddler
	m.mu.Lock()
	defer m.mu.Unlock()
	first := handover{packet: packet}
	topic, _ := messageIn(packet)
	if m.random == nil || !strings.HasSuffix(topic, "/set") && !strings.Contains(topic, "/request/") {
		return []handover{first}
	}
	switch m.random.IntN(8) {
	case 0, 1:
		first.after = time.Duration(m.random.IntN(3000)) * time.Millisecond // others overtake it
	case 2:
		again := handover{packet: slices.Clone(packet), after: first.after + time.Duration(m.random.IntN(3000))*time.Millisecond, repeated: true}
		again.packet[0] |= 0x08 // the flag that says so
		return []handover{first, again}
	}
	return []handover{first}
}

// hand gives the bridge a packet. It is delivered then, and not when the broker sent
// it.
func (l *meddledLine) hand(h handover) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if _, err := l.far.Write(h.packet); err != nil || h.packet[0]>>4 != publishType {
		return // the line may have ended
	}
	topic, payload := messageIn(h.packet)
	l.meddler.mu.Lock()
	defer l.meddler.mu.Unlock()
	l.meddler.deliveries = append(l.meddler.deliveries, &delivered{
		at: time.Now(), line: l.number, topic: topic, payload: payload, retained: h.packet[0]&1 != 0, repeated: h.repeated,
	})
}

// messageIn returns what a packet says and about what; nothing unless it is a
// message.
func messageIn(packet []byte) (topic, payload string) {
	if packet[0]>>4 != publishType {
		return "", ""
	}
	rest := packet[1:]
	for rest[0]&0x80 != 0 {
		rest = rest[1:]
	}
	rest = rest[1:]
	n := int(binary.BigEndian.Uint16(rest))
	topic, rest = string(rest[2:2+n]), rest[2+n:]
	if packet[0]&0x06 != 0 {
		rest = rest[2:] // the packet's id
	}
	return topic, string(rest)
}
