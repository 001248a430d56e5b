package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// printerTopics returns what the bridge published about a printer since a message,
// but for events and answers.
func (w *world) printerTopics(since int, id string) []sent {
	var list []sent
	for _, m := range w.broker.all()[since:] {
		if m.byBridge && m.retain && (m.topic == w.topics.Document(id) || strings.HasPrefix(m.topic, w.topics.Document(id)+"/")) {
			list = append(list, m)
		}
	}
	return list
}

// liveKeys are the rows of a printer that say nothing while it can't be reached.
func (w *world) liveKeys(id string) []string {
	var keys []string
	for key, c := range w.components(id) {
		topic, _ := c["stat_t"].(string)
		if c["avty"] == nil && topic == w.topics.Value(id, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// TestShortLossIsNotSeen: a session that is back within the grace was never gone.
func TestShortLossIsNotSeen(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		for range 2 {
			before := w.broker.seen()
			w.sims["left"].DropSockets() // the next session comes within a second
			w.sleep(65 * time.Second)
			for _, m := range w.printerTopics(before, "left") {
				key := strings.TrimPrefix(m.topic, "octoprint2mqtt/left/")
				if m.payload == unknownPayload || slices.Contains([]string{"availability", "connection", "connection_detail", "state", "printing", "started"}, key) {
					t.Errorf("seen: %s = %s", m.topic, m.payload)
				}
			}
			if events := w.events(before, "left"); len(events) > 0 {
				t.Errorf("told: %s", eventTypesOf(events))
			}
		}
		if lines := w.logs.lines("warn", ""); len(lines) > 0 {
			t.Errorf("logged: %q", lines)
		}
	}, setup{prepare: withBenchy})
}

// TestLossIsSeenAfterTheGrace: for 5 s nothing happens, then every live value is
// unknown at once.
func TestLossIsSeenAfterTheGrace(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		live := w.liveKeys("left")
		if len(live) < 30 {
			t.Errorf("only %d live rows: %q", len(live), live)
		}
		before, began := w.broker.seen(), time.Now()
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(4900 * time.Millisecond)
		for _, m := range w.printerTopics(before, "left") {
			if m.payload == unknownPayload || strings.HasSuffix(m.topic, "/connection") || strings.HasSuffix(m.topic, "/availability") {
				t.Errorf("after %v: %s = %s", m.at.Sub(began), m.topic, m.payload)
			}
		}
		w.sleep(1200 * time.Millisecond)
		for _, key := range live {
			w.expect("left", key, "None")
		}
		w.expect("left", "availability", offline)
		w.expect("left", "connection", "unreachable")
		w.expect("farm", "unreachable", "1")
		w.expect("farm", "printing", "0")
		w.expect("farm", "next_free", "None")
		w.expect("farm", "attention", "OFF")
		doc := w.doc(w.topics.Document("left"))
		for _, path := range [][]string{{"state"}, {"printing"}, {"job", "file"}, {"job", "progress"}, {"temperatures", "bed", "actual"}, {"ready"}} {
			if v := at(doc, path...); v != nil {
				t.Errorf("the document says %v = %v", path, v)
			}
		}

		w.sims["left"].line.SetUp(true)
		w.within(65*time.Second, "the printer is back", func() bool { return w.value("left", "availability") == online })
		w.sleep(time.Second)
		w.expect("left", "state", "printing")
		w.expect("left", "printing", "ON")
		w.expect("left", "connection", "connected")
		w.expect("left", "connection_detail", "None")
		w.expect("left", "started", "2000-01-01T00:00:01Z")
	}, setup{prepare: withBenchy})
}

// TestP8OneLineForEachLossAndReturn is promise P8.
func TestP8OneLineForEachLossAndReturn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		for n := 1; n <= 2; n++ {
			w.sims["left"].line.SetUp(false)
			w.sims["left"].line.Cut()
			w.sleep(time.Minute)
			w.sims["left"].line.SetUp(true)
			w.sleep(65 * time.Second)
			lost, back := w.logs.lines("warn", `"printer":"left"`), w.logs.lines("info", `"connected to OctoPrint"`)
			if len(lost) != n || len(back) != n+1 {
				t.Fatalf("after %d losses %d lines of losses, %d of returns:\n%s", n, len(lost), len(back)-1, w.logs)
			}

			w.broker.crash()
			w.sleep(time.Minute)
			w.broker.restart(true)
			w.sleep(65 * time.Second)
			lost, back = w.logs.lines("warn", `"broker":`), w.logs.lines("info", `"broker":`)
			if len(lost) != n || len(back) != n+1 {
				t.Fatalf("after %d losses of the broker %d lines of losses, %d of returns:\n%s", n, len(lost), len(back)-1, w.logs)
			}
		}
	})
}

