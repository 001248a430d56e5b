package integration

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

// inquiry is one thing that OctoPrint is asked for by REST, beside the push
// session: when the session opens, when permissions or an event say that it may
// have changed, and on a timer where nothing says so.
type inquiry struct {
	// name is unique, for the log.
	name string
	// permission is what the user needs for it; without it nothing is asked.
	permission string
	// access is the level below which there is nobody who wants it, and gives are the
	// rows that are there only because of what it tells, for who lacks the permission.
	access Access
	gives  []string
	// wanted reports whether this server has it; nil: every one does.
	wanted func(v *printerView) bool
	// on are the events after which it may be another.
	on []octoprint.EventType
	// every is how often it is asked for at least, no more than once a minute; 0:
	// never on a timer.
	every time.Duration
	// ask does it, on a copy of the view that has no tracker. It returns how to put
	// the answer into the printer's own, nil if there is nothing to put.
	ask func(ctx context.Context, c *octoprint.Client, v printerView) (func(*printerView), error)
}

const (
	// askSpread times the number of printers is the time over which the first
	// inquiries of all are spread, so that they don't hold up the start of a farm.
	askSpread = 10 * time.Millisecond
	// askDelay is how long an inquiry waits after an event for others to come.
	askDelay = 2 * time.Second
	// askRetry is how long an inquiry that failed waits.
	askRetry = time.Minute
)

// inquiries are all that there are, those of plugins included.
func inquiries() []inquiry {
	list := []inquiry{settingsInquiry(), connectionInquiry(), filesInquiry(), commandsInquiry(), plateInquiry(), selectedFileInquiry()}
	list = append(list, diagnosticInquiries()...)
	for _, p := range plugins() {
		list = append(list, p.ownInquiries()...)
	}
	return append(list, updatesInquiry()) // last: it may take long
}

// settingsInquiry asks what the server has: presets, webcams, plugins.
func settingsInquiry() inquiry {
	return inquiry{
		name: "settings", permission: octoprint.PermissionSettingsRead, gives: settingsGive(), on: []octoprint.EventType{octoprint.EventSettingsUpdated},
		ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
			s, err := c.Settings(ctx)
			if err != nil {
				return nil, err
			}
			return func(v *printerView) {
				v.has.Presets, v.has.Webcams = namedPresets(s.Presets), s.Webcams
				v.takeSettings(s.Plugins)
			}, nil
		},
	}
}

// settingsGive are the rows that nobody can know of without reading the settings.
func settingsGive() []string {
	list := []string{"preset", "camera"}
	for _, p := range plugins() {
		list = append(list, "plugin "+p.id)
	}
	return list
}

// asker makes the inquiries of one printer, one at a time. It is guarded by the
// printer's mutex.
type asker struct {
	due    []dueInquiry // each at most once
	next   time.Time    // the earliest of them; zero: none
	asking bool         // a goroutine is at it
}

type dueInquiry struct {
	name string
	at   time.Time
}

// plan has an inquiry made at a time, unless it is due before.
func (r *asker) plan(name string, at time.Time) {
	if i := slices.IndexFunc(r.due, func(d dueInquiry) bool { return d.name == name }); i < 0 {
		r.due = append(r.due, dueInquiry{name, at})
	} else if at.Before(r.due[i].at) {
		r.due[i].at = at
	}
	if r.next.IsZero() || at.Before(r.next) {
		r.next = at
	}
}

// take returns the names of the inquiries that are due.
func (r *asker) take(now time.Time) []string {
	if r.next.IsZero() || now.Before(r.next) {
		return nil
	}
	r.next = time.Time{}
	var names []string
	r.due = slices.DeleteFunc(r.due, func(d dueInquiry) bool {
		if !now.Before(d.at) {
			names = append(names, d.name)
			return true
		}
		if r.next.IsZero() || d.at.Before(r.next) {
			r.next = d.at
		}
		return false
	})
	slices.Sort(names)
	return names
}

// askAllLocked plans everything that may be read, as after the beginning of a
// session.
func (p *printer) askAllLocked(now time.Time) {
	p.asker.due, p.asker.next = nil, time.Time{}
	p.planAllLocked(now.Add(rand.N(time.Duration(len(p.bridge.printers()))*askSpread + 1)))
	p.askDueLocked(now)
}

// planLocked plans some of the inquiries that can be made for a time.
func (p *printer) planLocked(at time.Time, which func(*inquiry) bool) {
	for i := range p.bridge.inquiries {
		if r := &p.bridge.inquiries[i]; which(r) && r.possible(&p.view) {
			p.asker.plan(r.name, at)
		}
	}
}

// planAllLocked plans everything that may be read for a time.
func (p *printer) planAllLocked(start time.Time) {
	p.planLocked(start, func(*inquiry) bool { return true })
}

