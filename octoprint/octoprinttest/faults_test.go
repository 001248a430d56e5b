package octoprinttest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"octoprint2mqtt/octoprint/octoprinttest"
)

type sim = octoprinttest.Server

// TestSurroundings is about what happens to a server.
func TestSurroundings(t *testing.T) {
	for name, test := range map[string]func(s *sim, c *client){
		"revoked key":                testRevokedKey,
		"taken permissions":          testSetPermissions,
		"logout":                     testLogout,
		"stale sessions":             testStaleSessions,
		"dropped sockets":            testDropSockets,
		"stalled sockets":            testStallSockets,
		"held requests":              testHoldRequests,
		"start":                      testStarting,
		"proxy page":                 testProxyPage,
		"raw frames":                 testSend,
		"prepared samples":           testSendCurrent,
		"restart by command":         testRestartCommand,
		"given key":                  testGivenKey,
		"application key":            testApplicationKey,
		"limited logins":             testLimit,
		"requests are noted":         testRequests,
		"the firmware asks to pause": testRunout,
	} {
		t.Run(name, func(t *testing.T) { bubble(t, octoprinttest.Options{GlobalKey: "global-key"}, test) })
	}
}

func testRevokedKey(s *sim, c *client) {
	t := c.t
	stream := c.joined("operator")
	s.RevokeKey("operator")
	same(t, "name", c.get("/api/currentuser", "operator").at("name"), nil)
	stream.untilNext() // the socket does not care
	stream.untilNext()
}

func testGivenKey(s *sim, c *client) {
	t := c.t
	stream := c.joined("operator")
	s.GiveKey("readonly", "operator-key")
	same(t, "name", c.get("/api/currentuser", "operator").at("name"), "readonly")
	same(t, "name", c.get("/api/currentuser", "readonly").at("name"), nil) // the key that the user had
	stream.untilNext()
	s.GiveKey("operator", "operator-key")
	same(t, "name", c.get("/api/currentuser", "operator").at("name"), "operator")
}

func testSetPermissions(s *sim, c *client) {
	t := c.t
	stream := c.joined("operator")
	s.SetPermissions("operator", "FILES_LIST")
	for range 3 {
		same(t, "reason", stream.untilKind("reauthRequired").at("reason"), "modified")
	}
	synctest.Wait()
	before := len(stream.all())
	stream.pass(5 * time.Second)
	same(t, "frames", len(stream.all()), before)
	same(t, "permissions", c.get("/api/currentuser", "operator").at("permissions"), []any{"FILES_LIST"})
}

func testLogout(s *sim, c *client) {
	t := c.t
	stream := c.open()
	auth := c.login("admin")
	stream.say(auth)
	stream.untilKind("history")
	s.Logout("admin")
	same(t, "reason", stream.untilKind("reauthRequired").at("reason"), "logout")
	same(t, "sockets", s.Sockets(), 0)
	stream.say(auth)
	same(t, "reason", stream.untilKind("reauthRequired").at("reason"), "stale")
}

func testStaleSessions(s *sim, c *client) {
	t := c.t
	auth := c.login("admin")
	s.StaleSessions()
	stream := c.open()
	stream.say(auth)
	same(t, "reason", stream.untilKind("reauthRequired").at("reason"), "stale")
}

func testDropSockets(s *sim, c *client) {
	t := c.t
	stream := c.joined("admin")
	same(t, "sockets", s.Sockets(), 1)
	s.DropSockets()
	<-stream.done
	if websocket.IsCloseError(stream.err, websocket.CloseNormalClosure, websocket.CloseGoingAway) {
		t.Errorf("there was a close frame: %v", stream.err)
	}
	synctest.Wait()
	same(t, "sockets", s.Sockets(), 0)
	c.joined("admin") // others are welcome
}

func testStallSockets(s *sim, c *client) {
	t := c.t
	stream := c.joined("admin")
	ponged := false
	stream.conn.SetPongHandler(func(string) error { ponged = true; return nil })
	s.StallSockets(true)
	synctest.Wait()
	before := len(stream.all())
	if err := stream.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
		t.Errorf("a ping cannot even be sent: %v", err)
	}
	stream.pass(time.Minute)
	same(t, "frames", len(stream.all()), before)
	same(t, "pong", ponged, false)
	s.StallSockets(false)
	stream.untilNext()
	same(t, "pong, late", ponged, false)
}

