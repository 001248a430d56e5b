package octoprint_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// listening is a push socket that says nothing and passes on what it hears.
func listening(heard chan<- string) func(http.Handler) http.Handler {
	return withSocket(func(conn *websocket.Conn) {
		for {
			_, text, err := conn.ReadMessage()
			if err != nil {
				return
			}
			heard <- string(text)
		}
	})
}

const history = `{"history":{"state":{"text":"Operational","flags":{"operational":true}}}}`

// TestHalfOpenLink: a link that is dead but not closed is noticed within 25 s.
func TestHalfOpenLink(t *testing.T) {
	t.Parallel()
	t.Run("silent printer", func(t *testing.T) {
		t.Parallel()
		bubble(t, octoprinttest.Options{}, func(b *bench) {
			must(b.t, b.sim.Disconnect())
			after(time.Second)
			s := b.opened(b.client("admin"))
			after(20*time.Second - time.Since(s.start)) // pings were answered after 7 s and 14 s
			b.sim.StallSockets(true)
			err, took := s.failure(time.Minute)
			wantFailure(t, err, octoprint.SessionEnded)
			if want := 14 * time.Second; took != want {
				t.Errorf("noticed after %v, want %v: 20 s after the last pong", took, want)
			}
			if !strings.Contains(err.Error(), "nothing was heard for 20s") {
				t.Errorf("error %v", err)
			}
		})
	})
	t.Run("busy printer", func(t *testing.T) {
		t.Parallel()
		bubble(t, octoprinttest.Options{}, func(b *bench) {
			s := b.opened(b.client("admin"))
			after(time.Minute)
			b.sim.StallSockets(true)
			err, took := s.failure(time.Minute)
			wantFailure(t, err, octoprint.SessionEnded)
			if took < 19*time.Second || took > 20*time.Second {
				t.Errorf("noticed after %v, want 20 s after the last frame", took)
			}
		})
	})
	t.Run("stall that ends", func(t *testing.T) {
		t.Parallel()
		bubble(t, octoprinttest.Options{}, func(b *bench) {
			s := b.opened(b.client("admin"))
			after(time.Minute)
			b.sim.StallSockets(true)
			after(15 * time.Second)
			b.sim.StallSockets(false)
			after(time.Minute)
			s.stop()
		})
	})
	t.Run("nobody reads", func(t *testing.T) {
		t.Parallel()
		var gone chan struct{}
		bubbleBehind(t, octoprinttest.Options{}, withLogin(func(conn *websocket.Conn) {
			say(conn, history)
			<-gone
		}), func(b *bench) {
			gone = make(chan struct{})
			defer close(gone)
			err, took := b.serve(b.client("admin")).failure(time.Minute)
			wantFailure(t, err, octoprint.SessionEnded)
			if want := 12 * time.Second; took != want {
				t.Errorf("noticed after %v, want %v: the first ping could not be sent for 5 s", took, want)
			}
		})
	})
}

// TestPings: the pings keep a session alive whose printer says nothing.
func TestPings(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var pings []time.Time
	bubbleBehind(t, octoprinttest.Options{}, withLogin(func(conn *websocket.Conn) {
		answer := conn.PingHandler()
		conn.SetPingHandler(func(data string) error {
			mu.Lock()
			pings = append(pings, time.Now())
			mu.Unlock()
			return answer(data)
		})
		say(conn, history)
		drain(conn)
	}), func(b *bench) {
		s := b.opened(b.client("admin"))
		after(10 * time.Minute)
		s.stop()
		mu.Lock()
		defer mu.Unlock()
		if len(pings) < 80 || pings[0].Sub(s.start) != 7*time.Second || pings[1].Sub(pings[0]) != 7*time.Second {
			t.Errorf("%d pings in 10 minutes", len(pings))
		}
	})
}

