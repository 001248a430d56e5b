package octoprinttest

// SendCurrent sends a prepared `current` frame to every socket that gets such frames: full to those that get the
// terminal's lines with them, plain to those that have none of them by their subscription. It is for loads that Run,
// which makes every frame anew, could not carry.
func (s *Server) SendCurrent(full, plain []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.sockets {
		switch v := k.wanted.state; {
		case k.user == nil || !s.sees(k) || !v.on:
		case v.logs.all:
			k.send(full)
		default:
			k.send(plain)
		}
	}
}
