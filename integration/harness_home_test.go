package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// home is a Home Assistant as far as the bridge can tell: it loads what is
// announced, removes a component only when it is told to while it has it loaded,
// and keeps in its registry what it once had.
type home struct {
	broker *testBroker
	prefix string

	mu        sync.Mutex
	up        bool                               // it runs
	linked    bool                               // and is connected to the broker
	documents map[string]string                  // of discovery as they came last, by topic
	loaded    map[string]map[string]loadedEntity // by topic and key
	ids       map[string]bool                    // unique ids of what is loaded
	registry  map[string]bool                    // and of what ever was
	states    map[string]string
	problems  []string
}

// loadedEntity is what Home Assistant knows of a component.
type loadedEntity struct {
	uniqueID string
	platform string
	config   string
}

func newHome(b *testBroker, prefix string) *home {
	return &home{broker: b, prefix: prefix, registry: make(map[string]bool)}
}

// start begins a run: nothing is loaded but what is retained.
func (h *home) start() {
	h.mu.Lock()
	h.up, h.loaded = true, make(map[string]map[string]loadedEntity)
	h.ids = make(map[string]bool)
	h.states, h.documents = make(map[string]string), make(map[string]string)
	h.mu.Unlock()
	h.link()
}

// stop ends it, with its last words.
func (h *home) stop() {
	h.mu.Lock()
	linked := h.linked
	h.up, h.linked = false, false
	h.mu.Unlock()
	if linked {
		h.broker.publish(h.prefix+"/status", "offline", false)
	}
}

// link connects it to the broker, which sends what is retained.
func (h *home) link() {
	retained := h.broker.retained()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.up {
		return
	}
	h.linked = true
	for _, topic := range slices.Sorted(maps.Keys(retained)) {
		h.takeLocked(topic, retained[topic])
	}
}

// unlink is the loss of the broker.
func (h *home) unlink() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.linked = false
}

// born says that it has started, if it can. It reports whether it could.
func (h *home) born() bool {
	h.mu.Lock()
	linked := h.linked
	h.mu.Unlock()
	if linked {
		h.broker.publish(h.prefix+"/status", "online", false)
	}
	return linked
}

// message takes what is published while it is there.
func (h *home) message(m sent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.linked && m.retain {
		h.takeLocked(m.topic, m.payload)
	}
}

func (h *home) takeLocked(topic, payload string) {
	if !strings.HasPrefix(topic, h.prefix+"/device/") {
		h.states[topic] = payload
		return
	}
	if h.documents[topic] == payload {
		return // the same again is ignored
	}
	h.documents[topic] = payload
	if payload == "" {
		for _, e := range h.loaded[topic] {
			delete(h.registry, e.uniqueID)
			delete(h.ids, e.uniqueID)
		}
		delete(h.loaded, topic)
		return
	}
	var d struct {
		Components map[string]json.RawMessage `json:"cmps"`
	}
	if err := json.Unmarshal([]byte(payload), &d); err != nil {
		h.problems = append(h.problems, fmt.Sprintf("%s: %v", topic, err))
		return
	}
	if h.loaded[topic] == nil {
		h.loaded[topic] = make(map[string]loadedEntity)
	}
	for _, key := range slices.Sorted(maps.Keys(d.Components)) {
		h.componentLocked(topic, key, string(d.Components[key]))
	}
}

func (h *home) componentLocked(topic, key, config string) {
	var c struct {
		Platform string `json:"p"`
		UniqueID string `json:"uniq_id"`
	}
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		h.problems = append(h.problems, fmt.Sprintf("%s %s: %v", topic, key, err))
		return
	}
	platform, id := c.Platform, c.UniqueID
	had, isLoaded := h.loaded[topic][key]
	switch {
	case isStub(config):
		if isLoaded {
			delete(h.registry, had.uniqueID)
			delete(h.ids, had.uniqueID)
			delete(h.loaded[topic], key)
		}
		return
	case isLoaded && (had.uniqueID != id || had.platform != platform):
		h.problems = append(h.problems, fmt.Sprintf("%s %s changed from %s %s to %s %s", topic, key, had.platform, had.uniqueID, platform, id))
		return
	case id != "" && !isLoaded && h.ids[id]:
		h.problems = append(h.problems, fmt.Sprintf("%s %s: %s is there twice", topic, key, id))
		return
	}
	h.loaded[topic][key] = loadedEntity{uniqueID: id, platform: platform, config: config}
	if id != "" {
		h.registry[id], h.ids[id] = true, true
	}
}

// isStub reports whether a component says no more than its platform.
func isStub(config string) bool {
	return strings.HasPrefix(config, `{"p":`) && !strings.Contains(config, ",")
}

// lies returns what it shows that it should not: entities by the topic of their
// device and their key, with the configuration that they should have.
func (h *home) lies(should map[string]map[string]string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	lies := slices.Clone(h.problems)
	ids := make(map[string]bool)
	for topic, components := range should {
		for key, config := range components {
			got, ok := h.loaded[topic][key]
			switch {
			case !ok:
				lies = append(lies, fmt.Sprintf("Home Assistant has lost %s of %s", key, topic))
			case !sameConfig(got.config, config):
				lies = append(lies, fmt.Sprintf("Home Assistant has %s of %s as %s, want %s", key, topic, got.config, config))
			}
			ids[got.uniqueID] = true
		}
		for key := range h.loaded[topic] {
			if _, ok := components[key]; !ok {
				lies = append(lies, fmt.Sprintf("Home Assistant still has %s of %s", key, topic))
			}
		}
	}
	for topic := range h.loaded {
		if should[topic] == nil {
			lies = append(lies, fmt.Sprintf("Home Assistant has %s, which nobody should have announced", topic))
		}
	}
	for id := range h.registry {
		if !ids[id] {
			lies = append(lies, "Home Assistant's registry has the dead entry "+id)
		}
	}
	for topic, payload := range h.broker.retained() {
		if !strings.HasPrefix(topic, h.prefix+"/") && h.states[topic] != payload {
			lies = append(lies, fmt.Sprintf("Home Assistant shows %s = %q, retained is %q", topic, h.states[topic], payload))
		}
	}
	return lies
}
