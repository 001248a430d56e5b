package integration

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// HTTPConfig tells where the web page, the health checks and the metrics are
// served. The zero HTTPConfig serves nothing.
type HTTPConfig struct {
	// Listen is the address, host:port; empty: nothing is served. Other than
	// loopback it must have a login.
	Listen string
	// Username and Password are the login for changes, and, where Listen is no
	// loopback address, for the page and the metrics too. Without it nothing can
	// be changed.
	Username, Password string
	// Hosts are the names, in small letters, by which browsers may call the
	// server, beside localhost and every IP address.
	Hosts []string

	// Open makes the listener; nil listens on Listen.
	Open func(context.Context) (net.Listener, error)
}

// Loopback reports whether only programs on this machine reach the server.
func (c *HTTPConfig) Loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// login reports whether there is one.
func (c *HTTPConfig) login() bool { return c.Username != "" && c.Password != "" }

// sameHTTP reports whether a server needn't change.
func sameHTTP(a, b *HTTPConfig) bool {
	return a.Listen == b.Listen && a.Username == b.Username && a.Password == b.Password && slices.Equal(a.Hosts, b.Hosts)
}
