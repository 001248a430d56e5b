package integration

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// liar is a broker that sends what it is told to.
type liar struct {
	// answers are sent one each after the first packets that it gets: CONNECT,
	// SUBSCRIBE, and what is published. Then it hangs up after a second.
	answers [][]byte
	// cut is how many bytes it reads of the packet before its last answer, and
	// then no more; without end if negative.
	cut int
}

// dial fits [MQTTConfig].
func (l liar) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go l.serve(far)
	return &orderly{Conn: near, turn: make(chan struct{}, 1)}, nil
}

// orderly is the end of a pipe whose writers wait for each other by a channel. The
// pipe's own mutex would stop the clock of a bubble while one of them waits.
type orderly struct {
	net.Conn
	turn chan struct{}
}

func (o *orderly) Write(b []byte) (int, error) {
	o.turn <- struct{}{}
	defer func() { <-o.turn }()
	return o.Conn.Write(b)
}

func (l liar) serve(conn net.Conn) {
	defer conn.Close()
	for i, answer := range l.answers {
		size := 1 << 16
		if i == len(l.answers)-1 && l.cut >= 0 {
			size = l.cut
		}
		_, _ = conn.Read(make([]byte, size)) // one packet: the line is a pipe
		_, _ = conn.Write(answer)
	}
	if l.cut < 0 {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
	time.Sleep(time.Second)
}

// lyingBroker returns the bridge's side of a connection to a broker that lies.
func lyingBroker(t *testing.T, l liar) *broker {
	t.Helper()
	out := newOutbox()
	out.Put("base/bridge/state", online, onlineClass)
	return &broker{
		config: MQTTConfig{URL: mustURL("mqtt://broker.test:1883"), ClientID: "test", BaseTopic: "base", Dial: l.dial},
		online: "base/bridge/state", outbox: out,
		filters: func() []subscription { return listening(1, "base/+/+/set", "base/+/request/+") },
		deliver: func(delivery) {}, connected: func() {}, ended: func(int) {},
	}
}
