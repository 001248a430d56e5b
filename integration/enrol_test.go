package integration

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// applicant is the printer left as somebody who adds it knows it.
func applicant(w *world) PrinterConfig {
	p := w.config.Printers[0]
	return PrinterConfig{URL: p.URL, Dial: p.Dial, Access: AccessControl}
}

// wantSetupError fails unless an error is of a kind, with these words.
func wantSetupError(t *testing.T, err error, failure SetupFailure, text string) {
	t.Helper()
	var e *SetupError
	if !errors.As(err, &e) || e.Failure != failure || e.Error() != text {
		t.Errorf("got %#v:\n%v\nwant %s:\n%s", e, err, failure, text)
	}
}

// TestRecognize: what may be at an address that a user has typed.
func TestRecognize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		before  func(w *world, p *PrinterConfig)
		failure SetupFailure
		text    string
	}{
		{name: "OctoPrint"},
		{"redirect", func(w *world, _ *PrinterConfig) { w.sims["left"].SetProxyPage(301, "") }, SetupRedirected, "http://left.test redirects to https://left.test: use the address that a browser shows in the end; if that is the login page of a proxy, OctoPrint must be reached past it."},
		{"web page", func(w *world, _ *PrinterConfig) { w.sims["left"].SetProxyPage(404, "<html>") }, SetupNoServer, "What answers at http://left.test is not OctoPrint (there is none of its pages, and no push socket): check host, port and path of the URL."},
		{"login page", func(w *world, _ *PrinterConfig) { w.sims["left"].SetProxyPage(200, "<html>Router login") }, SetupNoServer, "What answers at http://left.test is not OctoPrint (it answers with a web page, HTTP 200): check host, port and path of the URL."},
		{"proxy with a password", func(w *world, _ *PrinterConfig) { w.sims["left"].SetProxyPage(401, "<html>") }, SetupNoServer, "What answers at http://left.test is not OctoPrint (something in front of OctoPrint asks for a user name and password, HTTP 401): use an address at which OctoPrint answers without that password, which this program can't give."},
		{"silence", func(w *world, _ *PrinterConfig) { w.sims["left"].HoldRequests(true) }, SetupUnreachable, "No answer from left.test (net/http: timeout awaiting response headers): check that it is on and that the URL is right."},
		{"unknown name", func(_ *world, p *PrinterConfig) {
			p.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, unknownHost("left.test") }
		}, SetupUnreachable, "The name left.test is not known to this machine (no such host): check how it is spelt, or use the IP address."},
		{"path", func(_ *world, p *PrinterConfig) { p.URL = mustURL("http://left.test/octo") }, SetupNoServer, "What answers at http://left.test/octo is not OctoPrint (there is none of its pages, and no push socket): check host, port and path of the URL."},
		{"starting", func(w *world, _ *PrinterConfig) { w.sims["left"].SetStarting(true) }, SetupUnreachable, "OctoPrint is not up yet (it does not speak HTTP yet): wait a minute; if that does not help, look at OctoPrint and its log."},
		{"off", func(w *world, _ *PrinterConfig) { w.sims["left"].line.SetUp(false) }, SetupUnreachable, "No answer from left.test (dial tcp left.test:80: connection refused): check that it is on and that the URL is right."},
		{"no websockets", func(w *world, _ *PrinterConfig) { w.sims["left"].withoutSockets = true }, SetupNoServer, "OctoPrint answers at http://left.test, but not its push socket (HTTP 400): have the proxy in front of OctoPrint pass on websockets, as OctoPrint's guide to reverse proxies shows."},
		{"certificate", func(_ *world, p *PrinterConfig) { p.URL, p.Dial = mustURL("https://left.test"), selfSignedServer() }, SetupCertificate, "The TLS connection to left.test failed (tls: failed to verify certificate: x509: certificate is valid for example.com, *.example.com, not left.test): check the certificate or set ca_file, or write http:// if it has no TLS."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				p := applicant(w)
				if tt.before != nil {
					tt.before(w, &p)
				}
				r, err := Recognize(w.t.Context(), p)
				w.sims["left"].HoldRequests(false)
				if tt.failure != "" {
					wantSetupError(t, err, tt.failure, tt.text)
					return
				}
				if err != nil || r.Version != "1.11.8" || !r.GivesKeys {
					t.Errorf("%+v, %v", r, err)
				}
			})
		})
	}
}

