package integration

import (
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// found returns what a check has found of a subject by its name, as people read it.
func found(list []Finding, subject, check string) string {
	var all []string
	for _, f := range list {
		if f.Subject == subject && f.Check == check {
			all = append(all, strings.Join([]string{string(f.Level), f.What, f.Why, f.Do}, "|"))
		}
	}
	return strings.Join(all, "\n")
}

// wantAdvice fails if something is wrong that it isn't said of why that matters, or what
// to do.
func wantAdvice(t *testing.T, list []Finding) {
	t.Helper()
	for _, f := range list {
		if f.Level != LevelOK && (f.Why == "" || f.Do == "") {
			t.Errorf("%+v", f)
		}
	}
}

// unknownHost is how the lookup of a name fails.
func unknownHost(name string) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}}
}

// TestCheckPrinter: everything that can be wrong with a printer, in the words that its
// owner reads: level, what, why it matters, what to do.
func TestCheckPrinter(t *testing.T) {
	t.Parallel()
	key := func(key string) func(*PrinterConfig) { return func(c *PrinterConfig) { c.APIKey = key } }
	options := func(o octoprinttest.Options) setup { return setup{options: o} }
	unknownName := func(address string) func(*PrinterConfig) {
		return func(c *PrinterConfig) {
			c.URL = mustURL(address)
			c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, unknownHost(c.URL.Hostname()) }
		}
	}
	const lacks = "what needs that is not shown in Home Assistant and is refused over MQTT, although the configuration says access: control"
	const browsers = "only programs that run in a browser need it; this bridge does not"
	for _, tt := range []struct {
		name   string
		setup  setup
		before func(w *world)
		check  string
		want   string
	}{
		{name: "all is well", check: "connection", want: "ok|OctoPrint 1.11.8 as user operator; the printer is idle||"},
		{name: "latency", check: "latency", want: "ok|answers within 0 ms at http://left.test||"},
		{name: "printer is off", before: func(w *world) { w.must(w.sims["left"].Disconnect()) }, check: "connection", want: "ok|OctoPrint 1.11.8 as user operator; the printer is offline||"},
		{name: "another release", setup: options(octoprinttest.Options{Version: "1.8.7"}), check: "connection", want: "ok|OctoPrint 1.8.7 as user operator; the printer is idle||"},
		{name: "user key", check: "key", want: `note|the API key is the own key of the user "operator", not an application key|everything that uses this key stops when it is changed, and it can't be revoked for this program alone|octoprint2mqtt enroll left gets an application key with one click`},
		{name: "wrong key", setup: setup{config: key("wrong")}, check: "key", want: "error|OctoPrint does not accept the API key|it was revoked, mistyped, or is another OctoPrint's|get a new one with octoprint2mqtt enroll left"},
		{name: "global key", setup: setup{options: octoprinttest.Options{GlobalKey: "g"}, config: key("g")}, check: "key", want: "error|The API key is OctoPrint's global key, which belongs to no user and is going away|OctoPrint will stop accepting it, and with it everything is allowed to everybody|get an application key instead, with octoprint2mqtt enroll left"},
		{name: "wrong user", setup: setup{config: func(c *PrinterConfig) { c.User = "anna" }}, check: "user", want: `error|Wrong user: the key belongs to "operator", not to "anna"|what the key may do is what its user may do|change user in the configuration, or log in to OctoPrint as "anna" and get a key with octoprint2mqtt enroll left`},
		{
			name: "a release that doesn't tell whose key it is", check: "version", setup: setup{options: octoprinttest.Options{Version: "1.3.12"}, config: key("admin-key")},
			want: `warning|OctoPrint 1.3.12 does not tell whose the API key is: taken for that of "admin"|that is a guess (the user octofarm if there is one, else the first administrator), and this release has no permissions that could be checked|update OctoPrint; set user: to be told if the guess is another one`,
		},
		{name: "administrator", setup: setup{config: key("admin-key")}, check: "user", want: `note|the user "admin" has administrator rights, which access: control does not need|whoever gets hold of the API key could change everything in this OctoPrint|make a user of its own for this program, in the group Operator alone, and an application key as that user`},
		{name: "user may see nothing", setup: setup{config: key("nobody-key")}, check: "permissions", want: `error|OctoPrint does not let the API key's user see the printer (the user "nobody" lacks the permission STATUS)|without the permission STATUS nothing is known of the printer|put the user into the group Read-only or Operator`},
		{name: "user may do all", check: "permissions", want: "ok|the user may do all that access: control needs||"},
		{
			name: "user may only see", setup: setup{config: key("readonly-key")}, check: "permissions",
			want: `warning|the user "readonly" lacks CONTROL, PRINT, CONNECTION, FILES_SELECT, PLUGIN_SOFTWAREUPDATE_CHECK and PLUGIN_ACTION_COMMAND_PROMPT_INTERACT|` + lacks + `|in OctoPrint open Settings → Access Control → Users, edit "readonly" and tick the group Operator (which may have been renamed, or have lost permissions: see Groups there), or set access: read for this printer`,
		},
		{name: "user may only see, and shall not more", setup: setup{config: func(c *PrinterConfig) { c.APIKey, c.Access = "readonly-key", AccessRead }}, check: "permissions", want: `note|the user "readonly" lacks PLUGIN_SOFTWAREUPDATE_CHECK|what needs that is not shown in Home Assistant and is refused over MQTT, although the configuration says access: read|in OctoPrint open Settings → Access Control → Users, edit "readonly" and tick the group Operator (which may have been renamed, or have lost permissions: see Groups there)`},
		{name: "settings", setup: setup{config: func(c *PrinterConfig) { c.APIKey, c.Access = "statusonly-key", AccessRead }}, check: "settings", want: `note|the user "statusonly" may not read OctoPrint's settings|temperature presets, the webcam and plugins are not shown|give the user the permission Settings Access, which the groups Operator and Read-only have`},
		{name: "no answer", before: func(w *world) { w.sims["left"].line.SetUp(false) }, check: "connection", want: "error|No answer from left.test (dial tcp left.test:80: connection refused)|nothing is known of the printer meanwhile|check that it is on and that the URL is right"},
		{name: "a name that nobody knows", setup: setup{config: unknownName("http://octopi.test:5000")}, check: "connection", want: "error|The name octopi.test is not known to this machine (no such host)|nothing is known of the printer meanwhile|check how it is spelt, or use the IP address"},
		{name: "a name of mDNS that nobody knows", setup: setup{config: unknownName("http://octopi.local")}, check: "connection", want: "error|The name octopi.local is not known to this machine (no such host)|nothing is known of the printer meanwhile|check how it is spelt, or use the IP address; names that end in .local are found by mDNS, which containers often lack"},
		{name: "silence", before: func(w *world) { w.sims["left"].HoldRequests(true) }, check: "connection", want: "error|No answer from left.test (net/http: timeout awaiting response headers)|nothing is known of the printer meanwhile|check that it is on and that the URL is right"},
		{name: "not OctoPrint", before: func(w *world) { w.sims["left"].SetProxyPage(200, "<html>") }, check: "connection", want: "error|What answers at http://left.test is not OctoPrint (it answers with a web page, HTTP 200)|something else listens there, or something in front of OctoPrint|check host, port and path of the URL"},
		{name: "wrong path", setup: setup{config: func(c *PrinterConfig) { c.URL = mustURL("http://left.test/octoprint") }}, check: "connection", want: "error|What answers at http://left.test/octoprint is not OctoPrint (it answers with a web page, HTTP 404)|something else listens there, or something in front of OctoPrint|check host, port and path of the URL"},
		{name: "a proxy wants a password", before: func(w *world) { w.sims["left"].SetProxyPage(401, "<html>") }, check: "connection", want: "error|What answers at http://left.test is not OctoPrint (something in front of OctoPrint asks for a user name and password, HTTP 401)|something else listens there, or something in front of OctoPrint|use an address at which OctoPrint answers without that password, which this program can't give"},
		{name: "redirect", before: func(w *world) { w.sims["left"].SetProxyPage(308, "<html>") }, check: "redirect", want: "error|http://left.test redirects to https://left.test|redirects are not followed, since commands would get lost and the API key would be shown to whoever is there|put the address it really has into the configuration"},
		{name: "starting", before: func(w *world) { w.sims["left"].SetStarting(true) }, check: "connection", want: "error|OctoPrint is not up yet (it does not speak HTTP yet)|nothing is known of the printer meanwhile|wait a minute; if that does not help, look at OctoPrint and its log"},
		{name: "certificate", setup: setup{config: func(c *PrinterConfig) { c.URL, c.Dial = mustURL("https://left.test"), selfSignedServer() }}, check: "certificate", want: "error|The TLS connection to left.test failed (tls: failed to verify certificate: x509: certificate is valid for example.com, *.example.com, not left.test)|the API key is only sent to a server that can be told from others|check the certificate or set ca_file, or write http:// if it has no TLS"},
		{name: "a proxy without websockets", before: func(w *world) { w.sims["left"].withoutSockets = true }, check: "connection", want: "error|OctoPrint answers at http://left.test, but not its push socket (HTTP 400)|what happens there is told by the push socket alone|have the proxy in front of OctoPrint pass on websockets, as OctoPrint's guide to reverse proxies shows"},
		{name: "logins are limited", before: func(w *world) { w.sims["left"].LimitLogins(true) }, check: "connection", want: "error|OctoPrint refuses logins from this address for a while because of wrong passwords|after three wrong passwords in a minute OctoPrint lets nobody from there in|wait, or find out who tries them"},
		{name: "disabled", setup: setup{config: func(c *PrinterConfig) { c.Disabled = true }}, check: "connection", want: "ok|disabled in the configuration; not contacted||"},
		{name: "no webcam", check: "webcam", want: "ok|OctoPrint has no webcam with a snapshot URL||"},
		{name: "webcam", setup: options(octoprinttest.Options{SnapshotURL: "http://127.0.0.1:8080/?action=snapshot"}), check: "webcam", want: `ok|"Camera" sends pictures, this one of 2 KB||`},
		{
			name: "webcam elsewhere", setup: options(octoprinttest.Options{SnapshotURL: "http://camera.test/?action=snapshot"}), check: "webcam",
			want: `warning|no picture of "Camera": the picture is not fetched: the address is on another host, camera.test, than OctoPrint; if that is right, write the address under camera: url in the configuration|a grey placeholder stands in for its picture|check the snapshot URL in OctoPrint's settings under Webcam & Timelapse; it must be at the same host as OctoPrint, reachable from this machine`,
		},
		{name: "CORS is off", check: "cors", want: "ok|cross-origin requests (CORS) are off, and needn't be on for this bridge||"},
		{name: "CORS is on", setup: options(octoprinttest.Options{CORS: true}), check: "cors", want: "note|cross-origin requests (CORS) are allowed|" + browsers + "|switch it off in OctoPrint's settings under API, unless another program needs it, and restart OctoPrint"},
		{name: "CORS was switched on", before: func(w *world) { w.sims["left"].SetCORS(true) }, check: "cors", want: "note|cross-origin requests (CORS) are on in the settings, and off for the push socket|OctoPrint heeds a change of this setting for its push socket only after a restart; " + browsers + "|restart OctoPrint, unless no browser needs it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if tt.before != nil {
					tt.before(w)
				}
				for i := range w.config.Printers {
					w.config.Printers[i].Camera.Enabled = true
				}
				list := Check(w.t.Context(), w.config)
				w.sims["left"].HoldRequests(false)
				wantAdvice(t, list)
				if got := found(list, "left", tt.check); got != tt.want {
					t.Errorf("got\n%s\nwant\n%s\nof %+v", got, tt.want, list)
				}
			}, tt.setup)
		})
	}
}

