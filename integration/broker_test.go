package integration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/discovery"
)

func threePrinters() []setup {
	return []setup{{id: "left", prepare: withBenchy}, {id: "right"}, {id: "middle"}}
}

// TestIntroduction: what is published in which order, with the first connection as
// with the next one: bridge, farm, printers, at least half a second, values, who
// is available, online.
func TestIntroduction(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.start()
		w.sleep(10 * time.Second)
		w.checkIntroduction(0)
		before := w.broker.seen()
		w.broker.crash()
		w.broker.restart(false)
		w.sleep(10 * time.Second)
		w.checkIntroduction(before)
	}, threePrinters()...)
}

func (w *world) checkIntroduction(since int) {
	w.t.Helper()
	list := w.broker.since(since, "")
	if len(list) > 0 && list[0].will {
		list = list[1:]
	}
	end := slices.IndexFunc(list, func(m sent) bool { return m.topic == w.topics.BridgeState() })
	if end < 0 || list[end].payload != online {
		w.t.Fatalf("the bridge does not say that it is online: %+v", list)
	}
	list = list[:end]
	var configs []string
	for _, device := range []string{"bridge", "farm", "left", "right", "middle"} {
		configs = append(configs, w.topics.Config(device))
	}
	values, phase := make(map[string]bool), 0
	var lastConfig time.Time
	for i, m := range list {
		switch {
		case i < len(configs):
			if m.topic != configs[i] {
				w.t.Errorf("message %d is on %s, want %s", i, m.topic, configs[i])
			}
			lastConfig = m.at
			continue
		case strings.HasPrefix(m.topic, "homeassistant/"):
			w.t.Errorf("message %d is on %s, after all discovery", i, m.topic)
		case strings.HasSuffix(m.topic, "/availability"):
			phase = 1
		case phase > 0 && m.retain && !strings.HasSuffix(m.topic, "temperature"):
			w.t.Errorf("%s follows an availability", m.topic)
		}
		if pause := m.at.Sub(lastConfig); pause < 500*time.Millisecond {
			w.t.Errorf("%s follows discovery after %v", m.topic, pause)
		}
		values[m.topic] = true
	}
	for _, id := range []string{"left", "right", "middle"} {
		for _, key := range append(w.liveKeys(id), "connection", "last_result", "availability") {
			if !values[w.topics.Value(id, key)] {
				w.t.Errorf("%s/%s was not published before online", id, key)
			}
		}
	}
}

// TestLogin: how the bridge introduces itself to the broker, after it has looked,
// under another name and without a will, whether there is one already.
func TestLogin(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.config.MQTT.Username, w.config.MQTT.Password, w.broker.password = "someone", "secret", "secret"
		w.up()
		list := w.broker.logins()
		if len(list) != 2 {
			t.Fatalf("%d logins: %+v", len(list), list)
		}
		if look := list[0]; look.willTopic != "" || !look.clean || look.clientID != "look-"+w.bridge.instance {
			t.Errorf("the first login is %+v", look)
		}
		got := list[1]
		got.at = time.Time{}
		want := connect{
			clean: true, version: 4, keepAlive: 10, clientID: "octoprint2mqtt", user: "someone", login: true,
			willTopic: "octoprint2mqtt/bridge/state", will: "offline", willQoS: 1, willRetained: true,
		}
		if got != want {
			t.Errorf("login %+v, want %+v", got, want)
		}
		var filters []string
		for _, f := range w.broker.filters {
			filters = append(filters, fmt.Sprint(f.Filter, " ", f.Qos))
		}
		slices.Sort(filters)
		wantFilters := []string{
			"homeassistant/device/octoprint2mqtt_bridge/config 0", "homeassistant/device/octoprint2mqtt_farm/config 0",
			"homeassistant/device/octoprint2mqtt_left/config 0", "homeassistant/status 1", "octoprint2mqtt/+/+/set 1", "octoprint2mqtt/+/request/+ 1",
			"octoprint2mqtt/bridge/health 0", "octoprint2mqtt/bridge/health 0", "octoprint2mqtt/bridge/state 0", // of another bridge
		}
		if !slices.Equal(filters, wantFilters) {
			t.Errorf("subscribed to %q", filters)
		}
	})
}

