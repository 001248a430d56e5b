package octoprinttest_test

import (
	"strings"
)

func fileChecks() []check {
	return []check{
		{"upload and delete", checkUpload},
		{"missing files", func(c *client) {
			t := c.t
			c.expect(
				want{"GET", "/api/files/local/none.gcode", "admin", "", 404, ""},
				want{"DELETE", "/api/files/local/none.gcode", "admin", "", 404, ""},
				want{"POST", "/api/files/local/none.gcode", "admin", `{"command":"select"}`, 404, ""},
			)
			if !c.since(1, 7) {
				c.post("/api/files/local/current", "admin", `{"command":"unselect"}`, 400)
				return
			}
			r := c.post("/api/files/local/current", "admin", `{"command":"unselect"}`, 409)
			if strings.HasPrefix(r.text, "{") {
				t.Errorf("the refusal is JSON: %s", r.text)
			}
		}},
		{"uploads that are refused", func(c *client) {
			t := c.t
			status := 415
			if !c.since(1, 8) {
				status = 400
			}
			same(t, "bad type", c.upload("notes.txt", "hello", nil).status, status)
			same(t, "nothing", c.do("POST", "/api/files/local", "admin", "print=true",
				"Content-Type", "application/x-www-form-urlencoded").status, 400)
		}},
		{"upload and select", func(c *client) {
			t := c.t
			s := c.joined("admin")
			r := c.upload("selected.gcode", short, map[string]string{"select": "true"})
			if c.since(1, 8) {
				same(t, "effective", r.at("effectiveSelect"), true)
			}
			s.untilEvent("FileSelected")
			same(t, "file", c.get("/api/job", "admin").at("job", "file", "path"), "selected.gcode")
			c.expect(want{"DELETE", "/api/files/local/selected.gcode", "admin", "", 204, ""})
			s.untilEvent("FileDeselected")
			s.untilEvent("FileRemoved")
		}},
		{"card", func(c *client) {
			if c.since(2, 0) {
				c.expect(
					want{"GET", "/api/files/sdcard", "admin", "", 404, ""},
					want{"GET", "/api/files/printer", "admin", "", 200, "files"},
				)
				return
			}
			c.expect(want{"GET", "/api/files/sdcard", "admin", "", 200, "files"})
		}},
		{"shapes of 2.0", checkNewShapes},
	}
}

func checkUpload(c *client) {
	t := c.t
	s := c.joined("admin")
	r := c.upload("upload.gcode", short, nil)
	same(t, "status", r.status, 201)
	same(t, "path", r.at("files", "local", "path"), "upload.gcode")
	if c.since(1, 8) {
		same(t, "effective", r.at("effectiveSelect"), false)
	}
	if !strings.HasSuffix(r.header.Get("Location"), "/api/files/local/upload.gcode") {
		t.Errorf("location is %q", r.header.Get("Location"))
	}
	s.untilEvent("FileAdded")
	s.untilEvent("UpdatedFiles")
	s.untilEvent("MetadataAnalysisFinished")
	list := c.get("/api/files?recursive=true", "operator")
	found := false
	files, _ := list.at("files").([]any)
	for _, f := range files {
		found = found || dig(f, "path") == "upload.gcode" && dig(f, "origin") == "local" && dig(f, "type") == "machinecode"
	}
	same(t, "listed", found, true)
	file := c.get("/api/files/local/upload.gcode", "operator")
	same(t, "size", file.at("size"), len(short))
	same(t, "prints", file.at("prints"), nil)
	c.expect(want{"DELETE", "/api/files/local/upload.gcode", "operator", "", 204, ""})
	s.untilEvent("FileRemoved")
}

func checkNewShapes(c *client) {
	t := c.t
	ask := func(path string) reply { return c.do("GET", path, "admin", "", "X-OctoPrint-Api-Version", "2.0.0") }
	connection, printer, version := ask("/api/connection"), ask("/api/printer"), ask("/api/version")
	if !c.since(2, 0) {
		same(t, "port", connection.at("current", "port"), "VIRTUAL")
		same(t, "card", printer.at("sd", "ready"), true)
		same(t, "api", version.at("api"), "0.1")
		return
	}
	same(t, "connector", connection.at("current", "connector"), "serial")
	same(t, "port", connection.at("current", "parameters", "port"), "VIRTUAL")
	same(t, "preferred", connection.at("options", "preferredConnector", "connector"), "serial")
	same(t, "storage", printer.at("storage", "ready"), true)
	same(t, "api", version.at("api"), nil)
	same(t, "job", ask("/api/job").at("job", "file"), map[string]any{})
	same(t, "old shape", c.get("/api/connection", "admin").at("current", "port"), "VIRTUAL")
	command := func(body string) int {
		return c.do("POST", "/api/connection", "admin", body, "X-OctoPrint-Api-Version", "2.0.0").status
	}
	same(t, "no connector", command(`{"command":"connect"}`), 400)
	same(t, "unknown connector", command(`{"command":"connect","connector":"nope"}`), 400)
	same(t, "unknown port", command(`{"command":"connect","connector":"serial","parameters":{"port":"/dev/nope"}}`), 412)
}
