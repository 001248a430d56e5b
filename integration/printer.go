package integration

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/octoprint"
)

// grace is how long a lost session may be gone before its values are.
const grace = 5 * time.Second

// printer is one configured OctoPrint server with what hangs on it. One goroutine
// keeps its session, one carries out its commands while there are some, and one
// looks after all printers each second.
type printer struct {
	id     string
	bridge *Bridge

	mu          sync.Mutex
	client      *octoprint.Client
	view        printerView
	device      *device[*printerView]
	announced   announcement
	gone        bool // removed: nothing is published or recorded any more
	documenting bool // somebody is about to publish the document
	purged      bool // nothing is published until it is restored
	// session tells that one is open now, which live values may outlast by the
	// grace.
	session   bool
	lost      *loss
	counters  printerCounters
	recent    recent
	urgent    urgent
	queue     []*command // that wait
	engage    func()     // starts the worker; nil: there is to be none
	working   bool       // there is one
	commands  uint64     // how many there have been
	pending   pending
	asker     asker
	raw       rawRate
	eras      uint64      // see [lastSent]
	seenAt    time.Time   // when it was shown last that OctoPrint was heard
	album     []*picture  // in the order of their rows
	snapshots []*snapshot // that wait for pictures of album
	answered  []*snapshot // that are to be answered
	held      []event     // that come after the end of a job which is being asked for

	// What the journal has of the printer.
	unrecorded  bool
	recordedJob *job
	recordedAt  time.Time

	// tried is closed when the first attempt at a session has ended in any way.
	tried     chan struct{}
	triedOnce sync.Once
}

// loss is a session that has gone and not come back.
type loss struct {
	at        time.Time
	diagnosis diagnosis
}

// printerCounters are for bridge/health.
type printerCounters struct {
	sessions, frames, errors, refused uint64
	lastFrame, since                  time.Time
	latency                           time.Duration
	prints                            map[string]uint64 // that ended, by result

	ratedAt     time.Time // when the rate was taken, and how many frames there were then
	ratedFrames uint64
}

// ended counts a print that ended; an empty result is none.
func (c *printerCounters) ended(result string) {
	if result == "" {
		return
	}
	if c.prints == nil {
		c.prints = make(map[string]uint64)
	}
	c.prints[result]++
}

func newPrinter(b *Bridge, c *PrinterConfig) *printer {
	p := &printer{
		id:     c.ID,
		bridge: b,
		tried:  make(chan struct{}),
	}
	p.view = printerView{prints: &tracker{printer: c.ID}, counters: &p.counters}
	p.device = newDevice[*printerView](c.ID, b.topics, b.outbox)
	p.device.document = p.document
	p.announced = announcement{topic: b.topics.Config(c.ID), outbox: b.outbox, owner: &p.mu, describe: p.describe}
	p.configureLocked(c)
	return p
}

// log is for lines about the printer. It is made when it is needed, which is seldom.
func (p *printer) log() *zerolog.Logger {
	l := p.bridge.log.With().Str("printer", p.id).Logger()
	return &l
}

// octoPrint is the client for the server as it is configured now.
func (p *printer) octoPrint() *octoprint.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.client
}

var _ octoprint.Handler = (*printer)(nil)

// SessionOpened implements [octoprint.Handler].
func (p *printer) SessionOpened(i octoprint.Info, s *octoprint.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.session, p.lost = true, nil
	p.counters.sessions++
	p.counters.latency = i.Latency
	if p.view.connection != connectionConnected {
		p.view.connection, p.view.detail = connectionConnected, ""
		p.counters.since, p.unrecorded = now, true
		p.log().Info().Str("octoprint", i.Version).Str("user", clean(i.User)).Msg("connected to OctoPrint")
		p.bridge.lifecycle("session_up", p.id, "")
		p.availableLocked()
	}
	if s.Problem && s.Error == "" {
		s.Error = p.view.prints.reason
	}
	p.informedLocked(i)
	p.askAllLocked(now)
	p.stateLocked(s, now)
	p.voidLocked() // nobody has seen what happened meanwhile
	p.triedOnce.Do(func() { close(p.tried) })
	doubtful := p.view.prints.doubtful(s, now)
	missed, events := p.view.prints.opened(s, now)
	if missed != nil {
		p.resolveLocked(missed, s, events)
	} else {
		p.tellLocked(events)
	}
	if doubtful != nil {
		p.bridge.spawn(func(ctx context.Context) { p.doubt(ctx, doubtful) })
	}
	p.observeLocked(now)
}

