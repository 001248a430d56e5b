package integration

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	// loginAttempts is how many wrong logins an address may send in loginPeriod,
	// from the first; then none is looked at until that has passed.
	loginAttempts = 10
	loginPeriod   = time.Minute
	// maxLoginAddresses bounds how many addresses are remembered for that.
	maxLoginAddresses = 1024
)

// logins decides who may do what. The login is HTTP Basic: there are no sessions
// that somebody could take over, and other programs can use it as it is.
type logins struct {
	config HTTPConfig

	mu     sync.Mutex
	failed map[netip.Prefix]failures
}

// failures are the wrong logins of an address.
type failures struct {
	count int
	since time.Time // of the first
}

// guard asks for the login where it is needed. /login needs it so that the page
// can have the browser ask for it.
func (l *logins) guard(h http.Handler, log zerolog.Logger) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		change := r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Path == "/login"
		health := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		switch {
		case !change && (health || l.config.Loopback()):
			h.ServeHTTP(rw, r)
		case !l.config.login():
			http.Error(rw, "This page only shows: to change anything here, set http.username and http.password in the configuration.", http.StatusForbidden)
		default:
			l.check(h, rw, r, log)
		}
	})
}

func (l *logins) check(h http.Handler, rw http.ResponseWriter, r *http.Request, log zerolog.Logger) {
	from, now := sender(r.RemoteAddr), time.Now()
	name, password, ok := r.BasicAuth()
	switch {
	case l.blocked(from, now):
		rw.Header().Set("Retry-After", strconv.Itoa(int(loginPeriod.Seconds())))
		http.Error(rw, "Too many wrong logins: wait a minute.", http.StatusTooManyRequests)
		return
	case ok && l.right(name, password):
		h.ServeHTTP(rw, r)
		return
	case ok:
		l.count(from, now)
		log.Warn().Str("from", r.RemoteAddr).Msg("web page: a wrong login")
	}
	rw.Header().Set("WWW-Authenticate", `Basic realm="octoprint2mqtt", charset="UTF-8"`)
	http.Error(rw, "This needs the login that the configuration has under http.", http.StatusUnauthorized)
}

// right takes as long for every wrong login, so that nothing can be learnt of the
// right one.
func (l *logins) right(name, password string) bool {
	return l.config.login() && equal(name, l.config.Username)&equal(password, l.config.Password) == 1
}

func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

func (l *logins) blocked(from netip.Prefix, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.failed[from]
	return f.count >= loginAttempts && now.Sub(f.since) < loginPeriod
}

func (l *logins) count(from netip.Prefix, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok := l.failed[from]
	if !ok {
		l.makeRoomLocked(now)
	}
	if now.Sub(f.since) >= loginPeriod {
		f = failures{since: now}
	}
	f.count++
	l.failed[from] = f
}

// makeRoomLocked forgets what is over, and if that isn't enough the oldest.
func (l *logins) makeRoomLocked(now time.Time) {
	if l.failed == nil {
		l.failed = make(map[netip.Prefix]failures)
	}
	if len(l.failed) < maxLoginAddresses {
		return
	}
	var oldest netip.Prefix
	for from, f := range l.failed {
		if now.Sub(f.since) >= loginPeriod {
			delete(l.failed, from)
		} else if !oldest.IsValid() || f.since.Before(l.failed[oldest].since) {
			oldest = from
		}
	}
	if len(l.failed) >= maxLoginAddresses {
		delete(l.failed, oldest)
	}
}

// sender is whom an address counts for: one machine may have a whole IPv6
// network to itself.
func sender(remote string) netip.Prefix {
	host, _, _ := net.SplitHostPort(remote)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // bits are right
	return p
}
