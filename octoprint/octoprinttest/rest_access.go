package octoprinttest

import (
	"encoding/json"
	"net/http"
	"time"
)

func (c *call) version() response {
	v := object{"api": "0.1", "server": c.s.release.text, "text": "OctoPrint " + c.s.release.text}
	if c.new() {
		delete(v, "api")
	}
	return ok(v)
}

func (c *call) server() response {
	return ok(object{"version": c.s.release.text, "safemode": orNull(c.s.options.SafeMode)})
}

func (c *call) currentUser() response {
	groups := c.user.Groups
	if groups == nil {
		groups = []string{}
	}
	return ok(object{"name": orNull(c.user.Name), "groups": groups, "permissions": c.user.permissions()})
}

// login is only ever passive here: the key says who it is.
func (c *call) login() response {
	var in struct {
		Passive json.RawMessage
		User    *string
	}
	_ = json.Unmarshal(c.body, &in)
	if c.r.FormValue("passive") == "" && !truth(in.Passive) {
		return c.bad("Neither user and pass attributes nor passive flag present")
	}
	if c.s.limited {
		return c.fail(http.StatusTooManyRequests, "You have made too many failed login attempts. Please try again later.")
	}
	r := c.s.release
	if c.user.isGuest() {
		return c.strangerLogin()
	}
	o := c.user.describe(r)
	o["session"] = c.s.accounts.login(c.user, r)
	o["_is_external_client"] = false
	o["_login_mechanism"] = "apikey"
	if r.atLeast(10) {
		o["_credentials_seen"] = false
	}
	if r.atLeast(11) {
		o["_credentials_seen"] = time.Now().UTC().Format("2006-01-02T15:04:05-07:00")
	}
	if r.isTwo() {
		o["_credentials_recheck_supported"], o["has_password"] = false, true
	}
	c.s.emit("UserLoggedIn", object{"username": c.user.Name})
	return ok(o)
}

// strangerLogin is how releases without the CSRF check answer a login that comes without a good key: it looks like
// success.
func (c *call) strangerLogin() response {
	if !c.s.release.hasPermissions() {
		return done()
	}
	o := object{"_is_external_client": false, "needs": object{"group": []string{"guests"}}}
	if c.s.release.atLeast(10) {
		o["_credentials_seen"] = false
	}
	return ok(o)
}

func (c *call) users() response {
	all := []object{}
	for _, u := range c.s.accounts.users {
		all = append(all, u.describe(c.s.release))
	}
	return ok(object{"users": all})
}

func (c *call) oldUsers() response {
	where := c.s.options.Prefix + "/api/access/users"
	if !c.s.release.atLeast(8) {
		where = c.url("/api/access/users")
	}
	return pageOf(http.StatusTemporaryRedirect, "Redirecting...", where).at(where)
}

func (c *call) knownPermissions() response {
	all := []object{}
	for _, p := range permissions() {
		all = append(all, p.describe())
	}
	return ok(object{"permissions": all})
}

func (c *call) sockjsInfo() response {
	return ok(object{"websocket": true, "origins": []string{"*:*"}, "cookie_needed": false, "entropy": 1})
}
