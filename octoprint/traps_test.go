package octoprint_test

// The traps are those that OctoPrint lays for its clients, with the numbers of
// the project's notes on its interface. Each that concerns this package has a
// test with its number:
//
//	 1  a rejected key is 200, 400 or 403, never 401        TestTrap01…, TestKeyRejectedByEveryVersion
//	 2  the first frame is large                            TestTrap02…
//	 3  a failed socket login closes nothing                TestTrap03…
//	 4  without STATUS the socket is silent                 TestTrap04…
//	 5  a revoked key goes on streaming                     TestTrap05…
//	 6  silence is normal, and the end comes unannounced    TestTrap06…
//	 7  the error flag is gone at once                      TestTrap07And08…
//	 8  after an error the state's id is OFFLINE            TestTrap07And08…
//	 9  samples miss short states                           TestTrap09…
//	10  a cancelled print also failed                       TestTrap10…
//	11  progress is a fraction or a percentage              TestTrap11…
//	12  an error deselects the file                         TestTrap12…
//	13  completion is a share of bytes                      State passes it on as it is; nothing here extrapolates
//	14  2.0 has printing set while paused                   TestTrap14…
//	15  what does nothing is accepted, connect reconnects   TestTrap15…
//	16  numbers out of range are forwarded                  the caller's ranges; TestTrap16… for what the server says
//	17  a line break smuggles a second G-code line          no command here takes G-code
//	18  errors are JSON, text or pages                      TestTrap18…
//	19  logins are limited per address                      TestTrap19…
//	20  requests for application keys die early             nothing here asks for keys
//	21  a login's answer holds the user's master key        TestTrap21…
//	22  history holds terminal lines                        TestTrap22…
//	23  a chamber is always there, values may be missing    TestTrap23…
//	24  other sensors are among the temperatures            TestTrap24…
//	25  a foreign Origin is refused                         TestTrap25…
//	26  redirects turn commands into reads                  TestTrap26…

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

func TestTrap01BadKeyIsNever401(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.client("no-such")
		_, err := c.Identify(b.t.Context())
		wantFailure(t, err, octoprint.KeyRejected) // 200 with a null name
		wantFailure(t, c.Cancel(b.t.Context()), octoprint.KeyRejected)
		wantFailure(t, c.Disconnect(b.t.Context()), octoprint.KeyRejected) // 400 CSRF
	})
}

func TestTrap02FirstFrameIsLarge(t *testing.T) {
	t.Parallel()
	const padding = 7 << 20
	front := withLogin(func(conn *websocket.Conn) {
		say(conn, `{"history":{"state":{"text":"Operational","flags":{"operational":true}},"pad":"`+strings.Repeat("x", padding)+`"}}`)
		drain(conn)
	})
	bubbleBehind(t, octoprinttest.Options{}, front, func(b *bench) {
		s := b.opened(b.client("admin"))
		if got := s.log().state.Phase; got != octoprint.PhaseIdle {
			t.Errorf("the phase is %q, want idle", got)
		}
		s.stop()
	})
}

func TestTrap03FailedSocketAuthIsNotClosed(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]struct {
		after   time.Duration
		message string
	}{
		"1.7.3":  {5 * time.Second, "did not answer the login"},
		"1.11.8": {0, "stale"},
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			var sim *octoprinttest.Server
			// The session dies between the login and the socket.
			front := func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/sockjs/websocket" {
						sim.StaleSessions()
					}
					h.ServeHTTP(w, r)
				})
			}
			bubbleBehind(t, octoprinttest.Options{Version: version}, front, func(b *bench) {
				sim = b.sim
				s := b.serve(b.client("admin"))
				err, took := s.failure(time.Minute)
				wantFailure(t, err, octoprint.SessionEnded)
				if took != want.after || !strings.Contains(err.Error(), want.message) {
					t.Errorf("after %v: %v; want after %v: …%s…", took, err, want.after, want.message)
				}
				if s.log().opened != 0 {
					t.Error("the session was reported as open")
				}
			})
		})
	}
}

