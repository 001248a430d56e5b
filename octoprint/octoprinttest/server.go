package octoprinttest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Server is a simulated OctoPrint with its printer. Its methods may be called from any goroutine.
type Server struct {
	options Options
	release release
	wake    chan struct{} // tells Run of a new task
	serving sync.WaitGroup

	mu       sync.Mutex
	accounts *accounts
	printer  *printer
	files    *store
	sockets  map[*socket]struct{}
	tasks    []task
	requests []Request
	enrol    enrolment
	closed   bool
	// installation makes the configuration differ from that of every other server.
	installation uint64

	cors     bool // as the settings are
	limited  bool // logins are refused
	stalled  bool
	starting bool
	proxy    *page
	held     chan struct{} // closed when held requests may go on; nil when none are held
	changes  int           // of the settings

	queuedUpdates []string // that wait for the end of the print
}

// Request is one that the server got.
type Request struct {
	Method string
	// Path has no query and no prefix.
	Path   string
	Query  string
	Header http.Header
	// Body is cut at 64 KiB.
	Body string
}

// New returns a server whose printer is connected and idle. It starts nothing: see Run.
func New(o Options) *Server {
	o = o.withDefaults()
	r := parseRelease(o.Version)
	s := &Server{
		options: o, release: r, accounts: newAccounts(o), printer: newPrinter(o, r), files: newStore(),
		sockets: map[*socket]struct{}{}, wake: make(chan struct{}, 1), enrol: newEnrolment(), cors: o.CORS,
		installation: rand.Uint64(),
	}
	s.printer.emit, s.printer.announce, s.printer.later = s.emit, s.announce, s.later
	return s
}

// Close ends all sockets, without a word as OctoPrint does when it stops, refuses new ones, and waits until their
// goroutines are gone.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for k := range s.sockets {
		k.cut()
	}
	s.letGo()
	s.mu.Unlock()
	s.serving.Wait()
}

// bodyLimit is how much of a request is read.
const bodyLimit = 64 << 20

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		return // the client went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if s.serveCamera(w, r) || s.disturbed(w, r) {
		return
	}
	path, ok := s.strip(r.URL.Path)
	if !ok {
		writePage(w, http.StatusNotFound, "404 Not Found")
		return
	}
	s.note(r, path, body)
	s.allowOrigin(w, r)
	if path == "/sockjs/websocket" {
		s.serveSocket(w, r)
		return
	}
	answer := s.answerRequest(&call{s: s, r: r, path: path, body: body})
	if r.Method == http.MethodGet && s.release.hangsUp() && answer.writeAndHangUp(w) {
		return
	}
	answer.write(w)
}

const maxRequests = 2000

func (s *Server) note(r *http.Request, path string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) >= maxRequests {
		s.requests = s.requests[maxRequests/2:]
	}
	s.requests = append(s.requests, Request{
		Method: r.Method, Path: path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: string(body[:min(len(body), 64<<10)]),
	})
}

// Requests returns what was asked for, oldest first. Only the newest one or two thousand are kept.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Sockets returns how many push connections are logged in now.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for k := range s.sockets {
		if k.user != nil {
			n++
		}
	}
	return n
}

// State returns what the printer does, in the words that OctoPrint shows to people.
func (s *Server) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.printer.state.text(s.release, s.printer.cause)
}

func (s *Server) configHash() string { return fmt.Sprintf("%016x%016x", s.installation, s.changes) }

// task is something that the simulation does later.
type task struct {
	at time.Time
	do func()
}

// later plans f; only Run executes it.
func (s *Server) later(d time.Duration, f func()) {
	s.tasks = append(s.tasks, task{s.printer.now().Add(d), f})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
