package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// pipeListener is where the web server of a bubble listens.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8095} }

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serveWeb has the bridge of a world, which isn't started yet, serve its page, and
// returns the listener.
func (w *world) serveWeb(change ...func(*HTTPConfig)) *pipeListener {
	l := newPipeListener()
	w.config.HTTP = HTTPConfig{Listen: "127.0.0.1:8095", Open: func(context.Context) (net.Listener, error) { return l, nil }}
	for _, c := range change {
		c(&w.config.HTTP)
	}
	return l
}

// get asks for something on a connection of its own.
func (l *pipeListener) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx) },
	}}
	r, err := client.Get("http://127.0.0.1:8095" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// openStream is a page that listens to its stream.
type openStream struct {
	conn   net.Conn
	status int

	mu      sync.Mutex
	updates []streamed
	all     strings.Builder
	ended   bool
}

type streamed struct {
	at   time.Time
	size int
	decodedUpdate
}

// decodedUpdate is an update as a page sees it.
type decodedUpdate struct {
	Full       bool
	Farm       *pageFarm
	Printers   []map[string]any
	Happenings []struct{ Printer, Text, Tone string }
}

// stream opens the stream as a page does, and listens until close.
func (l *pipeListener) stream(t *testing.T) *openStream {
	t.Helper()
	conn, err := l.dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	s := &openStream{conn: conn}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.status = r.StatusCode
	go s.listen(t, r.Body)
	return s
}

func (s *openStream) listen(t *testing.T, body io.Reader) {
	t.Helper()
	lines := bufio.NewReader(body)
	for {
		line, err := lines.ReadString('\n')
		s.mu.Lock()
		s.all.WriteString(line)
		if err != nil {
			s.ended = true
			s.mu.Unlock()
			return
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			u := streamed{at: time.Now(), size: len(data)}
			if err := json.Unmarshal([]byte(data), &u.decodedUpdate); err != nil {
				t.Errorf("%v: %s", err, data)
			}
			s.updates = append(s.updates, u)
		} else if s.status == http.StatusOK && line != "\n" && line != ":\n" {
			t.Errorf("the stream has the line %q", line)
		}
		s.mu.Unlock()
	}
}

// text returns all that came.
func (s *openStream) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// told returns the updates so far, and forgets them.
func (s *openStream) told() []streamed {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.updates
	s.updates = nil
	return list
}

func (s *openStream) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// webOf is the web server of a bridge that doesn't run, without a network.
func webOf(t *testing.T, c HTTPConfig) http.Handler {
	t.Helper()
	return newWeb(printerIn(situation{AccessControl, nil, "idle"}).bridge, c).handler()
}

// webAnswer sends a request as change has it.
func webAnswer(h http.Handler, method, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, pageRequest(method, path, change...))
	return rec
}

// pageRequest is a request to loopbackPage.
func pageRequest(method, path string, change ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(method, "http://127.0.0.1:8095"+path, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	for _, c := range change {
		c(r)
	}
	return r
}

func withHeaders(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			r.Header.Set(pairs[i], pairs[i+1])
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
