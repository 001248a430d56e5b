package octoprint_test

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

func TestTrap11ProgressIsFractionOrPercentage(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode", PrintTime: time.Minute, Header: 0.3})
		s := b.opened(b.client("admin"))
		must(b.t, b.sim.Print("a.gcode"))
		after(30 * time.Second)
		must(b.t, b.sim.Pause())
		after(5 * time.Second)
		must(b.t, b.sim.FirmwareError("boom"))
		after(time.Second)
		var paused, failed float64
		for _, e := range s.log().events {
			switch e.Type {
			case octoprint.EventPrintPaused:
				paused = *e.Progress
			case octoprint.EventPrintFailed:
				failed = *e.Progress
			}
		}
		if paused < 30 || math.Abs(paused-failed) > 2 {
			t.Errorf("the print was paused at %v %% and failed at %v %%: both in percent?", paused, failed)
		}
		s.stop()
	})
}

func TestTrap12ErrorDeselectsTheFile(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode"})
		s := b.opened(b.client("admin"))
		must(b.t, b.sim.Print("a.gcode"))
		after(5 * time.Second)
		if got := s.log().state.Job; got.Path != "a.gcode" || got.Completion == nil {
			t.Errorf("while it prints the job is %+v", got)
		}
		must(b.t, b.sim.FirmwareError("boom"))
		after(time.Second)
		got := s.log()
		if !reflect.DeepEqual(got.state.Job, octoprint.Job{}) {
			t.Errorf("after the error there is still a job: %+v", got.state.Job)
		}
		failed := slices.IndexFunc(got.events, func(e octoprint.Event) bool { return e.Type == octoprint.EventPrintFailed })
		if failed < 0 || got.events[failed].Path != "a.gcode" || got.events[failed].Error != "boom" || got.events[failed].Duration == nil {
			t.Errorf("the event of the failure doesn't tell what failed: %+v", got.events)
		}
		s.stop()
	})
}

func TestTrap14PausedHasPrintingToo(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{Version: "2.0.0rc7"}, func(b *bench) {
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode"})
		must(b.t, b.sim.Print("a.gcode"))
		after(time.Second)
		must(b.t, b.sim.Pause())
		after(time.Minute)
		// This session knows the pause from the flags alone, both from its
		// history and from the samples after it.
		s := b.opened(b.client("admin"))
		must(b.t, b.sim.SetTarget("bed", 30))
		after(time.Minute)
		if got := s.log(); !slices.Equal(got.phases, []octoprint.Phase{octoprint.PhasePaused}) || len(got.states) < 2 {
			t.Errorf("phases %v, want only paused", got.phases)
		}
		s.stop()
	})
}

func TestTrap15AcceptedMeansLittle(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
				c := b.client("admin")
				s := b.opened(c)
				must(b.t, c.Start(b.t.Context())) // nothing is selected
				after(time.Second)
				if got := s.log().story(); got != "" {
					t.Errorf("phases %q", got)
				}
				// It would be accepted, and kill a print.
				wantFailure(t, c.Connect(b.t.Context(), octoprint.ConnectOptions{}), octoprint.Conflict)
				if slices.Contains(b.paths(), "POST /api/connection") {
					t.Error("connect was sent to a connected printer")
				}
				s.stop()
			})
		})
	}
}

func TestTrap16NumbersOutOfRange(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.client("admin")
		wantFailure(t, c.SetTarget(b.t.Context(), "tool0", -1), octoprint.ServerFailed)
		wantFailure(t, c.SetTarget(b.t.Context(), "tool0", math.NaN()), octoprint.Refused) // never sent
		wantFailure(t, c.SetTarget(b.t.Context(), "bed", math.Inf(1)), octoprint.Refused)
		wantFailure(t, c.SetTarget(b.t.Context(), "chamber", 40), octoprint.Conflict)
	})
}

