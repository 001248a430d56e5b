package integration

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestCheck: what is found for good and wrong settings.
func TestCheck(t *testing.T) {
	t.Parallel()
	selfSigned := selfSignedServer()
	key := func(key string) func(*PrinterConfig) { return func(c *PrinterConfig) { c.APIKey = key } }
	for _, tt := range []struct {
		name   string
		setup  setup
		before func(w *world)
		broker bool
		ok     bool
		text   string // a part of it
		notes  string
	}{
		{name: "all is well", broker: true, ok: true, text: "OctoPrint 1.11.8 as user operator; the printer is idle"},
		{name: "printer is off", before: func(w *world) { w.must(w.sims["left"].Disconnect()) }, broker: true, ok: true, text: "the printer is offline"},
		{name: "another release", setup: setup{options: octoprinttest.Options{Version: "1.8.7"}}, broker: true, ok: true, text: "OctoPrint 1.8.7"},
		{name: "wrong key", setup: setup{config: key("wrong")}, broker: true, text: "does not accept the API key"},
		{name: "global key", setup: setup{options: octoprinttest.Options{GlobalKey: "g"}, config: key("g")}, broker: true, text: "global key"},
		{name: "wrong user", setup: setup{config: func(c *PrinterConfig) { c.User = "anna" }}, broker: true, text: "anna"},
		{name: "user may see nothing", setup: setup{config: key("nobody-key")}, broker: true, text: "STATUS"},
		{name: "user may only see", setup: setup{config: key("readonly-key")}, broker: true, ok: true, text: "as user readonly", notes: "CONTROL"},
		{name: "user may only see, and shall not more", setup: setup{config: func(c *PrinterConfig) { c.APIKey, c.Access = "readonly-key", AccessRead }}, broker: true, ok: true, text: "as user readonly", notes: "lacks PLUGIN_SOFTWAREUPDATE_CHECK, which OctoPrint's group Operator has"},
		{name: "no answer", before: func(w *world) { w.sims["left"].line.SetUp(false) }, broker: true, text: "left.test"},
		{name: "silence", before: func(w *world) { w.sims["left"].HoldRequests(true) }, broker: true, text: "left.test"},
		{name: "not OctoPrint", before: func(w *world) { w.sims["left"].SetProxyPage(200, "<html>") }, broker: true, text: "not OctoPrint"},
		{name: "redirect", before: func(w *world) { w.sims["left"].SetProxyPage(308, "<html>") }, broker: true, text: "https://left.test"},
		{name: "starting", before: func(w *world) { w.sims["left"].SetStarting(true) }, broker: true, text: "not up yet"},
		{name: "certificate", setup: setup{config: func(c *PrinterConfig) { c.URL, c.Dial = mustURL("https://left.test"), selfSigned }}, broker: true, text: "certificate"},
		{name: "socket only", before: func(w *world) { w.sims["left"].StallSockets(true) }, broker: true, text: "left.test"},
		{name: "camera", setup: new(lens).filming(""), broker: true, ok: true, text: "as user operator"},
		{name: "broken camera", setup: (&lens{act: http.NotFound}).filming(""), broker: true, ok: true, text: "as user operator", notes: "Camera: the camera answers with the error 404"},
		{name: "hanging camera", setup: (&lens{act: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}).filming(""), broker: true, ok: true, text: "as user operator", notes: "within 5s"},
		{name: "camera may not be seen", setup: func() setup {
			s := new(lens).filming("")
			enable := s.config
			s.config = func(c *PrinterConfig) { enable(c); c.APIKey, c.Access = "statusonly-key", AccessRead }
			return s
		}(), broker: true, ok: true, text: "as user statusonly", notes: "WEBCAM, SETTINGS_READ, which OctoPrint's group"},
		{name: "disabled", setup: setup{config: func(c *PrinterConfig) { c.Disabled = true }}, broker: true, ok: true, text: "disabled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if tt.before != nil {
					tt.before(w)
				}
				began := time.Now()
				findings := Check(w.t.Context(), w.config)
				if took := time.Since(began); took > 25*time.Second {
					t.Errorf("it took %v", took)
				}
				w.sims["left"].HoldRequests(false)
				w.sims["left"].StallSockets(false)
				if len(findings) != 2 || findings[0].Subject != "broker" || findings[1].Subject != "left" {
					t.Fatalf("findings: %+v", findings)
				}
				if f := findings[0]; f.OK != tt.broker || !strings.Contains(f.Text, "broker.test:1883") {
					t.Errorf("broker: %+v", f)
				}
				if f := findings[1]; f.OK != tt.ok || !strings.Contains(f.Text, tt.text) || !strings.Contains(strings.Join(f.Notes, " "), tt.notes) || (len(f.Notes) == 0) != (tt.notes == "") {
					t.Errorf("printer: %+v", f)
				}
			}, tt.setup)
		})
	}
}

// TestCheckChangesNothing: it publishes nothing, sends nothing, and throws no
// running bridge out.
func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		before, running := w.broker.seen(), len(w.broker.logins())
		for _, f := range Check(w.t.Context(), w.config) {
			if !f.OK {
				t.Errorf("%+v", f)
			}
		}
		w.sleep(2 * time.Second)
		for _, m := range w.broker.since(before, "") {
			if !strings.HasSuffix(m.topic, "temperature") && m.topic != w.topics.Document("left") {
				t.Errorf("published: %s = %s", m.topic, m.payload)
			}
		}
		if got := w.sims["left"].sentTo(0); len(got) > 0 {
			t.Errorf("sent to OctoPrint: %q", got)
		}
		w.expect("bridge", "state", online)
		logins := w.broker.logins()[running:]
		if len(logins) != 1 || logins[0].clientID == w.config.MQTT.ClientID || logins[0].willTopic != "" || !logins[0].clean {
			t.Errorf("logins: %+v", logins)
		}
		if !w.bridge.broker.up.Load() {
			t.Error("the bridge has lost its connection")
		}
	})
}

// TestCheckBroker: what can be wrong with the broker.
func TestCheckBroker(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before func(w *world)
		text   string
	}{
		{"away", func(w *world) { w.broker.net.setUp(false) }, "no connection to the MQTT broker at broker.test:1883"},
		{"silent", func(w *world) { w.broker.net.stall(true) }, "no connection"},
		{"password", func(w *world) { w.broker.password = "x" }, "username, password"},
		{"access rules", func(w *world) {
			w.broker.denied = func(f string) bool { return strings.Contains(f, "request") }
		}, "octoprint2mqtt/+/request/+"},
		{"not a broker", func(w *world) {
			w.broker.net.serve = func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }
		}, "no connection"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				tt.before(w)
				f := Check(w.t.Context(), w.config)[0]
				if f.OK || !strings.Contains(f.Text, tt.text) {
					t.Errorf("%+v", f)
				}
			})
		})
	}
}
