package octoprinttest_test

import (
	"strings"
)

func accessChecks() []check {
	return []check{
		{"version", func(c *client) {
			t := c.t
			r := c.get("/api/version", "statusonly")
			same(t, "status", r.status, 200)
			same(t, "api", r.at("api"), "0.1")
			same(t, "text", r.at("text"), "OctoPrint "+r.at("server").(string))
			c.expect(
				want{"GET", "/api/version", "", "", 403, "error"},
				want{"GET", "/api/version", "wrong", "", 403, "error"},
				want{"GET", "/api/version/", "admin", "", 404, "error"},
				want{"GET", "//api/version", "admin", "", 200, "OctoPrint"},
				want{"GET", "/api/server", "admin", "", 200, "safemode"},
				want{"GET", "/api/doesnotexist", "admin", "", 404, "error"},
				want{"PUT", "/api/job", "admin", "", 405, "error"},
				want{"GET", "/plugin/appkeys/probe", "", "", 204, ""},
			)
		}},
		{"who", checkWho},
		{"where the key is", checkKeyPlaces},
		{"who may read", checkReading},
		{"who may command", checkCommanding},
		{"login", checkLogin},
		{"users", func(c *client) {
			t := c.t
			c.expect(
				want{"GET", "/api/access/users", "operator", "", 403, ""},
				want{"GET", "/api/access/users", "admin", "", 200, `"operator"`},
			)
			if c.since(2, 0) {
				c.expect(want{"GET", "/api/users", "admin", "", 404, ""})
				return
			}
			r := c.get("/api/users", "admin")
			same(t, "status", r.status, 307)
			if where := r.header.Get("Location"); !strings.HasSuffix(where, "/api/access/users") {
				t.Errorf("the old list of users moved to %q", where)
			}
		}},
	}
}

func checkWho(c *client) {
	t := c.t
	for user, groups := range map[string]any{
		"operator": []any{"users"}, "readonly": []any{"readonly"}, "statusonly": []any{}, "nobody": []any{},
	} {
		r := c.get("/api/currentuser", user)
		same(t, "status of "+user, r.status, 200)
		same(t, "name of "+user, r.at("name"), user)
		same(t, "groups of "+user, r.at("groups"), groups)
	}
	same(t, "name of admin", c.get("/api/currentuser", "admin").at("name"), "admin")
	same(t, "permissions of statusonly", c.get("/api/currentuser", "statusonly").at("permissions"), []any{"STATUS"})
	readonly := "[STATUS WEBCAM FILES_LIST FILES_DOWNLOAD GCODE_VIEWER MONITOR_TERMINAL TIMELAPSE_LIST TIMELAPSE_DOWNLOAD " +
		"SETTINGS_READ PLUGIN_ACHIEVEMENTS_VIEW PLUGIN_PLUGINMANAGER_LIST]"
	if c.since(1, 11) {
		same(t, "permissions of readonly", c.get("/api/currentuser", "readonly").at("permissions"), readonly)
	}
	stranger := c.get("/api/currentuser", "")
	same(t, "stranger", stranger.status, 200)
	same(t, "stranger's name", stranger.at("name"), nil)
	same(t, "stranger's groups", stranger.at("groups"), []any{"guests"})
	if wrong := c.get("/api/currentuser", "wrong"); c.since(1, 11) {
		same(t, "wrong key", wrong.status, 200)
		same(t, "wrong key's name", wrong.at("name"), nil)
		same(t, "wrong key's permissions", wrong.at("permissions"), []any{})
	} else if c.since(1, 8) {
		same(t, "wrong key", wrong.status, 403)
		same(t, "wrong key", wrong.at("error"), "Invalid API key")
	} else {
		same(t, "wrong key's name", wrong.at("name"), nil)
	}
}

func checkKeyPlaces(c *client) {
	t := c.t
	name := func(path, user string, headers ...string) any {
		return c.do("GET", path, user, "", headers...).at("name")
	}
	bearer, key := "Bearer "+c.key("operator"), c.key("operator")
	same(t, "bearer", name("/api/currentuser", "", "Authorization", bearer), "operator")
	same(t, "query", name("/api/currentuser?apikey="+key, ""), "operator")
	same(t, "query before header", name("/api/currentuser?apikey="+key, "admin"), "operator")
	same(t, "header before bearer", name("/api/currentuser", "admin", "Authorization", bearer), "admin")
	same(t, "lower case bearer", name("/api/currentuser", "", "Authorization", "bearer "+key), nil)
	same(t, "basic", name("/api/currentuser", "", "Authorization", "Basic YTpi"), nil)
	same(t, "key with something behind", name("/api/currentuser", "", "X-Api-Key", key+"x"), nil)
}

