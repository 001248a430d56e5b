package integration

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"octoprint2mqtt/discovery"
)

// Edit is a change of one printer in the configuration file. What is left empty stays.
type Edit struct {
	Kind EditKind
	ID   string
	Name string
	URL  string // as somebody typed it
	Key  string
}

// EditKind says what an [Edit] does.
type EditKind string

// The kinds of edits.
const (
	EditAdd     EditKind = "add"     // disabled, since it has no key yet
	EditEnrol   EditKind = "enrol"   // gives it a key, and enables it
	EditRemove  EditKind = "remove"  // the key stays in secrets.yaml
	EditRename  EditKind = "rename"  // the name only: the id is permanent
	EditEnable  EditKind = "enable"  // needs a key
	EditDisable EditKind = "disable" // it is not contacted any more
)

// managing is an action that changes a printer in the configuration file.
func managing(kind EditKind, parameters func(q request) (Edit, *refusal)) func(*Bridge, request, func(*refusal, any)) {
	return func(b *Bridge, q request, answer func(*refusal, any)) {
		e, r := parameters(q)
		e.Kind = kind
		switch {
		case r != nil:
		case b.config.Host.Edit == nil:
			r = noFile()
		case kind == EditAdd && b.printer(e.ID) != nil:
			r = refuse(CodeInvalid, "there is a printer with the id %s already", quote(e.ID))
		case kind != EditAdd && b.printer(e.ID) == nil:
			r = noPrinter(e.ID)
		}
		if r != nil {
			answer(r, nil)
			return
		}
		b.submit(change{edit: &e, answer: answer})
	}
}

// submit hands a change to the supervisor, if there is none under way.
func (b *Bridge) submit(c change) {
	select {
	case b.changes <- c:
	default:
		c.answer(refuse(CodeTimeout, "another change is under way"), nil)
	}
}

func printerOnly(q request) (Edit, *refusal) {
	var p struct {
		ID string `json:"id"`
	}
	r := decodeParameters(q.parameters, &p)
	return Edit{ID: p.ID}, r
}

func newPrinterParameters(q request) (Edit, *refusal) {
	var p struct {
		URL  string `json:"url"`
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	r := decodeParameters(q.parameters, &p)
	if r == nil {
		if err := discovery.ValidID(p.ID); err != nil {
			r = refuse(CodeInvalid, "the id %s can't be used: %v", quote(p.ID), err)
		}
	}
	return Edit{ID: p.ID, Name: p.Name, URL: p.URL}, r
}

func renameParameters(q request) (Edit, *refusal) {
	var p struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	r := decodeParameters(q.parameters, &p)
	if r == nil && p.Name == "" {
		r = refuse(CodeInvalid, "name is missing")
	}
	return Edit{ID: p.ID, Name: p.Name}, r
}

// edit changes the configuration file and puts it into force.
func (s *supervisor) edit(ctx context.Context, e *Edit) (*refusal, any) {
	if err := s.bridge.config.Host.Edit(*e); err != nil {
		return refuse(CodeInvalid, "nothing was changed: %v", err), nil
	}
	return s.reload(ctx)
}

// The event on bridge/event that tells how asking for a key goes on.
const eventEnrol = "enroll"

// enrolled is what a request for a key is answered with: what to click.
type enrolled struct {
	Page string `json:"page"`
	App  string `json:"app"` // the name that OctoPrint shows there
}

func noFile() *refusal {
	return refuse(CodeInvalid, "this bridge has no configuration file that could be changed")
}

// enrolRequested asks a printer's OctoPrint for a key. It is answered with the page to
// click; how it goes on is told by events, and the key goes into the configuration.
func (b *Bridge) enrolRequested(q request, answer func(*refusal, any)) {
	e, r := printerOnly(q)
	p := b.printer(e.ID)
	switch {
	case r != nil:
	case p == nil:
		r = noPrinter(e.ID)
	case b.config.Host.Edit == nil:
		r = noFile()
	case !b.beginEnrolment(e.ID):
		r = refuse(CodeDuplicate, "its OctoPrint is being asked for a key already")
	case !b.spawn(func(ctx context.Context) { b.enrol(ctx, p, answer) }):
		b.endEnrolment(e.ID)
		r = refuse(CodeTimeout, "too much else is going on")
	}
	if r != nil {
		answer(r, nil)
	}
}

func (b *Bridge) beginEnrolment(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.enrolling[id] || len(b.enrolling) >= maxEnrolments {
		return false
	}
	if b.enrolling == nil {
		b.enrolling = make(map[string]bool)
	}
	b.enrolling[id] = true
	return true
}

// maxEnrolments bounds how many printers are asked for a key at a time.
const maxEnrolments = 8

func (b *Bridge) endEnrolment(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.enrolling, id)
}

// enrol sees a request for a key through. It answers once, as soon as there is
// something to click or it is clear that there won't be.
func (b *Bridge) enrol(ctx context.Context, p *printer, answer func(*refusal, any)) {
	defer b.endEnrolment(p.id)
	config := p.configured()
	answered := false
	fail := func(err error) {
		if ctx.Err() == nil {
			b.lifecycle(eventEnrol, p.id, "failed: "+clean(err.Error()))
			b.log.Warn().Str("printer", p.id).Msg("no application key: " + clean(err.Error()))
		}
		if !answered {
			answer(refuse(CodeOctoPrint, "%s", clean(err.Error())), nil)
		}
	}
	if err := b.enrollable(p.id); err != nil {
		answer(refuse(CodeInvalid, "nothing was changed: %v", err), nil)
		return
	}
	if _, err := Recognize(ctx, config); err != nil {
		fail(err)
		return
	}
	key, err := EnrolKey(ctx, config, ApplicationName(), func(q KeyQuestion) {
		answered = true
		// The address of the dialog holds the token with which anybody can fetch
		// the key once it is granted, so that it must not be told on the broker.
		// OctoPrint asks on its own page, too.
		page := publicURL(config.URL) + "/"
		answer(nil, enrolled{Page: page, App: q.App})
		b.lifecycle(eventEnrol, p.id, fmt.Sprintf("waiting: open %s and click Allow for %s", page, q.App))
	})
	if err == nil {
		config.APIKey = key
		var owner Enrolled
		if owner, err = Examine(ctx, config); err == nil {
			err = b.keep(ctx, p.id, key)
		}
		if err == nil {
			b.lifecycle(eventEnrol, p.id, "granted: the key belongs to the user "+owner.User)
			b.log.Info().Str("printer", p.id).Str("user", owner.User).Msg("application key granted")
		}
	}
	if err != nil {
		fail(err)
	}
}

func (b *Bridge) enrollable(id string) error {
	if b.config.Host.Enrollable == nil {
		return nil
	}
	return b.config.Host.Enrollable(id)
}

// keep has a key written into the configuration and put into force.
func (b *Bridge) keep(ctx context.Context, id, key string) error {
	result := make(chan *refusal, 1)
	c := change{edit: &Edit{Kind: EditEnrol, ID: id, Key: key}, answer: func(r *refusal, _ any) { result <- r }}
	select {
	case b.changes <- c: // after the one under way, if there is one
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case r := <-result:
		if r != nil {
			return errors.New(r.Message)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// configured returns the printer's configuration as it is now.
func (p *printer) configured() PrinterConfig {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := *p.view.config
	u := *c.URL
	c.URL = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return c
}
