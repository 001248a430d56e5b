package octoprint_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"octoprint2mqtt/octoprint"
)

// TestConnectWantsToKnowThatThereIsNoConnection: an answer that doesn't say so is
// no leave to connect.
func TestConnectWantsToKnowThatThereIsNoConnection(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.11.8", "2.0.0rc7"} {
		for _, answer := range []string{"", "{}", `{"current":{}}`, `{"current":null}`} {
			if version == "2.0.0rc7" && answer == `{"current":{}}` {
				continue // where 2.0 has no connection, the state is null
			}
			posted := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				posted = posted || r.Method == http.MethodPost
				body := answer
				if strings.HasSuffix(r.URL.Path, "/version") {
					body = `{"server":"` + version + `","text":"OctoPrint ` + version + `"}`
				}
				_, _ = w.Write([]byte(body))
			}))
			u, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			err = octoprint.NewClient(octoprint.Options{URL: u, APIKey: "K"}).Connect(context.Background(), octoprint.ConnectOptions{})
			server.Close()
			if err == nil || posted {
				t.Errorf("%s answering %q: %v, posted %t", version, answer, err, posted)
			}
		}
	}
}
