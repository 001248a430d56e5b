package octoprinttest

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"
)

// call is one request on its way through the server.
type call struct {
	s    *Server
	r    *http.Request
	path string
	tail string // what a route's * stands for
	body []byte
	user *account // the guest without a valid key

	input map[string]json.RawMessage // of a command
}

// route answers one method at one path; a path that ends in * takes everything below.
type route struct {
	method, path string
	// permission is needed; "" for none.
	permission string
	answer     func(*call) response
}

// strip removes the prefix that the server lives under.
func (s *Server) strip(path string) (string, bool) {
	rest, found := strings.CutPrefix(path, s.options.Prefix)
	if !found {
		return "", false
	}
	return "/" + strings.TrimLeft(rest, "/"), true
}

// answerRequest finds the route of a request and lets it answer.
func (s *Server) answerRequest(c *call) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := credential(c.r, s.release)
	user := s.accounts.byKey(key)
	c.user = user
	if user == nil {
		c.user = s.accounts.guest
	}
	if c.path == "/" {
		return c.front()
	}
	found, known := c.find()
	if p, ok := c.plugin(); ok && !known {
		known, found = true, route{answer: func(c *call) response { return c.askPlugin(p) }}
	}
	switch {
	case !known && !strings.HasPrefix(c.path, "/api/"):
		return pageOf(http.StatusNotFound, "404 Not Found", notFoundText)
	case !known:
		return c.notFound()
	case user == nil && key != "" && s.release.refusesBadKeys():
		return c.fail(http.StatusForbidden, "Invalid API key")
	case found.answer == nil:
		return c.fail(http.StatusMethodNotAllowed, methodText)
	case user == nil && s.release.hasCSRF() && c.r.Method != http.MethodGet && found.permission != exempt:
		return c.bad("CSRF validation failed")
	case !c.may(found.permission):
		return c.forbidden()
	}
	return found.answer(c)
}

// exempt is the permission of routes that even strangers may post to.
const exempt = "-"

// may says whether the caller has a permission. Before there were permissions, every user had all but an admin's.
func (c *call) may(permission string) bool {
	switch {
	case permission == "" || permission == exempt:
		return true
	case c.s.release.hasPermissions():
		return c.user.may(permission)
	case permission == "ADMIN" || permission == "SYSTEM" || permission == "SETTINGS":
		return c.user.may("ADMIN")
	}
	return !c.user.isGuest()
}

// find looks the request up; a known path without an answer is one with other methods.
func (c *call) find() (found route, known bool) {
	for _, r := range c.s.routes() {
		prefix, wild := strings.CutSuffix(r.path, "*")
		below := wild && len(c.path) > len(prefix) && strings.HasPrefix(c.path, prefix)
		if c.path != r.path && !below {
			continue
		}
		known = true
		if r.method == c.r.Method || r.method == http.MethodGet && c.r.Method == http.MethodHead {
			c.tail = c.path[len(prefix):]
			return r, true
		}
	}
	return route{}, known
}

// command reads a JSON body with a command that must be one of the given, each with the parameters that it needs.
func (c *call) command(commands map[string][]string) (string, *response) {
	if problem := c.decode(); problem != nil {
		return "", problem
	}
	var name string
	_ = json.Unmarshal(c.input["command"], &name)
	needed, known := commands[name]
	if !known {
		r := c.bad("command is invalid")
		return "", &r
	}
	for _, parameter := range needed {
		if c.input[parameter] == nil {
			r := c.bad("Mandatory parameters missing")
			return "", &r
		}
	}
	return name, nil
}

func (c *call) decode() *response {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	var r response
	switch {
	case kind != "application/json" && c.s.release.hasMediaCheck():
		r = c.fail(http.StatusUnsupportedMediaType, mediaTypeText)
	case kind != "application/json" && c.s.release.atLeast(10):
		r = c.bad(garbledText)
	case kind != "application/json":
		r = c.bad("Expected content-type JSON")
	case json.Unmarshal(c.body, &c.input) != nil:
		r = c.bad(garbledText)
	default:
		return nil
	}
	return &r
}

// number reads a parameter that must be a number; ok is false for anything else.
func number(raw json.RawMessage) (value float64, ok bool) {
	ok = raw != nil && string(raw) != "null" && json.Unmarshal(raw, &value) == nil
	return value, ok
}

func word(raw json.RawMessage) (value string, ok bool) {
	ok = raw != nil && string(raw) != "null" && json.Unmarshal(raw, &value) == nil
	return value, ok
}

func truth(raw json.RawMessage) bool {
	var value bool
	_ = json.Unmarshal(raw, &value)
	return value
}

// new says that the caller asked for the shapes of 2.0, and that this server has them.
func (c *call) new() bool {
	asked := c.r.Header.Get("X-OctoPrint-Api-Version")
	return c.s.release.isTwo() && asked != "" && parseRelease(asked).isTwo()
}

// url is an absolute one of this server.
func (c *call) url(path string) string {
	return "http://" + c.r.Host + c.s.options.Prefix + path
}

// front is the page of the user interface: strangers are sent to the login page.
func (c *call) front() response {
	if c.may("STATUS") {
		return pageOf(http.StatusOK, "OctoPrint", "The user interface is not simulated.")
	}
	where := c.s.options.Prefix + "/login/?redirect=/&permissions=STATUS,SETTINGS_READ"
	return pageOf(http.StatusFound, "Redirecting...", where).at(where)
}
