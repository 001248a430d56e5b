package integration

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	loopbackPage = "127.0.0.1:8095"
	openPage     = "0.0.0.0:8095"
)

// TestWebIsCalledByItsNames: no name that somebody else may lead here is answered.
func TestWebIsCalledByItsNames(t *testing.T) {
	t.Parallel()
	c := HTTPConfig{Listen: "Pi.lan:8095", Hosts: []string{"farm.example.org"}}
	for host, want := range map[string]bool{
		"127.0.0.1:8095": true, "127.0.0.1": true, "192.168.1.2:8095": true, "[::1]:8095": true, "[fe80::1]": true,
		"localhost": true, "LocalHost:8095": true, "localhost.:8095": true, "pi.lan:8095": true, "farm.example.org": true, "FARM.example.org.:443": true,
		"": false, "evil.example": false, "127.0.0.1.evil.example": false, "localhost.evil.example": false, "evil.localhost": false,
		"farm.example.org.evil.example": false, "a@127.0.0.1": false, "127.1": false, ".": false, "0x7f000001": false,
	} {
		h := webOf(t, c)
		got := webAnswer(h, "GET", "/healthz", func(r *http.Request) { r.Host = host })
		if (got.Code == http.StatusOK) != want || !want && got.Code != http.StatusMisdirectedRequest {
			t.Errorf("Host %q: %d, want it answered: %v", host, got.Code, want)
		}
		if !want && strings.Contains(got.Body.String(), "evil") {
			t.Errorf("Host %q: %s", host, got.Body)
		}
	}
}

// TestWebIsNotUsedByOthers: what a page of another server asks for is refused, but
// leading a person here isn't.
func TestWebIsNotUsedByOthers(t *testing.T) {
	t.Parallel()
	h := webOf(t, HTTPConfig{Listen: loopbackPage, Username: "anna", Password: "secret"})
	login := func(r *http.Request) { r.SetBasicAuth("anna", "secret") }
	for _, tt := range []struct {
		what    string
		method  string
		headers []string
		want    int
	}{
		{"the page itself", "GET", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}, 200},
		{"typed in", "GET", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"curl", "GET", nil, 200},
		{"a link", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"a frame", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		{"a picture elsewhere", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		{"another port of this machine", "GET", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}, 403},
		{"a form elsewhere", "POST", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
		{"a form elsewhere in an old browser", "POST", []string{"Origin", "http://evil.example"}, 403},
		{"a form of another port in an old browser", "POST", []string{"Origin", "http://127.0.0.1:9000"}, 403},
		{"a form of a file", "POST", []string{"Origin", "null"}, 403},
		{"our own form", "POST", []string{"Origin", "http://127.0.0.1:8095", "Sec-Fetch-Site", "same-origin"}, 405},
		{"curl with a change", "POST", nil, 405},
	} {
		if got := webAnswer(h, tt.method, "/", withHeaders(tt.headers...), login); got.Code != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.what, got.Code, got.Body, tt.want)
		}
	}
}

// TestWebLogin: who needs it for what.
func TestWebLogin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		listen, login string // as configured
		method, path  string
		with          string // the login that is sent
		want          int
	}{
		{loopbackPage, "", "GET", "/", "", 200},
		{loopbackPage, "", "GET", "/metrics", "", 200},
		{loopbackPage, "", "POST", "/", "", 403},
		{loopbackPage, "", "POST", "/", "anna:secret", 403},
		{loopbackPage, "", "POST", "/", ":", 403},
		{loopbackPage, "", "GET", "/login", "", 403},
		{loopbackPage, "anna:secret", "GET", "/", "", 200},
		{loopbackPage, "anna:secret", "GET", "/", "anna:wrong", 200}, // it isn't needed, so not looked at
		{loopbackPage, "anna:secret", "GET", "/login", "", 401},
		{loopbackPage, "anna:secret", "GET", "/login", "anna:secret", 303},
		{loopbackPage, "anna:secret", "POST", "/", "", 401},
		{loopbackPage, "anna:secret", "DELETE", "/healthz", "", 401},
		{loopbackPage, "anna:secret", "POST", "/", "anna:wrong", 401},
		{loopbackPage, "anna:secret", "POST", "/", "Anna:secret", 401},
		{loopbackPage, "anna:secret", "POST", "/", "anna:secret", 405},
		{openPage, "anna:secret", "GET", "/", "", 401},
		{openPage, "anna:secret", "GET", "/stream", "", 401},
		{openPage, "anna:secret", "GET", "/metrics", "", 401},
		{openPage, "anna:secret", "GET", "/printers/left/picture", "", 401},
		{openPage, "anna:secret", "GET", "/", "anna:secret", 200},
		{openPage, "anna:secret", "GET", "/metrics", "anna:secret", 200},
		{openPage, "anna:secret", "GET", "/healthz", "", 200},
		{openPage, "anna:secret", "GET", "/readyz", "", 503},
		{openPage, "", "GET", "/", "", 403}, // which no configuration allows
		{openPage, "", "GET", "/", ":", 403},
		{":8095", "anna:secret", "GET", "/", "", 401},
	} {
		c := HTTPConfig{Listen: tt.listen}
		c.Username, c.Password, _ = strings.Cut(tt.login, ":")
		got := webAnswer(webOf(t, c), tt.method, tt.path, func(r *http.Request) {
			if user, password, ok := strings.Cut(tt.with, ":"); ok {
				r.SetBasicAuth(user, password)
			}
		})
		if got.Code != tt.want || (got.Code == 401) != (got.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%+v: %d %s", tt, got.Code, got.Body)
		}
		if strings.Contains(got.Body.String(), "secret") {
			t.Errorf("%+v: the password is in the answer", tt)
		}
	}
}

