package octoprint_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// everything joins the words of an error and of all that it wraps.
func everything(err error) string {
	if err == nil {
		return ""
	}
	words := []string{fmt.Sprintf("%v %+v %#v", err, err, err)}
	switch w := err.(type) { //nolint:errorlint // this walks the tree itself
	case interface{ Unwrap() error }:
		words = append(words, everything(w.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, e := range w.Unwrap() {
			words = append(words, everything(e))
		}
	}
	return strings.Join(words, " ")
}

func TestKeyRejectedByEveryVersion(t *testing.T) {
	t.Parallel()
	for _, version := range append(versions(), "1.3.12", "1.4.2", "1.6.1") {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
				for _, key := range []string{"no-such-key", "", "admin-key2"} {
					err, _ := b.serve(b.clientWith(octoprint.Options{APIKey: key})).failure(time.Second)
					wantFailure(t, err, octoprint.KeyRejected)
				}
			})
		})
	}
}

// TestFailures brings about every kind of failure by something that a server,
// or what stands in front of it, does.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		at    string // the path that is answered by answer; empty: every one
		do    http.HandlerFunc
		want  octoprint.Failure
		words string
	}{
		{"page for everything", "", page(200, "text/html", "<html>my router"), octoprint.NotOctoPrint, "web page"},
		{"page not found", "", page(404, "text/html", "<html>nginx"), octoprint.NotOctoPrint, "web page"},
		{"forbidden to all", "", page(403, "text/html", "<html>no"), octoprint.NotOctoPrint, "web page"},
		{"gone", "", page(410, "text/plain", "gone"), octoprint.NotOctoPrint, "gone"},
		{"plain HTTP to a TLS port", "", page(400, "text/html", "<html>400 The plain HTTP request was sent to HTTPS port"), octoprint.NotOctoPrint, "web page"},
		{"login of a proxy", "", page(401, "text/html", "<html>"), octoprint.NotOctoPrint, "user name and password"},
		{"other JSON", "", page(200, "application/json", `{"klippy":"ready"}`), octoprint.NotOctoPrint, "not OctoPrint's"},
		{"JSON of no object", "", page(200, "application/json", `[1,2]`), octoprint.NotOctoPrint, ""},
		{"null", "", page(200, "application/json", `null`), octoprint.NotOctoPrint, ""},
		{"empty", "", page(200, "application/json", ""), octoprint.NotOctoPrint, ""},
		{"Moonraker", "", moonraker, octoprint.NotOctoPrint, "OctoPrint (Moonraker v0.9.3)"},
		{"PrusaLink", "/api/version", page(200, "application/json", `{"api":"2.0.0","server":"2.1.2","text":"PrusaLink"}`), octoprint.NotOctoPrint, "PrusaLink"},
		{"version without a server", "/api/version", page(200, "application/json", `{"text":"OctoPrint 1.11.8"}`), octoprint.NotOctoPrint, ""},
		{"huge answer", "", page(200, "application/json", `"`+strings.Repeat("x", 9<<20)+`"`), octoprint.NotOctoPrint, "larger than 8 MiB"},
		{"502", "", page(502, "text/html", "<html>Bad Gateway"), octoprint.Starting, "proxy"},
		{"503", "", page(503, "text/html", "<html>"), octoprint.Starting, "proxy"},
		{"504", "", page(504, "text/html", "<html>"), octoprint.Starting, "proxy"},
		{"501", "/api/login", page(501, "text/html", "<html>Unsupported method"), octoprint.Starting, ""},
		{"500", "", page(500, "application/json", `{"error":"oops"}`), octoprint.ServerFailed, "oops"},
		{"login refused", "/api/login", page(400, "application/json", `{"error":"no passive flag"}`), octoprint.Refused, "no passive flag"},
		{"login as nobody", "/api/login", page(200, "application/json", `{"needs":{}}`), octoprint.KeyRejected, ""},
		{"login empty", "/api/login", page(204, "", ""), octoprint.KeyRejected, ""},
		{"no websocket behind the proxy", "/sockjs/websocket", page(400, "text/plain", `Can "Upgrade" only to "WebSocket".`), octoprint.NotOctoPrint, "websockets"},
		{"socket not found", "/sockjs/websocket", page(404, "text/html", "<html>"), octoprint.NotOctoPrint, "websockets"},
		{"socket forbidden", "/sockjs/websocket", page(403, "text/html", "<html>"), octoprint.NotOctoPrint, "websockets"},
		{"socket is a page", "/sockjs/websocket", page(200, "text/html", "<html>"), octoprint.NotOctoPrint, "no websocket"},
		{"socket behind a dead proxy", "/sockjs/websocket", page(502, "text/html", "<html>"), octoprint.Starting, "proxy"},
		{"socket redirected", "/sockjs/websocket", elsewhere, octoprint.Redirected, "to https://elsewhere.example/octo/"},
		{"redirected", "", elsewhere, octoprint.Redirected, "to https://elsewhere.example/octo/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			front := instead(c.at, c.do)
			if c.at == "" {
				front = func(http.Handler) http.Handler { return c.do }
			}
			bubbleBehind(t, octoprinttest.Options{}, front, func(b *bench) {
				err, _ := b.serve(b.client("admin")).failure(20 * time.Second)
				wantFailure(t, err, c.want)
				if !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
					t.Errorf("the error is %q, want …%s…, short and on one line", err, c.words)
				}
			})
		})
	}
}