// documented are the topics of the contract, by whether they are retained.
var (
	retainedTopics = regexp.MustCompile(`^octoprint2mqtt/(bridge/(state|info|health|version|started|broker_reconnects)|farm|farm/[a-z_]+|farm/(error|unreachable|attention)/attributes|(left|right|middle)(/[a-z0-9_]+)?|(left|right|middle)/(octoprint_update|plugin_updates|missing_permissions)/attributes)$|^homeassistant/device/octoprint2mqtt_(bridge|farm|left|right|middle)/config$`)
	passingTopics  = regexp.MustCompile(`^octoprint2mqtt/([a-z]+/event|[a-z]+/response/[a-z_]+)$`)
)

// TestEveryMessageIsDocumented: topics, retain flags and quality of service of all
// that is published in an eventful while.
func TestEveryMessageIsDocumented(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.print("left")
		w.request("left", "pause", "{}")
		w.request("farm", "resume_all", "{}")
		w.request("bridge", "info", "{}")
		w.set("left", "nothing", "x")
		w.must(w.sims["right"].FirmwareError("MINTEMP"))
		w.sims["middle"].line.SetUp(false)
		w.sims["middle"].line.Cut()
		w.sleep(time.Minute)
		w.broker.publish("homeassistant/status", "online", false)
		w.sleep(20 * time.Second)
		w.stop()
		n := 0
		for _, m := range w.broker.since(0, "") {
			event := strings.HasSuffix(m.topic, "/event") || strings.Contains(m.topic, "/response/")
			if m.qos != 1 || m.retain == event {
				t.Errorf("%s: qos %d, retained %v", m.topic, m.qos, m.retain)
			}
			if event && !passingTopics.MatchString(m.topic) || !event && !retainedTopics.MatchString(m.topic) {
				t.Errorf("%s is not in the contract", m.topic)
			}
			if m.payload == "" {
				t.Errorf("%s: an empty payload", m.topic)
			}
			n++
		}
		if n < 300 {
			t.Errorf("only %d messages", n)
		}
	}, threePrinters()...)
}

// TestBrokerRefusesLogin: it is said once, tried again, and works when it is
// mended.
func TestBrokerRefusesLogin(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.broker.password = "right"
		w.config.MQTT.Password = "wrong"
		w.start()
		w.sleep(5 * time.Minute)
		if lines := w.logs.lines("warn", "username, password"); len(lines) != 1 || len(w.logs.lines("warn", "")) != 1 {
			t.Errorf("log:\n%s", w.logs)
		}
		if n := len(w.broker.logins()); n < 4 || n > 40 {
			t.Errorf("%d logins in five minutes", n)
		}
		w.broker.mu.Lock()
		w.broker.password = ""
		w.broker.mu.Unlock()
		w.within(70*time.Second, "online", func() bool { return w.retained(w.topics.BridgeState()) == online })
	})
}

// TestBrokerRefusesSubscription: a bridge that would hear no command says so
// instead of seeming fine.
func TestBrokerRefusesSubscription(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.broker.denied = func(filter string) bool { return strings.HasSuffix(filter, "/set") }
		w.start()
		w.sleep(30 * time.Second)
		if lines := w.logs.lines("warn", "octoprint2mqtt/+/+/set"); len(lines) != 1 || strings.Contains(lines[0], "request") {
			t.Errorf("log:\n%s", w.logs)
		}
		if got := w.retained(w.topics.BridgeState()); got == online {
			t.Error("the bridge says that it is online")
		}
	})
}

// TestCommandFiltersHaveNoOverlap: a message that matched two subscriptions could
// come twice.
func TestCommandFiltersHaveNoOverlap(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.request("left", "home", "{}")
		w.sleep(5 * time.Second)
		if n := len(w.replies(before, w.topics.Response("left", "home"))); n != 1 {
			t.Errorf("%d answers to one command", n)
		}
	})
}

// TestOtherBase: the whole contract hangs below the base topic and the prefix.
func TestOtherBase(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.config.MQTT.BaseTopic, w.config.MQTT.DiscoveryPrefix = "workshop/3d", "ha"
		w.up()
		for topic := range w.broker.retained() {
			if !strings.HasPrefix(topic, "workshop/3d/") && !strings.HasPrefix(topic, "ha/device/workshop_3d_") {
				t.Errorf("%s is retained", topic)
			}
		}
		if r := w.request("left", "home", "{}"); r.code() != "ok" {
			t.Errorf("a command: %v", r.Error)
		}
		if w.topics != (discovery.Topics{Base: "workshop/3d", Prefix: "ha"}) {
			t.Errorf("topics %+v", w.topics)
		}
	})
}
