package octoprinttest_test

func commandChecks() []check {
	return []check{
		{"job while idle", checkIdleJob},
		{"content types", func(c *client) {
			t := c.t
			plain := c.do("POST", "/api/job", "admin", `{"command":"start"}`, "Content-Type", "text/plain")
			if c.since(1, 11) {
				same(t, "text", plain.status, 415)
			} else {
				same(t, "text", plain.status, 400)
			}
			charset := c.do("POST", "/api/job", "admin", `{"command":"nope"}`, "Content-Type", "application/json; charset=utf-8")
			same(t, "with a charset", charset.status, 400)
		}},
		{"tools", checkTools},
		{"bed and chamber", func(c *client) {
			c.expect(
				want{"POST", "/api/printer/bed", "operator", `{"command":"target","target":45}`, 204, ""},
				want{"POST", "/api/printer/bed", "operator", `{"command":"target","target":"45"}`, 400, "target is invalid"},
				want{"POST", "/api/printer/bed", "operator", `{"command":"target"}`, 400, "Mandatory parameters missing"},
				want{"POST", "/api/printer/bed", "operator", `{"command":"target","target":0}`, 204, ""},
				want{"GET", "/api/printer/chamber", "admin", "", 409, ""},
				want{"POST", "/api/printer/chamber", "operator", `{"command":"target","target":30}`, 409, ""},
			)
		}},
		{"targets are heard of", func(c *client) {
			t := c.t
			s := c.joined("operator")
			c.post("/api/printer/tool", "operator", `{"command":"target","targets":{"tool0":40}}`, 204)
			s.until("the target", func(f frame) bool { return f.kind == "current" && f.at("temps", 0, "tool0", "target") == 40.0 })
			same(t, "target", c.get("/api/printer", "operator").at("temperature", "tool0", "target"), 40)
			c.post("/api/printer/command", "operator", `{"commands":["M104 S0","M117 done"]}`, 204)
			s.until("the target", func(f frame) bool { return f.kind == "current" && f.at("temps", 0, "tool0", "target") == 0.0 })
		}},
		{"print head", checkPrintHead},
		{"gcode", checkGcode},
		{"offline", checkOffline},
		{"presets and profile", checkSettings},
		{"notification", checkNotification},
	}
}

func checkTools(c *client) {
	t := c.t
	c.expect(
		want{"POST", "/api/printer/tool", "operator", `{"command":"target","targets":{"tool0":31}}`, 204, ""},
		want{"POST", "/api/printer/tool", "operator", `{"command":"target","targets":{"tool9":31}}`, 204, ""},
		want{"POST", "/api/printer/tool", "operator", `{"command":"target","targets":{"bed":40}}`, 400, "targets contains invalid tool"},
		want{"POST", "/api/printer/tool", "operator", `{"command":"target","targets":{"tool0":"10"}}`, 400, "targets contains invalid value"},
		want{"POST", "/api/printer/tool", "operator", `{"command":"target","targets":{"tool0":-5}}`, 500, "internal error"},
		want{"POST", "/api/printer/tool", "operator", `{"command":"target"}`, 400, "Mandatory parameters missing"},
		want{"POST", "/api/printer/tool", "operator", `{"command":"offset","offsets":{"tool0":51}}`, 400, "offsets contains invalid value"},
		want{"POST", "/api/printer/tool", "operator", `{"command":"offset","offsets":{"tool0":5}}`, 204, ""},
	)
	bare := 204
	if !c.since(1, 11) {
		bare = 400
	}
	c.post("/api/printer/tool", "operator", `{"command":"target","targets":{"tool":31}}`, bare)
	offset := 5
	if !c.since(1, 8) {
		offset = 0
	}
	same(t, "offset", c.get("/api/printer", "admin").at("temperature", "tool0", "offset"), offset)
	c.expect(
		want{"POST", "/api/printer/tool", "operator", `{"command":"offset","offsets":{"tool0":0}}`, 204, ""},
		want{"POST", "/api/printer/tool", "operator", `{"command":"extrude","amount":5}`, 204, ""},
		want{"POST", "/api/printer/tool", "operator", `{"command":"flowrate","factor":95}`, 204, ""},
		want{"POST", "/api/printer/tool", "operator", `{"command":"select","tool":"tool0"}`, 204, ""},
		want{"POST", "/api/printer/tool", "operator", `{"command":"target","targets":{"tool0":0}}`, 204, ""},
	)
}

