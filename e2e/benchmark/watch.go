package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Topics of the bridge.
const (
	baseTopic       = "octoprint2mqtt"
	discoveryPrefix = "homeassistant"
)

// watch is the one subscriber. It sees everything that is published, and keeps
// what the measurement asks about.
type watch struct {
	raw bool // messages of OctoPrint are published as they are

	mu       sync.Mutex
	count    int                 // messages
	topics   map[string]struct{} // on which something came, but events
	missing  map[string]struct{} // on which something came before forget, and not since
	online   bool                // the bridge says so
	printers map[string]*seen
	probes   []time.Duration
}

// seen is what was seen of one printer.
type seen struct {
	available bool
	printing  bool // its document, or its message, is of a printer that prints
	// awaited is the target that was sent and not seen yet.
	awaited bool
	target  float64
	at      time.Time
}

func newWatch(raw bool, printers int) *watch {
	w := &watch{raw: raw, topics: make(map[string]struct{}), printers: make(map[string]*seen, printers)}
	for i := range printers {
		w.printers[printerID(i)] = new(seen)
	}
	return w
}

// follow subscribes, again and again as the broker goes and comes, until ctx ends.
func (w *watch) follow(ctx context.Context, broker string) {
	for ctx.Err() == nil {
		w.subscribe(ctx, broker)
		_ = pause(ctx, 20*time.Millisecond) // the loop looks at ctx
	}
}

// subscribe is one connection.
func (w *watch) subscribe(ctx context.Context, broker string) {
	lost := make(chan struct{})
	o := paho.NewClientOptions().AddBroker("tcp://" + broker).SetClientID("watch")
	o.SetAutoReconnect(false).SetConnectTimeout(time.Second)
	o.SetConnectionLostHandler(func(paho.Client, error) { close(lost) })
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { w.receive(m.Topic(), m.Payload(), time.Now()) })
	client := paho.NewClient(o)
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return
	}
	defer client.Disconnect(0)
	token := client.SubscribeMultiple(map[string]byte{baseTopic + "/#": 0, discoveryPrefix + "/#": 0}, nil)
	if token.Wait() && token.Error() != nil {
		return
	}
	select {
	case <-lost:
	case <-ctx.Done():
	}
}

// receive takes one message in.
func (w *watch) receive(topic string, payload []byte, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	rest, ours := strings.CutPrefix(topic, baseTopic+"/")
	if ours && strings.HasSuffix(rest, "/event") {
		return
	}
	w.topics[topic] = struct{}{}
	delete(w.missing, topic)
	if !ours {
		return
	}
	if rest == "bridge/state" {
		w.online = string(payload) == "online"
	}
	id, row, _ := strings.Cut(rest, "/")
	p := w.printers[id]
	switch {
	case p == nil:
	case row == "availability":
		p.available = string(payload) == "online"
	case row == "":
		p.printing = bytes.Contains(payload, []byte(`"state":"printing"`)) || w.raw && bytes.Contains(payload, []byte(`"printing":true`))
	}
	if p != nil && p.awaited {
		w.match(p, row, payload, at)
	}
}

// match looks for the target that is awaited.
func (w *watch) match(p *seen, row string, payload []byte, at time.Time) {
	text := payload
	switch {
	case w.raw:
		text = targetIn(payload)
	case row != "tool0_target":
		return
	}
	if target, err := strconv.ParseFloat(string(text), 64); err != nil || target != p.target {
		return
	}
	p.awaited = false
	w.probes = append(w.probes, at.Sub(p.at))
}

// targetIn returns the target of the tool as it is written in a message of
// OctoPrint, nothing if there is none.
func targetIn(message []byte) []byte {
	_, rest, _ := bytes.Cut(message, []byte(`"temps":[{`))
	_, rest, _ = bytes.Cut(rest, []byte(`"tool0":{`))
	_, rest, _ = bytes.Cut(rest, []byte(`"target":`))
	target, _, _ := bytes.Cut(rest, []byte(`}`))
	return target
}

// expect has the watch look for a printer's new target. It returns false if it
// still looks for the one before.
func (w *watch) expect(id string, target float64, at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.printers[id]
	if p.awaited {
		return false
	}
	p.awaited, p.target, p.at = true, target, at
	return true
}

// awaited returns how many targets have not been seen yet.
func (w *watch) awaited() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, p := range w.printers {
		if p.awaited {
			n++
		}
	}
	return n
}

// takeProbes returns how long each target took since it was last asked.
func (w *watch) takeProbes() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.probes
	w.probes = nil
	return taken
}

// messages returns how many there were.
func (w *watch) messages() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// complete reports whether every printer's document is there and says that it
// prints, and all that says who is available.
func (w *watch) complete() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.printers {
		if !p.printing || !w.raw && !p.available {
			return false
		}
	}
	return w.raw || w.online
}

// forget drops what was seen, for recovered to see whether all of it comes again.
func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.missing, w.topics, w.online = w.topics, make(map[string]struct{}, len(w.topics)), false
	for _, p := range w.printers {
		*p = seen{}
	}
}

// recovered reports whether everything is there that was there before forget.
func (w *watch) recovered() bool {
	if !w.complete() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.missing) == 0
}

// state tells how far it is, for error messages.
func (w *watch) state() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	available, printing := 0, 0
	for _, p := range w.printers {
		if p.available {
			available++
		}
		if p.printing {
			printing++
		}
	}
	return fmt.Sprintf("of %d printers %d are available and %d print; %d topics, %d missing, %d messages",
		len(w.printers), available, printing, len(w.topics), len(w.missing), w.count)
}
