package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// supervisor has a session kept with each printer and its commands carried out. It
// is what changes when the configuration does.
type supervisor struct {
	bridge  *Bridge
	config  Config // as it is in force
	working map[string]working
	stopWeb func() // ends the web server
}

// working are the goroutines of one printer.
type working struct {
	hangUp  func() // ends the session for good
	dismiss func() // ends the worker
}

func newSupervisor(b *Bridge) *supervisor {
	return &supervisor{bridge: b, config: b.config, working: make(map[string]working)}
}

// run looks after the printers until ctx ends, and waits for all their goroutines.
func (s *supervisor) run(ctx context.Context) {
	s.serveWeb(ctx)
	defer func() {
		s.stopWeb()
		for _, w := range s.working {
			w.hangUp()
			w.dismiss()
		}
	}()
	list := s.bridge.printers()
	for _, p := range list {
		s.employ(ctx, p, soon(len(list)))
	}
	for {
		c := change{answer: func(*refusal, any) {}}
		select {
		case <-ctx.Done():
			return
		case <-s.bridge.config.Host.Changed:
		case c = <-s.bridge.changes:
		}
		switch {
		case c.restart:
			c.answer(s.restart(), nil)
		case c.edit != nil:
			c.answer(s.edit(ctx, c.edit))
		default:
			c.answer(s.reload(ctx))
		}
	}
}

// load reads the configuration anew.
func (s *supervisor) load() (Config, *refusal) {
	load := s.bridge.config.Host.Load
	if load == nil {
		return Config{}, refuse(CodeInvalid, "this bridge has no configuration file that could be read again")
	}
	c, err := load()
	if err != nil {
		return Config{}, refuse(CodeInvalid, "the configuration can't be used, so nothing has changed: %v", err)
	}
	return c, nil
}

// restart has the bridge started again, unless its configuration would keep it
// from coming back.
func (s *supervisor) restart() *refusal {
	c, r := s.load()
	if r != nil {
		return r
	}
	cause := restartFor(&s.config, &c)
	if cause == nil {
		cause = ErrRestart
	}
	s.bridge.log.Info().Msg("restarting, as was asked over MQTT")
	s.bridge.leave(cause)
	return nil
}

// soon is when one of many printers is to be connected first: not with all the others.
func soon(printers int) time.Duration { return rand.N(time.Duration(printers)*spread + 1) }

// employ starts the goroutines of a printer.
func (s *supervisor) employ(ctx context.Context, p *printer, delay time.Duration) {
	s.working[p.id] = working{hangUp: s.session(ctx, p, delay), dismiss: p.hire(ctx)}
}

// session starts a printer's session, unless it is disabled.
func (s *supervisor) session(ctx context.Context, p *printer, delay time.Duration) (hangUp func()) {
	if p.disabled() {
		return func() {}
	}
	return p.keepSession(ctx, delay)
}

// reloaded tells what a reload has changed: ids of printers.
type reloaded struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
	// Restart says that the bridge starts again, since the broker's section or
	// the state folder has changed.
	Restart bool `json:"restart"`
}

func (r *reloaded) String() string {
	var parts []string
	for _, p := range []struct {
		what string
		ids  []string
	}{{"added", r.Added}, {"removed", r.Removed}, {"changed", r.Changed}} {
		if len(p.ids) > 0 {
			parts = append(parts, p.what+": "+strings.Join(p.ids, ", "))
		}
	}
	switch {
	case r.Restart:
		return "the mqtt section or state_dir has changed: starting again"
	case len(parts) == 0:
		return "nothing has changed for the printers"
	}
	return strings.Join(parts, "; ")
}

// reload reads the configuration anew and touches only what has changed. If it
// can't be used nothing changes.
func (s *supervisor) reload(ctx context.Context) (*refusal, any) {
	b := s.bridge
	c, r := s.load()
	if r != nil {
		b.log.Error().Msg(r.Message)
		b.lifecycle("config_rejected", "", r.Message)
		return r, nil
	}
	done := s.apply(ctx, c)
	b.log.Info().Str("changes", done.String()).Msg("the configuration was read again")
	b.lifecycle("config_reloaded", "", done.String())
	return nil, done
}

