package octoprinttest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

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
	return s.untilWithin(what, 30*time.Second, wanted)
}

func (s *stream) untilWithin(what string, limit time.Duration, wanted func(frame) bool) frame {
	s.t.Helper()
	timeout := time.NewTimer(limit)
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
			s.t.Fatalf("no %s within %v", what, limit)
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

func (s *stream) untilEventWithin(name string, limit time.Duration) frame {
	s.t.Helper()
	return s.untilWithin("event "+name, limit, func(f frame) bool { return f.event() == name })
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
