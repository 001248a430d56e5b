package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"octoprint2mqtt/discovery"
)

// healthInterval is how often bridge/health is published.
const healthInterval = time.Minute

// contractVersion counts incompatible changes of the MQTT contract.
const contractVersion = 1

// bridgeRows are the rows of the bridge. Those that change it are there only where
// that is allowed.
func bridgeRows(admin bool) []row[*Bridge] {
	rows := []row[*Bridge]{
		{
			key:       "state",
			about:     "Whether the bridge is at work; the broker says `offline` for it when it is gone.",
			topic:     func(t discovery.Topics, _ string) string { return t.BridgeState() },
			component: discovery.Component{Platform: discovery.BinarySensor, Name: "State", DeviceClass: "connectivity", PayloadOn: online, PayloadOff: offline, Category: discovery.CategoryDiagnostic},
		},
		{
			key: "version", bridged: true,
			about:     "The version of octoprint2mqtt.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Version", Category: discovery.CategoryDiagnostic, Icon: "mdi:tag-outline"},
			value:     func(b *Bridge) value { return text(b.config.Version) },
		},
		{
			key: "started", bridged: true,
			about:     "When the bridge started.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Started", DeviceClass: "timestamp", Category: discovery.CategoryDiagnostic, Icon: "mdi:clock-start"},
			value:     func(b *Bridge) value { return instant(b.started) },
		},
		{
			key: "broker_reconnects", bridged: true,
			about:     "How often the connection with the MQTT broker was lost and came back since the bridge started.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Broker reconnects", StateClass: "total_increasing", Category: discovery.CategoryDiagnostic, Icon: "mdi:lan-pending"},
			value:     func(b *Bridge) value { return count(b.brokerReconnects()) },
		},
	}
	if !admin {
		return rows
	}
	return append(rows, row[*Bridge]{
		key: actionLogLevel, bridged: true, admin: true, action: actionLogLevel,
		about:     "Sets how much is logged, until the program ends or the configuration says otherwise.",
		component: discovery.Component{Platform: discovery.Select, Name: "Log level", Options: LogLevels(), Category: discovery.CategoryDiagnostic, Icon: "mdi:text-box-search-outline"},
		value:     func(b *Bridge) value { return text(b.logLevel()) },
		parameters: func(payload string) (json.RawMessage, *refusal) {
			return encodeParameters(levelParameters{payload}), nil
		},
	}, row[*Bridge]{
		key: actionBridgeRestart, bridged: true, admin: true, action: actionBridgeRestart,
		about:      "Ends the bridge and starts it again with the configuration as it is.",
		component:  discovery.Component{Platform: discovery.Button, Name: "Restart", DeviceClass: "restart", Category: discovery.CategoryDiagnostic},
		parameters: pressed,
	})
}

func (b *Bridge) brokerReconnects() int { return int(max(0, b.broker.connects.Load()-1)) }

type infoDoc struct {
	Version   string        `json:"version"`
	Instance  string        `json:"instance"`
	Started   value         `json:"started" schema:"time"`
	BaseTopic string        `json:"base_topic"`
	Contract  int           `json:"contract"`
	Printers  []infoPrinter `json:"printers"`
}

type infoPrinter struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	URL         string   `json:"url"`
	Version     value    `json:"octoprint_version" schema:"string"`
	Access      Access   `json:"access"`
	User        value    `json:"user" schema:"string"`
	Permissions []string `json:"permissions"`
	Missing     []string `json:"missing"`
}

// info describes the bridge and its printers.
func (b *Bridge) info() infoDoc {
	doc := infoDoc{
		Version: b.config.Version, Instance: b.instance, Started: instant(b.started),
		BaseTopic: b.config.MQTT.BaseTopic, Contract: contractVersion, Printers: []infoPrinter{},
	}
	for _, p := range b.printers() {
		doc.Printers = append(doc.Printers, p.info())
	}
	return doc
}

func (p *printer) info() infoPrinter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return infoPrinter{
		ID: p.id, Name: p.view.config.Name, URL: publicURL(p.view.config.URL), Access: p.view.config.Access,
		Version: text(p.view.info.Version), User: text(p.view.info.User),
		Permissions: append([]string{}, p.view.info.Permissions...), Missing: p.view.missing.list(),
	}
}

type healthDoc struct {
	Time       value                    `json:"time" schema:"time"`
	Instance   string                   `json:"instance"`
	Uptime     int64                    `json:"uptime_s"`
	Memory     uint64                   `json:"memory_bytes"`
	Goroutines int                      `json:"goroutines"`
	Broker     healthBroker             `json:"broker"`
	Printers   map[string]healthPrinter `json:"printers"`
}

type healthBroker struct {
	Connected  bool   `json:"connected"`
	Reconnects int    `json:"reconnects"`
	Published  uint64 `json:"published"`
	Received   uint64 `json:"received"`
	Dropped    uint64 `json:"dropped"`
}

type healthPrinter struct {
	Connection connection `json:"connection"`
	Since      value      `json:"since" schema:"time"`
	Reconnects uint64     `json:"reconnects"`
	Frames     uint64     `json:"frames"`
	LastFrame  value      `json:"last_frame" schema:"time"`
	Errors     uint64     `json:"errors"`
	Refused    uint64     `json:"refused"`
	Latency    value      `json:"latency_ms" schema:"number"`
}