// TestCheckComparesPermissions, not the names of groups: those can be renamed, and their
// permissions be changed. The exact ones of the key's user count.
func TestCheckComparesPermissions(t *testing.T) {
	t.Parallel()
	const why = "what needs that is not shown in Home Assistant and is refused over MQTT, although the configuration says access: control"
	const do = `in OctoPrint open Settings → Access Control → Users, edit "anna" and tick the group Operator (which may have been renamed, or have lost permissions: see Groups there)`
	for _, tt := range []struct {
		name string
		lost []string // by the group Operator
		want string
	}{
		{"a group of another name", nil, "ok|the user may do all that access: control needs||"},
		{"one permission less", []string{"PRINT"}, `warning|the user "anna" lacks PRINT|` + why + "|" + do + ", or set access: read for this printer"},
		{"two less", []string{"FILES_SELECT", "CONNECTION"}, `warning|the user "anna" lacks CONNECTION and FILES_SELECT|` + why + "|" + do + ", or set access: read for this printer"},
		{"what access does not need", []string{"FILES_UPLOAD", "FILES_DELETE"}, "ok|the user may do all that access: control needs||"},
	} {
		users := []octoprinttest.User{{Name: "first", Key: "first-key", Groups: []string{"admins"}}, {Name: "anna", Key: "anna-key"}}
		inBubble(t, func(w *world) {
			granted := slices.DeleteFunc(octoprinttest.DefaultPermissions("users"), func(p string) bool { return slices.Contains(tt.lost, p) })
			w.sims["left"].SetPermissions("anna", granted...)
			if got := found(Check(w.t.Context(), w.config), "left", "permissions"); got != tt.want {
				t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
			}
		}, setup{options: octoprinttest.Options{Users: users}, config: func(c *PrinterConfig) { c.APIKey = "anna-key" }})
	}
}

