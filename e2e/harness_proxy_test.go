//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// recordingProxy stands between the bridge and an OctoPrint server and notes
// what the bridge asks for.
type recordingProxy struct {
	url string

	mu       sync.Mutex
	requests []string // method and path
}

func newRecordingProxy(t *testing.T, target string) *recordingProxy {
	t.Helper()
	address, err := url.Parse(target)
	must(t, err)
	proxy := &recordingProxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(address)
			r.Out.Host = r.In.Host
		},
		// Without a server behind it the proxy must not look like one either.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.note(r)
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	proxy.url = server.URL
	return proxy
}

func (p *recordingProxy) note(r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, fmt.Sprintf("%s %s", r.Method, r.URL.Path))
}

// changes returns the requests so far that can change something; a login does
// not count.
func (p *recordingProxy) changes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var changes []string
	for _, request := range p.requests {
		harmless := []string{"GET ", "HEAD ", "POST /api/login"}
		if !slices.ContainsFunc(harmless, func(prefix string) bool { return len(request) >= len(prefix) && request[:len(prefix)] == prefix }) {
			changes = append(changes, request)
		}
	}
	return changes
}
