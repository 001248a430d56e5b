package integration

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// network is what lies between the bridge and the broker. Connections have
// buffers, as those of a kernel; they can be slow, stand still, and break.
type network struct {
	serve func(net.Conn) // the far side of each connection; returns when it ends

	mu      sync.Mutex
	down    bool
	mute    bool // dials get no answer
	latency time.Duration
	stalled bool
	links   map[*link]bool
	made    int // connections so far
	serving sync.WaitGroup
	dials   []time.Time
}

// linkBuffer is how many writes a link takes before they block. It is large, as
// the kernel's is: the MQTT library and the broker both write from where they
// read, and wait for each other if the buffers of both directions are full.
const linkBuffer = 4096

var errNetworkDown = errors.New("connection refused")

func newNetwork(serve func(net.Conn)) *network {
	return &network{serve: serve, links: make(map[*link]bool)}
}

// Dial fits [MQTTConfig].
func (n *network) Dial(ctx context.Context, name, _ string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, time.Now())
	down, mute := n.down, n.mute
	n.mu.Unlock()
	if mute {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: name, Err: ctx.Err()}
	}
	if down {
		return nil, &net.OpError{Op: "dial", Net: name, Err: errNetworkDown}
	}
	return n.connect(), nil
}

// connect makes a connection.
func (n *network) connect() net.Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	near, nearFar := net.Pipe()
	farEnd, far := net.Pipe()
	n.made++
	l := &link{network: n, number: n.made, ends: []net.Conn{near, nearFar, farEnd, far}, closed: make(chan struct{})}
	n.links[l] = true
	if n.stalled {
		l.gate = make(chan struct{})
	}
	for _, ends := range [][2]net.Conn{{nearFar, farEnd}, {farEnd, nearFar}} {
		chunks := make(chan chunk, linkBuffer)
		n.serving.Go(func() { l.take(ends[0], chunks) })
		n.serving.Go(func() { l.give(ends[1], chunks) })
	}
	n.serving.Go(func() {
		n.serve(far)
		far.Close()
	})
	return &nearEnd{Conn: near, link: l, closed: make(chan struct{})}
}

// nearEnd is the bridge's end of a connection. Writes to it wait while its buffers
// are full, in a way that lets a fake clock go on.
type nearEnd struct {
	net.Conn
	link   *link
	once   sync.Once
	closed chan struct{}

	mu       sync.Mutex
	deadline time.Time // of writes; zero: none
}

func (c *nearEnd) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return c.Conn.SetWriteDeadline(t)
}

func (c *nearEnd) Write(b []byte) (int, error) {
	c.link.network.mu.Lock()
	full := c.link.full
	c.link.network.mu.Unlock()
	if !full {
		return c.Conn.Write(b)
	}
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	patience := 24 * time.Hour
	if !deadline.IsZero() {
		patience = time.Until(deadline)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0, os.ErrDeadlineExceeded
	case <-c.closed:
	case <-c.link.closed:
	}
	return 0, net.ErrClosed
}

func (c *nearEnd) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// link is one connection.
type link struct {
	network *network
	number  int
	ends    []net.Conn
	once    sync.Once
	closed  chan struct{}

	// Guarded by the network's mutex.
	gate   chan struct{} // nothing comes through until it is closed; nil: all does
	silent bool          // nothing ever comes through any more
	full   bool          // nor is anything taken: who writes waits
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
	gate, silent := l.gate, l.silent
	l.network.mu.Unlock()
	if gate == nil && !silent {
		return true
	}
	if silent {
		gate = nil
	}
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

// stall lets nothing through any more, or again; nobody is told. What has waited
// then goes through one connection after the other, in the order in which they were
// made, as a process would find them that was stopped and goes on.
func (n *network) stall(stalled bool) {
	n.mu.Lock()
	n.stalled = stalled
	links := slices.SortedFunc(maps.Keys(n.links), func(a, b *link) int { return a.number - b.number })
	n.mu.Unlock()
	for _, l := range links {
		n.mu.Lock()
		if stalled {
			l.gate = make(chan struct{})
		} else if l.gate != nil {
			close(l.gate)
			l.gate = nil
		}
		n.mu.Unlock()
		if !stalled {
			synctest.Wait()
		}
	}
}

// silence makes all connections half open: they stay, nothing comes through them
// any more, and nobody is told. New ones are as before.
func (n *network) silence() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.links {
		l.silent = true
	}
}

// choke makes all connections half open with full buffers: the next writes block.
func (n *network) choke() {
	n.silence()
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.links {
		l.full = true
	}
}

// cutSilent breaks the connections that are half open.
func (n *network) cutSilent() {
	n.mu.Lock()
	var silent []*link
	for l := range n.links {
		if l.silent {
			silent = append(silent, l)
			delete(n.links, l)
		}
	}
	n.mu.Unlock()
	for _, l := range silent {
		l.cut()
	}
}

// setMute says whether dials get no answer at all, as when a cable is pulled.
func (n *network) setMute(mute bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mute = mute
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
