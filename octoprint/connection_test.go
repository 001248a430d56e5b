package octoprint_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestConnection: what every release says that there is to connect to.
func TestConnection(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		o := octoprinttest.Options{Version: version, OtherProfiles: []octoprinttest.Profile{{ID: "twin", Name: "Twin", Extruders: 2}}}
		bubble(t, o, func(b *bench) {
			c := b.client("operator")
			got, err := c.Connection(b.t.Context())
			must(b.t, err)
			want := octoprint.Connection{
				Connector: "serial", Ports: []string{"/dev/ttyS0", "VIRTUAL"}, Port: "VIRTUAL",
				Profiles:      []octoprint.NamedProfile{{ID: "_default", Name: "Default"}, {ID: "twin", Name: "Twin"}},
				PreferredPort: "VIRTUAL", PreferredProfile: "_default",
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %+v, want %+v", version, got, want)
			}
			must(b.t, b.sim.Disconnect())
			after(time.Second)
			if got, err = c.Connection(b.t.Context()); err != nil || got.Port != "" {
				t.Errorf("%s: offline, and the port is %q (%v)", version, got.Port, err)
			}
			must(b.t, c.Connect(b.t.Context(), octoprint.ConnectOptions{Port: "/dev/ttyS0", Profile: "twin"}))
			after(time.Second)
			if got, err = c.Connection(b.t.Context()); err != nil || got.Port != "/dev/ttyS0" {
				t.Errorf("%s: connected to %q (%v)", version, got.Port, err)
			}
		})
	}
}

// secretConnector is one that a plugin brings.
func secretConnector() *octoprinttest.Connector {
	return &octoprinttest.Connector{Name: "moonraker", Parameters: map[string]any{"host": "CANARY-host", "port": "CANARY-port", "apikey": "CANARY-key"}}
}

// TestConnectionIsNotSerial: of other connectors nothing but the name is told, and
// they take no port.
func TestConnectionIsNotSerial(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{Version: "2.0.0rc7", Connector: secretConnector()}, func(b *bench) {
		c := b.client("operator")
		got, err := c.Connection(b.t.Context())
		must(b.t, err)
		if got.Connector != "moonraker" || strings.Contains(fmt.Sprintf("%+v", got), "CANARY") || len(got.Ports) != 0 || got.Port != "" {
			t.Errorf("%+v", got)
		}
		must(b.t, b.sim.Disconnect())
		after(time.Second)
		for _, o := range []octoprint.ConnectOptions{{Port: "VIRTUAL"}, {Baudrate: 115200}} {
			wantFailure(t, c.Connect(b.t.Context(), o), octoprint.Refused)
		}
		posted := func(r octoprinttest.Request) bool { return r.Method == http.MethodPost && r.Path == "/api/connection" }
		if slices.ContainsFunc(b.sim.Requests(), posted) {
			t.Error("something was sent all the same")
		}
		must(b.t, c.Connect(b.t.Context(), octoprint.ConnectOptions{Profile: "_default"}))
		after(time.Second)
		r := b.sim.Requests()
		i := slices.IndexFunc(r, posted)
		if i < 0 || !strings.Contains(r[i].Body, `"connector":"moonraker"`) || !strings.Contains(r[i].Body, "CANARY-key") {
			t.Errorf("%+v", r[max(i, 0)])
		}
	})
}
