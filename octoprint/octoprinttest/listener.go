package octoprinttest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// Listener is a server in memory: Dial gives connections to it that need no network, so that tests with a fake clock
// can use them. It can be down, and it can lose its connections.
type Listener struct {
	server  *http.Server
	accept  chan net.Conn
	done    chan struct{}
	serving sync.WaitGroup

	mu     sync.Mutex
	down   bool
	closed bool
	conns  map[net.Conn]struct{}
}

// ErrDown is what Dial returns while the listener is down.
var ErrDown = errors.New("connection refused")

// Pipe serves h in memory until Close.
func Pipe(h http.Handler) *Listener {
	l := &Listener{accept: make(chan net.Conn), done: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	l.server = &http.Server{Handler: h}
	l.serving.Go(func() { _ = l.server.Serve(acceptor{l}) })
	return l
}

// Dial returns a new connection to the server, whatever the network and address. It fits http.Transport.DialContext
// and websocket.Dialer.NetDialContext.
func (l *Listener) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	client, server := net.Pipe()
	if err := l.track(server); err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr(address), Err: err}
	}
	select {
	case l.accept <- &pipeConn{Conn: server, listener: l}:
		return client, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr(address), Err: ErrDown}
	case <-ctx.Done():
		l.forget(server)
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr(address), Err: ctx.Err()}
	}
}

func (l *Listener) track(server net.Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down || l.closed {
		return ErrDown
	}
	l.conns[server] = struct{}{}
	return nil
}

func (l *Listener) forget(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// SetUp says whether new connections are accepted; at first they are. Open connections stay: see Cut.
func (l *Listener) SetUp(up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = !up
}

// Cut breaks all connections, those of sockets too.
func (l *Listener) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.Close()
	}
	clear(l.conns)
}

// Close stops serving, breaks all connections and waits for the server's own goroutine. The goroutines of sockets end
// soon after; Server.Close waits for them.
func (l *Listener) Close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.done)
	}
	l.mu.Unlock()
	l.server.Close()
	l.Cut()
	l.serving.Wait()
}

// pipeConn is the server's end of a connection.
type pipeConn struct {
	net.Conn
	listener *Listener
}

func (c *pipeConn) Close() error {
	c.listener.forget(c.Conn)
	return c.Conn.Close()
}

// RemoteAddr looks like a client on the same machine, which OctoPrint tells in events.
func (c *pipeConn) RemoteAddr() net.Addr { return addr("127.0.0.1:50000") }

type acceptor struct{ *Listener }

func (a acceptor) Accept() (net.Conn, error) {
	select {
	case c := <-a.accept:
		return c, nil
	case <-a.done:
		return nil, net.ErrClosed
	}
}

func (a acceptor) Close() error   { return nil }
func (a acceptor) Addr() net.Addr { return addr("pipe") }

type addr string

func (a addr) Network() string { return "pipe" }
func (a addr) String() string  { return string(a) }
