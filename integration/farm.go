package integration

import (
	"encoding/json"
	"maps"
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
	s := summary{name: p.config.Name, category: categoryOf(v.state.Phase), finish: p.device.get("finish")}
	if v.connection == connectionDisabled {
		s.category = categoryDisabled
	}
	s.ready = p.device.get("ready").isOn()
	switch {
	case v.connection == connectionUnauthorized, v.connection == connectionNotPermitted:
		s.attention = v.detail
	case v.state.Problem && v.prints.problem:
		s.attention = text(v.errorText()).payload()
	case v.prints.pausedByPrinter:
		s.attention = "The printer paused the print by itself: filament, or a prompt on its display."
	}
	return s
}

// farmView is what the farm's rows are read from.
type farmView struct {
	counts    [categories]int
	names     [categories][]string
	ready     int
	nextFree  value
	attention map[string]string // reason by printer id
}

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
	recent    recent
}

func newFarm(b *Bridge) *farm {
	f := &farm{bridge: b, printers: make(map[string]summary)}
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
	f.device.observe(&f.view, now)
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
	f.view = viewOf(f.printers)
	f.device.observe(&f.view, now)
}

// update takes in what a printer has become.
func (f *farm) update(id string, s summary, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, ok := f.printers[id]; ok && old == s {
		return
	}
	f.printers[id] = s
	f.view = viewOf(f.printers)
	f.device.observe(&f.view, now)
}

func (f *farm) tick(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.device.due() {
		f.device.observe(&f.view, now)
	}
	f.recent.forget(now)
}

func viewOf(printers map[string]summary) farmView {
	v := farmView{attention: make(map[string]string)}
	for _, id := range slices.Sorted(maps.Keys(printers)) {
		s := printers[id]
		v.counts[s.category]++
		v.names[s.category] = append(v.names[s.category], s.name)
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
	NextFree    value             `json:"next_free"`
	Attention   map[string]string `json:"attention"`
}

func farmDocument(d *device[*farmView], v *farmView) any {
	return farmDoc{
		Printers: v.enabled(), Printing: v.counts[categoryPrinting], Paused: v.counts[categoryPaused],
		Idle: v.counts[categoryIdle], Offline: v.counts[categoryOffline], Error: v.counts[categoryError],
		Unreachable: v.counts[categoryUnreachable], Disabled: v.counts[categoryDisabled], Ready: v.ready,
		NextFree: d.get("next_free"), Attention: v.attention,
	}
}

// farmActions are actions of all printers at once, by the printers' own action
// that each stands for.
func farmActions() map[string]string {
	return map[string]string{"pause_all": actionPause, "resume_all": actionResume}
}

// set takes a command for one of the farm's rows.
func (f *farm) set(key, payload string, at time.Time, answer func(*refusal)) {
	if _, ok := farmActions()[key]; !ok {
		answer(refuse(CodeNoAction, "the farm has no row %s that takes commands", quote(key)))
		return
	}
	parameters, r := pressed(payload)
	if r != nil {
		answer(r)
		return
	}
	f.requested(key, request{parameters: parameters}, at, func(r *refusal, _ any) { answer(r) })
}

// requested takes a request for one of the farm's actions.
func (f *farm) requested(name string, q request, at time.Time, answer func(*refusal, any)) {
	part, ok := farmActions()[name]
	if !ok {
		answer(refuse(CodeNoAction, "the farm has no action %s", quote(name)), nil)
		return
	}
	if r := decodeParameters(q.parameters, &struct{}{}); r != nil {
		answer(r, nil)
		return
	}
	if r := f.admit(&command{at: at}, q.transaction); r != nil {
		answer(r, nil)
		return
	}
	f.bridge.each(part, at, func(results map[string]printerResult) { answer(worst(results), results) })
}

func (f *farm) admit(c *command, transaction json.RawMessage) *refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.control {
		return refuse(CodeAccessDenied, "the configuration allows commands to none of the printers")
	}
	return f.recent.admit(c, transaction)
}

// printerResult is what a farm action did to one printer.
type printerResult struct {
	Status string   `json:"status"` // ok, error, or skipped where it had nothing to do
	Error  *refusal `json:"error"`
}

const statusSkipped = "skipped"

// resultOf tells a printer that has nothing to pause from one that failed to.
func resultOf(r *refusal) printerResult {
	switch {
	case r == nil:
		return printerResult{Status: statusOK}
	case r.Code == CodeWrongState, r.Code == CodeOffline, r.Code == CodeUnreachable, r.Code == CodeAccessDenied:
		return printerResult{Status: statusSkipped, Error: r}
	}
	return printerResult{Status: statusError, Error: r}
}

// worst returns the refusal of a farm action: there is one if a printer that
// should have acted did not.
func worst(results map[string]printerResult) *refusal {
	for _, id := range slices.Sorted(maps.Keys(results)) {
		if r := results[id]; r.Status == statusError {
			return refuse(r.Error.Code, "%s: %s", id, r.Error.Message)
		}
	}
	return nil
}

// each has every printer carry out an action and tells what came of it once all
// are through. It doesn't block.
func (b *Bridge) each(name string, at time.Time, done func(map[string]printerResult)) {
	var mu sync.Mutex
	printers := b.printers()
	results := make(map[string]printerResult, len(printers))
	left := len(printers)
	for _, p := range printers {
		p.requested(name, request{parameters: json.RawMessage("{}")}, at, func(r *refusal) {
			mu.Lock()
			results[p.id] = resultOf(r)
			left--
			last := left == 0
			mu.Unlock()
			if last {
				done(results)
			}
		})
	}
}
