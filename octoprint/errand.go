package octoprint

import (
	"context"
	"errors"
	"reflect"
	"slices"
)

// errand is a request that a session makes beside its socket. Errands have a
// goroutine while there are any.
type errand uint8

// The errands, which add up.
const (
	errandKey     errand = 1 << iota // check the API key
	errandProfile                    // read the printer profile, which may be another one
)

// ask has an errand run as soon as those that run now are done. The session's
// lock is held.
func (s *Session) ask(e errand) {
	s.errands |= e
	if !s.errandsRun {
		s.errandsRun = true
		s.runErrands()
	}
}

// Recheck has the session that Serve serves, if it is open, ask anew for what it
// otherwise asks for every few minutes or after events: whom the key belongs to, what
// that user may do, and the printer profile. It doesn't wait for the answers.
func (c *Client) Recheck() {
	s := c.session.Load()
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		s.ask(errandKey | errandProfile)
	}
}

// nextErrands returns the errands to run, or 0 after which none run.
func (s *Session) nextErrands() errand {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.errands
	s.errands = 0
	s.errandsRun = e != 0
	return e
}

// doErrands runs errands until there are none. It fails when the API key is
// of no use any more.
func (s *Session) doErrands(ctx context.Context) error {
	for e := s.nextErrands(); e != 0; e = s.nextErrands() {
		if e&errandKey != 0 {
			if err := s.checkKey(ctx); fatal(err) {
				return err
			}
		}
		if e&errandProfile != 0 {
			s.readProfile(ctx)
		}
	}
	return nil
}

// refreshAfter has the printer profile read again when it may be another one.
func (s *Session) refreshAfter(t EventType) {
	if t != EventConnected && t != EventProfileModified {
		return
	}
	s.heatersDue = t == EventConnected
	s.ask(errandProfile)
}

// refreshHeaters has a profile that is read off the temperatures read again when
// the first have come: right after connecting there are none.
func (s *Session) refreshHeaters() {
	if !s.heatersDue || s.state.Heaters["tool0"].Actual == nil || s.info.May(PermissionConnection) {
		return
	}
	s.heatersDue = false
	s.ask(errandProfile)
}

// fatal reports whether a request's failure makes the session worthless. That
// the server can't be reached is for the pings to decide.
func fatal(err error) bool {
	for _, f := range []Failure{KeyRejected, GlobalKey, WrongUser, NotPermitted, SessionEnded} {
		if errors.Is(err, f) {
			return true
		}
	}
	return false
}

func (s *Session) checkKey(ctx context.Context) error {
	now, err := s.client.keyOwner(ctx)
	if err == nil {
		err = s.client.checkUser(now)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	info := s.info
	s.mu.Unlock()
	switch {
	case now.User != info.User:
		return &Error{Op: "checking the API key", Failure: SessionEnded, Relogin: true, Message: "the key is another user's now, and the session is not"}
	case slices.Equal(now.Permissions, info.Permissions):
		return nil
	}
	s.change(func(i *Info) { i.Permissions = now.Permissions })
	s.readProfile(ctx)
	return nil
}

// readProfile does nothing where the profile can't be read: the one that is known
// stays true until another is.
func (s *Session) readProfile(ctx context.Context) {
	s.mu.Lock()
	info := s.info
	s.mu.Unlock()
	p, err := s.client.profile(ctx, info)
	if err != nil || p == nil || reflect.DeepEqual(p, info.Profile) {
		return
	}
	s.change(func(i *Info) { i.Profile = p })
}

// change changes the info and tells the handler, once the session is open.
func (s *Session) change(f func(*Info)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.info)
	if s.open {
		s.handler.InfoChanged(s.info)
	}
}
