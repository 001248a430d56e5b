package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

const (
	// maxWatchers is how many pages are kept up to date at a time.
	maxWatchers = 32
	// watcherUpdates is how many updates may wait for a page that is slow to take
	// them; then it is let go, and comes back when it can.
	watcherUpdates = 4
	// updateInterval is the least time between two updates.
	updateInterval = time.Second
)

// hub keeps the pages that are open up to date. All are told the same: at first
// everything, then once a second at most what has changed. While no page is open
// it does nothing.
type hub struct {
	bridge     *Bridge
	changeable bool // pages offer changes

	mu       sync.Mutex
	watchers map[*watcher]struct{}
	told     knowledge
}

// knowledge is what all pages know.
type knowledge struct {
	roster *roster
	cards  map[string]string // JSON by printer
	farm   string            // JSON
	last   uint64            // happening
}

// watcher is an open page.
type watcher struct {
	updates chan []byte // closed when the page is let go
	slow    bool        // it was
}

// pageUpdate is what a page is told. A full one replaces everything.
type pageUpdate struct {
	Full       bool              `json:"full,omitempty"`
	Farm       json.RawMessage   `json:"farm,omitempty"`
	Printers   []json.RawMessage `json:"printers,omitempty"`
	Happenings []happening       `json:"happenings,omitempty"`
}

// pageFarm is what a page shows beside the printers.
type pageFarm struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Broker  string `json:"broker,omitempty"` // why there is no connection to it
	// Changeable says that printers can be added and given keys here.
	Changeable bool `json:"changeable,omitempty"`
}

func newHub(b *Bridge, changeable bool) *hub {
	return &hub{bridge: b, changeable: changeable, watchers: make(map[*watcher]struct{})}
}

// run tells the pages what changes until ctx ends.
func (h *hub) run(ctx context.Context) {
	ticker := time.NewTicker(updateInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.tell()
		}
	}
}

var errTooManyWatchers = errors.New("too many pages are open")

// join brings in a page; the first update waits for it. It has to leave.
func (h *hub) join() (*watcher, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.watchers) >= maxWatchers {
		return nil, errTooManyWatchers
	}
	if len(h.watchers) == 0 {
		h.told = knowledge{}
		h.changesLocked()
	}
	w := &watcher{updates: make(chan []byte, watcherUpdates)}
	h.watchers[w] = struct{}{}
	w.updates <- h.everythingLocked()
	return w, nil
}

func (h *hub) leave(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers, w)
	if len(h.watchers) == 0 {
		h.told = knowledge{}
	}
}

// tell tells all pages what has changed.
func (h *hub) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.watchers) == 0 {
		return
	}
	change, ok := h.changesLocked()
	if !ok {
		return
	}
	for w := range h.watchers {
		switch {
		case w.slow:
		case len(w.updates) == cap(w.updates):
			w.slow = true
			close(w.updates)
		default:
			w.updates <- change
		}
	}
}

// changesLocked takes in how everything is now, and returns what the pages don't
// know yet; false if there is nothing.
func (h *hub) changesLocked() (change []byte, ok bool) {
	var u pageUpdate
	farm := mustMarshal(h.bridge.pageFarm(h.changeable))
	if farm != h.told.farm {
		h.told.farm, u.Farm = farm, json.RawMessage(farm)
	}
	printers := h.bridge.roster.Load()
	if h.told.roster != printers {
		h.told.roster, h.told.cards = printers, make(map[string]string, len(printers.list))
		u.Full = true
	}
	for _, p := range printers.list {
		c := mustMarshal(p.card())
		if h.told.cards[p.id] != c {
			h.told.cards[p.id] = c
			u.Printers = append(u.Printers, json.RawMessage(c))
		}
	}
	u.Happenings, h.told.last = h.bridge.happenings.since(h.told.last)
	switch {
	case u.Full:
		return h.everythingLocked(), true
	case u.Farm == nil && u.Printers == nil && u.Happenings == nil:
		return nil, false
	}
	return []byte(mustMarshal(u)), true
}

// everythingLocked returns all that the pages know.
func (h *hub) everythingLocked() []byte {
	u := pageUpdate{Full: true, Farm: json.RawMessage(h.told.farm)}
	for _, p := range h.told.roster.list {
		u.Printers = append(u.Printers, json.RawMessage(h.told.cards[p.id]))
	}
	u.Happenings, _ = h.bridge.happenings.since(0)
	for len(u.Happenings) > 0 && u.Happenings[len(u.Happenings)-1].Number > h.told.last {
		u.Happenings = u.Happenings[:len(u.Happenings)-1] // comes with the next update
	}
	return []byte(mustMarshal(u))
}

func (b *Bridge) pageFarm(changeable bool) pageFarm {
	b.farm.mu.Lock()
	name := b.farm.name
	b.farm.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := pageFarm{Name: clean(name), Version: b.config.Version, Changeable: changeable}
	if b.brokerWas != connectionConnected {
		p.Broker = cmp.Or(b.brokerDetail, brokerNotYet)
	}
	return p
}