// InfoChanged implements [octoprint.Handler].
func (p *printer) InfoChanged(i octoprint.Info) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	could := p.view.info.Permissions
	p.informedLocked(i)
	if !slices.Equal(could, i.Permissions) {
		p.askAllLocked(now)
	}
	p.observeLocked(now)
}

// StateChanged implements [octoprint.Handler].
func (p *printer) StateChanged(s *octoprint.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.stateLocked(s, now)
	p.followLocked(s, func(t *tracker) []event { return t.observed(s, now) })
	p.observeLocked(now)
}

// EventReceived implements [octoprint.Handler].
func (p *printer) EventReceived(e octoprint.Event, s *octoprint.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.stateLocked(s, now)
	p.view.now.heard(e)
	if e.Type == octoprint.EventPrintStarted {
		p.voidLocked()
	}
	// The event first: it says why, where the state only shows what.
	p.followLocked(s, func(t *tracker) []event {
		return slices.Concat(t.happened(e, now), t.observed(s, now), t.relayed(e, now))
	})
	p.askAfterLocked(e.Type, now)
	p.passEventLocked(e, now)
	p.observeLocked(now)
}

// PluginReceived implements [octoprint.Handler].
func (p *printer) PluginReceived(name string, message json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.counters.frames++
	p.counters.lastFrame = now
	p.passMessageLocked(name, message, now)
	for _, plugin := range p.bridge.plugins {
		if plugin.received == nil || !slices.Contains(plugin.names(), name) {
			continue
		}
		if change := plugin.received(name, message); change != nil {
			p.changeLocked(change, now)
		}
	}
}

// followLocked has the tracker take in something, and tells what comes of it. If
// it turns out that a job has ended without a word, that is asked for, and told
// first: what comes after it waits.
func (p *printer) followLocked(s *octoprint.State, track func(*tracker) []event) {
	before := p.view.prints.missed
	events := track(p.view.prints)
	switch missed := p.view.prints.missed; missed {
	case nil:
		p.tellLocked(events)
	case before:
		p.held, p.unrecorded = append(p.held, events...), p.unrecorded || len(events) > 0
	default:
		p.resolveLocked(missed, s, events)
	}
}

// FrameRejected implements [octoprint.Handler].
func (p *printer) FrameRejected(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counters.errors++
	p.log().Debug().Err(err).Msg("ignored a message of OctoPrint that can't be understood")
}

// stateLocked takes over a state. Its parts are never changed, so a copy of the
// struct is enough to keep.
func (p *printer) stateLocked(s *octoprint.State, now time.Time) {
	if unshownChanged(&p.view.state, s) {
		p.device.stale = true
	}
	another := p.view.state.Job.Path != s.Job.Path || p.view.state.Job.Origin != s.Job.Origin
	if another {
		p.view.selected = fileOption(s.Job.Origin, s.Job.Path)
	}
	if voids(&p.view.state, s) {
		p.voidLocked()
	}
	p.view.now.heat.follow(s, now)
	p.view.state, p.view.at = *s, now
	if another {
		p.askLocked(fileInquiry, now)
	}
	p.counters.frames++
	p.counters.lastFrame = now
}

// informedLocked takes over what the server, its user and its profile are like.
// A profile that can't be known now is still the one that was known before.
func (p *printer) informedLocked(i octoprint.Info) {
	if i.Profile == nil {
		i.Profile = p.view.info.Profile
	}
	same := i.Version == p.view.info.Version && i.User == p.view.info.User &&
		slices.Equal(i.Permissions, p.view.info.Permissions) && slices.Equal(profileHeaters(i), p.view.heaters()) &&
		profileModel(i) == profileModel(p.view.info)
	p.view.info = i
	if !same {
		p.unrecorded = true
		p.reshapeLocked()
		p.bridge.infoChanged()
	}
}