func checkReading(c *client) {
	const all, operators, admins = 4, 2, 1 // how many of the users may
	readers := 3
	for path, allowed := range map[string]int{
		"/api/version": all, "/api/server": all, "/api/job": all, "/api/connection": all, "/api/printer": all,
		"/api/printer/tool": all, "/api/printer/bed": all, "/api/printer/sd": all,
		"/api/files?recursive=true": readers, "/api/files/local": readers, "/api/settings": readers, "/api/timelapse": readers,
		"/api/printerprofiles": operators, "/api/printerprofiles/_default": operators,
		"/api/system/commands": admins, "/api/access/users": admins,
	} {
		for i, user := range []string{"admin", "operator", "readonly", "statusonly", "nobody", ""} {
			status := 403
			if i < allowed {
				status = 200
			}
			c.expect(want{"GET", path, user, "", status, ""})
		}
	}
	if c.since(1, 10) {
		c.expect(want{"GET", "/api/printer/error", "statusonly", "", 200, `"reason"`})
	} else {
		c.expect(want{"GET", "/api/printer/error", "statusonly", "", 404, ""})
	}
}

func checkCommanding(c *client) {
	denied := []want{
		{"POST", "/api/job", "readonly", `{"command":"start"}`, 403, "permission"},
		{"POST", "/api/connection", "readonly", `{"command":"disconnect"}`, 403, "permission"},
		{"POST", "/api/printer/tool", "readonly", `{"command":"target","targets":{"tool0":10}}`, 403, "permission"},
		{"POST", "/api/printer/command", "statusonly", `{"command":"M105"}`, 403, "permission"},
		{"POST", "/api/system/commands/core/restart", "operator", "", 403, "permission"},
		{"DELETE", "/api/files/local/none.gcode", "readonly", "", 403, "permission"},
	}
	c.expect(denied...)
	for _, user := range []string{"", "wrong"} {
		status, text := 400, "CSRF validation failed"
		if !c.since(1, 11) {
			status, text = 403, ""
		}
		c.expect(
			want{"POST", "/api/job", user, `{"command":"start"}`, status, text},
			want{"POST", "/api/connection", user, `{"command":"connect"}`, status, text},
			want{"DELETE", "/api/files/local/none.gcode", user, "", status, text},
		)
	}
}

func checkLogin(c *client) {
	t := c.t
	r := c.post("/api/login", "operator", `{"passive":true}`, 200)
	same(t, "name", r.at("name"), "operator")
	same(t, "mechanism", r.at("_login_mechanism"), "apikey")
	same(t, "groups", r.at("groups"), []any{"users"})
	same(t, "direct permissions", r.at("permissions"), []any{})
	digits := 64
	if !c.since(1, 10) {
		digits = 32
	}
	same(t, "length of session", len(r.at("session").(string)), digits)
	same(t, "the user's own key is told", r.at("apikey"), c.key("operator"))
	_, hasAdmin := r.json.(map[string]any)["admin"]
	same(t, "has admin", hasAdmin, !c.since(2, 0))
	same(t, "nobody's needs", c.post("/api/login", "nobody", `{"passive":true}`, 200).at("needs"), map[string]any{})
	same(t, "by query", c.do("POST", "/api/login?passive=true", "admin", "").at("name"), "admin")
	c.expect(want{"POST", "/api/login", "admin", `{}`, 400, "passive"})
	switch {
	case c.since(1, 11):
		c.expect(
			want{"POST", "/api/login", "", `{"passive":true}`, 400, "CSRF"},
			want{"POST", "/api/login", "wrong", `{"passive":true}`, 400, "CSRF"},
		)
	default:
		stranger := c.post("/api/login", "", `{"passive":true}`, 200)
		same(t, "stranger's session", stranger.at("session"), nil)
		if c.since(1, 8) {
			c.expect(want{"POST", "/api/login", "wrong", `{"passive":true}`, 403, "Invalid API key"})
			return
		}
		same(t, "wrong key's session", c.post("/api/login", "wrong", `{"passive":true}`, 200).at("session"), nil)
	}
}