// apply puts a configuration into force.
func (s *supervisor) apply(ctx context.Context, c Config) *reloaded {
	b, done := s.bridge, &reloaded{Added: []string{}, Removed: []string{}, Changed: []string{}}
	if cause := restartFor(&s.config, &c); cause != nil {
		done.Restart = true
		b.leave(cause)
		return done
	}
	before := s.config
	s.config = c
	s.remove(done)
	s.change(ctx, &before, done)
	s.add(ctx, done)
	if before.Farm != c.Farm || before.controllable() != c.controllable() {
		b.farm.configure(&c)
	}
	b.configure(&c)
	b.infoChanged()
	if !sameHTTP(&before.HTTP, &c.HTTP) {
		s.stopWeb()
		s.serveWeb(ctx)
	}
	return done
}

// remove stops and forgets the printers that are no longer configured.
func (s *supervisor) remove(done *reloaded) {
	b := s.bridge
	for _, p := range b.printers() {
		if s.config.printer(p.id) != nil {
			continue
		}
		s.working[p.id].hangUp()
		s.working[p.id].dismiss()
		delete(s.working, p.id)
		p.remove()
		b.broker.leave(b.topics.Config(p.id))
		b.lifecycle("printer_removed", p.id, "")
		done.Removed = append(done.Removed, p.id)
	}
}

// change reconfigures the printers that are configured otherwise than before. A
// session is broken off only where it would be another one.
func (s *supervisor) change(ctx context.Context, before *Config, done *reloaded) {
	for _, p := range s.bridge.printers() {
		was, is := before.printer(p.id), s.config.printer(p.id)
		if is == nil || samePrinter(was, is) {
			continue
		}
		done.Changed = append(done.Changed, p.id)
		if sameConnection(was, is) {
			p.reconfigure(is)
			continue
		}
		w := s.working[p.id]
		w.hangUp()
		p.reconfigure(is)
		w.hangUp = s.session(ctx, p, 0)
		s.working[p.id] = w
	}
}

// add brings in the printers that are new, and gives all of them the order of the
// configuration.
func (s *supervisor) add(ctx context.Context, done *reloaded) {
	b := s.bridge
	var list, added []*printer
	for i := range s.config.Printers {
		pc := &s.config.Printers[i]
		p := b.printer(pc.ID)
		if p == nil {
			p = newPrinter(b, pc)
			added = append(added, p)
		}
		list = append(list, p)
	}
	b.roster.Store(newRoster(list))
	for _, p := range added {
		p.start()
		b.broker.listen(listening(0, b.topics.Config(p.id))...)
		s.employ(ctx, p, soon(len(added)))
		b.lifecycle("printer_added", p.id, "")
		done.Added = append(done.Added, p.id)
	}
}

// serveWeb starts the web server as it is configured.
func (s *supervisor) serveWeb(ctx context.Context) {
	s.stopWeb = attend(ctx, newWeb(s.bridge, s.config.HTTP).run)
}

// printer returns the configuration of a printer, nil if there is none.
func (c *Config) printer(id string) *PrinterConfig {
	i := slices.IndexFunc(c.Printers, func(p PrinterConfig) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Printers[i]
}

// restartFor returns why a changed configuration needs a new start, nil if it
// needs none.
func restartFor(was, is *Config) error {
	m, n := &was.MQTT, &is.MQTT
	switch {
	case m.BaseTopic != n.BaseTopic || m.DiscoveryPrefix != n.DiscoveryPrefix:
		return errMoved
	case m.URL.String() != n.URL.String(), m.Username != n.Username, m.Password != n.Password, m.ClientID != n.ClientID,
		m.BirthTopic != n.BirthTopic, !sameTLS(m.TLS, n.TLS), was.StateDir != is.StateDir:
		return fmt.Errorf("%w: its configuration has changed", ErrRestart)
	}
	return nil
}
