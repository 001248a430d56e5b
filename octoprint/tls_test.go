package octoprint_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// These tests use real connections but for the last one.

func TestTLS(t *testing.T) {
	t.Parallel()
	sim := octoprinttest.New(octoprinttest.Options{Prefix: "/octo"})
	server := httptest.NewUnstartedServer(sim)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // failed handshakes are wanted here
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(sim.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	plain := "http" + strings.TrimPrefix(server.URL, "https")

	for name, c := range map[string]struct {
		url   string
		tls   *tls.Config
		want  octoprint.Failure // 0: none
		words string
	}{
		"self-signed":         {server.URL + "/octo", nil, octoprint.TLSFailed, "certificate"},
		"trusted":             {server.URL + "/octo/", &tls.Config{RootCAs: trusted}, 0, ""},
		"not verified":        {server.URL + "/octo", &tls.Config{InsecureSkipVerify: true}, 0, ""},
		"other name":          {server.URL + "/octo", &tls.Config{RootCAs: trusted, ServerName: "octopi.local"}, octoprint.TLSFailed, "octopi.local"},
		"no common version":   {server.URL + "/octo", &tls.Config{RootCAs: trusted, MaxVersion: tls.VersionTLS10, MinVersion: tls.VersionTLS10}, octoprint.TLSFailed, ""},
		"http to its port":    {plain + "/octo", nil, octoprint.NotOctoPrint, "HTTPS"},
		"without the prefix":  {server.URL, &tls.Config{RootCAs: trusted}, octoprint.NotOctoPrint, ""},
		"with another prefix": {server.URL + "/octopus", &tls.Config{RootCAs: trusted}, octoprint.NotOctoPrint, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := octoprint.NewClient(octoprint.Options{URL: parse(t, c.url), APIKey: "admin-key", TLS: c.tls})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			// A session that opens has seen enough.
			err := client.Serve(ctx, opening{&recorder{t: t}, cancel})
			if c.want == 0 {
				must(t, err)
				return
			}
			wantFailure(t, err, c.want)
			if !strings.Contains(err.Error(), c.words) {
				t.Errorf("error %v, want …%s…", err, c.words)
			}
		})
	}
}

// opening ends its session as soon as that is open.
type opening struct {
	*recorder
	cancel context.CancelFunc
}

// SessionOpened implements octoprint.Handler.
func (h opening) SessionOpened(i octoprint.Info, s *octoprint.State) {
	h.recorder.SessionOpened(i, s)
	h.cancel()
}

func TestHTTPSToAPlainPort(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	address := "https" + strings.TrimPrefix(server.URL, "http")
	_, err := octoprint.NewClient(octoprint.Options{URL: parse(t, address)}).Identify(t.Context())
	wantFailure(t, err, octoprint.NotOctoPrint)
	if !strings.Contains(err.Error(), "http or https") {
		t.Errorf("error %v", err)
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := octoprint.NewClient(octoprint.Options{URL: parse(t, server.URL)}).Identify(t.Context())
	wantFailure(t, err, octoprint.Unreachable)
	if !strings.Contains(err.Error(), "refused") {
		t.Errorf("error %v", err)
	}
}

// TestHTTPSToASilentPort: some servers wait for more when they are greeted in
// TLS, so the handshake needs an end of its own.
func TestHTTPSToASilentPort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := octoprint.NewClient(octoprint.Options{
			URL: parse(t, "https://octopi.local"),
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				return ours, nil
			},
		})
		begin := time.Now()
		_, err := client.Identify(t.Context())
		wantFailure(t, err, octoprint.TLSFailed)
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("gave up after %v, want 5s", took)
		}
	})
}
