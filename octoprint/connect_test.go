package octoprint_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

func TestConnect(t *testing.T) {
	t.Parallel()
	full := octoprint.ConnectOptions{Port: "VIRTUAL", Baudrate: 115200, Profile: "_default"}
	for _, c := range []struct {
		version string
		options octoprint.ConnectOptions
		want    string
	}{
		{"1.5.3", octoprint.ConnectOptions{}, `{"command":"connect"}`},
		{"1.11.8", full, `{"command":"connect","port":"VIRTUAL","baudrate":115200,"printerProfile":"_default"}`},
		{"2.0.0rc7", octoprint.ConnectOptions{}, `{"command":"connect","connector":"serial","parameters":{"port":"VIRTUAL","baudrate":115200}}`},
		{"2.0.0rc7", full, `{"command":"connect","connector":"serial","parameters":{"port":"VIRTUAL","baudrate":115200},"printerProfile":"_default"}`},
	} {
		bubble(t, octoprinttest.Options{Version: c.version}, func(b *bench) {
			client := b.client("operator")
			s := b.opened(client)
			must(b.t, b.sim.Disconnect())
			after(time.Second)
			must(b.t, client.Connect(b.t.Context(), c.options))
			after(time.Second)
			if got := s.log().state.Phase; got != octoprint.PhaseIdle {
				t.Errorf("%s: after connecting the printer is %s", c.version, got)
			}
			requests := b.sim.Requests()
			i := slices.IndexFunc(requests, func(r octoprinttest.Request) bool { return r.Method == http.MethodPost && r.Path == "/api/connection" })
			if i < 0 || !sameJSON(b.t, requests[i].Body, c.want) {
				b.t.Fatalf("%s: the request is %+v, want %s", c.version, requests[max(i, 0)], c.want)
			}
			if got, want := requests[i].Header.Get("X-Octoprint-Api-Version"), map[bool]string{true: "2.0.0"}[c.version[0] == '2']; got != want {
				t.Errorf("%s: the API version asked for is %q", c.version, got)
			}
			s.stop()
		})
	}
}

// TestConnectIsRefusedWhenConnected: in every state but offline it would end
// the connection that there is.
func TestConnectIsRefusedWhenConnected(t *testing.T) {
	t.Parallel()
	for version, shape := range map[string]string{
		"1.11.8":   `{"current":{"state":"%"}}`,
		"2.0.0rc7": `{"current":{"state":"%"},"options":{"preferredConnector":{"connector":"serial","parameters":{}}}}`,
	} {
		for state, free := range map[string]bool{
			"Operational": false, "Printing": false, "Paused": false, "Opening serial connection": false, "Connecting": false,
			"Cancelling": false, "Something new": false, "PRINTING": false,
			"Closed": true, "Offline": true, "Offline after error": true, "Error: boom": true, "CLOSED": true,
		} {
			var posted bool
			front := instead("/api/connection", func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					posted = true
					w.WriteHeader(http.StatusNoContent)
					return
				}
				_, _ = io.WriteString(w, strings.Replace(shape, "%", state, 1))
			})
			bubbleBehind(t, octoprinttest.Options{Version: version}, front, func(b *bench) {
				err := b.client("admin").Connect(b.t.Context(), octoprint.ConnectOptions{})
				if free {
					must(b.t, err)
				} else {
					wantFailure(t, err, octoprint.Conflict)
				}
				if posted != free {
					t.Errorf("%s in the state %q: sent %v", version, state, posted)
				}
			})
		}
	}
}

// TestConnectorParametersAreSecrets has a 2.0 server prefer a connector with
// secrets: they go back to it as they are, and nowhere else.
func TestConnectorParametersAreSecrets(t *testing.T) {
	t.Parallel()
	const status = `{"current":{"state":null},"options":{"preferredConnector":{"connector":"moonraker",
		"parameters":{"host":"klipper.local","port":7125,"apikey":"CANARY","deep":{"list":["x",null,true]}}}}}`
	for name, answer := range map[string]http.HandlerFunc{
		"fine":             page(204, "", ""),
		"quoted":           echo(412),
		"quoted as a text": echo(500),
		"broken":           page(200, "application/json", `{"parameters":{"apikey":"CANARY"`),
	} {
		var got string
		front := instead("/api/connection", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				_, _ = io.WriteString(w, status)
				return
			}
			body, _ := io.ReadAll(r.Body)
			got = string(body)
			r.Body = io.NopCloser(strings.NewReader(got))
			answer(w, r)
		})
		bubbleBehind(t, octoprinttest.Options{Version: "2.0.0rc7"}, front, func(b *bench) {
			err := b.client("admin").Connect(b.t.Context(), octoprint.ConnectOptions{Profile: "p"})
			if (err == nil) != (name == "fine" || name == "broken") || strings.Contains(everything(err), "CANARY") {
				t.Errorf("%s: error %s", name, everything(err))
			}
			want := `{"command":"connect","connector":"moonraker","printerProfile":"p",
				"parameters":{"host":"klipper.local","port":7125,"apikey":"CANARY","deep":{"list":["x",null,true]}}}`
			if !sameJSON(b.t, got, want) {
				t.Errorf("%s: sent %s", name, got)
			}
		})
	}
	front := instead("/api/connection", page(200, "application/json", status[:len(status)-1]))
	bubbleBehind(t, octoprinttest.Options{Version: "2.0.0rc7"}, front, func(b *bench) {
		err := b.client("admin").Connect(b.t.Context(), octoprint.ConnectOptions{})
		wantFailure(t, err, octoprint.NotOctoPrint)
		if strings.Contains(everything(err), "CANARY") {
			t.Errorf("error %s", everything(err))
		}
	})
}
