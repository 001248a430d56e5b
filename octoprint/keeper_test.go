package octoprint_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// answering answers /api/currentuser by what is stored in it, if anything is.
type answering struct {
	atomic.Pointer[http.HandlerFunc]
}

func (a *answering) front(sim http.Handler) http.Handler {
	return instead("/api/currentuser", func(w http.ResponseWriter, r *http.Request) {
		if f := a.Load(); f != nil {
			(*f)(w, r)
			return
		}
		sim.ServeHTTP(w, r)
	})(sim)
}

// TestKeyCheck changes what the server says of the key while a session is open.
func TestKeyCheck(t *testing.T) {
	t.Parallel()
	user := func(name string, permissions ...string) http.HandlerFunc {
		return page(200, "application/json", `{"name":"`+name+`","groups":[],"permissions":["`+strings.Join(permissions, `","`)+`"]}`)
	}
	for name, c := range map[string]struct {
		now  http.HandlerFunc
		want octoprint.Failure // 0: the session goes on
	}{
		"revoked in 1.11":    {page(200, "application/json", `{"name":null,"groups":["guests"],"permissions":[]}`), octoprint.KeyRejected},
		"revoked in 1.10":    {page(403, "application/json", `{"error":"Invalid API key"}`), octoprint.KeyRejected},
		"other user":         {user("somebody", "STATUS"), octoprint.WrongUser},
		"global key":         {user("_api", "STATUS"), octoprint.GlobalKey},
		"permission taken":   {user("operator", "PRINT"), octoprint.NotPermitted},
		"no permission left": {user("operator"), octoprint.NotPermitted},
		"server restarting":  {page(502, "text/html", "<html>"), 0},
		"page":               {page(200, "text/html", "<html>"), 0},
		"redirect":           {elsewhere, 0},
		"server failed":      {page(500, "", ""), 0},
		"no answer":          {silent, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a answering
			bubbleBehind(t, octoprinttest.Options{}, a.front, func(b *bench) {
				must(b.t, b.sim.Disconnect()) // which makes the long waits cheap
				s := b.opened(b.clientWith(octoprint.Options{APIKey: "operator-key", User: "operator"}))
				a.Store(&c.now)
				if c.want != 0 {
					err, _ := s.failure(3 * time.Minute)
					wantFailure(t, err, c.want)
					return
				}
				after(10 * time.Minute)
				s.stop()
			})
		})
	}
}

func TestKeyCheckReportsPermissions(t *testing.T) {
	t.Parallel()
	var a answering
	bubbleBehind(t, octoprinttest.Options{}, a.front, func(b *bench) {
		must(b.t, b.sim.Disconnect())
		s := b.opened(b.client("statusonly"))
		if i := s.log().info; i.May(octoprint.PermissionPrint) || i.Profile != nil {
			t.Errorf("at first: %+v", i)
		}
		more := page(200, "application/json", `{"name":"statusonly","groups":[],"permissions":["STATUS","PRINT"]}`)
		a.Store(&more)
		after(10 * time.Minute)
		got := s.log()
		if want := []string{"PRINT", "STATUS"}; got.infos != 1 || !slices.Equal(got.info.Permissions, want) {
			t.Errorf("%d changes, permissions %v, want one to %v", got.infos, got.info.Permissions, want)
		}
		if got.info.Version != "1.11.8" || got.info.User != "statusonly" {
			t.Errorf("other facts were lost: %+v", got.info)
		}
		renamed := page(200, "application/json", `{"name":"renamed","groups":[],"permissions":["STATUS","PRINT"]}`)
		a.Store(&renamed)
		err, _ := s.failure(3 * time.Minute)
		wantFailure(t, err, octoprint.SessionEnded) // it is still the former user's
	})
}

// TestKeyIsCheckedAgainAndAgain counts the checks of an hour.
func TestKeyIsCheckedAgainAndAgain(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		must(b.t, b.sim.Disconnect())
		s := b.opened(b.client("admin"))
		after(time.Hour)
		n := 0
		for _, p := range b.paths() {
			if p == "GET /api/currentuser" {
				n++
			}
		}
		if n < 20 || n > 22 { // and one when the session was opened
			t.Errorf("the key was checked %d times in an hour", n)
		}
		b.sim.RevokeKey("admin")
		err, took := s.failure(time.Hour)
		wantFailure(t, err, octoprint.KeyRejected)
		if took > 3*time.Minute {
			t.Errorf("noticed after %v", took)
		}
	})
}

// slow is a recorder that takes its time for one of its calls.
type slow struct{ *recorder }

// InfoChanged implements octoprint.Handler.
func (h slow) InfoChanged(i octoprint.Info) {
	h.recorder.InfoChanged(i)
	h.busy.Store(true)
	time.Sleep(5 * time.Second)
	h.busy.Store(false)
}

// TestServeWaitsForItsCalls ends the socket while the handler is called.
func TestServeWaitsForItsCalls(t *testing.T) {
	t.Parallel()
	bubbleBehind(t, octoprinttest.Options{}, withLogin(func(conn *websocket.Conn) {
		say(conn, history)
		time.Sleep(time.Second)
		say(conn, `{"event":{"type":"Connected","payload":null}}`)
		time.Sleep(time.Second)
	}), func(b *bench) {
		must(b.t, b.sim.Disconnect()) // so that the profile is found later
		c := b.client("statusonly")
		h := slow{&recorder{t: t}}
		time.AfterFunc(500*time.Millisecond, func() { _ = b.sim.Connect() })
		begin := time.Now()
		err := c.Serve(b.t.Context(), h)
		wantFailure(t, err, octoprint.SessionEnded)
		if took := time.Since(begin); took != 6*time.Second || h.busy.Load() || h.log().infos != 1 {
			t.Errorf("Serve returned after %v, with the handler busy %v", took, h.busy.Load())
		}
	})
}

// TestRecheck: what would be noticed within minutes is noticed now. Without a
// session there is nothing to be done.
func TestRecheck(t *testing.T) {
	t.Parallel()
	var a answering
	bubbleBehind(t, octoprinttest.Options{}, a.front, func(b *bench) {
		c := b.clientWith(octoprint.Options{APIKey: "operator-key"})
		c.Recheck()
		s := b.opened(c)
		now := page(200, "application/json", `{"name":"operator","groups":[],"permissions":["STATUS","PRINT"]}`)
		a.Store(&now)
		after(time.Second)
		if r := s.log(); r.infos != 0 {
			t.Errorf("told %d times before anybody asked", r.infos)
		}
		c.Recheck()
		c.Recheck()
		after(time.Second)
		if r := s.log(); r.infos == 0 || strings.Join(r.info.Permissions, " ") != "PRINT STATUS" {
			t.Errorf("told %d times: %+v", r.infos, r.info)
		}
		s.stop()
		c.Recheck()
	})
}
