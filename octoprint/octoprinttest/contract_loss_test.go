package octoprinttest_test

import (
	"strings"
)

func lossChecks() []check {
	return []check{
		{"disconnect and connect", func(c *client) {
			s := c.joined("admin")
			c.post("/api/connection", "admin", `{"command":"disconnect"}`, 204)
			s.untilText("Offline")
			c.post("/api/connection", "admin", `{"command":"connect","port":"VIRTUAL","baudrate":115200}`, 204)
			s.untilEvent("Connected")
			s.untilText("Operational")
			want := "Disconnecting Disconnected OFFLINE Connecting OPEN_SERIAL CONNECTING OPERATIONAL Connected"
			if c.since(2, 0) {
				want = "Disconnecting Disconnected CLOSED Connecting CONNECTING CONNECTING OPERATIONAL Connected"
			}
			s.tells(want)
		}},
		{"firmware error while printing", checkFirmwareError},
		{"dropped connection while printing", checkDrop},
		{"emergency stop while printing", func(c *client) {
			s := c.printing("stop.gcode", long)
			c.post("/api/printer/command", "operator", `{"command":"M112"}`, 204)
			s.untilEvent("EStop")
			f := s.untilText(c.lostText("Closing serial port due to emergency stop M112."))
			c.checkLoss(s, f, "Closing serial port due to emergency stop M112.")
			c.checkErrorReport("")
			c.reconnected()
			c.removed("stop.gcode")
		}},
		{"disconnect while printing", func(c *client) {
			t := c.t
			s := c.printing("off.gcode", long)
			c.post("/api/connection", "operator", `{"command":"disconnect"}`, 204)
			failed := s.untilEvent("PrintFailed")
			same(t, "reason", failed.at("payload", "reason"), "error")
			f := s.untilText("Offline")
			same(t, "file", f.at("job", "file", "name"), nil)
			c.reconnected()
			c.removed("off.gcode")
		}},
	}
}

// checkLoss checks what every loss of a printing printer has in common.
func (c *client) checkLoss(s *stream, f frame, cause string) {
	t := c.t
	t.Helper()
	two := c.since(2, 0)
	var told any = cause
	switch {
	case two:
		told = ""
	case !c.since(1, 6):
		told = nil
	}
	same(t, "error", f.at("state", "error"), told)
	same(t, "error flag", f.at("state", "flags", "error"), false)
	same(t, "closed", f.at("state", "flags", "closedOrError"), true)
	same(t, "file", f.at("job", "file", "name"), nil)
	same(t, "completion", f.at("progress", "completion"), nil)
	story := strings.Join(s.story(), " ")
	closed := "Disconnected OFFLINE"
	if two {
		closed = "Disconnected CLOSED_WITH_ERROR"
	}
	if !strings.Contains(story, closed) {
		t.Errorf("no %s in %s", closed, story)
	}
	for _, f := range s.all() {
		if f.event() != "PrintFailed" {
			continue
		}
		same(t, "reason", f.at("payload", "reason"), "error")
		if two {
			cause = "unknown"
		}
		same(t, "cause", f.at("payload", "error"), cause)
		if share, given := f.at("payload", "progress").(float64); given != c.since(1, 10) || share < 0 || share >= 1 {
			t.Errorf("progress is %v", f.at("payload", "progress"))
		}
		return
	}
	t.Errorf("no PrintFailed in %s", story)
}

// checkErrorReport checks what REST tells after an error that has a text or none.
func (c *client) checkErrorReport(message string) {
	t := c.t
	t.Helper()
	two := c.since(2, 0)
	job := c.get("/api/job", "admin")
	if text, _ := job.at("state").(string); !strings.HasPrefix(text, "Offline ") {
		t.Errorf("state is %q", text)
	}
	if two {
		same(t, "error of the job", job.at("error"), nil)
		message = ""
	} else if message != "" && c.since(1, 6) {
		same(t, "error of the job", job.at("error"), message)
	}
	if c.since(1, 10) {
		same(t, "reported error", c.get("/api/printer/error", "admin").at("error"), message)
	}
}

// reconnected connects and checks that the error is forgotten.
func (c *client) reconnected() {
	t := c.t
	t.Helper()
	c.settled()
	same(t, "error after connecting", c.get("/api/job", "admin").at("error"), nil)
	if c.since(1, 10) {
		same(t, "reported error after connecting", c.get("/api/printer/error", "admin").at("error"), "")
	}
}

func checkFirmwareError(c *client) {
	t := c.t
	s := c.printing("error.gcode", long)
	c.post("/api/printer/command", "admin", `{"command":"!!DEBUG:trigger_fatal_error_marlin"}`, 204)
	e := s.untilEvent("Error")
	same(t, "reason", e.at("payload", "reason"), "firmware")
	message, _ := e.at("payload", "error").(string)
	if !strings.Contains(message, "Thermal Runaway") {
		t.Errorf("the error is %q", message)
	}
	f := s.untilText(c.lostText(message))
	c.checkLoss(s, f, message)
	same(t, "errors", strings.Count(strings.Join(s.story(), " "), " Error"), 1)
	c.checkErrorReport(message)
	c.reconnected()
	c.removed("error.gcode")
}

func checkDrop(c *client) {
	t := c.t
	s := c.printing("drop.gcode", long)
	c.post("/api/printer/command", "admin", `{"command":"!!DEBUG:drop_connection"}`, 204)
	f := s.until("loss of the connection", func(f frame) bool {
		text, _ := f.at("state", "text").(string)
		return f.kind == "current" && strings.HasPrefix(text, "Offline ")
	})
	cause := "SerialTimeoutException: "
	if text, _ := f.at("state", "text").(string); !c.since(1, 6) { // it names a line of OctoPrint's source, too
		cause = strings.TrimSuffix(strings.TrimPrefix(text, "Offline (Error: "), ")")
	}
	if !strings.HasPrefix(cause, "SerialTimeoutException: ") {
		t.Errorf("the cause is %q", cause)
	}
	c.checkLoss(s, f, cause)
	if strings.Contains(strings.Join(s.story(), " "), " Error") {
		t.Error("there was an Error event")
	}
	c.checkErrorReport("")
	c.reconnected()
	c.removed("drop.gcode")
}
