package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// twins are two profiles to choose from.
func twins(version string) octoprinttest.Options {
	return octoprinttest.Options{Version: version, OtherProfiles: []octoprinttest.Profile{
		{ID: "twin", Name: "Twin", Extruders: 2}, {ID: "other", Name: "None"}, {ID: "again", Name: "Twin"},
	}}
}

// TestPortAndProfile: they show what is in use, or what will be used next, and the
// next connection uses what was chosen. That is remembered over a restart.
func TestPortAndProfile(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				restartable(w)
				s := w.sims["left"]
				w.up()
				w.sleep(5 * time.Second)
				w.expect("left", "port", "VIRTUAL")
				w.expect("left", "profile", "Default")
				if got := w.offers("port"); !slices.Equal(got, []string{"AUTO", "/dev/ttyS0", "VIRTUAL"}) {
					t.Errorf("ports %q", got)
				}
				if got := w.offers("profile"); !slices.Equal(got, []string{"Default", "None*", "Twin", "Twin (2)"}) {
					t.Errorf("profiles %q", got)
				}
				w.must(s.Disconnect())
				w.sleep(5 * time.Second)
				if r := w.set("left", "port", "/dev/ttyS0"); r.code() != "ok" {
					t.Errorf("%+v", r)
				}
				if r := w.set("left", "profile", "Twin (2)"); r.code() != "ok" {
					t.Errorf("%+v", r)
				}
				w.expect("left", "port", "/dev/ttyS0")
				w.expect("left", "profile", "Twin (2)")
				if r := w.set("left", "port", "/dev/ttyS1"); r.code() != CodeInvalid {
					t.Errorf("a port that isn't there: %s", r.code())
				}
				if r := w.set("left", "profile", "twin"); r.code() != CodeInvalid {
					t.Errorf("a profile that isn't there: %s", r.code())
				}
				if got := s.sentTo(0); len(got) > 0 {
					t.Errorf("a choice alone sent %q", got)
				}
				w.stop()
				w.up()
				w.sleep(5 * time.Second)
				w.expect("left", "port", "/dev/ttyS0")
				if r := w.set("left", "connect", "PRESS"); r.code() != "ok" {
					t.Errorf("%+v", r)
				}
				w.sleep(5 * time.Second)
				w.expect("left", "state", "idle")
				w.expect("left", "port", "/dev/ttyS0")
				w.expect("left", "profile", "Twin (2)")
				w.expect("left", "tool1_target", "0")
				sent := strings.Join(s.sentTo(0), "\n")
				if !strings.Contains(sent, `"port":"/dev/ttyS0"`) || !strings.Contains(sent, `"printerProfile":"twin"`) {
					t.Errorf("sent %s", sent)
				}
			}, setup{options: twins(version)})
		})
	}
}

// TestPortWhileBusy: nothing is chosen while a print runs, or where nobody knows.
func TestPortWhileBusy(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		w.print("left")
		w.sleep(time.Second)
		for key, option := range map[string]string{"port": "AUTO", "profile": "Default"} {
			if r := w.set("left", key, option); r.code() != CodeWrongState {
				t.Errorf("%s while printing: %s", key, r.code())
			}
		}
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(10 * time.Second)
		for key, option := range map[string]string{"port": "AUTO", "profile": "Default"} {
			if r := w.set("left", key, option); r.code() != CodeUnreachable {
				t.Errorf("%s while nobody knows: %s", key, r.code())
			}
			w.expect("left", key, "None")
		}
		w.sims["left"].line.SetUp(true)
		w.within(2*time.Minute, "it is back", func() bool { return w.value("left", "connection") == "connected" })
		p := w.bridge.printer("left")
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.view.chosen != (chosen{}) {
			t.Errorf("chosen is %+v", p.view.chosen)
		}
	}, setup{prepare: withBenchy})
}

// TestConnectAsRequested: what a request names counts before what was chosen.
func TestConnectAsRequested(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.sims["left"]
		w.must(s.Disconnect())
		w.up()
		w.sleep(5 * time.Second)
		w.set("left", "port", "/dev/ttyS0")
		w.set("left", "profile", "Twin")
		if r := w.request("left", "connect", `{"port":"VIRTUAL","profile":"_default"}`); r.code() != "ok" {
			t.Errorf("%+v", r)
		}
		if got := strings.Join(s.sentTo(0), "\n"); !strings.Contains(got, `"port":"VIRTUAL"`) || !strings.Contains(got, `"printerProfile":"_default"`) {
			t.Errorf("sent %s", got)
		}
	}, setup{options: twins("1.11.8")})
}

// TestNoPortOfAConnector: where 2.0 connects otherwise than by a serial port, there
// is no port to choose, nothing of the connector is told, and connecting goes by it.
func TestNoPortOfAConnector(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.sims["left"]
		w.up()
		w.sleep(5 * time.Second)
		if w.components("left")["port"] != nil || w.value("left", "port") != "" {
			t.Errorf("there is a port: %q", w.value("left", "port"))
		}
		w.expect("left", "profile", "Default")
		w.must(s.Disconnect())
		w.sleep(5 * time.Second)
		for _, parameters := range []string{`{"port":"VIRTUAL"}`, `{"baudrate":115200}`} {
			if r := w.request("left", "connect", parameters); r.code() != CodeInvalid {
				t.Errorf("%s: %s", parameters, r.code())
			}
		}
		if r := w.set("left", "connect", "PRESS"); r.code() != "ok" {
			t.Errorf("%+v", r)
		}
		w.sleep(5 * time.Second)
		w.expect("left", "state", "idle")
		var posted []octoprinttest.Request
		for _, r := range s.Requests() {
			if r.Method == http.MethodPost && r.Path == "/api/connection" {
				posted = append(posted, r)
			}
		}
		if len(posted) != 1 || !strings.Contains(posted[0].Body, `"connector":"moonraker"`) {
			t.Errorf("sent %+v", posted)
		}
		for _, m := range w.broker.since(0, "") {
			if strings.Contains(m.payload, "CANARY") {
				t.Errorf("%s tells a secret: %.200s", m.topic, m.payload)
			}
		}
		if strings.Contains(w.logs.String(), "CANARY") {
			t.Error("the log tells a secret")
		}
	}, setup{options: octoprinttest.Options{Version: "2.0.0rc7", Connector: &octoprinttest.Connector{
		Name: "moonraker", Parameters: map[string]any{"host": "CANARY-host", "port": 7125, "apikey": "CANARY-key"},
	}}})
}