// askAfterLocked plans what an event says to have changed.
func (p *printer) askAfterLocked(t octoprint.EventType, now time.Time) {
	p.planLocked(now.Add(askDelay), func(r *inquiry) bool { return slices.Contains(r.on, t) })
}

// askLocked plans one inquiry, if it can be made.
func (p *printer) askLocked(name string, now time.Time) {
	p.planLocked(now, func(r *inquiry) bool { return r.name == name })
}

func (r *inquiry) possible(v *printerView) bool {
	return (r.permission == "" || v.info.May(r.permission)) && v.config.Access.includes(r.access) && (r.wanted == nil || r.wanted(v))
}

// askAfterCommand plans what a command has changed.
func (p *printer) askAfterCommand(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session {
		p.askLocked(name, time.Now())
	}
}

// askDueLocked starts the inquiries that are due, beside all else.
func (p *printer) askDueLocked(now time.Time) {
	if !p.session || p.asker.asking {
		return
	}
	names := p.asker.take(now)
	if len(names) == 0 {
		return
	}
	client, view := p.client, p.view
	view.prints, view.counters = nil, nil
	p.asker.asking = p.bridge.spawn(func(ctx context.Context) { p.inquire(ctx, client, view, names) })
	if !p.asker.asking {
		for _, name := range names {
			p.asker.plan(name, now.Add(askRetry))
		}
	}
}

// inquire makes inquiries and takes over all answers at once, so that a change
// is announced once.
func (p *printer) inquire(ctx context.Context, client *octoprint.Client, view printerView, names []string) {
	var answers []func(*printerView)
	failed := make(map[string]error)
	for _, r := range p.bridge.inquiries {
		if !slices.Contains(names, r.name) || ctx.Err() != nil {
			continue
		}
		answer, err := r.ask(ctx, client, view)
		if err != nil {
			failed[r.name] = err
		}
		if answer != nil {
			answers = append(answers, answer)
			answer(&view)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asker.asking = false
	if p.gone || p.client != client || !p.session {
		return
	}
	now := time.Now()
	p.planAgainLocked(names, failed, now)
	p.changeLocked(func(v *printerView) {
		for _, answer := range answers {
			answer(v)
		}
	}, now)
}

// planAgainLocked plans what is read on a timer, and what has failed in a way that
// another attempt may mend. What has become possible by an answer is read, too.
func (p *printer) planAgainLocked(names []string, failed map[string]error, now time.Time) {
	for _, r := range p.bridge.inquiries {
		if !slices.Contains(names, r.name) {
			continue
		}
		err := failed[r.name]
		if err != nil {
			p.log().Debug().Err(err).Str("inquiry", r.name).Msg("OctoPrint did not answer a question as expected")
		}
		final := errors.Is(err, octoprint.Refused) || errors.Is(err, octoprint.NotPermitted)
		switch {
		case err != nil && !final:
			p.asker.plan(r.name, now.Add(max(askRetry, r.every)))
		case r.every > 0:
			p.asker.plan(r.name, now.Add(r.every))
		}
	}
}

// changeLocked changes the inventory and the vitals of the view, and publishes
// what comes of it: rows that have come or gone, and what selects offer.
func (p *printer) changeLocked(change func(*printerView), now time.Time) {
	had, offers, dialog := p.view.has, p.view.now.offers, p.view.prints.dialog
	could := p.possibleInquiriesLocked()
	change(&p.view)
	if !slices.Equal(had.Commands, p.view.has.Commands) {
		p.warnOfCommandsLocked()
	}
	if !sameInventory(had, p.view.has) {
		p.unrecorded = true
		p.view.has = p.bridge.tables.share(p.view.has)
		p.device.reconsider()
		if had.shape() != p.view.has.shape() {
			p.reshapeLocked()
			p.bridge.infoChanged()
		}
	}
	if offers != p.view.now.offers {
		p.device.reconsider()
	}
	for _, finding := range p.view.has.findings {
		if !slices.Contains(had.findings, finding) {
			p.log().Warn().Msg(finding)
		}
	}
	p.unrecorded = p.unrecorded || dialog != p.view.prints.dialog
	p.followLocked(&p.view.state, (*tracker).news)
	p.planLocked(now, func(r *inquiry) bool { return !slices.Contains(could, r.name) })
	p.device.stale = true
	p.observeLocked(now)
}

func (p *printer) possibleInquiriesLocked() []string {
	var names []string
	for _, r := range p.bridge.inquiries {
		if r.possible(&p.view) {
			names = append(names, r.name)
		}
	}
	return names
}

// sameInventory is cheap where nothing has changed, as it is with most messages.
func sameInventory(a, b inventory) bool {
	return reflect.DeepEqual(a, b) || mustMarshal(a) == mustMarshal(b)
}