// TestExplainMissing: what not even the group Operator may do.
func TestExplainMissing(t *testing.T) {
	t.Parallel()
	list := explainMissing("anna", AccessFull, AccessControl, []string{"FILES_UPLOAD", "SYSTEM"})
	const why = "what needs that is not shown in Home Assistant and is refused over MQTT, although the configuration says access: full"
	want := []lack{
		{
			`the user "anna" lacks FILES_UPLOAD`, why,
			`in OctoPrint open Settings → Access Control → Users, edit "anna" and tick the group Operator (which may have been renamed, or have lost permissions: see Groups there), or set access: control for this printer`,
		},
		{
			`the user "anna" lacks SYSTEM, which the group Operator does not have either`, why,
			"do without, or in OctoPrint open Settings → Access Control → Groups, make a group with just these permissions and add the user to it; the group Admins has them, and everything else",
		},
	}
	if !slices.Equal(list, want) {
		t.Errorf("%q", list)
	}
}

// TestCheckTakesItsTime: whatever is silent.
func TestCheckTakesItsTime(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.sims["left"].StallSockets(true)
		began := time.Now()
		list := Check(w.t.Context(), w.config)
		w.sims["left"].StallSockets(false)
		if took := time.Since(began); took > 25*time.Second || !strings.HasPrefix(found(list, "left", "connection"), "error|No answer from left.test") {
			t.Errorf("after %v: %+v", took, list)
		}
	})
}

