package octoprint

import (
	"math/rand/v2"
	"os"
	"time"

	"github.com/gorilla/websocket"
)

// schedule is what a session has to do other than read depends on.
type schedule struct {
	heard  time.Time // when the server last said something; before the session is open, when it was asked to log in
	pinged time.Time // when it was last asked to
	key    time.Time // when to check the API key again
}

func newSchedule(now time.Time) schedule {
	// The keys are checked at different times, so that a farm's printers are not
	// asked all at once.
	return schedule{heard: now, key: now.Add(rand.N(keyInterval))}
}

// patience returns when to give up unless something is heard before.
func (s *Session) patience() time.Time {
	if !s.open {
		return s.schedule.heard.Add(authTimeout)
	}
	return s.schedule.heard.Add(silenceLimit)
}

// silence returns when to make the server speak unless it does so before.
func (s *Session) silence() time.Time {
	since := s.schedule.heard
	if s.schedule.pinged.After(since) {
		since = s.schedule.pinged
	}
	return since.Add(pingInterval)
}

// keep does what is due and sets the time for the next. It runs when that time
// has come, on the goroutine that reads, and fails when reading is of no use.
func (s *Session) keep() error {
	now := time.Now()
	if !now.Before(s.patience()) {
		return os.ErrDeadlineExceeded
	}
	if !now.Before(s.silence()) {
		if err := s.ping(now); err != nil {
			return &Error{Op: "pinging the push socket", Failure: SessionEnded, Err: err}
		}
	}
	if !now.Before(s.schedule.key) {
		s.schedule.key = now.Add(keyInterval)
		s.mu.Lock()
		s.ask(errandKey)
		s.mu.Unlock()
	}
	return s.wakeUp()
}

func (s *Session) ping(now time.Time) error {
	s.schedule.pinged = now
	if err := s.conn.WriteControl(websocket.PingMessage, nil, now.Add(authTimeout)); err != nil {
		return err
	}
	return s.link.SetWriteDeadline(time.Time{}) // or it would pass, for nothing
}

// wakeUp has keep run when something is due next.
func (s *Session) wakeUp() error {
	next := s.patience()
	for _, t := range []time.Time{s.silence(), s.schedule.key} {
		if t.Before(next) {
			next = t
		}
	}
	return s.link.SetReadDeadline(next)
}