// healthNow counts the bridge's state up.
func (b *Bridge) healthNow(now time.Time) healthDoc {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.mu.Lock()
	lost := b.lost
	b.mu.Unlock()
	doc := healthDoc{
		Time: instant(now), Instance: b.instance, Uptime: int64(now.Sub(b.started).Seconds()),
		Memory: m.Sys - m.HeapReleased, Goroutines: runtime.NumGoroutine(),
		Broker: healthBroker{
			Connected: b.broker.up.Load(), Reconnects: b.brokerReconnects(),
			Published: b.broker.published.Load(), Received: b.broker.received.Load(),
			Dropped: b.outbox.Dropped() + lost,
		},
		Printers: make(map[string]healthPrinter, len(b.printers())),
	}
	for _, p := range b.printers() {
		doc.Printers[p.id] = p.health()
	}
	return doc
}

func (p *printer) health() healthPrinter {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.counters
	h := healthPrinter{
		Connection: p.view.connection, Since: instant(c.since), Reconnects: max(c.sessions, 1) - 1,
		Frames: c.frames, LastFrame: instant(c.lastFrame), Errors: c.errors, Refused: c.refused,
	}
	if c.latency > 0 {
		ms := c.latency.Seconds() * 1000
		h.Latency = number(&ms, 1)
	}
	return h
}

// health publishes bridge/health and what else is looked at once a minute.
func (b *Bridge) health(now time.Time) {
	b.mu.Lock()
	b.healthAt = now
	b.mu.Unlock()
	// Last of all, since it says that we are at work: see [rivals].
	b.outbox.Put(b.topics.BridgeHealth(), mustMarshal(b.healthNow(now)), onlineClass)
}

// infoChanged has bridge/info published anew with the next tick.
func (b *Bridge) infoChanged() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.staleInfo = true
}

func (b *Bridge) countRefusal(device string) {
	if p := b.printer(device); p != nil {
		p.mu.Lock()
		p.counters.refused++
		p.mu.Unlock()
	}
}

type lifecycleDoc struct {
	Time    value  `json:"time" schema:"time"`
	Type    string `json:"type"`
	Printer value  `json:"printer" schema:"string"`
	Detail  value  `json:"detail" schema:"string"`
}

// lifecycleKind is a type of what happens to the bridge or a printer, with when it is
// told.
type lifecycleKind struct{ typ, about string }

// lifecycleKinds are all of them.
func lifecycleKinds() []lifecycleKind {
	return []lifecycleKind{
		{"session_up", "There is a session with the printer's OctoPrint."},
		{"session_lost", "The session is lost: at once where OctoPrint rejects the key or permits nothing, else after 5 s; `detail` says why."},
		{"printer_added", "The configuration has a new printer."},
		{"printer_removed", "The configuration doesn't have the printer any more."},
		{"config_reloaded", "The configuration was read again; `detail` says what has changed."},
		{"config_rejected", "The configuration was read again and can't be used; `detail` says what is wrong."},
		{eventEnrol, "How asking OctoPrint for an application key goes on: `detail` begins with `waiting`, `granted` or `failed`."},
		{"command", "A command was answered; `detail` says what became of it."},
	}
}

// lifecycle tells on bridge/event what happened to the bridge or a printer.
func (b *Bridge) lifecycle(typ, device, detail string) {
	doc := lifecycleDoc{Time: instant(time.Now()), Type: typ, Printer: text(device), Detail: text(detail)}
	b.outbox.Answer(b.topics.BridgeEvent(), mustMarshal(doc))
	if typ != "command" || device != discovery.Bridge { // which is often asked how it is
		b.happenings.add(lifecycleHappening(typ, device, detail, doc.Time.time()))
	}
}

// explainBroker says in the words of the user why there is no connection to the
// broker.
func explainBroker(m *MQTTConfig, err error) string {
	d := diagnoseBroker(m, err)
	if d.do == "" {
		return d.what
	}
	return d.what + ": " + d.do
}

func diagnoseBroker(m *MQTTConfig, err error) diagnosis {
	switch {
	case errors.Is(err, errRival):
		return diagnosis{what: err.Error(), do: "this one keeps still and looks again every 5 minutes; stop one of them, or give one another base_topic"}
	case errors.Is(err, ErrBrokerRefused):
		return diagnosis{what: "the MQTT broker refuses the login", do: "check username, password and client_id"}
	case errors.Is(err, ErrSubscriptionRefused):
		return diagnosis{what: fmt.Sprintf("the MQTT broker lets octoprint2mqtt log in, but not listen: %v", err), do: "let this user read that in the broker's access rules"}
	}
	if unknown, ok := unknownName(m.URL.Hostname(), err); ok {
		return diagnosis{what: fmt.Sprintf("no connection to the MQTT broker at %s (its name is not known to this machine)", m.URL.Host), do: unknown.do}
	}
	return diagnosis{what: fmt.Sprintf("no connection to the MQTT broker at %s (%v)", m.URL.Host, err), do: "check that it runs and that the URL is right"}
}
