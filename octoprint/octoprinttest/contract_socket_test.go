package octoprinttest_test

import (
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

func socketChecks() []check {
	return []check{
		{"greeting", func(c *client) {
			t := c.t
			s := c.open()
			f := s.untilKind("connected")
			same(t, "version", f.at("version"), c.get("/api/version", "admin").at("server"))
			same(t, "first permission", f.at("permissions", 0, "key"), "ADMIN")
			if n := len(f.at("permissions").([]any)); n < 20 {
				t.Errorf("%d permissions are named", n)
			}
		}},
		{"good auth", func(c *client) {
			t := c.t
			s := c.joined("admin")
			s.untilKind("timelapse")
			s.untilText("Operational")
			same(t, "first frames", s.kinds()[:3], []string{"connected", "history", "timelapse"})
		}},
		{"bad auth", checkBadAuth},
		{"auth that is no text", func(c *client) {
			t := c.t
			s := c.open()
			s.say(`{"auth":5}`)
			<-s.done
			if websocket.IsCloseError(s.err, websocket.CloseNormalClosure) {
				t.Errorf("the socket was closed politely: %v", s.err)
			}
		}},
		{"user without permission", func(c *client) {
			t := c.t
			s := c.open()
			s.say(c.login("nobody"))
			s.pass(3 * time.Second)
			same(t, "frames", s.kinds(), []string{"connected"})
		}},
		{"user without the terminal", checkNoTerminal},
		{"subscription before auth", checkSubscribeFirst},
		{"subscription to events by name", checkEventsByName},
		{"subscription that makes no sense", checkNonsense},
		{"throttle", checkThrottle},
		{"ping", checkPing},
	}
}

// pass lets time go by: for what must not happen.
func (s *stream) pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.done:
		s.t.Fatalf("the socket ended: %v", s.err)
	}
}

func (s *stream) untilTemps() frame {
	s.t.Helper()
	return s.until("temperatures", func(f frame) bool { return f.kind == "current" && f.at("temps", 0, "tool0") != nil })
}

func checkBadAuth(c *client) {
	t := c.t
	s := c.open()
	s.say(`{"auth":"admin:deadbeef"}`)
	if c.since(1, 8) {
		same(t, "reason", s.untilKind("reauthRequired").at("reason"), "stale")
	}
	s.say(`{"auth":"nocolon"}`)
	s.say(`not json`)
	s.pass(2 * time.Second)
	for _, f := range s.all() {
		if f.kind != "connected" && f.kind != "reauthRequired" {
			t.Errorf("a stranger was told %s", f.kind)
		}
	}
	s.say(c.login("operator")) // the socket is still good
	s.untilKind("history")
}

func checkSubscribeFirst(c *client) {
	t := c.t
	s := c.open()
	if !c.since(1, 8) {
		s.say(`{"subscribe":{"state":false}}`)
		s.say(c.login("admin"))
		s.untilKind("history")
		s.untilText("Operational") // the subscription was ignored
		return
	}
	s.say(`{"subscribe":{"state":{"logs":false,"messages":false},"plugins":false,"events":["PrinterStateChanged"]}}`)
	s.say(c.login("admin"))
	same(t, "logs of the past", s.untilKind("history").at("logs"), []any{})
	same(t, "logs", s.untilText("Operational").at("logs"), []any{})
	same(t, "frames", s.kinds(), []string{"connected", "history", "timelapse"})
	s.say(`{"subscribe":{"state":false}}`)
	s.pass(time.Second)
	s.say(`{"subscribe":{"state":true}}`)
	s.untilKind("history")
}

func checkThrottle(c *client) {
	t := c.t
	s := c.joined("admin")
	s.say(`{"throttle":4}`)
	s.pass(2500 * time.Millisecond)
	var last float64
	for n := range 3 {
		now, _ := s.untilNext().at("serverTime").(float64)
		if n > 0 && (now-last < 1.4 || now-last > 4) {
			t.Errorf("frames are %.2f s apart, want 2", now-last)
		}
		last = now
	}
}

// untilNext waits for a `current` that has not come yet.
func (s *stream) untilNext() frame {
	s.t.Helper()
	s.mu.Lock()
	s.next = len(s.frames)
	s.mu.Unlock()
	return s.untilKind("current")
}

// describe is for messages about frames.
func (f frame) String() string { return fmt.Sprintf("%s %v", f.kind, f.body) }

func checkNoTerminal(c *client) {
	t := c.t
	s := c.joined("statusonly")
	f := s.untilText("Operational")
	same(t, "terminal", f.at("logs") != nil, !c.since(1, 8))
	same(t, "chamber of no chamber", s.untilTemps().at("temps", 0, "chamber"), map[string]any{"actual": nil, "target": nil})
}

func checkEventsByName(c *client) {
	t := c.t
	if !c.since(1, 8) {
		return
	}
	s := c.open()
	s.say(`{"subscribe":{"state":false,"plugins":[],"events":["Home"]}}`)
	s.say(c.login("admin"))
	s.untilKind("timelapse")
	c.post("/api/printer/command", "admin", `{"commands":["G4 P1","G28"]}`, 204)
	s.untilEvent("Home")
	same(t, "frames", s.kinds(), []string{"connected", "timelapse", "event"})
}

func checkNonsense(c *client) {
	t := c.t
	if !c.since(1, 8) {
		return
	}
	s := c.joined("admin")
	s.say(`{"subscribe":{"state":5}}`)
	s.pass(time.Second)
	before := len(s.all())
	s.pass(2 * time.Second)
	same(t, "frames", len(s.all()), before)
}

func checkPing(c *client) {
	t := c.t
	s := c.open()
	pong := make(chan string, 1)
	s.conn.SetPongHandler(func(data string) error { pong <- data; return nil })
	if err := s.conn.WriteControl(websocket.PingMessage, []byte("here"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	select {
	case data := <-pong:
		same(t, "pong", data, "here")
	case <-time.After(5 * time.Second):
		t.Error("no pong")
	}
}
