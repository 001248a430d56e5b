package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// world is everything that a test needs, in one bubble with a clock of its own: a
// broker, some simulated OctoPrint servers, and the bridge between them.
type world struct {
	t      *testing.T
	broker *testBroker
	sims   map[string]*sim
	config Config // may be changed before start
	topics discovery.Topics
	bridge *Bridge // after start
	logs   *logBuffer

	// steps counts how often the test has let time pass. Servers read it with each
	// request, so that they see what the test did before: time alone orders nothing.
	steps atomic.Int64

	wantRun    error // that Run is to return
	stopBridge func()
	ended      chan struct{} // closed when Run has returned
	processes  []*process    // those that were launched, the last one last
}

// sim is a simulated OctoPrint with the line to it.
type sim struct {
	*octoprinttest.Server
	line  *octoprinttest.Listener
	steps *atomic.Int64 // the world's
	// withoutSockets is a proxy in front that doesn't know websockets.
	withoutSockets bool
	withoutKeys    bool // there is no plugin for application keys

	mu     sync.Mutex
	orders []*order // requests that change something
}

// order is a request as it came in, whatever became of it.
type order struct {
	at     time.Time
	text   string // as sentTo has it
	state  string // of the printer, in OctoPrint's words
	status int    // of the answer, 0 without one
}

// ServeHTTP implements http.Handler.
func (s *sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.steps.Load()
	if s.withoutKeys && isKeyRequest(r) {
		http.NotFound(w, r)
		return
	}
	if s.withoutSockets && upgrades(r) {
		http.Error(w, "Can \"Upgrade\" only to \"WebSocket\".", http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/api/login") {
		s.Server.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body) // what can't be read is not asked for
	r.Body = io.NopCloser(bytes.NewReader(body))
	o := &order{at: time.Now(), text: fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, body), state: s.State()}
	s.mu.Lock()
	s.orders = append(s.orders, o)
	s.mu.Unlock()
	s.Server.ServeHTTP(&answerWatch{ResponseWriter: w, order: o, sim: s}, r)
}

// answerWatch sees what is answered.
type answerWatch struct {
	http.ResponseWriter
	order *order
	sim   *sim
}

func (w *answerWatch) WriteHeader(status int) {
	w.sim.mu.Lock()
	w.order.status = status
	w.sim.mu.Unlock()
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap fits [http.ResponseController].
func (w *answerWatch) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ordered returns the requests so far.
func (s *sim) ordered() []*order {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.orders)
}

// setup describes one printer of a world.
type setup struct {
	id      string // "left" if empty
	options octoprinttest.Options
	// prepare is called before anybody connects.
	prepare func(*octoprinttest.Server)
	config  func(*PrinterConfig)
}

// inBubble runs f in a bubble with a world that is not started yet. Without
// printers it has one, idle, called left.
func inBubble(t *testing.T, f func(w *world), printers ...setup) {
	t.Helper()
	if len(printers) == 0 {
		printers = []setup{{}}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, printers)
		f(w)
		w.end()
	})
}

func newWorld(t *testing.T, printers []setup) *world {
	t.Helper()
	w := &world{
		t: t, broker: newTestBroker(t), sims: make(map[string]*sim), logs: new(logBuffer),
		topics: discovery.Topics{Base: discovery.DefaultBase, Prefix: discovery.DefaultPrefix},
	}
	t.Cleanup(w.end) // also when the test has failed
	w.config = Config{
		Version: "0.0.0-test",
		MQTT: MQTTConfig{
			URL: mustURL("mqtt://broker.test:1883"), ClientID: "octoprint2mqtt", BaseTopic: w.topics.Base,
			DiscoveryPrefix: w.topics.Prefix, BirthTopic: "homeassistant/status", Dial: w.broker.net.Dial,
		},
		Farm: FarmConfig{Name: "Print farm"},
	}
	for _, p := range printers {
		w.addPrinter(p)
	}
	return w
}

