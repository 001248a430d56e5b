package octoprinttest

import (
	"net/http"
	"strings"
	"time"
)

// page is what a reverse proxy answers in the server's stead.
type page struct {
	status int
	html   string
}

// RevokeKey makes a user's API key worthless. Sockets that were opened with it go on, as in life.
func (s *Server) RevokeKey(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.accounts.named(user); u != nil {
		u.key = ""
	}
	for key, owner := range s.accounts.appKeys {
		if owner == user {
			delete(s.accounts.appKeys, key)
		}
	}
}

// GiveKey makes an API key a user's own, and nobody else's any more. Sockets that were opened with it go on, as in life.
func (s *Server) GiveKey(user, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.accounts.users {
		if u.key == key {
			u.key = ""
		}
		if u.Name == user {
			u.key = key
		}
	}
}

// SetPermissions takes a user out of all groups and gives exactly these permissions. The user's sockets are told three
// times that they must log in again; they keep on streaming if the user may still see the state.
func (s *Server) SetPermissions(user string, permissions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.accounts.named(user)
	if u == nil {
		return
	}
	u.Groups, u.Permissions = nil, permissions
	u.refresh()
	for k := range s.sockets {
		if k.user == u && s.release.hasPermissions() {
			for range 3 {
				k.send(reauth("modified"))
			}
		}
	}
}

// Logout ends a user's sessions; the user's sockets are told and get nothing more.
func (s *Server) Logout(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endSessions(func(u *account) bool { return u.Name == user })
	for k := range s.sockets {
		if k.user != nil && k.user.Name == user {
			k.user = nil
			k.send(reauth("logout"))
		}
	}
}

// StaleSessions forgets all sessions, as time does: a socket that logs in with an old one is told that it is stale.
func (s *Server) StaleSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endSessions(func(*account) bool { return true })
}

func (s *Server) endSessions(of func(*account) bool) {
	for session, u := range s.accounts.sessions {
		if of(u) {
			delete(s.accounts.sessions, session)
		}
	}
}

// DropSockets cuts all push connections without a close frame.
func (s *Server) DropSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.sockets {
		k.cut()
	}
}

// StallSockets makes all push connections half open: they stay, but what the client sends is lost, pings are not
// answered and nothing comes any more. false ends that; what the server had to say in the meantime then arrives.
func (s *Server) StallSockets(stalled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled = stalled
	for k := range s.sockets {
		k.notify()
	}
}

// LimitLogins makes every login be answered with 429, as OctoPrint does for a while after wrong passwords from the same
// address, also for logins by key.
func (s *Server) LimitLogins(limited bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limited = limited
}

// SetCORS changes the cross-origin setting. The push socket heeds it only after a restart, which is not simulated.
func (s *Server) SetCORS(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cors = on
}

// allowOrigin tells a browser that the page of another site may read the answer, where the settings allow it.
func (s *Server) allowOrigin(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if origin := r.Header.Get("Origin"); s.cors && origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}

// HoldRequests makes every request wait, until HoldRequests(false), Close, or the client's patience ends it.
func (s *Server) HoldRequests(held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !held {
		s.letGo()
	} else if s.held == nil {
		s.held = make(chan struct{})
	}
}

func (s *Server) letGo() {
	if s.held != nil {
		close(s.held)
		s.held = nil
	}
}

// SetStarting restarts OctoPrint and keeps it starting: sockets are cut, sessions and a running print are lost, GET / is
// a page, POST is a 501, and everything else is answered with bytes that are not HTTP. With false the start ends, and
// OctoPrint connects to the printer.
func (s *Server) SetStarting(starting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if starting {
		s.goDown()
	} else {
		s.comeUp()
	}
}

func (s *Server) goDown() {
	s.starting = true
	for k := range s.sockets {
		k.cut()
	}
	s.endSessions(func(*account) bool { return true })
	s.printer.restart()
}

func (s *Server) comeUp() {
	if s.starting {
		s.starting = false
		s.printer.connect()
	}
}

// restart is what OctoPrint knows when it begins: nothing.
func (p *printer) restart() {
	p.state, p.cause, p.report = offline, "", nil
	p.epoch++
	p.job, p.z, p.port, p.baudrate = &job{}, nil, "", 0
	p.everChosen = false
	p.markings, p.samples.items, p.logs.items, p.messages.items = nil, nil, nil, nil
	p.cool()
}

// SetProxyPage makes every request, also for sockets, be answered as by a reverse proxy that cannot reach OctoPrint, or
// that wants to redirect: a status of 3xx points to the same place by https. A status of 0 ends that.
func (s *Server) SetProxyPage(status int, html string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proxy = nil
	if status != 0 {
		s.proxy = &page{status, html}
	}
}

// Send sends a text frame as it is to every socket that is logged in.
func (s *Server) Send(raw []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.sockets {
		if k.user != nil {
			k.send(raw)
		}
	}
}

// Announce sends a plugin's message to every socket that may see and wants it, as the plugin would.
func (s *Server) Announce(plugin string, data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announce(plugin, data)
}

// disturbed answers a request in the server's stead if its surroundings are in trouble.
func (s *Server) disturbed(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	proxy, starting, held := s.proxy, s.starting, s.held
	s.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-r.Context().Done():
			return true
		}
	}
	switch {
	case proxy != nil:
		if proxy.status/100 == 3 {
			w.Header().Set("Location", "https://"+r.Host+r.URL.RequestURI())
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(proxy.status)
		_, _ = w.Write([]byte(proxy.html))
		return true
	case starting:
		answerStarting(w, r)
		return true
	}
	return false
}

// answerStarting is the small server that OctoPrint shows while it starts.
func answerStarting(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		writePage(w, http.StatusNotImplemented, "Unsupported method ('POST')")
		return
	case strings.TrimSuffix(r.URL.Path, "/") == "":
		writePage(w, http.StatusOK, "OctoPrint is starting")
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		writePage(w, http.StatusNotFound, "Not found")
		return
	}
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = conn.Write([]byte("Not found"))
	conn.Close()
}