func profileHeaters(i octoprint.Info) []string {
	if i.Profile == nil {
		return nil
	}
	return i.Profile.Heaters
}

func profileModel(i octoprint.Info) string {
	if i.Profile == nil {
		return ""
	}
	return i.Profile.Model
}

// failed takes in why a session could not be opened or ended.
func (p *printer) failed(err error) (final bool) {
	if err == nil {
		err = errors.New("the session ended")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	d := diagnose(p.view.config, err)
	p.session = false
	p.counters.errors++
	p.log().Debug().Err(err).Msg("no session with OctoPrint")
	if p.lost == nil {
		p.lost = &loss{at: now}
	}
	p.lost.diagnosis = d
	if p.view.connection != connectionConnected || d.atOnce() {
		p.giveUpLocked(now)
	}
	p.triedOnce.Do(func() { close(p.tried) })
	return d.final()
}

// giveUpLocked makes a loss known: nothing stale is left standing.
func (p *printer) giveUpLocked(now time.Time) {
	d, before := p.lost.diagnosis, p.view.connection
	if before != d.connection {
		p.counters.since = now
	}
	// A server that starts fails in several ways: one line is enough, unless it
	// turns out that somebody has to do something.
	if before == connectionConnected || before == connectionConnecting || before != d.connection && d.atOnce() {
		p.log().Warn().Str("connection", string(d.connection)).Msg(d.detail())
		p.bridge.lifecycle("session_lost", p.id, d.detail())
	}
	p.view.connection, p.view.detail = d.connection, d.detail()
	p.view.state, p.view.now = octoprint.State{}, vitals{}
	p.availableLocked()
	p.observeLocked(now)
}

// publishDocument publishes the document that observeLocked has found due.
func (p *printer) publishDocument() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.documenting = false
	p.device.publishDocument(&p.view, time.Now())
}

// tick releases what waits for time to pass.
func (p *printer) tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return
	}
	if p.lost != nil && p.view.connection == connectionConnected && now.Sub(p.lost.at) >= grace {
		p.giveUpLocked(now)
	}
	elapsed := p.elapsedLocked(now)
	switch {
	case p.session && p.view.prints.waits():
		p.followLocked(&p.view.state, func(t *tracker) []event { return t.observed(&p.view.state, now) })
		p.observeLocked(now)
	case elapsed, p.device.due():
		p.observeLocked(now)
	case p.session:
		p.recordLocked(now)
	}
	p.askDueLocked(now)
	p.rateLocked(now)
	p.lookLocked(now)
	p.overdueLocked(now)
	p.recent.forget(now)
}

// elapsedLocked takes in what time alone has changed, and reports whether that
// shows.
func (p *printer) elapsedLocked(now time.Time) bool {
	shows := false
	if p.view.now.heat.due(p.view.config.HeatWatch, now) {
		p.view.now.heat.unattended, shows = true, true
	}
	if p.counters.lastFrame.After(p.view.seen) && now.Sub(p.seenAt) >= time.Minute {
		p.view.seen, p.seenAt, shows = p.counters.lastFrame, now, true
		p.unrecorded = p.unrecorded || !p.session
	}
	return shows
}

func (p *printer) observeLocked(now time.Time) {
	p.device.observeRows(&p.view, now)
	if p.device.documentDue(now) && !p.documenting {
		// Not here: to encode it would double the stack of each session's goroutine.
		p.documenting = p.bridge.spawn(func(context.Context) { p.publishDocument() })
	}
	if p.device.reoffer {
		p.device.reoffer = false
		p.announced.publishLocked(false)
	}
	p.lookLocked(now)
	if !p.device.removed() {
		p.bridge.farm.update(p.id, p.summaryLocked(), now)
	}
	p.recordLocked(now)
}