func page(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// moonraker imitates some of OctoPrint for slicers.
func moonraker(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/version" {
		page(200, "application/json", `{"server":"1.5.0","api":"0.1","text":"OctoPrint (Moonraker v0.9.3)"}`)(w, r)
		return
	}
	page(404, "application/json", `{"error":{"code":404,"message":"Not Found"}}`)(w, r)
}

func elsewhere(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "https://somebody:CANARY@elsewhere.example/octo/?token=CANARY#CANARY")
	w.WriteHeader(http.StatusFound)
}

func TestRedirectTargetIsClean(t *testing.T) {
	t.Parallel()
	bubbleBehind(t, octoprinttest.Options{}, func(http.Handler) http.Handler { return http.HandlerFunc(elsewhere) }, func(b *bench) {
		_, err := b.client("admin").Identify(b.t.Context())
		e, ok := errors.AsType[*octoprint.Error](err)
		if !ok || e.Location != "https://elsewhere.example/octo/" || e.Status != 302 {
			t.Errorf("error %#v", err)
		}
		if strings.Contains(everything(err), "CANARY") {
			t.Errorf("the error tells more than where: %s", everything(err))
		}
	})
	bubbleBehind(t, octoprinttest.Options{}, func(http.Handler) http.Handler { return page(301, "text/html", "") }, func(b *bench) {
		_, err := b.client("admin").Identify(b.t.Context())
		wantFailure(t, err, octoprint.Redirected)
		if !strings.HasSuffix(err.Error(), "to an unreadable address") {
			t.Errorf("without a target: %v", err)
		}
	})
}

func TestStartingServer(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.client("admin")
		s := b.opened(c)
		b.sim.SetStarting(true)
		err, took := s.failure(time.Minute)
		wantFailure(t, err, octoprint.SessionEnded)
		if took != 0 {
			t.Errorf("the end was noticed after %v", took)
		}
		err, _ = b.serve(c).failure(time.Minute)
		wantFailure(t, err, octoprint.Starting)
		wantFailure(t, c.Cancel(b.t.Context()), octoprint.Starting)
		b.sim.SetStarting(false)
		b.opened(c).stop()

		b.pipe.SetUp(false)
		b.pipe.Cut()
		err, took = b.serve(c).failure(time.Minute)
		wantFailure(t, err, octoprint.Unreachable)
		if took != 0 || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// TestSocketStartsLate has a server go down between the login and the socket.
func TestSocketStartsLate(t *testing.T) {
	t.Parallel()
	bubbleBehind(t, octoprinttest.Options{}, instead("/sockjs/websocket", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "Not found")
			conn.Close()
		}
	}), func(b *bench) {
		err, _ := b.serve(b.client("admin")).failure(time.Minute)
		wantFailure(t, err, octoprint.Starting)
	})
}

// silent takes a request and never answers.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestPatienceHasAnEnd(t *testing.T) {
	t.Parallel()
	slow := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
			}
		}
	}
	for name, c := range map[string]struct {
		at string
		do http.HandlerFunc
	}{
		"slow body": {"/api/currentuser", slow}, "no answer": {"/api/version", silent}, "no login": {"/api/login", silent},
		"no socket": {"/sockjs/websocket", silent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubbleBehind(t, octoprinttest.Options{}, instead(c.at, c.do), func(b *bench) {
				err, took := b.serve(b.client("admin")).failure(time.Minute)
				wantFailure(t, err, octoprint.Unreachable)
				if took != 10*time.Second {
					t.Errorf("gave up after %v, want 10s", took)
				}
			})
		})
	}
}

func TestContextEndsEverything(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"/api/currentuser", "/api/version", "/api/printerprofiles", "/api/login", "/sockjs/websocket"} {
		t.Run(strings.TrimPrefix(at, "/"), func(t *testing.T) {
			t.Parallel()
			bubbleBehind(t, octoprinttest.Options{}, instead(at, silent), func(b *bench) {
				s := b.serve(b.client("admin"))
				after(time.Second)
				begin := time.Now()
				s.stop()
				if took := time.Since(begin); took != 0 {
					t.Errorf("Serve returned %v after its context ended", took)
				}
			})
		})
	}
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		b.sim.HoldRequests(true)
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Second)
		defer cancel()
		err := b.client("admin").Cancel(ctx)
		wantFailure(t, err, octoprint.Unreachable)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the cause is lost: %v", err)
		}
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "octopi.local", IsNotFound: true}
	}
	c := octoprint.NewClient(octoprint.Options{URL: parse(t, "http://octopi.local"), APIKey: "CANARY", Dial: refuse})
	_, err := c.Identify(t.Context())
	wantFailure(t, err, octoprint.Unreachable)
	if _, ok := errors.AsType[*net.DNSError](err); !ok || strings.Contains(everything(err), "CANARY") {
		t.Errorf("error %v", err)
	}
}
