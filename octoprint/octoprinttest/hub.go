package octoprinttest

import (
	"encoding/json"
	"strings"
	"time"
)

// authenticate takes a socket's `auth` message; false tears the connection down.
func (s *Server) authenticate(k *socket, raw json.RawMessage) bool {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return false
	}
	parts := strings.Split(text, ":")
	if len(parts) != 2 {
		return s.release.hasPermissions() // 1.3 hangs up
	}
	user := s.accounts.sessions[parts[1]]
	if user == nil || user.Name != parts[0] {
		k.user = nil
		if s.release.hasSubscriptions() {
			k.send(reauth("stale"))
		}
		return true
	}
	first := k.user == nil
	k.user = user
	if first && s.sees(k) {
		s.welcome(k)
	}
	return true
}

func reauth(reason string) []byte {
	return encode(object{"reauthRequired": object{"reason": reason}})
}

// sees says whether the socket's user may know the state: everybody before there were permissions.
func (s *Server) sees(k *socket) bool {
	return !s.release.hasPermissions() || k.user != nil && k.user.may("STATUS")
}

// welcome begins the stream: the past, the timelapse, what was held back, and the news that this client is here.
func (s *Server) welcome(k *socket) {
	if k.wanted.state.on {
		s.sendHistory(k)
	}
	k.send([]byte(`{"timelapse":null}`))
	backlog := k.backlog
	k.backlog = nil
	for _, m := range backlog {
		s.pass(k, m)
	}
	s.emit("ClientAuthed", object{"username": k.user.Name, "remoteAddress": k.remote})
}

func (s *Server) sendHistory(k *socket) {
	v := k.wanted.state
	k.send(encode(s.printer.historyFrame(v)))
	k.seen = s.printer.cursor()
}

// subscribe replaces what the socket wants. Its first subscription ends the delivery of everything, even if it is not
// understood.
func (s *Server) subscribe(k *socket, raw json.RawMessage) {
	before := k.wanted.state.on && k.subscribed
	if !k.subscribed {
		k.subscribed = true
		k.wanted = subscription{}
	}
	wanted, ok := parseSubscription(raw)
	if !ok {
		return
	}
	k.wanted = wanted
	if wanted.state.on && !before && s.sees(k) {
		s.sendHistory(k)
	}
}

// emit fires an event at every socket.
func (s *Server) emit(name string, payload any) {
	m := message{kind: "event", name: name, body: encode(object{"event": object{"type": name, "payload": payload}})}
	for k := range s.sockets {
		s.deliver(k, m)
	}
}

// announce sends a plugin's message to every socket.
func (s *Server) announce(plugin string, data any) {
	m := message{kind: "plugin", name: plugin, body: encode(object{"plugin": object{"plugin": plugin, "data": data}})}
	for k := range s.sockets {
		s.deliver(k, m)
	}
}

// deliver sends a message, or keeps it for a client that is not logged in yet.
func (s *Server) deliver(k *socket, m message) {
	switch {
	case s.sees(k):
		s.pass(k, m)
	case k.user == nil && len(k.backlog) < backlogLimit:
		k.backlog = append(k.backlog, m)
	}
}

// pass sends a message if the socket wants it and its user may have it.
func (s *Server) pass(k *socket, m message) {
	admin := k.user == nil || k.user.may("ADMIN")
	switch {
	case m.kind == "plugin":
		if k.wanted.plugins.has(m.name) {
			k.send(m.body)
		}
	case !k.wanted.events.has(m.name):
	case admin:
		k.send(m.body)
	case m.name == "UserLoggedIn" || m.name == "UserLoggedOut":
	case strings.HasPrefix(m.name, "Client"):
		k.send(encode(object{"event": object{"type": m.name, "payload": object{}}}))
	default:
		k.send(m.body)
	}
}

// publish sends `current` to every socket that is due one.
func (s *Server) publish() {
	now := s.printer.now()
	type variant struct {
		seen     cursor
		terminal bool
		all      [2]bool
	}
	made := map[variant][]byte{}
	for k := range s.sockets {
		v := k.wanted.state
		k.behind = k.behind || s.printer.dirty
		if !s.sees(k) || !v.on || !k.behind || now.Before(k.due) {
			continue
		}
		terminal := k.user == nil || !s.release.hasTerminalRight() || k.user.may("MONITOR_TERMINAL")
		key := variant{k.seen, terminal, [2]bool{v.logs.all, v.messages.all}}
		body := made[key]
		if filtered := v.logs.matches != nil || v.messages.matches != nil; body == nil || filtered {
			body = encode(s.printer.currentFrame(k.seen, v, terminal))
			if !filtered {
				made[key] = body
			}
		}
		k.send(body)
		k.seen, k.behind = s.printer.cursor(), false
		k.due = now.Add(base * time.Duration(k.throttle))
	}
	s.printer.dirty = false
}
