package octoprinttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

func ports() []string { return []string{"/dev/ttyS0", "VIRTUAL"} }
func baudrates() []int {
	return []int{250000, 230400, 115200, 57600, 38400, 19200, 9600}
}

func (c *call) connection() response {
	if c.new() {
		return ok(c.connectors())
	}
	p := c.s.printer
	state := p.state.text(p.release, p.cause)
	profile := c.s.options.Profile
	used := any(profile.ID)
	if p.isClosed() {
		state = "Closed"
		if p.release.isTwo() {
			state, used = "Offline", nil
		}
	}
	options := object{
		"ports": ports(), "baudrates": baudrates(), "portPreference": "VIRTUAL", "baudratePreference": 115200,
		"printerProfilePreference": profile.ID,
		"printerProfiles":          []object{{"id": profile.ID, "name": profile.Name}},
	}
	if p.release.isTwo() {
		options["autoconnect"] = true
	}
	return ok(object{
		"current": object{"state": state, "port": orNull(p.port), "baudrate": orNull(p.baudrate), "printerProfile": used},
		"options": options,
	})
}

// connectors is the shape of 2.0. The parameters of other connectors than serial would hold secrets.
func (c *call) connectors() object {
	p, profile := c.s.printer, c.s.options.Profile
	current := object{"state": p.state.text(p.release, ""), "connector": nil, "parameters": object{}, "capabilities": nil, "profile": nil}
	if p.isClosed() {
		current["state"] = "Offline"
	}
	parameters := object{"port": "VIRTUAL", "baudrate": 115200}
	if !p.isClosed() {
		current["connector"], current["parameters"], current["profile"] = "serial", parameters, profile.ID
		current["capabilities"] = object{"job_on_hold": true, "temperature_offsets": true}
	}
	return object{
		"current": current,
		"options": object{
			"connectors": []object{{
				"connector": "serial", "name": "Serial Connection",
				"parameters": object{"port": ports(), "baudrate": baudrates()},
			}},
			"preferredConnector": object{"connector": "serial", "parameters": parameters},
			"preferredProfile":   profile.ID,
			"profiles":           []object{{"id": profile.ID, "name": profile.Name}},
		},
	}
}

func (c *call) postConnection() response {
	name, problem := c.command(map[string][]string{"connect": nil, "disconnect": nil, "fake_ack": nil, "repair": nil})
	if problem != nil {
		return *problem
	}
	switch name {
	case "connect":
		if c.new() {
			return c.connectWith()
		}
		port, given := word(c.input["port"])
		if given && port != "AUTO" && !slices.Contains(ports(), port) {
			return c.bad("port is invalid")
		}
		if profile, given := word(c.input["printerProfile"]); given && profile != c.s.options.Profile.ID {
			return c.bad("printerProfile is invalid")
		}
		c.s.printer.connect()
	case "disconnect":
		_ = c.s.printer.disconnect() // nothing to do without a connection
	}
	return done()
}

// connectWith is connect in the shape of 2.0.
func (c *call) connectWith() response {
	connector, given := word(c.input["connector"])
	switch {
	case !given:
		return c.bad(`required parameter "connector" is missing`)
	case connector != "serial":
		return c.bad(fmt.Sprintf("unknown connector: %q", connector))
	}
	var parameters struct{ Port string }
	_ = json.Unmarshal(c.input["parameters"], &parameters)
	if parameters.Port != "" && !slices.Contains(ports(), parameters.Port) {
		return c.fail(http.StatusPreconditionFailed, "Preconditions for connecting to serial weren't met by provided parameters")
	}
	c.s.printer.connect()
	return done()
}