// TestRecognizeWithoutKeys: OctoPrint without the plugin for application keys.
func TestRecognizeWithoutKeys(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.sims["left"].withoutKeys = true
		p := applicant(w)
		r, err := Recognize(w.t.Context(), p)
		if err != nil || r.Version != "1.11.8" || r.GivesKeys {
			t.Errorf("%+v, %v", r, err)
		}
		_, err = EnrolKey(w.t.Context(), p, "x", func(KeyQuestion) { t.Error("asked") })
		wantSetupError(t, err, SetupNoKeys, "this OctoPrint takes no requests for application keys: switch it on in OctoPrint's settings under Plugin Manager, or give a key with --key.")
	})
}

// TestRedirectedBase: where the OctoPrint is to which a request was sent on.
func TestRedirectedBase(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"https://a.test/plugin/appkeys/probe":      "https://a.test",
		"http://b.test:81/left" + probePath:        "http://b.test:81/left",
		"https://login.test/?next=":                "",
		"ftp://a.test" + probePath:                 "",
		"/plugin/appkeys/probe":                    "",
		"https://a.test/plugin/appkeys/probe/more": "",
	} {
		got := ""
		if u := redirectedBase(location); u != nil {
			got = u.String()
		}
		if got != want {
			t.Errorf("%s: %s", location, got)
		}
	}
}

// TestTwinOf: an OctoPrint that is configured already.
func TestTwinOf(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		r, err := Recognize(w.t.Context(), applicant(w))
		if err != nil {
			t.Fatal(err)
		}
		if id := TwinOf(w.t.Context(), r, w.config.Printers); id != "left" {
			t.Errorf("twin %q", id)
		}
		if id := TwinOf(w.t.Context(), r, w.config.Printers[1:]); id != "" {
			t.Errorf("twin %q", id)
		}
	}, setup{}, setup{id: "right"})
}

// enrolment asks for a key while something happens on the other side.
func enrolment(w *world, p PrinterConfig, meanwhile func()) (string, KeyQuestion, error) {
	var question KeyQuestion
	done := make(chan struct{})
	key, err := EnrolKey(w.t.Context(), p, "octoprint2mqtt on a test", func(q KeyQuestion) {
		question = q
		go func() {
			defer close(done)
			meanwhile()
		}()
	})
	if question.App != "" {
		<-done
	}
	return key, question, err
}

// TestEnrolKey: how asking for a key may end.
func TestEnrolKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		meanwhile func(w *world)
		failure   SetupFailure
		text      string
	}{
		{name: "granted", meanwhile: func(w *world) { time.Sleep(time.Minute); w.must(w.sims["left"].DecideKey("operator", true)) }},
		{name: "granted after a short loss", meanwhile: func(w *world) {
			time.Sleep(10 * time.Second)
			w.sims["left"].line.SetUp(false)
			time.Sleep(3 * time.Second)
			w.sims["left"].line.SetUp(true)
			time.Sleep(3 * time.Second)
			w.must(w.sims["left"].DecideKey("operator", true))
		}},
		{
			"denied", func(w *world) { time.Sleep(time.Minute); w.must(w.sims["left"].DecideKey("operator", false)) }, SetupKeyDenied,
			"the request for a key was denied in OctoPrint: try again, and click Allow.",
		},
		{"lost for long", func(w *world) {
			w.sims["left"].line.SetUp(false)
			time.Sleep(8 * time.Second)
			w.sims["left"].line.SetUp(true)
		}, SetupKeyExpired, "the request for a key has lapsed: try again."},
		{"never decided", func(w *world) {
			time.Sleep(10 * time.Minute)
			w.sims["left"].ExpireKeyRequests()
		}, SetupKeyExpired, "nobody has decided within 10 minutes: try again, and click Allow in OctoPrint."},
		{"something else now", func(w *world) { w.sims["left"].SetProxyPage(200, "<html>") }, SetupNoServer, "What answers at http://left.test is not OctoPrint (it answers with a web page, HTTP 200): check host, port and path of the URL."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				key, question, err := enrolment(w, applicant(w), func() { tt.meanwhile(w) })
				if !question.Dialog || !strings.HasPrefix(question.Page, "http://left.test/plugin/appkeys/auth/") {
					t.Errorf("question %+v", question)
				}
				if tt.failure != "" {
					wantSetupError(t, err, tt.failure, tt.text)
					return
				}
				p := applicant(w)
				p.APIKey = key
				e, err := Examine(w.t.Context(), p)
				if err != nil || e.User != "operator" || Worst(e.Findings) != LevelOK {
					t.Errorf("%+v, %v", e, err)
				}
			})
		})
	}
}