// TestConnections: what is shown for each way in which there can be no session.
func TestConnections(t *testing.T) {
	t.Parallel()
	selfSigned := selfSignedServer()
	key := func(key string) setup { return setup{config: func(c *PrinterConfig) { c.APIKey = key }} }
	with := func(change func(*PrinterConfig)) setup { return setup{config: change} }
	for _, tt := range []struct {
		name       string
		setup      setup
		before     func(*sim)
		connection string
		detail     string
	}{
		{name: "fine", connection: "connected", detail: "None"},
		{name: "no answer", before: func(s *sim) { s.line.SetUp(false) }, connection: "unreachable", detail: "No answer from left.test (dial tcp left.test:80: connection refused): check that it is on and that the URL is right."},
		{name: "silence", before: func(s *sim) { s.HoldRequests(true) }, connection: "unreachable", detail: "No answer from left.test (net/http: timeout awaiting response headers): check that it is on and that the URL is right."},
		{name: "wrong key", setup: key("wrong"), connection: "unauthorized", detail: "OctoPrint does not accept the API key: get a new one with octoprint2mqtt enroll left."},
		{name: "wrong key, 1.8", setup: setup{options: octoprinttest.Options{Version: "1.8.7"}, config: func(c *PrinterConfig) { c.APIKey = "wrong" }}, connection: "unauthorized", detail: "OctoPrint does not accept the API key: get a new one with octoprint2mqtt enroll left."},
		{name: "global key", setup: setup{options: octoprinttest.Options{GlobalKey: "global"}, config: func(c *PrinterConfig) { c.APIKey = "global" }}, connection: "unauthorized", detail: "The API key is OctoPrint's global key, which belongs to no user and is going away: get an application key instead, with octoprint2mqtt enroll left."},
		{name: "wrong user", setup: with(func(c *PrinterConfig) { c.User = "somebody" }), connection: "unauthorized", detail: `Wrong user: the key belongs to "operator", not to "somebody": change user in the configuration, or log in to OctoPrint as "somebody" and get a key with octoprint2mqtt enroll left.`},
		{name: "right user", setup: with(func(c *PrinterConfig) { c.User = "operator" }), connection: "connected", detail: "None"},
		{name: "user may see nothing", setup: key("nobody-key"), connection: "not_permitted", detail: `OctoPrint does not let the API key's user see the printer (the user "nobody" lacks the permission STATUS): put the user into the group Read-only or Operator.`},
		{name: "http behind https", setup: with(func(c *PrinterConfig) { c.URL = mustURL("https://left.test") }), connection: "not_octoprint", detail: "What answers at https://left.test is not OctoPrint (what answers does not speak the protocol of the URL; is it http or https?): check host, port and path of the URL."},
		{name: "unknown certificate", setup: with(func(c *PrinterConfig) { c.URL, c.Dial = mustURL("https://left.test"), selfSigned }), connection: "tls_error", detail: "The TLS connection to left.test failed (tls: failed to verify certificate: x509: certificate is valid for example.com, *.example.com, not left.test): check the certificate or set ca_file, or write http:// if it has no TLS."},
		{name: "redirect", before: func(s *sim) { s.SetProxyPage(301, "moved") }, connection: "not_octoprint", detail: "http://left.test redirects to https://left.test: put the address it really has into the configuration."},
		{name: "another page", before: func(s *sim) { s.SetProxyPage(200, "<html>It works!</html>") }, connection: "not_octoprint", detail: "What answers at http://left.test is not OctoPrint (it answers with a web page, HTTP 200): check host, port and path of the URL."},
		{name: "password in front", before: func(s *sim) { s.SetProxyPage(401, "<html>Login</html>") }, connection: "not_octoprint", detail: "What answers at http://left.test is not OctoPrint (something in front of OctoPrint asks for a user name and password, HTTP 401): use an address at which OctoPrint answers without that password, which this program can't give."},
		{name: "wrong prefix", setup: setup{options: octoprinttest.Options{Prefix: "/octoprint"}, config: func(c *PrinterConfig) { c.URL = mustURL("http://left.test") }}, connection: "not_octoprint", detail: "What answers at http://left.test is not OctoPrint (it answers with a web page, HTTP 404): check host, port and path of the URL."},
		{name: "right prefix", setup: setup{options: octoprinttest.Options{Prefix: "/octoprint"}}, connection: "connected", detail: "None"},
		{name: "starting", before: func(s *sim) { s.SetStarting(true) }, connection: "starting", detail: "OctoPrint is not up yet (it does not speak HTTP yet): wait a minute; if that does not help, look at OctoPrint and its log."},
		{name: "proxy without OctoPrint", before: func(s *sim) { s.SetProxyPage(502, "<html>Bad Gateway</html>") }, connection: "starting", detail: "OctoPrint is not up yet (the proxy in front of OctoPrint gets no answer from it, HTTP 502): wait a minute; if that does not help, look at OctoPrint and its log."},
		{name: "disabled", setup: with(func(c *PrinterConfig) { c.Disabled = true }), connection: "disabled", detail: "This printer is disabled in the configuration."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if tt.before != nil {
					tt.before(w.sims["left"])
				}
				w.start()
				w.sleep(25 * time.Second)
				w.expect("left", "connection", tt.connection)
				detail := w.value("left", "connection_detail")
				if detail != tt.detail {
					t.Errorf("the detail is\n%s\nwant\n%s", detail, tt.detail)
				}
				if detail != "None" && !strings.HasSuffix(detail, ".") {
					t.Errorf("%q is no sentence", detail)
				}
				availability := map[bool]string{true: online, false: offline}[tt.connection == "connected"]
				w.expect("left", "availability", availability)
				w.expect("bridge", "state", online)
				doc := w.doc(w.topics.Document("left"))
				if doc["connection"] != tt.connection || doc["connection_detail"] == nil != (detail == "None") {
					t.Errorf("the document says %v, %v", doc["connection"], doc["connection_detail"])
				}
				attention := tt.connection == "unauthorized" || tt.connection == "not_permitted"
				w.expect("farm", "attention", map[bool]string{true: "ON", false: "OFF"}[attention])
				w.sims["left"].HoldRequests(false)
			}, tt.setup)
		})
	}
}