// TestCheckTwins: one OctoPrint under two addresses.
func TestCheckTwins(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		twin := w.config.Printers[0]
		twin.ID, twin.URL = "twin", mustURL("http://192.168.1.5")
		w.config.Printers = append(w.config.Printers, twin)
		list := Check(w.t.Context(), w.config)
		for id, other := range map[string]string{"left": "twin", "twin": "left"} {
			want := "warning|this is the same OctoPrint as " + other + ", under another address|one printer would be two devices, and what is printed on it would count twice|remove all but one of these entries; if these really are two printers, one of which got a copy of the other's SD card, change any setting of one of them, such as its name"
			if got := found(list, id, "twins"); got != want {
				t.Errorf("%s: %s", id, got)
			}
		}
		if got := found(list, "right", "twins"); got != "" {
			t.Errorf("right: %s", got)
		}
	}, setup{}, setup{id: "right"})
}

// TestCheckChangesNothing: nothing of what it publishes stays, it sends nothing to
// printers, and throws no running bridge out.
func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.config.StateDir = t.TempDir()
		w.up()
		w.sleep(5 * time.Second)
		topics, running := len(w.broker.retained()), len(w.broker.logins())
		list := Check(w.t.Context(), w.config)
		if worst := Worst(list); worst != LevelNote {
			t.Errorf("%s: %+v", worst, list)
		}
		if got := found(list, "broker", "rivals"); got != "ok|the bridge of this configuration is running||" {
			t.Error(got)
		}
		w.sleep(2 * time.Second)
		if n := len(w.broker.retained()); n != topics {
			t.Errorf("%d topics are retained, were %d", n, topics)
		}
		if got := w.sims["left"].sentTo(0); len(got) > 0 {
			t.Errorf("sent to OctoPrint: %q", got)
		}
		w.expect("bridge", "state", online)
		for _, login := range w.broker.logins()[running:] {
			if login.clientID == w.config.MQTT.ClientID || login.willTopic != "" || !login.clean {
				t.Errorf("login: %+v", login)
			}
		}
		if !w.bridge.broker.up.Load() || w.bridge.broker.connects.Load() != 1 {
			t.Error("the bridge has lost its connection")
		}
	})
}