func (w *world) addPrinter(p setup) {
	if p.id == "" {
		p.id = "left"
	}
	s := &sim{Server: octoprinttest.New(p.options), steps: &w.steps}
	s.line = octoprinttest.Pipe(s)
	if p.prepare != nil {
		p.prepare(s.Server)
	}
	w.sims[p.id] = s
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	w.t.Cleanup(func() {
		s.Close()
		s.line.Close()
		stop()
		running.Wait()
	})
	c := printerConfig(p.id)
	c.URL = mustURL("http://" + p.id + ".test" + p.options.Prefix)
	c.Dial = s.line.Dial
	if p.config != nil {
		p.config(&c)
	}
	w.config.Printers = append(w.config.Printers, c)
}

// printerConfig returns what a printer's configuration is unless a test changes
// it.
func printerConfig(id string) PrinterConfig {
	return PrinterConfig{
		ID: id, Name: strings.ToUpper(id[:1]) + id[1:] + " one", URL: mustURL("http://" + id + ".test"), APIKey: "operator-key",
		Access: AccessControl, Limits: DefaultLimits, ReadyBelow: DefaultReadyBelow, HeatWatch: DefaultHeatWatch,
	}
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// start runs the bridge.
func (w *world) start() {
	w.topics = discovery.Topics{Base: w.config.MQTT.BaseTopic, Prefix: w.config.MQTT.DiscoveryPrefix}
	w.bridge = New(w.config, zerolog.New(w.logs))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	bridge, want := w.bridge, w.wantRun
	go func() {
		defer close(ended)
		if err := bridge.Run(ctx); !errors.Is(err, want) {
			w.t.Errorf("Run: %v, want %v", err, want)
		}
	}()
	w.ended = ended
	w.stopBridge = func() {
		cancel()
		<-ended
	}
}

// up starts the bridge and waits until it says that it is online.
func (w *world) up() {
	w.t.Helper()
	w.start()
	w.within(10*time.Second, "the bridge is online", func() bool { return w.retained(w.topics.BridgeState()) == online })
	w.sleep(time.Second)
}

// stop stops the bridge and waits for it.
func (w *world) stop() {
	if w.stopBridge != nil {
		w.stopBridge()
		w.stopBridge = nil
	}
}

func (w *world) end() {
	w.stop()
	w.broker.close()
}

// sleep lets time pass and everything come to rest.
func (w *world) sleep(d time.Duration) {
	w.steps.Add(1)
	time.Sleep(d)
	synctest.Wait()
}

// within lets time pass until something is so, and returns how long it took.
func (w *world) within(limit time.Duration, what string, so func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for synctest.Wait(); !so(); w.sleep(50 * time.Millisecond) {
		if time.Since(began) >= limit {
			w.t.Fatalf("not after %v: %s\nlog:\n%s", limit, what, w.logs)
		}
	}
	return time.Since(began)
}

// retained returns what is retained on a topic, "" without.
func (w *world) retained(topic string) string {
	pk, _ := w.broker.current().Topics.Retained.Get(topic)
	return string(pk.Payload)
}

// value returns what a row of a device shows.
func (w *world) value(device, key string) string { return w.retained(w.topics.Value(device, key)) }

// doc decodes a retained JSON document.
func (w *world) doc(topic string) map[string]any {
	w.t.Helper()
	var d map[string]any
	if err := json.Unmarshal([]byte(w.retained(topic)), &d); err != nil {
		w.t.Fatalf("%s: %v in %q", topic, err, w.retained(topic))
	}
	return d
}

// expect fails unless a row shows a value.
func (w *world) expect(device, key, want string) {
	w.t.Helper()
	if got := w.value(device, key); got != want {
		w.t.Errorf("%s/%s is %q, want %q", device, key, got, want)
	}
}

// logBuffer keeps the log, one JSON object per line.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// reset forgets what was logged.
func (l *logBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines returns the lines at a level that mention a text.
func (l *logBuffer) lines(level, text string) []string {
	var found []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, `"level":"`+level+`"`) && strings.Contains(line, text) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
