package octoprinttest_test

import (
	"slices"
	"strings"
)

// long prints for minutes, short for two seconds.
var (
	long  = "G28\nG1 Z0.2 F3000\n" + strings.Repeat("G1 X50 Y50 E1\nG4 P500\n", 400)
	short = "G28\nG1 Z0.2 F3000\n" + strings.Repeat("G1 X50 Y50 E1\nG4 P250\n", 8) + "G28\n"
)

func printChecks() []check {
	return []check{
		{"whole print", checkWholePrint},
		{"pause, resume, cancel", checkPause},
		{"restart of a paused print", checkRestart},
		{"commands while printing", checkWhilePrinting},
		{"pause by the firmware", func(c *client) {
			t := c.t
			s := c.printing("fw.gcode", long)
			c.post("/api/printer/command", "admin", `{"command":"!!DEBUG:action_pause"}`, 204)
			f := s.untilEvent("PrintPaused")
			same(t, "user", f.at("payload", "user"), nil)
			s.untilText("Paused")
			c.removed("fw.gcode")
		}},
		{"connect while printing", func(c *client) {
			t := c.t
			s := c.printing("connected.gcode", long)
			c.post("/api/connection", "admin", `{"command":"connect","port":"VIRTUAL"}`, 204)
			c.post("/api/printer/command", "admin", `{"command":"G28"}`, 204)
			s.untilEvent("Home")
			same(t, "state", c.get("/api/job", "admin").at("state"), "Printing")
			c.removed("connected.gcode")
		}},
	}
}

// uploaded puts a file on the server for the time of the test.
func (c *client) uploaded(name, contents string) {
	c.t.Helper()
	c.do("DELETE", "/api/files/local/"+name, "admin", "") // left by a run that failed
	s := c.joined("admin")
	if r := c.upload(name, contents, nil); r.status != 201 {
		c.t.Fatalf("uploading %s: %d %s", name, r.status, r.text)
	}
	s.untilEvent("MetadataAnalysisStarted")
	s.close()
}

// removed ends a print and deletes its file.
func (c *client) removed(name string) {
	c.t.Helper()
	c.settled()
	c.expect(want{"DELETE", "/api/files/local/" + name, "admin", "", 204, ""})
}

// printing starts a print and returns a stream on which it has just begun.
func (c *client) printing(name, contents string) *stream {
	c.t.Helper()
	c.uploaded(name, contents)
	s := c.joined("admin")
	c.post("/api/files/local/"+name, "admin", `{"command":"select","print":true}`, 204)
	s.untilText("Printing")
	return s
}

// story is the sequence of events so far as far as it tells of the state and the print.
func (s *stream) story() []string {
	var story []string
	for _, f := range s.all() {
		name := f.event()
		switch {
		case name == "PrinterStateChanged":
			story = append(story, f.at("payload", "state_id").(string))
		case strings.HasPrefix(name, "Print") || slices.Contains([]string{
			"FileSelected", "FileDeselected", "Connecting",
			"Connected", "Disconnecting", "Disconnected", "Error", "EStop", "Home",
		}, name):
			story = append(story, name)
		}
	}
	return story
}

func (s *stream) tells(want string) {
	s.t.Helper()
	if got := strings.Join(s.story(), " "); got != want {
		s.t.Errorf("events:\n got %s\nwant %s", got, want)
	}
}

func checkWholePrint(c *client) {
	t := c.t
	c.uploaded("whole.gcode", short)
	s := c.joined("admin")
	c.post("/api/files/local/whole.gcode", "admin", `{"command":"select"}`, 204)
	s.untilEvent("FileSelected")
	c.post("/api/job", "operator", `{"command":"start"}`, 204)
	started := s.untilEvent("PrintStarted")
	same(t, "name", started.at("payload", "name"), "whole.gcode")
	same(t, "origin", started.at("payload", "origin"), "local")
	same(t, "size", started.at("payload", "size"), len(short))
	same(t, "user", started.at("payload", "user"), "operator")
	done := s.untilEvent("PrintDone")
	if took, _ := done.at("payload", "time").(float64); took < 1.5 || took > 20 {
		t.Errorf("it took %v s, want about 2", took)
	}
	last := s.untilText("Operational")
	same(t, "completion", last.at("progress", "completion"), 100)
	same(t, "time left", last.at("progress", "printTimeLeft"), 0)
	selected := "FileSelected "
	if c.since(2, 0) {
		selected = "FileSelected FileSelected "
	}
	s.tells(selected + "STARTING PrintStarted PRINTING Home Home FINISHING PrintDone OPERATIONAL")
	file := c.get("/api/files/local/whole.gcode", "operator")
	same(t, "successes", file.at("prints", "success"), 1)
	same(t, "last success", file.at("prints", "last", "success"), true)
	same(t, "state", c.get("/api/job", "operator").at("state"), "Operational")
	c.removed("whole.gcode")
}

