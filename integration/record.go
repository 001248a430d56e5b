package integration

import (
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

// record is what the journal keeps of a printer: its shape, its prints, and the
// events that the broker hasn't acknowledged yet.
type record struct {
	Version     string       `json:"octoprint_version"`
	User        string       `json:"user"`
	Permissions []string     `json:"permissions"`
	Profile     *recordShape `json:"profile"`
	Known       bool         `json:"known"`
	Connected   bool         `json:"connected"`
	Problem     bool         `json:"problem"`
	Error       string       `json:"error"`
	Active      *recordJob   `json:"active"`
	Missed      *recordJob   `json:"missed"`
	Last        *recordLast  `json:"last"`
	Events      []event      `json:"events"`
	Maintenance bool         `json:"maintenance"`
	PlateUsed   bool         `json:"plate_used"`
	ClearedAt   time.Time    `json:"plate_cleared"`
	Seen        time.Time    `json:"seen"`
	Inventory   inventory    `json:"inventory"`
	Chosen      chosen       `json:"chosen"`
	Dialog      string       `json:"dialog,omitempty"`
}

type recordShape struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Model   string   `json:"model"`
	Heaters []string `json:"heaters"`

	X octoprint.Range `json:"x"`
	Y octoprint.Range `json:"y"`
	Z octoprint.Range `json:"z"`
}

type recordJob struct {
	File    string    `json:"file"`
	Path    string    `json:"path"`
	Origin  string    `json:"origin"`
	User    string    `json:"user"`
	Started time.Time `json:"started"`
	Joined  bool      `json:"joined"`
	Elapsed float64   `json:"elapsed_s"`
	Seen    time.Time `json:"seen"`

	FirstLayer     *float64 `json:"first_layer,omitempty"`
	FirstLayerDone bool     `json:"first_layer_done,omitempty"`
}

type recordLast struct {
	File     string    `json:"file"`
	Path     string    `json:"path"`
	Result   string    `json:"result"`
	Reason   string    `json:"reason"`
	Duration *float64  `json:"duration_s"`
	Ended    time.Time `json:"ended"`
}

// recordFolder is where the journal keeps the printers.
const recordFolder = "printers"

// recordName is the printer's name in the journal.
func (p *printer) recordName() string { return recordFolder + "/" + p.id }

// recordInterval is how often a running job's progress is recorded: it tells
// after a restart whether it is still the same job.
const recordInterval = time.Minute

// recordLocked has the journal keep what is known now, if it changed.
func (p *printer) recordLocked(now time.Time) {
	active := p.view.prints.certain(now)
	if p.gone || !p.unrecorded && active == p.recordedJob && (active == nil || now.Sub(p.recordedAt) < recordInterval) {
		return
	}
	p.unrecorded, p.recordedJob, p.recordedAt = false, active, now
	p.bridge.journal.put(p.recordName(), p.recordNowLocked(active))
}

// certain returns the active job, unless that began a moment ago by a state alone:
// then the file may still be that of the print before, and the event that names the
// right one is on its way.
func (t *tracker) certain(now time.Time) *job {
	if t.active != nil && t.active.joined && now.Sub(t.active.started) < reasonDelay {
		return nil
	}
	return t.active
}

// recordNowLocked returns what is known, with the job that is to be recorded.
func (p *printer) recordNowLocked(active *job) record {
	i, t := p.view.info, p.view.prints
	r := record{
		Version: i.Version, User: i.User, Permissions: i.Permissions,
		Known: t.known, Connected: t.wasUp, Problem: t.problem, Error: t.reason, Events: append(p.pending.events(), p.held...),
		Maintenance: p.view.maintenance, PlateUsed: p.view.plateUsed, ClearedAt: p.view.clearedAt, Inventory: p.view.has,
		Chosen: p.view.chosen, Dialog: t.dialog,
	}
	if !p.session {
		r.Seen = p.view.seen // while there is one, it is older with every frame
	}
	if i.Profile != nil {
		s := recordShape(*i.Profile)
		r.Profile = &s
	}
	r.Active, r.Missed = recordOf(active), recordOf(t.missed)
	if l := t.last; l.result != "" {
		r.Last = &recordLast{File: l.file, Path: l.path, Result: l.result, Reason: l.reason, Duration: l.duration, Ended: l.ended}
	}
	return r
}

func recordOf(j *job) *recordJob {
	if j == nil {
		return nil
	}
	return &recordJob{
		File: j.file, Path: j.path, Origin: j.origin, User: j.user, Started: j.started, Joined: j.joined, Elapsed: j.elapsed, Seen: j.seen,
		FirstLayer: j.firstLayer, FirstLayerDone: j.firstLayerDone,
	}
}

func (r *recordJob) job() *job {
	if r == nil {
		return nil
	}
	return &job{
		file: r.File, path: r.Path, origin: r.Origin, user: r.User, started: r.Started, joined: r.Joined, elapsed: r.Elapsed, seen: r.Seen,
		firstLayer: r.FirstLayer, firstLayerDone: r.FirstLayerDone,
	}
}

// recall takes over what the journal has kept. It is called before anything
// else happens to the printer.
func (p *printer) recall() {
	var r record
	if !p.bridge.journal.load(p.recordName(), &r) {
		return
	}
	p.view.info = octoprint.Info{Version: r.Version, User: r.User, Permissions: r.Permissions}
	if r.Profile != nil {
		s := octoprint.Profile(*r.Profile)
		p.view.info.Profile = &s
	}
	p.view.maintenance, p.view.has, p.view.chosen = r.Maintenance, r.Inventory, r.Chosen
	p.view.plateUsed, p.view.clearedAt, p.view.seen = r.PlateUsed, r.ClearedAt, r.Seen
	p.view.has.Presets = namedPresets(p.view.has.Presets)
	t := p.view.prints
	t.known, t.wasUp, t.problem, t.reason, t.dialog = r.Known, r.Connected, r.Problem, r.Error, r.Dialog
	t.active, t.missed = r.Active.job(), r.Missed.job()
	p.recordedJob = t.active
	if l := r.Last; l != nil {
		t.last = lastJob{file: l.File, path: l.Path, result: l.Result, reason: l.Reason, duration: l.Duration, ended: l.Ended}
	}
	for _, e := range r.Events {
		e.Printer = p.view.config.ID
		p.sendLocked(e)
	}
}

// pending are the events of a printer that the broker hasn't acknowledged, in
// the order in which they happened.
type pending struct {
	list []*pendingEvent
}

type pendingEvent struct {
	event event
	left  int // topics that have not acknowledged it
}

// maxPending bounds them. A printer that tells more while the broker is away is
// told of in full once it is back, but a restart forgets the oldest.
const maxPending = 256

func (p *pending) add(e *pendingEvent) {
	if len(p.list) >= maxPending {
		p.list = p.list[1:]
	}
	p.list = append(p.list, e)
}

// acknowledged takes in that one topic has the event, and reports whether all
// have it now.
func (p *pending) acknowledged(e *pendingEvent) bool {
	e.left--
	if e.left > 0 {
		return false
	}
	p.list = slices.DeleteFunc(p.list, func(other *pendingEvent) bool { return other == e })
	return true
}

func (p *pending) events() []event {
	list := make([]event, 0, len(p.list))
	for _, e := range p.list {
		list = append(list, e.event)
	}
	return list
}