func TestTrap04WithoutStatusTheSocketIsSilent(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		s := b.serve(b.client("nobody"))
		err, _ := s.failure(time.Second)
		wantFailure(t, err, octoprint.NotPermitted)
		if !strings.Contains(err.Error(), `"nobody" lacks the permission STATUS`) {
			t.Errorf("the error doesn't say what is missing: %v", err)
		}
		if slices.Contains(b.paths(), "GET /sockjs/websocket") {
			t.Error("a socket was opened that must stay silent")
		}

		taken := b.opened(b.client("operator"))
		b.sim.SetPermissions("operator")
		err, took := taken.failure(time.Second)
		wantFailure(t, err, octoprint.SessionEnded) // reauthRequired, sent once
		if took != 0 || !strings.Contains(err.Error(), "modified") {
			t.Errorf("after %v: %v", took, err)
		}
		err, _ = b.serve(b.client("operator")).failure(time.Second)
		wantFailure(t, err, octoprint.NotPermitted)
	})
}

func TestTrap05RevokedKeyDoesNotEndTheSocket(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
				s := b.opened(b.client("admin"))
				b.sim.RevokeKey("admin")
				s.forget()
				after(time.Second)
				if !s.isDone() && len(s.log().states) == 0 {
					t.Error("the simulation's socket ended with the key, unlike OctoPrint's")
				}
				err, _ := s.failure(3 * time.Minute)
				wantFailure(t, err, octoprint.KeyRejected)
			})
		})
	}
}

func TestTrap06SilenceIsNormalAndTheEndUnannounced(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		s := b.opened(b.client("admin"))
		must(b.t, b.sim.Disconnect())
		after(time.Second)
		s.forget()
		after(20 * time.Minute)
		if s.isDone() {
			b.t.Fatalf("the session with a silent printer ended: %v", s.err)
		}
		if n := len(s.log().states); n != 0 {
			t.Errorf("%d states from a printer that is off: this test needs silence", n)
		}
		b.sim.DropSockets() // no close frame
		err, took := s.failure(time.Minute)
		wantFailure(t, err, octoprint.SessionEnded)
		if took != 0 {
			t.Errorf("the end was noticed after %v, want at once", took)
		}
	})
}

func TestTrap07And08ErrorOutlivesItsFlagAndId(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
				s := b.opened(b.client("admin"))
				must(b.t, b.sim.FirmwareError("MAXTEMP triggered"))
				after(5 * time.Minute)
				if got := s.log().state; got.Phase != octoprint.PhaseError || !got.Problem || got.Error != "MAXTEMP triggered" {
					t.Errorf("phase %s, problem %v, error %q", got.Phase, got.Problem, got.Error)
				}
				s.stop()
			})
		})
	}
}

func TestTrap09SamplesMissShortStates(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode", PrintTime: 5 * time.Second})
		s := b.opened(b.client("admin"))
		must(b.t, b.sim.Print("a.gcode"))
		after(20 * time.Second)
		if got, want := s.log().story(), "starting printing finishing idle"; got != want {
			t.Errorf("phases %q, want %q", got, want)
		}
		s.stop()
	})
}

func TestTrap10CancelledPrintAlsoFailed(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode"})
		s := b.opened(b.client("admin"))
		must(b.t, b.sim.Print("a.gcode"))
		after(time.Second)
		must(b.t, b.sim.Pause())
		after(time.Second) // still pausing: the pause is reported after the cancellation
		s.forget()
		must(b.t, b.sim.Cancel())
		after(10 * time.Second)
		got := s.log()
		if got.plot() != "PrintCancelled PrintFailed(cancelled) PrintPaused" {
			t.Errorf("events %q", got.plot())
		}
		if got.story() != "cancelling idle" || got.state.Problem {
			t.Errorf("phases %q, problem %v", got.story(), got.state.Problem)
		}
		s.stop()
	})
}

// wantFailure checks what kind an error is.
func wantFailure(t *testing.T, err error, want octoprint.Failure) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %q", err, want)
	}
	if e, ok := errors.AsType[*octoprint.Error](err); !ok || e.Failure != want || e.Op == "" {
		t.Errorf("error %#v, want an *Error with the failure %q and an operation", err, want)
	}
}
