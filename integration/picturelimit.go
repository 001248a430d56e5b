package integration

import "time"

const (
	// maxLost is how many connections in a row are lost with a large picture on its way
	// before pictures of that size count as too large.
	maxLost = 3
	// limitTime is how long that holds before it is tried once more: something else may
	// have been wrong.
	limitTime = time.Hour
	// unsuspicious is the size in bytes up to which nothing is too large: discovery
	// documents, without which nothing works, may have as much.
	unsuspicious = 64 << 10
)

// pictureLimit finds out how large a picture may be. Brokers hang up on a packet that
// is too large for them and say nothing: who sends it again and again is never
// connected for long. It is guarded by the gallery's mutex.
type pictureLimit struct {
	size  int // bytes that seem to be too many; 0: none
	lost  int // connections in a row
	until time.Time
}

// connectionLost takes in that a connection was lost while pictures of up to a size
// were on their way; 0: there were none. It returns the size that turns out to be too
// large just now, 0 if none does.
func (g *gallery) connectionLost(largest int, now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := &g.limit
	switch {
	case now.Before(l.until):
		return 0
	case largest < unsuspicious:
		*l = pictureLimit{}
		return 0
	case l.size == 0 || largest < l.size:
		l.size = largest
	}
	l.lost++
	if l.lost < maxLost {
		return 0
	}
	l.lost, l.until = maxLost-1, now.Add(limitTime)
	return l.size
}

// arrived takes in that the broker has taken a picture of a size.
func (g *gallery) arrived(size int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if size >= g.limit.size {
		g.limit = pictureLimit{}
	}
}

// tooLarge reports whether the broker doesn't take a picture of a size.
func (g *gallery) tooLarge(size int, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return now.Before(g.limit.until) && size >= g.limit.size
}
