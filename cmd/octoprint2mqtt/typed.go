package main

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// typedAddress returns the addresses that somebody may mean who types or pastes one:
// with or without http://, with what a browser shows behind it. Without a scheme there
// are several, the likeliest first.
func typedAddress(text string) ([]*url.URL, error) {
	text = strings.Trim(strings.TrimSpace(text), `"'<>`)
	if text == "" {
		return nil, errors.New("no address is given; write it like http://octopi.local")
	}
	scheme, rest, given := strings.Cut(text, "://")
	schemes := []string{scheme}
	if !given {
		rest, schemes = strings.TrimPrefix(text, "//"), []string{"http", "https"}
	}
	if end := strings.IndexAny(rest, "?#"); end >= 0 { // of the page that a browser shows
		rest = rest[:end]
	}
	rest = strings.TrimRight(withoutPage(rest), "/")
	if net.ParseIP(rest) != nil && strings.Contains(rest, ":") {
		rest = "[" + rest + "]"
	}
	var found []*url.URL
	for _, s := range schemes {
		u, err := printerAddress().parse(strings.ToLower(s) + "://" + rest)
		if err != nil {
			return nil, errors.New("this address " + err.Error())
		}
		found = append(found, u)
	}
	if !given && found[0].Port() == "" && found[0].Path == "" {
		direct := *found[0]
		direct.Host = net.JoinHostPort(direct.Hostname(), "5000") // OctoPrint without a proxy
		found = append(found, &direct)
	}
	return found, nil
}

// withoutPage cuts what OctoPrint has below its address: pages and the API.
func withoutPage(address string) string {
	for _, page := range []string{"/api/", "/plugin/", "/login/", "/sockjs/", "/static/", "/downloads/"} {
		if at := strings.Index(address+"/", page); at > 0 {
			return address[:at]
		}
	}
	return address
}
