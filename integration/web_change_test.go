package integration

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPageChanges: what a page may ask for, and how it is answered.
func TestPageChanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what, path, kind, body string
		login                  bool
		want                   int
		says                   string
	}{
		{"a change", "/actions/printer_add", "application/json", `{"url":"octopi.local"}`, true, 200, `{"transaction":null,"status":"ok","error":null,"data":"{\"url\":\"octopi.local\"}"}`},
		{"with a transaction", "/actions/printer_add", "application/json; charset=utf-8", `{"transaction":7}`, true, 200, `"transaction":7,`},
		{"refused", "/actions/printer_enroll", "application/json", `{}`, true, 422, `"error":{"code":"unknown_printer","message":"no such printer"}`},
		{"without the login", "/actions/printer_add", "application/json", `{}`, false, 401, "login"},
		{"another action", "/actions/purge", "application/json", `{}`, true, 404, "not found"},
		{"no JSON", "/actions/printer_add", "application/json", `url`, true, 422, "no JSON object"},
		{"nothing", "/actions/printer_add", "application/json", ``, true, 422, "empty"},
		{"a form", "/actions/printer_add", "application/x-www-form-urlencoded", `url=a`, true, 415, "JSON"},
		{"a form in disguise", "/actions/printer_add", "text/plain", `{}`, true, 415, "JSON"},
		{"too much", "/actions/printer_add", "application/json", strings.Repeat(" ", maxPayload+1), true, 413, "too large"},
	} {
		h, asked := changingWeb(t)
		got := webAnswer(h, http.MethodPost, tt.path, withHeaders("Content-Type", tt.kind), func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(tt.body))
			if tt.login {
				r.SetBasicAuth("anna", "secret")
			}
		})
		if got.Code != tt.want || !strings.Contains(got.Body.String(), tt.says) {
			t.Errorf("%s: %d %s", tt.what, got.Code, got.Body)
		}
		if done := *asked > 0; done != (got.Code == http.StatusOK) && tt.path != "/actions/printer_enroll" {
			t.Errorf("%s: carried out: %v", tt.what, done)
		}
	}
}

// changingWeb is a web server with actions that only tell what they were asked.
func changingWeb(t *testing.T) (h http.Handler, asked *int) {
	t.Helper()
	w := newWeb(printerIn(situation{AccessControl, nil, "idle"}).bridge, HTTPConfig{Listen: loopbackPage, Username: "anna", Password: "secret"})
	asked = new(int)
	w.actions = []bridgeAction{
		{name: actionPrinterAdd, admin: true, run: func(_ *Bridge, q request, answer func(*refusal, any)) {
			*asked++
			answer(nil, string(q.parameters))
		}},
		{name: actionPrinterEnroll, admin: true, run: func(_ *Bridge, _ request, answer func(*refusal, any)) {
			answer(refuse(CodeNoPrinter, "no such printer"), nil)
		}},
		{name: "slow", run: func(*Bridge, request, func(*refusal, any)) {}},
	}
	return w.handler(), asked
}

// TestPageChangeThatTakesLong: the page is told so.
func TestPageChangeThatTakesLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := changingWeb(t)
		began := time.Now()
		got := webAnswer(h, http.MethodPost, "/actions/slow", withHeaders("Content-Type", "application/json"), func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("{}"))
			r.SetBasicAuth("anna", "secret")
		})
		if !strings.Contains(got.Body.String(), `"code":"timeout"`) || time.Since(began) != changeTimeout {
			t.Errorf("after %v: %d %s", time.Since(began), got.Code, got.Body)
		}
	})
}

// TestPageOffersChanges only where there is a login, and something to offer.
func TestPageOffersChanges(t *testing.T) {
	t.Parallel()
	b := printerIn(situation{AccessControl, nil, "idle"}).bridge
	for _, tt := range []struct {
		config  HTTPConfig
		actions []bridgeAction
		want    bool
	}{
		{HTTPConfig{Listen: loopbackPage}, []bridgeAction{{}}, false},
		{HTTPConfig{Listen: loopbackPage, Username: "a", Password: "b"}, nil, false},
		{HTTPConfig{Listen: loopbackPage, Username: "a", Password: "b"}, []bridgeAction{{}}, true},
	} {
		w := newWeb(b, tt.config)
		w.actions = tt.actions
		if got := w.changeable(); got != tt.want || b.pageFarm(got).Changeable != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