// anyInstance is the topic of one check.
var anyInstance = regexp.MustCompile(`check/[0-9a-f]{8}`)

// TestCheckBroker: what can be right and wrong with the broker, and on it.
func TestCheckBroker(t *testing.T) {
	t.Parallel()
	const lost = "without the broker nothing is published and no command arrives"
	const health = `{"time":"2000-01-01T00:00:00Z","instance":"cafe0000"}` // of this moment, in a bubble
	below := func(topic string) func(string) bool {
		return func(f string) bool { return strings.HasPrefix(f, topic) }
	}
	for _, tt := range []struct {
		name    string
		before  func(w *world)
		subject string
		check   string
		want    string
	}{
		{"good", nil, "broker", "login", "ok|logged in to broker.test:1883 and subscribed to commands below octoprint2mqtt||"},
		{"may write", nil, "broker", "write", "ok|may read and write below octoprint2mqtt||"},
		{"keeps", nil, "broker", "retain", "ok|keeps retained messages||"},
		{"may announce", nil, "broker", "discovery", "ok|may read and write below homeassistant||"},
		{"alone", nil, "broker", "rivals", "ok|no other octoprint2mqtt is at work below octoprint2mqtt||"},
		{"away", func(w *world) { w.broker.net.setUp(false) }, "broker", "login", "error|no connection to the MQTT broker at broker.test:1883 (dial tcp: connection refused)|" + lost + "|check that it runs and that the URL is right"},
		{"password", func(w *world) { w.broker.password = "x" }, "broker", "login", "error|the MQTT broker refuses the login|" + lost + "|check username, password and client_id"},
		{
			"not to listen", func(w *world) { w.broker.denied = func(f string) bool { return strings.Contains(f, "request") } }, "broker", "subscribe",
			"error|the MQTT broker lets octoprint2mqtt log in, but not listen: the broker refused the subscription of octoprint2mqtt/+/request/+|" + lost + "|let this user read that in the broker's access rules",
		},
		{
			"a name that nobody knows", func(w *world) {
				w.config.MQTT.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, unknownHost("broker.test") }
			}, "broker", "login", "error|no connection to the MQTT broker at broker.test:1883 (its name is not known to this machine)|" + lost + "|check how it is spelt, or use the IP address",
		},
		{"not to read", func(w *world) { w.broker.denied = below("octoprint2mqtt/bridge/check") }, "broker", "write", "error|this login may not read below octoprint2mqtt: the broker refused the subscription of octoprint2mqtt/bridge/check/INSTANCE|what printers do is published there|let this user read and write octoprint2mqtt/# in the broker's access rules"},
		{
			"not to write", func(w *world) { w.broker.unheard = below("octoprint2mqtt/") }, "broker", "write",
			"error|this login may not publish, or not read, below octoprint2mqtt: what was published did not come back (the broker drops it without a word)|what printers do is published there|let this user read and write octoprint2mqtt/# in the broker's access rules",
		},
		{
			"not to announce", func(w *world) { w.broker.unheard = below("homeassistant/") }, "broker", "discovery",
			"error|this login may not publish, or not read, below homeassistant: what was published did not come back (the broker drops it without a word)|Home Assistant learns there which devices there are|let this user read and write homeassistant/# in the broker's access rules",
		},
		{
			"forgets", func(w *world) { w.broker.forgets = true }, "broker", "retain",
			"error|the broker does not keep retained messages|after a restart of Home Assistant all devices and values would be gone until something changes|switch retained messages on in the broker (Mosquitto: retain_available true), also for the topics of this program",
		},
		{
			"hangs up", func(w *world) { w.broker.hangsUp = true }, "broker", "retain",
			"error|the broker does not keep retained messages|after a restart of Home Assistant all devices and values would be gone until something changes|switch retained messages on in the broker (Mosquitto: retain_available true), also for the topics of this program",
		},
		{
			"another bridge", func(w *world) {
				w.broker.publish("octoprint2mqtt/bridge/state", "online", true)
				w.broker.publish("octoprint2mqtt/bridge/health", health, true)
			}, "broker", "rivals",
			"warning|an octoprint2mqtt is at work below octoprint2mqtt, and it is not known to be this one (instance cafe0000)|of two on one base topic the second keeps still: it publishes nothing and takes no commands|if that isn't the bridge that you want to check, stop it, or give one of the two another base_topic",
		},
		{
			"its client id", func(w *world) {
				w.config.MQTT.ClientID = "farm"
				w.broker.publish("farm/bridge/state", "online", true)
				w.broker.publish("old/bridge/state", "offline", true)
			}, "broker", "client_id",
			"warning|an octoprint2mqtt with the base topic farm is at work, and by default its client id is farm, too|a broker lets only one client with an id in: the two would throw each other out again and again|give this one another client_id, or remove that line: the base topic is the default",
		},
		{"Home Assistant", func(w *world) { w.broker.publish("homeassistant/status", "online", true) }, "homeassistant", "presence", "ok|Home Assistant is connected to this broker||"},
		{
			"no Home Assistant", func(w *world) { w.broker.publish("homeassistant/status", "offline", true) }, "homeassistant", "presence",
			`warning|Home Assistant is not connected to this broker: the last it said on homeassistant/status is "offline"|nothing is shown there until it is|start Home Assistant, and see that its MQTT integration uses this broker`,
		},
		{
			"Home Assistant, maybe", nil, "homeassistant", "presence",
			"note|whether Home Assistant is connected can't be told: nothing is retained on homeassistant/status|it says online there when it starts, which nobody who comes later hears unless the message is retained|nothing, if devices appear; otherwise see that Home Assistant's MQTT integration uses this broker, the discovery prefix homeassistant and the birth topic homeassistant/status",
		},
		{
			"another prefix", func(w *world) { w.config.MQTT.DiscoveryPrefix = "ha" }, "homeassistant", "prefix",
			"note|devices are announced below ha, not below homeassistant, where Home Assistant looks unless it is told otherwise|with another prefix there than here no device ever appears|compare it with the discovery prefix in Home Assistant under Settings → Devices & services → MQTT → Configure, or remove the line discovery_prefix",
		},
		{"the usual prefix", nil, "homeassistant", "prefix", ""},
		{"no discovery", func(w *world) { w.config.MQTT.DiscoveryPrefix = "" }, "homeassistant", "presence", "ok|discovery is switched off: Home Assistant is told nothing||"},
		{"not a broker", func(w *world) {
			w.broker.net.serve = func(c net.Conn) {
				go func() { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }()
				_, _ = io.Copy(io.Discard, c)
			}
		}, "broker", "login", "error|no connection to the MQTT broker at broker.test:1883 (what answers does not speak MQTT)|" + lost + "|check that it runs and that the URL is right"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if tt.before != nil {
					tt.before(w)
				}
				for i := range w.config.Printers {
					w.config.Printers[i].Camera.Enabled = true
				}
				list := Check(w.t.Context(), w.config)
				wantAdvice(t, list)
				got := anyInstance.ReplaceAllString(found(list, tt.subject, tt.check), "check/INSTANCE")
				if got != tt.want {
					t.Errorf("got\n%s\nwant\n%s\nof %+v", got, tt.want, list)
				}
			})
		})
	}
}

// upgrades reports whether somebody asks for a websocket.
func upgrades(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") }
