package integration

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// network is what lies between the bridge and the broker. Connections have
// buffers, as those of a kernel; they can be slow, stand still, and break.
type network struct {
	serve func(net.Conn) // the far side of each connection; returns when it ends

	mu      sync.Mutex
	down    bool
	latency time.Duration
	gate    chan struct{} // closed unless stalled
	links   map[*link]bool
	serving sync.WaitGroup
	dials   []time.Time
}

// linkBuffer is how many writes a link takes before they block. It is large, as
// the kernel's is: the MQTT library and the broker both write from where they
// read, and wait for each other if the buffers of both directions are full.
const linkBuffer = 4096

var errNetworkDown = errors.New("connection refused")

func newNetwork(serve func(net.Conn)) *network {
	n := &network{serve: serve, gate: make(chan struct{}), links: make(map[*link]bool)}
	close(n.gate)
	return n
}

// Dial fits [MQTTConfig].
func (n *network) Dial(_ context.Context, name, _ string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, time.Now())
	if n.down {
		return nil, &net.OpError{Op: "dial", Net: name, Err: errNetworkDown}
	}
	near, nearEnd := net.Pipe()
	farEnd, far := net.Pipe()
	l := &link{network: n, ends: []net.Conn{near, nearEnd, farEnd, far}, closed: make(chan struct{})}
	n.links[l] = true
	for _, ends := range [][2]net.Conn{{nearEnd, farEnd}, {farEnd, nearEnd}} {
		chunks := make(chan chunk, linkBuffer)
		n.serving.Go(func() { l.take(ends[0], chunks) })
		n.serving.Go(func() { l.give(ends[1], chunks) })
	}
	n.serving.Go(func() {
		n.serve(far)
		far.Close()
	})
	return near, nil
}

// link is one connection.
type link struct {
	network *network
	ends    []net.Conn
	once    sync.Once
	closed  chan struct{}
}

type chunk struct {
	data []byte
	due  time.Time
}

// take reads from one end.
func (l *link) take(from net.Conn, to chan<- chunk) {
	defer close(to)
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		l.network.mu.Lock()
		due := time.Now().Add(l.network.latency)
		l.network.mu.Unlock()
		select {
		case to <- chunk{bytes.Clone(b[:n]), due}:
		case <-l.closed:
			return
		}
	}
}

// give writes to the other end. A link that stands still does not pass on either
// that one side has hung up.
func (l *link) give(to net.Conn, from <-chan chunk) {
	defer to.Close()
	for c := range from {
		time.Sleep(time.Until(c.due))
		if !l.open() {
			return
		}
		if _, err := to.Write(c.data); err != nil {
			l.cut()
			return
		}
	}
	l.open()
}

// open waits for the gate and reports whether it opened.
func (l *link) open() bool {
	l.network.mu.Lock()
	gate := l.network.gate
	l.network.mu.Unlock()
	select {
	case <-gate:
		return true
	case <-l.closed:
		return false
	}
}

func (l *link) cut() {
	l.once.Do(func() {
		close(l.closed)
		for _, c := range l.ends {
			c.Close()
		}
	})
}

// setUp says whether new connections can be made.
func (n *network) setUp(up bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = !up
}

// setLatency says how long everything takes to arrive, one way.
func (n *network) setLatency(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latency = d
}

// stall lets nothing through any more, or again; nobody is told.
func (n *network) stall(stalled bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if stalled {
		n.gate = make(chan struct{})
	} else {
		close(n.gate)
	}
}

// cut breaks all connections.
func (n *network) cut() {
	n.mu.Lock()
	links := n.links
	n.links = make(map[*link]bool)
	n.mu.Unlock()
	for l := range links {
		l.cut()
	}
}

// attempts returns when connections were asked for.
func (n *network) attempts() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]time.Time(nil), n.dials...)
}

func (n *network) close() {
	n.setUp(false)
	n.cut()
	n.serving.Wait()
}
