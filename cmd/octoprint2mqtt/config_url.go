package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// addressForm is what the address of a server may look like.
type addressForm struct {
	what    string // it is
	example string
	login   string            // what to do instead of user:password@
	ports   map[string]string // scheme → port if none is given; "" leaves it out
	paths   map[string]string // scheme → path if none is given; other schemes have no path
}

// brokerAddress gives WebSocket addresses without a path /mqtt, which most
// brokers expect and Mosquitto accepts; an address that ends with / keeps that.
func brokerAddress() addressForm {
	return addressForm{
		what:    "the address of the broker",
		example: "mqtt://homeassistant.local:1883",
		login:   "write them under username and password",
		ports:   map[string]string{"mqtt": "1883", "mqtts": "8883", "ws": "80", "wss": "443"},
		paths:   map[string]string{"ws": "/mqtt", "wss": "/mqtt"},
	}
}

func printerAddress() addressForm {
	return addressForm{
		what:    "the address of OctoPrint",
		example: "http://octopi.local",
		login:   "OctoPrint only needs the api_key",
		ports:   map[string]string{"http": "", "https": ""},
		paths:   map[string]string{"http": "", "https": ""},
	}
}

// readURL returns the required address under the key url, nil if it is missing
// or wrong. Messages do not show the address, since it may contain a password
// or a token.
func readURL(s *section, form addressForm) *url.URL {
	s.require("url", form.what+", like "+form.example)
	v, ok := s.value("url")
	if !ok {
		return nil
	}
	u, err := form.parse(v.text)
	if err != nil {
		v.shown = "this address"
		s.src.reject(v, err.Error())
		return nil
	}
	return u
}

// parse returns an address that has what the form adds: the port and path.
func (f addressForm) parse(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		return nil, fmt.Errorf("must start with %s; write it like %s", f.schemes(), f.example)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("cannot be understood; write it like %s", f.example)
	}
	if strings.ContainsAny(text, "?#") {
		return nil, errors.New("contains ? or #; end it before that")
	}
	if err := f.check(u); err != nil {
		return nil, err
	}
	f.complete(u)
	// Requests are made of its text, which not every zone of an IPv6 address has.
	if _, err := url.Parse(u.String()); err != nil {
		return nil, fmt.Errorf("cannot be understood; write it like %s", f.example)
	}
	return u, nil
}

// check refuses what an address may not contain.
func (f addressForm) check(u *url.URL) error {
	_, known := f.ports[u.Scheme]
	_, hasPath := f.paths[u.Scheme]
	port, _ := strconv.Atoi(u.Port())
	switch {
	case !known:
		return fmt.Errorf("must start with %s", f.schemes())
	case u.User != nil:
		return fmt.Errorf("contains a user name or password; remove them, %s", f.login)
	case u.Hostname() == "", strings.Contains(u.Hostname(), ":") && !strings.HasPrefix(u.Host, "["):
		return fmt.Errorf("names no host; write it like %s", f.example)
	case u.Port() != "" && (port < 1 || port > 65535):
		return errors.New("has a port that is not from 1 to 65535")
	case !hasPath && strings.Trim(u.Path, "/") != "":
		return errors.New("contains a path, which only ws:// and wss:// have; end it behind the port")
	}
	return nil
}

func (f addressForm) schemes() string {
	schemes := slices.Sorted(maps.Keys(f.ports))
	last := len(schemes) - 1
	return strings.Join(schemes[:last], "://, ") + ":// or " + schemes[last] + "://"
}

// complete puts in the port and the path that weren't given.
func (f addressForm) complete(u *url.URL) {
	u.Host = strings.ToLower(strings.TrimSuffix(u.Host, ":"))
	if port := f.ports[u.Scheme]; port != "" && u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	path, hasPath := f.paths[u.Scheme]
	switch {
	case !hasPath:
		u.Path, u.RawPath = "", ""
	case u.Path == "":
		u.Path = path
	case path == "": // it is a prefix that other paths are appended to
		u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	}
}

// cameraAddress accepts where pictures of a camera may be had. Unlike those of servers
// it may have a login, and a query as most have.
func cameraAddress(text string) (string, error) {
	const example = "http://camera.local/snapshot.jpg"
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return "", errors.New("cannot be understood; write it like " + example)
	}
	port, _ := strconv.Atoi(u.Port())
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("must start with http:// or https://; write it like " + example)
	case u.Hostname() == "":
		return "", errors.New("names no host; write it like " + example)
	case u.Port() != "" && (port < 1 || port > 65535):
		return "", errors.New("has a port that is not from 1 to 65535")
	}
	return u.String(), nil
}

// hasLogin reports whether an address may let others in who read it.
func hasLogin(address string) bool {
	u, err := url.Parse(address)
	return err != nil || u.User != nil
}

// sameServer returns what is equal for two addresses of one OctoPrint.
func sameServer(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.TrimSuffix(u.Hostname(), "."), port) + u.EscapedPath()
}