// TestRejectionIsSeenAtOnce: no grace for a rejected key and a lost permission.
func TestRejectionIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	for want, act := range map[string]func(*sim){
		"unauthorized":  func(s *sim) { s.RevokeKey("operator"); s.DropSockets() },
		"not_permitted": func(s *sim) { s.SetPermissions("operator") },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				act(w.sims["left"])
				w.within(2*time.Second, want, func() bool { return w.value("left", "connection") == want })
				w.expect("left", "availability", offline)
				w.expect("left", "state", "None")
				w.expect("farm", "attention", "ON")
				w.expect("farm", "unreachable", "1")
			})
		})
	}
}

// TestRevokedKeyIsNoticed although OctoPrint lets the session go on.
func TestRevokedKeyIsNoticed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sims["left"].RevokeKey("operator")
		w.within(3*time.Minute+5*time.Second, "unauthorized", func() bool { return w.value("left", "connection") == "unauthorized" })
		w.expect("left", "availability", offline)
		asked := len(w.sims["left"].Requests())
		w.sleep(4 * time.Minute)
		if n := len(w.sims["left"].Requests()); n != asked {
			t.Errorf("asked %d times within 4 min with a rejected key", n-asked)
		}
		w.sleep(70 * time.Second)
		if n := len(w.sims["left"].Requests()); n == asked {
			t.Error("not asked again after 5 min")
		}
	})
}

// TestP5HalfOpenPrinterIsNoticed: a line that is dead, but not closed, whether the
// printer had something to say or not.
func TestP5HalfOpenPrinterIsNoticed(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(w *world){
		"idle":    func(*world) {},
		"off":     func(w *world) { w.must(w.sims["left"].Disconnect()); w.sleep(time.Minute) },
		"busy":    func(w *world) { w.print("left") },
		"waiting": func(w *world) { w.print("left"); w.must(w.sims["left"].Pause()); w.sleep(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				before(w)
				w.sims["left"].StallSockets(true)
				w.sims["left"].HoldRequests(true)
				took := w.within(30*time.Second, "unreachable", func() bool { return w.value("left", "availability") == offline })
				if took > 26*time.Second {
					t.Errorf("noticed after %v", took)
				}
				w.sims["left"].StallSockets(false)
				w.sims["left"].HoldRequests(false)
				w.within(time.Minute, "back", func() bool { return w.value("left", "availability") == online })
			}, setup{prepare: withBenchy})
		})
	}
}

// TestGarbageFromOctoPrint ends no session and changes nothing.
func TestGarbageFromOctoPrint(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		for _, garbage := range []string{"", "null", "[]", "{", "\x00", `{"current":7}`, `{"event":{"type":5}}`, `{"plugin":{}}`, strings.Repeat("x", 100_000)} {
			w.sims["left"].Send([]byte(garbage))
		}
		w.sleep(5 * time.Second)
		w.expect("left", "connection", "connected")
		w.expect("left", "state", "idle")
		if events := w.events(before, "left"); len(events) > 0 {
			t.Errorf("told: %s", eventTypesOf(events))
		}
	})
}

// TestRestartOfOctoPrintIsOneLoss, although it is unreachable first, then starting.
func TestRestartOfOctoPrintIsOneLoss(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s := w.sims["left"]
		s.line.SetUp(false)
		s.line.Cut()
		w.sleep(20 * time.Second)
		s.SetStarting(true)
		s.line.SetUp(true)
		w.sleep(time.Minute)
		s.SetStarting(false)
		w.sleep(70 * time.Second)
		w.expect("left", "connection", "connected")
		if lines := w.logs.lines("warn", ""); len(lines) != 1 || len(w.logs.lines("info", `"connected to OctoPrint"`)) != 2 {
			t.Errorf("log:\n%s", w.logs)
		}
	})
}