// TestNoPingsWhileTheServerSpeaks: who speaks needs not be asked to.
func TestNoPingsWhileTheServerSpeaks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var pings []time.Time
	var silent time.Time // since when the server has nothing to say
	bubbleBehind(t, octoprinttest.Options{}, withLogin(func(conn *websocket.Conn) {
		answer := conn.PingHandler()
		conn.SetPingHandler(func(data string) error {
			mu.Lock()
			pings = append(pings, time.Now())
			mu.Unlock()
			return answer(data)
		})
		say(conn, history)
		go func() {
			for range 100 {
				time.Sleep(6 * time.Second)
				say(conn, `{"current":{`+operational+`}}`)
			}
			mu.Lock()
			defer mu.Unlock()
			silent = time.Now()
		}()
		drain(conn)
	}), func(b *bench) {
		s := b.opened(b.client("admin"))
		after(11 * time.Minute)
		s.stop()
		mu.Lock()
		defer mu.Unlock()
		if len(pings) == 0 || pings[0].Sub(silent) != 7*time.Second {
			t.Errorf("the server fell silent at %v and was pinged at %v", silent, pings)
		}
	})
}

// TestLoginThatIsNotAnswered: neither other frames nor pongs count as an answer.
func TestLoginThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	for name, chatter := range map[string]string{
		"silence": "", "garbage": "{", "events": `{"event":{"type":"Startup","payload":null}}`,
		"samples": `{"current":{` + operational + `}}`, "empty history": `{"history":null}`, "false history": `{"history":"none"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubbleBehind(t, octoprinttest.Options{}, withSocket(func(conn *websocket.Conn) {
				done := make(chan struct{})
				go func() { defer close(done); drain(conn) }()
				for {
					if chatter != "" {
						say(conn, chatter)
					}
					_ = conn.WriteControl(websocket.PongMessage, nil, time.Now().Add(time.Second))
					select {
					case <-done:
						return
					case <-time.After(time.Second):
					}
				}
			}), func(b *bench) {
				s := b.serve(b.client("admin"))
				err, took := s.failure(time.Minute)
				wantFailure(t, err, octoprint.SessionEnded)
				if took != 5*time.Second || !strings.Contains(err.Error(), "did not answer the login") {
					t.Errorf("after %v: %v", took, err)
				}
				if got := s.log(); got.opened != 0 || len(got.rejected) > 0 {
					t.Errorf("the handler was called: %+v", got)
				}
			})
		})
	}
}

// TestReauthRequired: whatever the reason, the session ends and says why.
func TestReauthRequired(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"stale", "logout", "modified", "removed", "some new\nreason", ""} {
		for _, before := range []bool{true, false} {
			bubbleBehind(t, octoprinttest.Options{}, withLogin(func(conn *websocket.Conn) {
				frame, _ := json.Marshal(map[string]any{"reauthRequired": map[string]any{"reason": reason}})
				if !before {
					say(conn, history)
				}
				say(conn, string(frame))
				drain(conn)
			}), func(b *bench) {
				s := b.serve(b.client("admin"))
				err, took := s.failure(time.Minute)
				wantFailure(t, err, octoprint.SessionEnded)
				if want := "new login: " + strings.Join(strings.Fields(reason), " "); took != 0 || !strings.HasSuffix(err.Error(), want) {
					t.Errorf("after %v: %q, want …%q", took, err, want)
				}
				if opened := s.log().opened == 1; opened == before {
					t.Errorf("opened: %v", opened)
				}
			})
		}
	}
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.client("operator")
		s := b.opened(c)
		b.sim.Logout("operator")
		err, _ := s.failure(time.Minute)
		wantFailure(t, err, octoprint.SessionEnded)
		b.opened(c).stop()
	})
}

// TestBadFramesLoseNothing: what cannot be used is reported and passed over.
func TestBadFramesLoseNothing(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode"})
		must(b.t, b.sim.Select("a.gcode"))
		s := b.opened(b.client("admin"))
		before := s.log().state
		rejected := []string{
			"", "x", "{", "[]", `"current"`, "5", `{"current":`, `{"current":{"state":{"text":"Opera`, "\xff\xfe\x00",
			`{"current":5}`, `{"current":[]}`, `{"current":"Operational"}`, `{"event":7}`, `{"history":true}`,
			`{"current":{"currentZ":NaN}}`, strings.Repeat(`{"a":`, 20_000),
		}
		ignored := []string{
			"null", "{}", `{"current":null}`, `{"event":null}`, `{"event":{}}`, `{"event":{"type":null,"payload":null}}`,
			`{"event":{"type":"PrinterStateChanged","payload":null}}`, `{"event":{"type":"NoSuchEvent","payload":{}}}`,
			`{"event":{"type":5,"payload":5}}`, `{"plugin":{"plugin":"x","data":[]}}`, `{"timelapse":null}`,
			`{"renderProgress":{"progress":50}}`, `{"somethingNew":{"current":{"state":{"text":"Offline","flags":{"closedOrError":true}}}}}`,
			`{"event":{"type":"PrinterStateChanged","payload":{"state_id":"SOMETHING_NEW","state_string":"?"}}}`,
		}
		for i, f := range append(rejected, ignored...) {
			b.sim.Send([]byte(f))
			synctest.Wait()
			got := s.log()
			if want := min(i+1, len(rejected)); len(got.rejected) != want {
				b.t.Fatalf("after %.60q %d frames were rejected, want %d: %v", f, len(got.rejected), want, got.rejected)
			}
			if now, then := flat(b.t, got.state), flat(b.t, before); now != then {
				b.t.Fatalf("%.60q changed the state from\n%s\nto\n%s", f, then, now)
			}
		}
		for _, err := range s.log().rejected {
			if len(err.Error()) > 300 || strings.Contains(err.Error(), "\n") {
				t.Errorf("a frame's error is long or has lines: %.200q", err)
			}
		}
		must(b.t, b.sim.Print("a.gcode"))
		after(time.Second)
		if got := s.log().story(); got != "starting printing" {
			t.Errorf("phases after all that: %q", got)
		}
		s.stop()
	})
}

// flat writes a state down.
func flat(t *testing.T, s octoprint.State) string {
	t.Helper()
	text, err := json.MarshalIndent(s, "", " ")
	must(t, err)
	return string(text)
}

func TestHugeFrameEndsTheSession(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		s := b.opened(b.client("admin"))
		b.sim.Send(bytes.Repeat([]byte{' '}, 8<<20+1))
		err, _ := s.failure(time.Minute)
		wantFailure(t, err, octoprint.SessionEnded)
		if !strings.Contains(err.Error(), "larger than 8 MiB") {
			t.Errorf("error %v", err)
		}
	})
}

// TestCloseFrame has the server say goodbye, with words of its own.
func TestCloseFrame(t *testing.T) {
	t.Parallel()
	bubbleBehind(t, octoprinttest.Options{}, withLogin(func(conn *websocket.Conn) {
		say(conn, history)
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, "bye"), time.Now().Add(time.Second))
		drain(conn)
	}), func(b *bench) {
		err, _ := b.serve(b.client("admin")).failure(time.Minute)
		wantFailure(t, err, octoprint.SessionEnded)
		if !strings.Contains(err.Error(), "bye") {
			t.Errorf("error %v", err)
		}
	})
}

// TestHandlerIsLeftAlone: the recorder itself sees calls that overlap or come
// too early; here are those that come too late.
func TestHandlerIsLeftAlone(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode", PrintTime: time.Hour})
		s := b.opened(b.client("operator"))
		must(b.t, b.sim.Print("a.gcode"))
		after(5 * time.Minute)
		s.stop()
		n := len(s.log().states)
		if n < 100 {
			t.Errorf("only %d states", n)
		}
		after(time.Minute)
		if more := len(s.log().states) - n; more != 0 {
			t.Errorf("%d calls after Serve returned", more)
		}
	})
}