// TestEnrolKeyLimited: OctoPrint takes three requests in a minute.
func TestEnrolKeyLimited(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var err error
		for range 4 {
			_, _, err = enrolment(w, applicant(w), func() { w.must(w.sims["left"].DecideKey("operator", false)) })
		}
		wantSetupError(t, err, SetupKeyLimited, "OctoPrint takes no more requests for keys from this address for a while: wait a minute, or up to an hour after many, and try again.")
	})
}

// TestEnrolKeyStops: when whoever asked has gone.
func TestEnrolKeyStops(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.t.Context())
		_, err := EnrolKey(ctx, applicant(w), "x", func(KeyQuestion) { cancel() })
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestKeyQuestion: the page to click is shown only where it can be right.
func TestKeyQuestion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, dialog, want string }{
		{"http://a.test/octo", "http://a.test/octo/plugin/appkeys/auth/T", "http://a.test/octo/plugin/appkeys/auth/T"},
		{"https://a.test", "http://a.test/plugin/appkeys/auth/T", "https://a.test/"},
		{"http://a.test/octo", "http://a.test/plugin/appkeys/auth/T", "http://a.test/octo/"},
		{"http://a.test", "http://127.0.0.1:5000/plugin/appkeys/auth/T", "http://a.test/"},
	} {
		if got := keyQuestion(&PrinterConfig{URL: mustURL(tt.base)}, "x", mustURL(tt.dialog)).Page; got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// TestExamine: what a key is worth.
func TestExamine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key, user string
		failure   SetupFailure
		text      string // of the error, or what is found
	}{
		{"operator-key", "", "", `the API key is the own key of the user "operator", not an application key`},
		{"readonly-key", "", "", `the user "readonly" lacks CONTROL, PRINT, CONNECTION, FILES_SELECT, PLUGIN_SOFTWAREUPDATE_CHECK and PLUGIN_ACTION_COMMAND_PROMPT_INTERACT`},
		{"wrong", "", SetupRefused, "OctoPrint does not accept the API key: leave --key out, and OctoPrint is asked for one."},
		{"global-key", "", SetupRefused, "The API key is OctoPrint's global key, which belongs to no user and is going away: leave --key out, and OctoPrint is asked for an application key."},
		{"operator-key", "anna", SetupRefused, `Wrong user: the key belongs to "operator", not to "anna": give a key of "anna", or leave --user out.`},
		{"nobody-key", "", SetupRefused, `OctoPrint does not let the API key's user see the printer (the user "nobody" lacks the permission STATUS): put the user into the group Read-only or Operator.`},
	} {
		inBubble(t, func(w *world) {
			p := applicant(w)
			p.APIKey, p.User = tt.key, tt.user
			e, err := Examine(w.t.Context(), p)
			if tt.failure != "" {
				wantSetupError(t, err, tt.failure, tt.text)
				return
			}
			if err != nil || e.Name != "Left" || e.Version != "1.11.8" || !strings.Contains(found(e.Findings, "", "key")+found(e.Findings, "", "permissions"), tt.text) {
				t.Errorf("%+v, %v", e, err)
			}
		}, setup{options: octoprinttest.Options{Name: "Left", GlobalKey: "global-key"}})
	}
}

// isKeyRequest reports whether a request is for the plugin for application keys.
func isKeyRequest(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/plugin/appkeys/") }

// TestSetupPageSaysWhatIsSaid: docs/octoprint-setup.md explains the sentences that people
// really read.
func TestSetupPageSaysWhatIsSaid(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/octoprint-setup.md")
	must(t, err)
	page := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "\n>", "\n")), " ")
	p := PrinterConfig{ID: "left", URL: mustURL("http://left.test"), User: "anna"}
	lacks := explainMissing("anna", AccessControl, AccessRead, []string{"CONTROL", "PRINT"})[0]
	wrong := diagnose(&p, &octoprint.Error{Failure: octoprint.WrongUser, Message: `the key belongs to "operator", not to "anna"`})
	for _, want := range []string{
		lacks.what + " … " + lacks.do, wrong.what,
		"| " + keyDenied().What + " | somebody has clicked", "| " + keyUndecided().What + " |", "| " + keyLapsed().What + " |", "| " + keyLimited().What + " |", "| " + noKeys(&p).What + " |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("it does not have %q", want)
		}
	}
}
