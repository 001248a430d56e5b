package octoprinttest

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// pollLimit is how long a request for a key lives without being asked after.
const pollLimit = 5 * time.Second

// application is a request for a key that waits for a decision.
type application struct {
	appToken, userToken, app, user string
	decided                        bool
	key                            string
	polled                         time.Time
}

// enrolment are the pending requests for application keys, oldest first.
type enrolment struct {
	pending []*application
	recent  []time.Time // of requests in the last minute
}

func newEnrolment() enrolment { return enrolment{} }

// prune drops the requests that nobody asks after any more; a key that was granted waits.
func (e *enrolment) prune(now time.Time) {
	kept := e.pending[:0]
	for _, a := range e.pending {
		if a.key != "" || now.Sub(a.polled) <= pollLimit {
			kept = append(kept, a)
		}
	}
	e.pending = kept
}

// tooMany counts a request and says whether it is one of more than three within a minute.
func (e *enrolment) tooMany(now time.Time) bool {
	for len(e.recent) > 0 && now.Sub(e.recent[0]) >= time.Minute {
		e.recent = e.recent[1:]
	}
	if len(e.recent) >= 3 {
		return true
	}
	e.recent = append(e.recent, now)
	return false
}

func (e *enrolment) remove(a *application) {
	kept := e.pending[:0]
	for _, other := range e.pending {
		if other != a {
			kept = append(kept, other)
		}
	}
	e.pending = kept
}

func (c *call) probe() response { return done() }

func (c *call) requestKey() response {
	var in struct{ App, User string }
	if json.Unmarshal(c.body, &in) != nil || in.App == "" {
		return c.bad("No app name provided")
	}
	s := c.s
	if s.release.atLeast(11) && s.enrol.tooMany(s.printer.now()) {
		return c.fail(http.StatusTooManyRequests, "You have made too many app key requests. Please try again later.")
	}
	a := &application{appToken: s.accounts.token("app")[:43], userToken: s.accounts.token("user")[:43], app: in.App, user: in.User, polled: s.printer.now()}
	s.enrol.pending = append(s.enrol.pending, a)
	data := object{"type": "request_access", "app_name": a.app, "user_token": a.userToken, "user_id": orNull(a.user)}
	if s.release.atLeast(11) {
		data["remote_address"] = "127.0.0.1"
	}
	s.announce("appkeys", data)
	o := object{"app_token": a.appToken}
	if s.release.hasSubscriptions() {
		o["auth_dialog"] = c.url("/plugin/appkeys/auth/" + a.appToken)
	}
	return asJSON(http.StatusCreated, o).at(c.url("/plugin/appkeys/request/" + a.appToken))
}

func (c *call) pollKey() response {
	s := c.s
	s.enrol.prune(s.printer.now())
	for _, a := range s.enrol.pending {
		switch {
		case a.appToken != c.tail:
		case a.key != "":
			s.enrol.remove(a)
			return ok(object{"api_key": a.key})
		default:
			a.polled = s.printer.now()
			return asJSON(http.StatusAccepted, object{"message": "Awaiting decision"})
		}
	}
	return c.notFound()
}

func (c *call) listKeys() response {
	s := c.s
	s.enrol.prune(s.printer.now())
	keys, pending := []object{}, object{}
	for _, a := range s.enrol.pending {
		if !a.decided && (a.user == "" || a.user == c.user.Name) {
			pending[a.userToken] = object{
				"app_id": a.app, "user_token": a.userToken, "user_id": orNull(a.user), "remote_address": "127.0.0.1",
			}
		}
	}
	return ok(object{"keys": keys, "pending": pending})
}

func (c *call) decideKey() response {
	var in struct{ Decision *bool }
	if json.Unmarshal(c.body, &in) != nil || in.Decision == nil {
		return c.bad("No decision provided")
	}
	s := c.s
	s.enrol.prune(s.printer.now())
	for _, a := range s.enrol.pending {
		if a.userToken == c.tail && !a.decided && (a.user == "" || a.user == c.user.Name) {
			s.decide(a, c.user.Name, *in.Decision)
			return done()
		}
	}
	return c.notFound()
}

func (s *Server) decide(a *application, user string, granted bool) {
	a.decided = true
	if granted {
		a.key = s.accounts.token("key")[:43]
		s.accounts.appKeys[a.key] = user
	} else {
		s.enrol.remove(a)
	}
	s.announce("appkeys", object{"type": "end_request", "user_token": a.userToken})
}

// ErrNoRequest says that nobody asks for an application key.
var ErrNoRequest = errors.New("no pending request for an application key")

// DecideKey answers the oldest pending request for an application key as the named user would by a click.
func (s *Server) DecideKey(user string, granted bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enrol.prune(s.printer.now())
	for _, a := range s.enrol.pending {
		if !a.decided && (a.user == "" || a.user == user) {
			s.decide(a, user, granted)
			return nil
		}
	}
	return ErrNoRequest
}

// ExpireKeyRequests drops the requests that nobody has decided, as ten minutes do.
func (s *Server) ExpireKeyRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.enrol.pending[:0]
	for _, a := range s.enrol.pending {
		if a.decided {
			kept = append(kept, a)
		}
	}
	s.enrol.pending = kept
}
