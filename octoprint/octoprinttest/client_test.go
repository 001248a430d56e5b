package octoprinttest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// client talks to a server, real or simulated, as plainly as possible.
type client struct {
	t    *testing.T
	base string
	http *http.Client
	dial func(ctx context.Context, network, addr string) (net.Conn, error) // nil for the network
	keys map[string]string                                                 // by user name
}

// reply is what a request was answered with.
type reply struct {
	status int
	header http.Header
	text   string
	json   any // nil if it is not JSON
}

// at follows keys and indexes into the JSON body; nil when there is nothing.
func (r reply) at(path ...any) any { return dig(r.json, path...) }

func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// do sends a request as a user; "" sends no key, and a name that is nobody's is sent as a key that nobody has.
func (c *client) do(method, path, user, body string, headers ...string) reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if user != "" {
		r.Header.Set("X-Api-Key", c.key(user))
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return c.send(r)
}

func (c *client) key(user string) string {
	if key, ok := c.keys[user]; ok {
		return key
	}
	return "a-key-that-nobody-has"
}

func (c *client) send(r *http.Request) reply {
	c.t.Helper()
	answer, err := c.http.Do(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	out := reply{status: answer.StatusCode, header: answer.Header, text: string(data)}
	_ = json.Unmarshal(data, &out.json)
	return out
}

func (c *client) get(path, user string) reply { c.t.Helper(); return c.do("GET", path, user, "") }

// post sends a command, which must be answered with a status.
func (c *client) post(path, user, body string, status int) reply {
	c.t.Helper()
	r := c.do("POST", path, user, body)
	if r.status != status {
		c.t.Errorf("POST %s %s as %q: status %d, want %d: %s", path, body, user, r.status, status, r.text)
	}
	return r
}

func (c *client) upload(name, contents string, fields map[string]string) reply {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		c.t.Fatal(err)
	}
	fmt.Fprint(part, contents)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			c.t.Fatal(err)
		}
	}
	w.Close()
	r, err := http.NewRequestWithContext(c.t.Context(), "POST", c.base+"/api/files/local", &b)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", c.key("admin"))
	r.Header.Set("Content-Type", w.FormDataContentType())
	return c.send(r)
}

// frame is one message of the push socket.
type frame struct {
	kind string
	body any
}

func (f frame) at(path ...any) any { return dig(f.body, path...) }

// event is the name of an event, "" for other frames.
func (f frame) event() string {
	name, _ := f.at("type").(string)
	if f.kind != "event" {
		return ""
	}
	return name
}

// stream is an open push socket that collects what comes.
type stream struct {
	t    *testing.T
	conn *websocket.Conn

	mu     sync.Mutex
	frames []frame
	next   int // of wait
	err    error
	more   chan struct{} // holds a token when something came
	done   chan struct{}
}

// open opens a push socket that is closed with the test.
func (c *client) open() *stream {
	c.t.Helper()
	d := websocket.Dialer{NetDialContext: c.dial, HandshakeTimeout: 10 * time.Second}
	url := "ws" + strings.TrimPrefix(c.base, "http") + "/sockjs/websocket"
	conn, answer, err := d.DialContext(c.t.Context(), url, nil)
	if err != nil {
		c.t.Fatalf("opening the push socket: %v (%v)", err, answer)
	}
	conn.SetReadLimit(16 << 20)
	s := &stream{t: c.t, conn: conn, more: make(chan struct{}, 1), done: make(chan struct{})}
	go s.read()
	c.t.Cleanup(s.close)
	return s
}

func (s *stream) close() {
	s.conn.Close()
	<-s.done
}

func (s *stream) read() {
	defer close(s.done)
	for {
		_, data, err := s.conn.ReadMessage()
		var in map[string]any
		if err == nil {
			err = json.Unmarshal(data, &in)
		}
		s.mu.Lock()
		for kind, body := range in {
			s.frames = append(s.frames, frame{kind, body})
		}
		s.err = err
		s.mu.Unlock()
		select {
		case s.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (s *stream) say(text string) {
	s.t.Helper()
	if err := s.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		s.t.Fatalf("sending %s: %v", text, err)
	}
}

// until waits for the next frame that is wanted, skipping others.
func (s *stream) until(what string, wanted func(frame) bool) frame {
	s.t.Helper()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	for {
		s.mu.Lock()
		for s.next < len(s.frames) {
			f := s.frames[s.next]
			s.next++
			if wanted(f) {
				s.mu.Unlock()
				return f
			}
		}
		err := s.err
		s.mu.Unlock()
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", what, err)
		}
		select {
		case <-s.more:
		case <-timeout.C:
			s.t.Fatalf("no %s within 30 s", what)
		}
	}
}

func (s *stream) untilKind(kind string) frame {
	s.t.Helper()
	return s.until(kind, func(f frame) bool { return f.kind == kind })
}

func (s *stream) untilEvent(name string) frame {
	s.t.Helper()
	return s.until("event "+name, func(f frame) bool { return f.event() == name })
}

// untilText waits for a `current` with a state text.
func (s *stream) untilText(text string) frame {
	s.t.Helper()
	return s.until("state "+text, func(f frame) bool { return f.kind == "current" && f.at("state", "text") == text })
}

// all returns every frame so far.
func (s *stream) all() []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]frame(nil), s.frames...)
}

// kinds lists what came so far, `current` frames left out.
func (s *stream) kinds() []string {
	var kinds []string
	for _, f := range s.all() {
		if f.kind != "current" {
			kinds = append(kinds, f.kind)
		}
	}
	return kinds
}

// login opens a session for a user: what `auth` needs.
func (c *client) login(user string) string {
	c.t.Helper()
	r := c.post("/api/login", user, `{"passive":true}`, 200)
	return fmt.Sprintf(`{"auth":"%v:%v"}`, r.at("name"), r.at("session"))
}

// joined is a stream of a user who is logged in, at the history.
func (c *client) joined(user string) *stream {
	c.t.Helper()
	s := c.open()
	s.say(c.login(user))
	s.untilKind("history")
	return s
}