func checkPause(c *client) {
	t := c.t
	s := c.printing("pause.gcode", long)
	c.post("/api/job", "operator", `{"command":"pause","action":"resume"}`, 204)
	c.post("/api/job", "operator", `{"command":"pause","action":"pause"}`, 204)
	paused := s.untilEvent("PrintPaused")
	same(t, "pauser", paused.at("payload", "user"), "operator")
	flags := s.untilText("Paused").at("state", "flags")
	same(t, "paused", dig(flags, "paused"), true)
	same(t, "printing", dig(flags, "printing"), c.since(2, 0))
	c.post("/api/job", "operator", `{"command":"pause","action":"pause"}`, 204)
	c.post("/api/job", "operator", `{"command":"start"}`, 409)
	resume := `{"command":"pause"}`
	if c.since(2, 0) {
		resume = `{"command":"pause","action":"resume"}`
	}
	c.checkWhilePaused()
	c.post("/api/job", "operator", resume, 204)
	s.untilEvent("PrintResumed")
	s.untilText("Printing")
	c.post("/api/job", "operator", `{"command":"cancel"}`, 204)
	cancelled := s.untilEvent("PrintCancelled")
	failed := s.untilEvent("PrintFailed")
	same(t, "reason", failed.at("payload", "reason"), "cancelled")
	same(t, "position", cancelled.at("payload", "position", "x"), nil)
	if c.since(1, 10) {
		progress, _ := failed.at("payload", "progress").(float64)
		same(t, "progress is a whole number", progress, float64(int(progress)))
	}
	idle := s.untilText("Operational")
	same(t, "completion", idle.at("progress", "completion"), nil)
	same(t, "file", idle.at("job", "file", "name"), "pause.gcode")
	story := strings.ReplaceAll(strings.Join(s.story(), " "), "Home ", "")
	want := "PAUSING PrintPaused PAUSED RESUMING PrintResumed PRINTING PrintCancelling CANCELLING PrintCancelled"
	if !strings.Contains(story, want) {
		t.Errorf("events:\n got %s\nwant %s", story, want)
	}
	file := c.get("/api/files/local/pause.gcode", "operator")
	same(t, "failures", file.at("prints", "failure"), 1)
	c.removed("pause.gcode")
}

func (c *client) checkWhilePaused() {
	c.t.Helper()
	move := 204
	if c.since(2, 0) {
		move = 409
		c.post("/api/job", "operator", `{"command":"pause"}`, 204)   // does nothing
		c.post("/api/job", "operator", `{"command":"restart"}`, 204) // nor does this
		same(c.t, "state", c.get("/api/job", "operator").at("state"), "Paused")
	}
	c.expect(
		want{"POST", "/api/printer/printhead", "operator", `{"command":"jog","x":1}`, move, ""},
		want{"POST", "/api/printer/printhead", "operator", `{"command":"home","axes":["x"]}`, move, ""},
		want{"POST", "/api/printer/tool", "operator", `{"command":"extrude","amount":1}`, move, ""},
		want{"DELETE", "/api/files/local/pause.gcode", "operator", "", 409, "in use"},
	)
	if c.since(1, 8) {
		c.expect(want{"POST", "/api/files/local/pause.gcode", "operator", `{"command":"select"}`, 409, "already printing"})
	}
}

// lostText is what the state is called after an error.
func (c *client) lostText(cause string) string {
	if !c.since(1, 6) {
		return "Offline (Error: " + cause + ")"
	}
	return "Offline after error"
}

func checkRestart(c *client) {
	t := c.t
	s := c.printing("again.gcode", long)
	c.post("/api/job", "admin", `{"command":"restart"}`, 409)
	c.post("/api/job", "admin", `{"command":"pause","action":"pause"}`, 204)
	s.untilText("Paused")
	if c.since(2, 0) {
		c.removed("again.gcode")
		return
	}
	c.post("/api/job", "admin", `{"command":"restart"}`, 204)
	s.untilEvent("PrintStarted")
	s.untilText("Printing")
	story := strings.Join(s.story(), " ")
	if !strings.Contains(story, "PAUSED STARTING PrintStarted PRINTING") {
		t.Errorf("a restart does not begin anew: %s", story)
	}
	c.removed("again.gcode")
}

func checkWhilePrinting(c *client) {
	t := c.t
	c.printing("busy.gcode", long)
	c.expect(
		want{"POST", "/api/job", "admin", `{"command":"start"}`, 409, "did you mean 'restart'"},
		want{"POST", "/api/job", "admin", `{"command":"pause","action":"nope"}`, 400, "Unknown action"},
		want{"POST", "/api/printer/printhead", "admin", `{"command":"jog","x":1}`, 409, "currently printing"},
		want{"POST", "/api/printer/printhead", "admin", `{"command":"home","axes":["x"]}`, 409, "currently printing"},
		want{"POST", "/api/printer/printhead", "admin", `{"command":"feedrate","factor":110}`, 204, ""},
		want{"POST", "/api/printer/tool", "admin", `{"command":"extrude","amount":1}`, 409, "currently printing"},
		want{"POST", "/api/printer/tool", "admin", `{"command":"flowrate","factor":99}`, 204, ""},
		want{"POST", "/api/printer/tool", "admin", `{"command":"target","targets":{"tool0":0}}`, 204, ""},
		want{"POST", "/api/printer/command", "admin", `{"command":"M105"}`, 204, ""},
		want{"POST", "/api/files/local/busy.gcode", "admin", `{"command":"select"}`, 409, "already printing"},
		want{"DELETE", "/api/files/local/busy.gcode", "admin", "", 409, "in use"},
	)
	same(t, "upload of the same file", c.upload("busy.gcode", long, nil).status, 409)
	job := c.get("/api/job", "admin")
	same(t, "file", job.at("job", "file", "path"), "busy.gcode")
	if completion, _ := job.at("progress", "completion").(float64); completion <= 0 || completion >= 50 {
		t.Errorf("completion is %v", completion)
	}
	c.removed("busy.gcode")
}
