package integration

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestP9NoSecretLeaves is promise P9: the API keys, the passwords of the broker and
// the page, and what is secret in addresses are in no payload, no topic, no line of
// the log and on no page, whatever goes wrong.
func TestP9NoSecretLeaves(t *testing.T) {
	t.Parallel()
	const key, wrongKey, password, login, pagePassword = "canary-key-4711", "canary-wrong-0815", "canary-broker-1234", "canary-url-5678", "canary-page-9012"
	secrets := []string{key, wrongKey, password, login, pagePassword}
	users := append(octoprinttest.DefaultUsers(), octoprinttest.User{Name: "bridge", Key: key, Groups: []string{"users"}})
	withKey := func(k string) func(*PrinterConfig) { return func(c *PrinterConfig) { c.APIKey = k } }
	inBubble(t, func(w *world) {
		w.config.MQTT.Password, w.config.MQTT.Username, w.broker.password = password, "bridge", "another"
		w.config.MQTT.URL = mustURL("mqtt://user:" + login + "@broker.test:1883")
		page := w.serveWeb(func(c *HTTPConfig) { c.Username, c.Password = "anna", pagePassword })
		w.start()
		synctest.Wait()
		stream := page.stream(t)
		defer stream.conn.Close()
		w.sleep(10 * time.Second) // the login is refused
		w.broker.mu.Lock()
		w.broker.password = ""
		w.broker.mu.Unlock()
		w.within(70*time.Second, "online", func() bool { return w.retained(w.topics.BridgeState()) == online })

		left := w.sims["left"]
		var shown strings.Builder // on the page
		for _, act := range []func(){
			func() { w.must(left.FirmwareError("broken")) },
			func() { w.request("left", "connect", `{"port":"/dev/nothing"}`) },
			func() { left.SetProxyPage(500, "<html>") },
			func() { left.SetProxyPage(302, "<html>"); left.DropSockets() },
			func() { left.SetProxyPage(401, "<html>") },
			func() { left.SetProxyPage(0, ""); left.SetStarting(true) },
			func() { left.SetStarting(false) },
			func() { left.Logout("bridge") },
			func() { left.Send([]byte(`{"current":` + key)) },
			func() { left.line.SetUp(false); left.line.Cut() },
			func() { left.line.SetUp(true) },
			func() { left.RevokeKey("bridge"); left.DropSockets() },
			func() { w.request("bridge", "info", "{}"); w.request("bridge", "health", "{}") },
			func() { w.broker.crash(); w.broker.restart(false) },
		} {
			act()
			w.sleep(15 * time.Second)
			for _, path := range []string{"/readyz", "/metrics", "/login"} {
				_, body := page.get(t, path)
				shown.WriteString(body)
			}
		}
		shown.WriteString(stream.text())
		w.stop()
		for _, secret := range secrets {
			if strings.Contains(shown.String(), secret) {
				t.Errorf("%s on the page", secret)
			}
			for _, m := range w.broker.since(0, "") {
				if strings.Contains(m.payload, secret) || strings.Contains(m.topic, secret) {
					t.Errorf("%s in %s = %s", secret, m.topic, m.payload)
				}
			}
			for line := range strings.Lines(w.logs.String()) {
				if strings.Contains(line, secret) {
					t.Errorf("%s in the log: %s", secret, line)
				}
			}
		}
		if !strings.Contains(shown.String(), "OctoPrint does not accept the API key") {
			t.Errorf("the page showed:\n%s", shown.String())
		}
		if n := len(w.broker.since(0, "")); n < 200 || len(w.logs.lines("debug", "")) < 5 {
			t.Errorf("%d messages and this log:\n%s", n, w.logs)
		}
	}, setup{options: octoprinttest.Options{Users: users}, config: withKey(key)},
		setup{id: "wrong", config: withKey(wrongKey)},
		setup{id: "global", options: octoprinttest.Options{GlobalKey: key}, config: withKey(key)},
		setup{id: "login", config: func(c *PrinterConfig) {
			c.APIKey = key
			c.URL = mustURL("http://user:" + login + "@login.test/?token=" + login)
		}},
		setup{id: "nowhere", config: func(c *PrinterConfig) {
			c.APIKey = key
			c.URL = mustURL("http://user:" + login + "@nowhere.test/prefix?token=" + login)
			c.User = "somebody"
		}},
	)
}