// TestWebGuesses: logins can't be tried one after the other; others can still log
// in meanwhile, and so can whoever tried, after a minute.
func TestWebGuesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := webOf(t, HTTPConfig{Listen: openPage, Username: "anna", Password: "secret"})
		from := func(address, password string) int {
			return webAnswer(h, "GET", "/", func(r *http.Request) {
				r.RemoteAddr = address
				r.SetBasicAuth("anna", password)
			}).Code
		}
		for i := range loginAttempts {
			if got := from("192.168.1.9:1000", strconv.Itoa(i)); got != http.StatusUnauthorized {
				t.Fatalf("guess %d: %d", i, got)
			}
		}
		for what, tt := range map[string]struct {
			address string
			want    int
		}{
			"the same":         {"192.168.1.9:1001", http.StatusTooManyRequests},
			"the same as IPv6": {"[::ffff:192.168.1.9]:1001", http.StatusTooManyRequests},
			"another":          {"192.168.1.10:1001", http.StatusOK},
		} {
			if got := from(tt.address, "secret"); got != tt.want {
				t.Errorf("%s: %d, want %d", what, got, tt.want)
			}
		}
		time.Sleep(loginPeriod)
		if got := from("192.168.1.9:1002", "secret"); got != http.StatusOK {
			t.Errorf("after a minute: %d", got)
		}
	})
}

// TestWebGuessesOfOneNetwork: nobody gets more guesses by having many addresses,
// nor makes us remember all of them.
func TestWebGuessesOfOneNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWeb(printerIn(situation{AccessControl, nil, "idle"}).bridge, HTTPConfig{Listen: openPage, Username: "anna", Password: "secret"})
		h := w.handler()
		guess := func(address string) int {
			return webAnswer(h, "GET", "/", func(r *http.Request) {
				r.RemoteAddr = address
				r.SetBasicAuth("anna", "wrong")
			}).Code
		}
		for i := range loginAttempts {
			guess(fmt.Sprintf("[2001:db8::%x]:1", i+1))
		}
		if got := guess("[2001:db8::ffff]:1"); got != http.StatusTooManyRequests {
			t.Errorf("another address of the network: %d", got)
		}
		for i := range 3 * maxLoginAddresses {
			guess(fmt.Sprintf("10.0.%d.%d:1", i/250, i%250))
		}
		if n := len(w.logins.failed); n > maxLoginAddresses {
			t.Errorf("%d addresses are remembered", n)
		}
	})
}

// TestWebPolicy: every answer forbids what could be misused.
func TestWebPolicy(t *testing.T) {
	t.Parallel()
	h := webOf(t, HTTPConfig{Listen: loopbackPage})
	for _, path := range []string{"/", "/page.js", "/nothing", "/healthz", "/metrics"} {
		header := webAnswer(h, "GET", path).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; ", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if !strings.HasPrefix(header.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, header.Get(name))
			}
		}
		if p := header.Get("Content-Security-Policy"); strings.Contains(p, "unsafe") || strings.Contains(p, "*") || strings.Contains(p, "http") {
			t.Errorf("%s: the policy is %s", path, p)
		}
		if header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read by other pages", path)
		}
	}
}
