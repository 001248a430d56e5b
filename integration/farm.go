package integration

import (
	"slices"
	"sync"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// category is what the farm counts a printer as; every printer is in exactly one.
type category uint8

const (
	categoryUnreachable category = iota // no session
	categoryDisabled
	categoryOffline
	categoryError
	categoryPaused
	categoryPrinting
	categoryIdle
	categories
)

// categoryOf sorts a printer by its phase.
func categoryOf(p octoprint.Phase) category {
	switch p {
	case "":
		return categoryUnreachable
	case octoprint.PhaseOffline:
		return categoryOffline
	case octoprint.PhaseError:
		return categoryError
	case octoprint.PhasePausing, octoprint.PhasePaused:
		return categoryPaused
	case octoprint.PhaseIdle, octoprint.PhaseConnecting:
		return categoryIdle
	}
	return categoryPrinting
}

// summary is what the farm knows of a printer.
type summary struct {
	name      string
	category  category
	ready     bool
	finish    value  // of the running job
	attention string // why somebody has to look after it; empty: nobody has to
}

// summaryLocked sums the printer up for the farm.
func (p *printer) summaryLocked() summary {
	v := &p.view
	s := summary{name: p.view.config.Name, category: categoryOf(v.state.Phase), finish: p.device.get("finish")}
	if v.connection == connectionDisabled {
		s.category = categoryDisabled
	}
	s.ready = p.device.get("ready").isOn()
	switch {
	case v.maintenance: // somebody looks after it already
	case v.connection == connectionUnauthorized, v.connection == connectionNotPermitted:
		s.attention = v.detail
	case v.state.Problem && v.prints.problem:
		s.attention = text(v.errorText()).payload()
	case v.running() && v.asks():
		s.attention = "The printer asks: " + text(v.dialog().prompt.Text).payload()
	case v.prints.pausedByPrinter:
		s.attention = "The printer paused the print by itself: filament, or a prompt on its display."
	case p.device.get("unattended_heat").isOn():
		s.attention = "A heater is on, and nothing has been printed for a while."
	}
	return s
}

// farmView is what the farm's rows are read from.
type farmView struct {
	counts    [categories]int
	names     [categories][]string // only of those that want looking after
	ready     int
	nextFree  value
	attention map[string]string // reason by printer id
}

// To look at all printers whenever one of them changes is too much for many: farms from
// largeFarm on do so no more often than every farmPause, and with the next tick at
// the latest.
const (
	largeFarm = 100
	farmPause = 250 * time.Millisecond
)

// farm is the device that stands for all printers of the bridge.
type farm struct {
	bridge *Bridge

	mu        sync.Mutex
	name      string
	control   bool // any printer takes commands
	printers  map[string]summary
	device    *device[*farmView]
	announced announcement
	view      farmView
	viewedAt  time.Time // when view was made
	changed   bool      // a printer has, since then
	recent    recent
	arming    arming
	placing   chan struct{} // holds one element while a print is placed
}

func newFarm(b *Bridge) *farm {
	f := &farm{bridge: b, printers: make(map[string]summary), placing: make(chan struct{}, 1)}
	f.device = newDevice[*farmView](discovery.Farm, b.topics, b.outbox)
	f.device.document = farmDocument
	f.announced = announcement{topic: b.topics.Config(discovery.Farm), outbox: b.outbox, owner: &f.mu, describe: f.describe}
	return f
}

// configure takes over what a configuration says of the farm, and announces it.
func (f *farm) configure(c *Config) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.name, f.control = c.Farm.Name, c.controllable()
	f.publishLocked(time.Now())
}

// publishLocked announces the farm and publishes all that is known of it.
func (f *farm) publishLocked(now time.Time) {
	f.announced.reshapeLocked(func() { f.device.setRows(farmRows(f.control)) })
	if f.changed {
		f.lookLocked(now)
	} else {
		f.device.observe(&f.view, now)
	}
}

// eraseLocked removes everything from the broker that was published of the farm.
func (f *farm) eraseLocked() {
	f.announced.eraseLocked()
	f.device.remove()
}

// remove takes in that a printer is no longer part of the farm.
func (f *farm) remove(id string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.printers, id)
	f.lookLocked(now)
}

// update takes in what a printer has become.
func (f *farm) update(id string, s summary, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, ok := f.printers[id]; ok && old == s {
		return
	}
	f.printers[id] = s
	f.changed = true
	if len(f.printers) < largeFarm || now.Sub(f.viewedAt) >= farmPause {
		f.lookLocked(now)
	}
}

// lookLocked has the farm's rows show what its printers are now.
func (f *farm) lookLocked(now time.Time) {
	f.changed, f.viewedAt = false, now
	f.view = viewOf(f.printers)
	f.device.observe(&f.view, now)
}

func (f *farm) tick(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed {
		f.lookLocked(now)
	} else if f.device.due() {
		f.device.observe(&f.view, now)
	}
	f.recent.forget(now)
}

func viewOf(printers map[string]summary) farmView {
	v := farmView{attention: make(map[string]string)}
	var ids [categories][]string
	for id, s := range printers {
		v.counts[s.category]++
		if s.category == categoryError || s.category == categoryUnreachable {
			ids[s.category] = append(ids[s.category], id)
		}
		if s.ready {
			v.ready++
		}
		if s.finish.kind == timeValue && (v.nextFree.kind == unknownValue || s.finish.number < v.nextFree.number) {
			v.nextFree = s.finish
		}
		if s.attention != "" {
			v.attention[id] = s.attention
		}
	}
	for c, list := range ids {
		slices.Sort(list)
		for _, id := range list {
			v.names[c] = append(v.names[c], printers[id].name)
		}
	}
	return v
}

func (v *farmView) enabled() int {
	n := 0
	for c, count := range v.counts {
		if category(c) != categoryDisabled {
			n += count
		}
	}
	return n
}

// farmDoc is the farm's JSON document.
type farmDoc struct {
	Printers    int               `json:"printers"`
	Printing    int               `json:"printing"`
	Paused      int               `json:"paused"`
	Idle        int               `json:"idle"`
	Offline     int               `json:"offline"`
	Error       int               `json:"error"`
	Unreachable int               `json:"unreachable"`
	Disabled    int               `json:"disabled"`
	Ready       int               `json:"ready"`
	NextFree    value             `json:"next_free" schema:"time"`
	Attention   map[string]string `json:"attention"`
}

func farmDocument(d *device[*farmView], v *farmView) string {
	return mustMarshal(farmDoc{
		Printers: v.enabled(), Printing: v.counts[categoryPrinting], Paused: v.counts[categoryPaused],
		Idle: v.counts[categoryIdle], Offline: v.counts[categoryOffline], Error: v.counts[categoryError],
		Unreachable: v.counts[categoryUnreachable], Disabled: v.counts[categoryDisabled], Ready: v.ready,
		NextFree: d.get("next_free"), Attention: v.attention,
	})
}
