package integration

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// contentSecurity lets a page use nothing but what comes from here, and no text
// become markup or a program.
const contentSecurity = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guarded lets through only what may be answered, in this order: what calls the
// server by one of its names, what comes from its own pages or no page at all,
// and what has the login where that is needed.
func (w *web) guarded(h http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(foreign))
	h = crossOrigin.Handler(w.logins.guard(h, w.log))
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		header := rw.Header()
		header.Set("Content-Security-Policy", contentSecurity)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		switch {
		case !w.config.called(r.Host):
			http.Error(rw, "This server is not known by the name in the address. If the name is right, add it to http.hosts in the configuration.", http.StatusMisdirectedRequest)
		case embedded(r):
			foreign(rw, r)
		default:
			h.ServeHTTP(rw, r)
		}
	})
}

// called reports whether a browser may call the server so. With any other name,
// the page of a stranger could have its own name lead here, and read what is
// answered: DNS rebinding. An IP address can't be made to lead elsewhere.
func (c *HTTPConfig) called(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	listen, _, _ := net.SplitHostPort(c.Listen)
	return host == "localhost" || host != "" && strings.EqualFold(host, listen) || slices.Contains(c.Hosts, host)
}

// embedded reports whether a page of somebody else uses what it asks for, rather
// than leading a person here. Browsers say so; other programs say nothing.
func embedded(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

// foreign refuses what a page of somebody else asks for.
func foreign(rw http.ResponseWriter, _ *http.Request) {
	http.Error(rw, "Pages of other servers can't use this one.", http.StatusForbidden)
}
