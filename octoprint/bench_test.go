package octoprint_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// versions are the releases that must look alike to a user.
func versions() []string {
	return []string{"1.5.3", "1.7.3", "1.8.7", "1.9.3", "1.10.3", "1.11.8", "2.0.0rc7"}
}

// bench is a simulated server inside a bubble of fake time.
type bench struct {
	t    *testing.T
	sim  *octoprinttest.Server
	pipe *octoprinttest.Listener
	url  string
}

// bubble runs f with a simulated server. When f is done, every goroutine must end.
func bubble(t *testing.T, o octoprinttest.Options, f func(b *bench)) {
	t.Helper()
	bubbleBehind(t, o, func(sim http.Handler) http.Handler { return sim }, f)
}

// bubbleBehind is bubble with something between the client and the simulation.
func bubbleBehind(t *testing.T, o octoprinttest.Options, front func(sim http.Handler) http.Handler, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := octoprinttest.New(o)
		b := &bench{t: t, sim: sim, pipe: octoprinttest.Pipe(front(sim)), url: "http://octopi.local" + o.Prefix}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = sim.Run(ctx) })
		defer func() {
			sim.Close()
			b.pipe.Close()
			stop()
			running.Wait()
		}()
		f(b)
	})
}

// client returns a client for a user of the simulation.
func (b *bench) client(user string) *octoprint.Client {
	b.t.Helper()
	return b.clientWith(octoprint.Options{APIKey: user + "-key"})
}

// clientWith fills in how the simulation is reached.
func (b *bench) clientWith(o octoprint.Options) *octoprint.Client {
	b.t.Helper()
	if o.URL == nil {
		o.URL = parse(b.t, b.url)
	}
	if o.Dial == nil {
		o.Dial = b.pipe.Dial
	}
	c := octoprint.NewClient(o)
	return c
}

func parse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// session is a running Serve.
type session struct {
	*recorder
	t      *testing.T
	start  time.Time
	cancel context.CancelFunc
	done   chan struct{}
	err    error     // of Serve, once done is closed
	ended  time.Time // when Serve returned
}

// serve starts a session that ends with the test, or before.
func (b *bench) serve(c *octoprint.Client) *session {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	s := &session{
		recorder: &recorder{t: b.t}, t: b.t, start: time.Now(), cancel: cancel, done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		s.err = c.Serve(ctx, s.recorder)
		s.ended = time.Now()
	}()
	b.t.Cleanup(func() { cancel(); <-s.done })
	return s
}

// opened is serve with the session open.
func (b *bench) opened(c *octoprint.Client) *session {
	b.t.Helper()
	s := b.serve(c)
	time.Sleep(50 * time.Millisecond)
	synctest.Wait()
	if s.isDone() {
		b.t.Fatalf("the session ended at once: %v", s.err)
	}
	if s.log().opened != 1 {
		b.t.Fatal("the session did not open")
	}
	return s
}

func (s *session) isDone() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// stop ends a session by its context, which is no failure.
func (s *session) stop() {
	s.t.Helper()
	s.cancel()
	<-s.done
	if s.err != nil {
		s.t.Errorf("Serve returned %v after its context ended, want nil", s.err)
	}
}

// failure waits until Serve returns by itself and says why and after how long.
func (s *session) failure(within time.Duration) (why error, took time.Duration) { //nolint:staticcheck // the error is the result here
	s.t.Helper()
	begin := time.Now()
	select {
	case <-s.done:
	case <-time.After(within):
		s.t.Fatalf("the session still ran after %v", within)
	}
	if s.err == nil {
		s.t.Fatal("Serve returned nil though its context had not ended")
	}
	return s.err, s.ended.Sub(begin)
}

// after lets fake time pass, until everything that it causes is done.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// must fails the test for an error of something that cannot be expected to fail.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// paths lists the requests that the server got, as "METHOD path".
func (b *bench) paths() []string {
	var list []string
	for _, r := range b.sim.Requests() {
		list = append(list, r.Method+" "+r.Path)
	}
	return list
}

// withLogin is withSocket after the client's two messages, which are subscribe
// and auth: the pipe has no buffer, so who wants to write must be read first.
func withLogin(open func(*websocket.Conn)) func(http.Handler) http.Handler {
	return withSocket(func(conn *websocket.Conn) {
		for range 2 {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
		open(conn)
	})
}

// withSocket answers the push socket's requests in the simulation's stead: open
// runs with the connection, which is closed when it returns.
func withSocket(open func(*websocket.Conn)) func(http.Handler) http.Handler {
	return func(sim http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/sockjs/websocket") {
				sim.ServeHTTP(w, r)
				return
			}
			var up websocket.Upgrader
			conn, err := up.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer conn.Close()
			open(conn)
		})
	}
}

// drain reads what a client sends until it goes.
func drain(conn *websocket.Conn) {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

// say sends text frames.
func say(conn *websocket.Conn, frames ...string) {
	for _, f := range frames {
		if conn.WriteMessage(websocket.TextMessage, []byte(f)) != nil {
			return
		}
	}
}

// instead answers one path by f and passes everything else on.
func instead(path string, f http.HandlerFunc) func(http.Handler) http.Handler {
	return func(sim http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				f(w, r)
				return
			}
			sim.ServeHTTP(w, r)
		})
	}
}