func checkOffline(c *client) {
	t := c.t
	s := c.joined("admin")
	c.post("/api/connection", "admin", `{"command":"disconnect"}`, 204)
	s.untilText("Offline")
	c.expect(
		want{"POST", "/api/job", "admin", `{"command":"start"}`, 409, "not operational"},
		want{"POST", "/api/printer/tool", "admin", `{"command":"target","targets":{"tool0":1}}`, 409, "not operational"},
		want{"POST", "/api/printer/tool", "readonly", `{"command":"target","targets":{"tool0":1}}`, 403, ""},
		want{"POST", "/api/printer/bed", "admin", `{"command":"target","target":1}`, 409, "not operational"},
		want{"POST", "/api/printer/printhead", "admin", `{"command":"jog","x":1}`, 409, "not operational"},
		want{"POST", "/api/printer/command", "admin", `{"command":"M105"}`, 409, "not operational"},
		want{"GET", "/api/printer", "admin", "", 409, "not operational"},
		want{"GET", "/api/printer/tool", "admin", "", 409, "not operational"},
		want{"GET", "/api/printer/sd", "admin", "", 200, "false"},
		want{"GET", "/api/files", "admin", "", 200, "free"},
	)
	job := c.get("/api/job", "admin")
	same(t, "state", job.at("state"), "Offline")
	same(t, "filament", job.at("job", "filament"), nil)
	connection := c.get("/api/connection", "admin")
	same(t, "port", connection.at("current", "port"), nil)
	closed := "Closed"
	if c.since(2, 0) {
		closed = "Offline"
	}
	same(t, "connection", connection.at("current", "state"), closed)
	c.expect(want{"POST", "/api/connection", "admin", `{"command":"connect","port":"/dev/nope"}`, 400, "port is invalid"})
}

func checkSettings(c *client) {
	t := c.t
	profile := c.get("/api/printerprofiles", "operator")
	same(t, "extruders", profile.at("profiles", "_default", "extruder", "count"), 1)
	same(t, "bed", profile.at("profiles", "_default", "heatedBed"), true)
	same(t, "chamber", profile.at("profiles", "_default", "heatedChamber"), false)
	same(t, "width", profile.at("profiles", "_default", "volume", "width"), 200)
	for _, user := range []string{"admin", "operator", "readonly"} {
		s := c.get("/api/settings", user)
		same(t, "preset", s.at("temperature", "profiles", 0, "name"), "ABS")
		if user != "admin" {
			same(t, "key for "+user, s.at("api", "key"), nil)
		}
		if c.since(1, 9) {
			same(t, "webcam", s.at("webcam", "webcams", 0, "name"), "classic")
		}
	}
	if c.since(2, 0) {
		asked := c.do("GET", "/api/settings", "admin", "", "X-OctoPrint-Api-Version", "2.0.0")
		same(t, "serial", asked.at("serial"), nil)
	}
}

// checkNotification leaves out dialogs: a fresh installation does not show them.
func checkNotification(c *client) {
	t := c.t
	s := c.joined("admin")
	c.post("/api/printer/command", "admin", `{"command":"!!DEBUG:action_custom notification Filament is low"}`, 204)
	f := s.until("the notification", func(f frame) bool {
		return f.kind == "plugin" && f.at("plugin") == "action_command_notification" && f.at("data", "message") != nil
	})
	same(t, "message", f.at("data", "message"), "Filament is low")
}

func checkIdleJob(c *client) {
	t := c.t
	c.expect(
		want{"POST", "/api/job", "admin", `{"command":"start"}`, 204, ""},
		want{"POST", "/api/job", "admin", `{"command":"pause","action":"pause"}`, 409, "neither printing nor paused, 'pause'"},
		want{"POST", "/api/job", "admin", `{"command":"cancel"}`, 409, "neither printing nor paused, 'cancel'"},
		want{"POST", "/api/job", "admin", `{"command":"restart"}`, 409, "not paused"},
		want{"POST", "/api/job", "admin", `{"command":"nope"}`, 400, "command is invalid"},
		want{"POST", "/api/job", "admin", `{}`, 400, "command is invalid"},
		want{"POST", "/api/job", "admin", `{"command":`, 400, "could not understand"},
	)
	same(t, "state after a start without a file", c.get("/api/job", "admin").at("state"), "Operational")
}

func checkGcode(c *client) {
	c.expect(
		want{"POST", "/api/printer/command", "operator", `{"command":"M105"}`, 204, ""},
		want{"POST", "/api/printer/command", "operator", `{"command":"M105","commands":["M105"]}`, 400, "mutually exclusive"},
		want{"POST", "/api/printer/command", "operator", `{"commands":"M105"}`, 400, "commands is invalid"},
		want{"POST", "/api/printer/command", "operator", `{}`, 400, "Need one of"},
		want{"POST", "/api/printer/command", "operator", `{"command":"M117 50% done"}`, 204, ""},
		want{"POST", "/api/printer/command", "operator", `{"command":"M117 50% done","parameters":{"x":1}}`, 500, "internal error"},
		want{"POST", "/api/printer/command", "operator", `{"script":"nope"}`, 404, "Unknown script"},
		want{"POST", "/api/printer/command", "operator", `{"script":"afterPrintCancelled"}`, 204, ""},
	)
}

func checkPrintHead(c *client) {
	c.expect(
		want{"POST", "/api/printer/printhead", "operator", `{"command":"jog","x":10,"y":-5,"z":0.02}`, 204, ""},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"jog","x":10,"absolute":true,"speed":30}`, 204, ""},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"jog","x":"10"}`, 400, "axis value is invalid"},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"jog"}`, 500, "internal error"},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"home","axes":["x","y","z"]}`, 204, ""},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"home","axes":"xy"}`, 204, ""},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"home","axes":["q"]}`, 400, "axis is invalid"},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"feedrate","factor":105}`, 204, ""},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"feedrate","factor":0.1}`, 204, ""},
	)
}
