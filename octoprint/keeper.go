package octoprint

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// refreshAfter has the printer profile read again when it may be another one.
func (s *session) refreshAfter(t EventType) {
	if t != EventConnected && t != EventProfileModified {
		return
	}
	s.heatersDue = t == EventConnected
	s.readAgain()
}

// refreshHeaters has a profile that is read off the temperatures read again when
// the first have come: right after connecting there are none.
func (s *session) refreshHeaters() {
	if !s.heatersDue || s.state.Heaters["tool0"].Actual == nil || s.info.May(PermissionConnection) {
		return
	}
	s.heatersDue = false
	s.readAgain()
}

func (s *session) readAgain() {
	select {
	case s.refresh <- struct{}{}:
	default: // a reading is due already
	}
}

// keep pings the server, checks the API key and reads the printer profile when
// it may have changed, until ctx ends (nil) or the key is of no use any more.
func (s *session) keep(ctx context.Context) error {
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	// Spread over time, so that a farm's printers are not asked all at once.
	key := time.NewTimer(rand.N(keyInterval))
	defer key.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-ping.C:
			if err := s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(authTimeout)); err != nil {
				return &Error{Op: "pinging the push socket", Failure: SessionEnded, Err: err}
			}
		case <-key.C:
			key.Reset(keyInterval)
			err = s.checkKey(ctx)
		case <-s.refresh:
			err = s.readProfile(ctx)
		}
		if fatal(err) {
			return err
		}
	}
}

// fatal reports whether a request's failure makes the session worthless. That
// the server can't be reached is for the pings to decide.
func fatal(err error) bool {
	for _, f := range []Failure{KeyRejected, GlobalKey, WrongUser, NotPermitted} {
		if errors.Is(err, f) {
			return true
		}
	}
	return false
}

func (s *session) checkKey(ctx context.Context) error {
	now, err := s.client.keyOwner(ctx)
	if err == nil {
		err = s.client.checkUser(now)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	same := now.User == s.info.User && slices.Equal(now.Permissions, s.info.Permissions)
	s.mu.Unlock()
	if same {
		return nil
	}
	s.change(func(i *Info) { i.User, i.Permissions = now.User, now.Permissions })
	return s.readProfile(ctx)
}

func (s *session) readProfile(ctx context.Context) error {
	s.mu.Lock()
	info := s.info
	s.mu.Unlock()
	p, err := s.client.profile(ctx, info)
	if err != nil || p == nil || reflect.DeepEqual(p, info.Profile) {
		return nil //nolint:nilerr // the profile that is known stays true until another is
	}
	s.change(func(i *Info) { i.Profile = p })
	return nil
}

// change changes the info and tells the handler, once the session is open.
func (s *session) change(f func(*Info)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.info)
	if s.open {
		s.handler.InfoChanged(s.info)
	}
}