func testHoldRequests(s *sim, c *client) {
	t := c.t
	s.HoldRequests(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/version", nil)
	if _, err := c.http.Do(r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a held request: %v", err)
	}
	s.HoldRequests(false)
	same(t, "status", c.get("/api/version", "admin").status, 200)
}

func testStarting(s *sim, c *client) {
	t := c.t
	s.AddFile(octoprinttest.File{Path: "a.gcode"})
	must(t, s.Print("a.gcode"), time.Second)
	stream := c.joined("admin")
	s.SetStarting(true)
	<-stream.done
	same(t, "front page", c.get("/", "").status, 200)
	same(t, "post", c.do("POST", "/api/login", "admin", `{}`).status, 501)
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/api/version", nil)
	if answer, err := c.http.Do(r); err == nil {
		body, _ := io.ReadAll(answer.Body)
		t.Errorf("an answer in HTTP: %d %s", answer.StatusCode, body)
	}
	s.SetStarting(false)
	time.Sleep(time.Second)
	same(t, "state", c.get("/api/job", "admin").at("state"), "Operational")
	same(t, "file", c.get("/api/job", "admin").at("job", "file", "name"), nil)
}

func testProxyPage(s *sim, c *client) {
	t := c.t
	s.SetProxyPage(502, "<html>Bad Gateway</html>")
	r := c.get("/api/version", "admin")
	same(t, "status", r.status, 502)
	same(t, "body", r.text, "<html>Bad Gateway</html>")
	s.SetProxyPage(301, "")
	same(t, "location", c.get("/api/version?x=1", "admin").header.Get("Location"), "https://octopi.local/api/version?x=1")
	s.SetProxyPage(0, "")
	same(t, "status", c.get("/api/version", "admin").status, 200)
}

func testSend(s *sim, c *client) {
	t := c.t
	stream := c.joined("admin")
	c.open()
	s.Send([]byte(`{"unknown":null}`))
	stream.untilKind("unknown")
	s.Send([]byte(`{"current":`))
	<-stream.done
	if stream.err == nil || !strings.Contains(stream.err.Error(), "JSON") {
		t.Errorf("the truncated frame gave %v", stream.err)
	}
}

func testSendCurrent(s *sim, c *client) {
	t := c.t
	stranger, plain, none, full := c.open(), c.open(), c.open(), c.joined("operator")
	plain.say(`{"subscribe":{"state":{"logs":false}}}`)
	plain.say(c.login("operator"))
	plain.untilKind("history")
	none.say(`{"subscribe":{"state":false,"events":["Home"]}}`)
	none.say(c.login("operator"))
	none.untilKind("timelapse")
	s.SendCurrent([]byte(`{"mine":"full"}`), []byte(`{"mine":"plain"}`))
	s.Send([]byte(`{"over":true}`))
	same(t, "with lines", full.untilKind("mine").body, "full")
	same(t, "without lines", plain.untilKind("mine").body, "plain")
	none.untilKind("over")
	for name, s := range map[string]*stream{"no state wanted": none, "not logged in": stranger} {
		if slices.Contains(s.kinds(), "mine") {
			t.Errorf("a prepared sample was sent: %s", name)
		}
	}
}

func testRestartCommand(_ *sim, c *client) {
	stream := c.joined("admin")
	c.post("/api/system/commands/core/restart", "admin", "", 204)
	<-stream.done
	time.Sleep(10 * time.Second)
	c.joined("admin").untilText("Operational")
}

func testApplicationKey(s *sim, c *client) {
	t := c.t
	r := c.post("/plugin/appkeys/request", "", `{"app":"test"}`, 201)
	poll := "/plugin/appkeys/request/" + r.at("app_token").(string)
	same(t, "waiting", c.get(poll, "").status, 202)
	time.Sleep(4 * time.Second)
	same(t, "waiting", c.get(poll, "").status, 202)
	if err := s.DecideKey("operator", true); err != nil {
		t.Fatal(err)
	}
	granted := c.get(poll, "")
	same(t, "granted", granted.status, 200)
	same(t, "fetched already", c.get(poll, "").status, 404)
	c.keys["app"] = granted.at("api_key").(string)
	same(t, "whose", c.get("/api/currentuser", "app").at("name"), "operator")
	time.Sleep(time.Minute)
	forgotten := c.post("/plugin/appkeys/request", "", `{"app":"test"}`, 201)
	time.Sleep(6 * time.Second)
	same(t, "forgotten", c.get("/plugin/appkeys/request/"+forgotten.at("app_token").(string), "").status, 404)
	if err := s.DecideKey("operator", true); !errors.Is(err, octoprinttest.ErrNoRequest) {
		t.Errorf("deciding about nothing: %v", err)
	}
	for range 2 {
		c.post("/plugin/appkeys/request", "", `{"app":"test"}`, 201)
	}
	c.post("/plugin/appkeys/request", "", `{"app":"test"}`, 429)
}

func testRequests(s *sim, c *client) {
	t := c.t
	c.post("/api/job", "admin", `{"command":"start"}`, 204)
	all := s.Requests()
	last := all[len(all)-1]
	same(t, "request", []any{last.Method, last.Path, last.Body}, []any{"POST", "/api/job", `{"command":"start"}`})
	same(t, "key", last.Header.Get("X-Api-Key"), "admin-key")
}

func testRunout(s *sim, c *client) {
	t := c.t
	s.AddFile(octoprinttest.File{Path: "a.gcode"})
	stream := c.joined("admin")
	must(t, s.Print("a.gcode"), time.Second)
	must(t, s.FilamentRunout(), 5*time.Second)
	same(t, "user", stream.untilEvent("PrintPaused").at("payload", "user"), nil)
}

func testLimit(s *sim, c *client) {
	s.LimitLogins(true)
	c.post("/api/login", "admin", `{"passive":true}`, 429)
	same(c.t, "other requests", c.get("/api/version", "admin").status, 200)
	s.LimitLogins(false)
	c.joined("admin")
}
