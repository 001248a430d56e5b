package octoprinttest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

func (c *call) updates() response {
	u := c.s.options.Updates
	information := object{"octoprint": c.updateOf("OctoPrint", c.s.release.text, u.OctoPrint)}
	for _, name := range u.Plugins {
		information[name] = c.updateOf(name, "1.0.0", "1.1.0")
	}
	information["file_check"] = c.updateOf("File Check Plugin", "2025.7.23", "")
	status := "current"
	if u.OctoPrint != "" || u.Plugins != nil {
		status = "updatePossible"
	}
	return ok(object{"status": status, "information": information})
}

// updateOf is what the software update plugin tells of one thing that can be updated.
func (c *call) updateOf(name, installed, newer string) object {
	latest := installed
	if newer != "" {
		latest = newer
	}
	return object{
		"displayName": name, "displayVersion": installed, "updateAvailable": newer != "", "updatePossible": newer != "", "disabled": false,
		"information": object{
			"local":  object{"name": installed, "value": installed},
			"remote": object{"name": latest, "value": latest, "release_notes": nil},
		},
	}
}

// updateTime is how long the simulated OctoPrint takes to update itself, before it restarts.
const updateTime = 5 * time.Second

// update updates OctoPrint itself, or puts that off while a print runs. Afterwards nothing is newer, and the server has
// restarted, but it still gives the version that it had.
func (c *call) update() response {
	if problem := c.decode(); problem != nil {
		return *problem
	}
	var targets []string
	_ = json.Unmarshal(c.input["targets"], &targets)
	if c.s.printer.state.hasJob() {
		c.s.queuedUpdates = targets
		return asJSON(http.StatusAccepted, object{"queued": targets})
	}
	if !slices.Contains(targets, "octoprint") {
		return ok(object{"order": []string{}, "checks": object{}})
	}
	newer := c.s.options.Updates.OctoPrint
	c.s.later(updateTime, func() {
		if newer == "" {
			return
		}
		c.s.emit("plugin_softwareupdate_update_succeeded", object{"target": "octoprint", "from_version": c.s.release.text, "to_version": newer})
		c.s.options.Updates.OctoPrint = ""
		c.s.later(time.Second, func() { c.s.goDown() })
		c.s.later(time.Second+restartTime, func() { c.s.comeUp() })
	})
	return ok(object{"order": []string{"octoprint"}, "checks": object{"octoprint": "OctoPrint"}})
}

func (c *call) queuedUpdate() response {
	if _, problem := c.command(map[string][]string{"cancel": nil}); problem != nil {
		return *problem
	}
	c.s.queuedUpdates = nil
	return asJSON(http.StatusAccepted, object{"queued": []string{}})
}

// QueuedUpdates are the updates that wait for the end of the print.
func (s *Server) QueuedUpdates() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queuedUpdates
}

// SetUpdates changes which newer versions there are. Nobody is told.
func (s *Server) SetUpdates(u Updates) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Updates = u
}

// SetSystemCommands replaces the custom commands in the system menu and tells clients that the settings have changed.
func (s *Server) SetSystemCommands(commands ...SystemCommand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.SystemCommands = commands
	s.settingsChanged()
}
