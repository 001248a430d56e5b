//go:build e2e

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// line is the network between the bridge and one of its neighbours. It can stand still without either side being told,
// break, lead somewhere else, and answer in the place of the far side. It notes the HTTP requests that go over it.
type line struct {
	t       *testing.T
	address string // where the bridge finds the neighbour

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	target   string       // the neighbour's address
	answer   string       // what each connection gets instead of the neighbour; empty: nothing
	gate     chan struct{}
	links    map[*link]bool
	requests []string // method and path
	serving  sync.WaitGroup
}

// link is one connection over a line.
type link struct {
	near   net.Conn
	closed chan struct{}
	once   sync.Once

	mu  sync.Mutex
	far net.Conn // nil until the neighbour has been reached
}

// newLine opens a line to an address, such as 127.0.0.1:1883. It ends with the test.
func newLine(t *testing.T, target string) *line {
	t.Helper()
	l := &line{t: t, target: target, address: "127.0.0.1:0", gate: make(chan struct{}), links: map[*link]bool{}}
	close(l.gate)
	l.raise()
	t.Cleanup(func() {
		l.drop()
		l.serving.Wait()
	})
	return l
}

// drop refuses connections from now on and breaks those that there are.
func (l *line) drop() {
	l.mu.Lock()
	if l.listener != nil {
		l.listener.Close()
		l.listener = nil
	}
	l.mu.Unlock()
	l.cut()
}

// raise takes connections, as it does at first.
func (l *line) raise() {
	l.t.Helper()
	listener, err := net.Listen("tcp", l.address)
	must(l.t, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listener, l.address = listener, listener.Addr().String()
	l.serving.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			l.serving.Go(func() { l.serve(near) })
		}
	})
}

// cut breaks all connections; new ones are taken.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.links {
		k.close()
	}
}

// stall lets nothing through any more, not even that one side has hung up.
func (l *line) stall() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gate = make(chan struct{})
}

// flow ends stall: what still waits goes through.
func (l *line) flow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.gate)
}

// lead breaks all connections and has new ones reach another neighbour.
func (l *line) lead(target string) {
	l.mu.Lock()
	l.target = target
	l.mu.Unlock()
	l.cut()
}

// say breaks all connections and answers what is sent over new ones with a text; none ends that.
func (l *line) say(text string) {
	l.mu.Lock()
	l.answer = text
	l.mu.Unlock()
	l.cut()
}

// serve carries one connection until either side ends it.
func (l *line) serve(near net.Conn) {
	k := &link{near: near, closed: make(chan struct{})}
	defer k.close()
	l.mu.Lock()
	up, target, answer := l.listener != nil, l.target, l.answer
	if up {
		l.links[k] = true
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.links, k)
	}()
	switch {
	case !up:
		return
	case answer != "":
		k.answer(answer)
		return
	case !l.passes(k) || !k.reach(target):
		return
	}
	heard, noted := io.Pipe()
	var both sync.WaitGroup
	both.Go(func() { l.note(heard) })
	both.Go(func() { l.carry(k, k.near, k.far, io.Discard) })
	l.carry(k, k.far, near, noted)
	noted.Close()
	both.Wait()
}

// passes waits until the line flows and reports whether the connection still exists.
func (l *line) passes(k *link) bool {
	l.mu.Lock()
	gate := l.gate
	l.mu.Unlock()
	select {
	case <-gate:
		return true
	case <-k.closed:
		return false
	}
}

// carry passes on what one side sends, and that it has hung up.
func (l *line) carry(k *link, to io.Writer, from io.Reader, copied io.Writer) {
	defer k.close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !l.passes(k) {
			return
		}
		if n > 0 {
			copied.Write(buffer[:n])
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// note reads the requests of one connection, up to one that leaves HTTP, and drains what is no HTTP.
func (l *line) note(sent io.Reader) {
	defer io.Copy(io.Discard, sent)
	buffered := bufio.NewReader(sent)
	for {
		request, err := http.ReadRequest(buffered)
		if err != nil {
			return
		}
		l.mu.Lock()
		l.requests = append(l.requests, fmt.Sprintf("%s %s", request.Method, request.URL.Path))
		l.mu.Unlock()
		if _, err := io.Copy(io.Discard, request.Body); err != nil || request.Header.Get("Upgrade") != "" {
			return
		}
	}
}

func (k *link) close() {
	k.once.Do(func() {
		close(k.closed)
		k.near.Close()
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.far != nil {
			k.far.Close()
		}
	})
}

// reach connects to the neighbour. Where that fails the near side is told as rudely as it would have been itself.
func (k *link) reach(target string) bool {
	far, err := net.Dial("tcp", target)
	if err != nil {
		if tcp, ok := k.near.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.far = far
	select {
	case <-k.closed:
		far.Close()
		return false
	default:
		return true
	}
}

// answer waits for a request and answers it.
func (k *link) answer(text string) {
	if n, err := k.near.Read(make([]byte, 32<<10)); n > 0 && (err == nil || errors.Is(err, io.EOF)) {
		io.WriteString(k.near, text)
	}
}

// asked returns how often a request, such as "POST /api/login", went over the line.
func (l *line) asked(request string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return count(l.requests, request)
}

// open returns how many connections there are now.
func (l *line) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(slices.Collect(maps.Keys(l.links)))
}

// changes returns the requests so far that can change something; a login does not count.
func (l *line) changes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.requests), func(request string) bool {
		harmless := []string{"GET ", "HEAD ", "POST /api/login"}
		return slices.ContainsFunc(harmless, func(prefix string) bool { return strings.HasPrefix(request, prefix) })
	})
}