func TestTrap18ErrorBodiesAreNotAlwaysJSON(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error":"Printer is\nbusy"}`: ": Printer is busy",
		`{"error":5}`:                  "HTTP 409)",
		`Cannot unselect`:              ": Cannot unselect",
		"<!doctype html><h1>409</h1>":  ": it answers with a web page",
		``:                             "HTTP 409)",
		`{"error":"cut`:                ": it answers with broken JSON",
		"\x00\x1b[31mred\x1b[0m" + strings.Repeat("x", 999): "[31mred [0m" + strings.Repeat("x", 189) + "…",
	} {
		bubbleBehind(t, octoprinttest.Options{}, instead("/api/job", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, body)
		}), func(b *bench) {
			err := b.client("admin").Cancel(b.t.Context())
			wantFailure(t, err, octoprint.Conflict)
			if !strings.HasSuffix(err.Error(), want) {
				t.Errorf("the body %.40q gives %q, want …%q", body, err, want)
			}
		})
	}
}

func TestTrap19LoginsAreLimited(t *testing.T) {
	t.Parallel()
	bubbleBehind(t, octoprinttest.Options{}, instead("/api/login", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
	}), func(b *bench) {
		err, _ := b.serve(b.client("admin")).failure(time.Second)
		wantFailure(t, err, octoprint.RateLimited)
	})
}

func TestTrap21LoginAnswerHoldsTheMasterKey(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"name":"admin","apikey":"MASTER-KEY","session":"SESSION-ID"`,
		`["MASTER-KEY","SESSION-ID"]`,
		"\n {\"apikey\":\"MASTER-KEY\",\"session\":\"SESSION-ID\"} trailing",
		`{"error":"","apikey":"MASTER-KEY","session":["SESSION-ID"]}`,
	} {
		for _, status := range []int{200, 403, 500} {
			bubbleBehind(t, octoprinttest.Options{}, instead("/api/login", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}), func(b *bench) {
				err, _ := b.serve(b.client("admin")).failure(time.Second)
				if text := everything(err); strings.Contains(text, "MASTER-KEY") || strings.Contains(text, "SESSION-ID") {
					t.Errorf("the error for %d %s tells secrets: %s", status, body, text)
				}
			})
		}
	}
}

func TestTrap22HistoryHoldsTerminalLines(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	bubbleBehind(t, octoprinttest.Options{}, listening(heard), func(b *bench) {
		err, _ := b.serve(b.client("admin")).failure(time.Minute)
		wantFailure(t, err, octoprint.SessionEnded)
	})
	var first struct {
		Subscribe struct {
			State   map[string]bool
			Plugins []string
			Events  []string
		}
	}
	if err := json.Unmarshal([]byte(<-heard), &first); err != nil {
		t.Fatal(err)
	}
	if s := first.Subscribe; len(s.State) != 2 || s.State["logs"] || s.State["messages"] || len(s.Plugins) > 0 {
		t.Errorf("the first message asks for %+v, want the state without logs and messages", s)
	}
	if !slices.Contains(first.Subscribe.Events, "PrinterStateChanged") || slices.Contains(first.Subscribe.Events, "ZChange") {
		t.Errorf("the events asked for are %v", first.Subscribe.Events)
	}
	if second := <-heard; !strings.HasPrefix(second, `{"auth":"admin:`) {
		t.Errorf("the second message is %.20s, want auth", second)
	}
}

func TestTrap25ForeignOriginIsRefused(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		s := b.opened(b.clientWith(octoprint.Options{APIKey: "admin-key", Agent: "tester/1"}))
		s.stop()
		for _, r := range b.sim.Requests() {
			if r.Header.Get("Origin") != "" || r.Header.Get("Cookie") != "" {
				t.Errorf("%s has an Origin or a cookie: %v", r.Path, r.Header)
			}
			if r.Header.Get("User-Agent") != "tester/1" {
				t.Errorf("%s comes from %q", r.Path, r.Header.Get("User-Agent"))
			}
		}
	})
}

func TestTrap26RedirectIsReportedNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		bubble(t, octoprinttest.Options{}, func(b *bench) {
			c := b.client("admin")
			b.sim.SetProxyPage(status, "moved")
			for what, f := range map[string]func() error{
				"Identify": func() error { _, err := c.Identify(b.t.Context()); return err },
				"Cancel":   func() error { return c.Cancel(b.t.Context()) },
			} {
				wantFailure(t, f(), octoprint.Redirected)
				if err := f(); !strings.Contains(err.Error(), " to https://octopi.local/api/") {
					t.Errorf("%s at %d: %v, want the target", what, status, err)
				}
			}
			if n := len(b.paths()); n != 0 {
				t.Errorf("%d requests reached OctoPrint", n)
			}
		})
	}
}
