package octoprinttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
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
		"printerProfiles":          c.profileNames(),
	}
	if p.release.isTwo() {
		options["autoconnect"] = true
	}
	return ok(object{
		"current": object{"state": state, "port": orNull(p.port), "baudrate": orNull(p.baudrate), "printerProfile": used},
		"options": options,
	})
}

func (c *call) profileNames() []object {
	var list []object
	for _, p := range c.s.profiles() {
		list = append(list, object{"id": p.ID, "name": p.Name})
	}
	slices.SortFunc(list, func(a, b object) int { return strings.Compare(a["id"].(string), b["id"].(string)) })
	return list
}

// connectors is the shape of 2.0. The parameters of other connectors than serial hold secrets, and are shown all the
// same.
func (c *call) connectors() object {
	p, profile := c.s.printer, c.s.options.Profile
	current := object{"state": p.state.text(p.release, ""), "connector": nil, "parameters": object{}, "capabilities": nil, "profile": nil}
	if p.isClosed() {
		current["state"] = "Offline"
	}
	serial := object{"connector": "serial", "parameters": object{"port": "VIRTUAL", "baudrate": 115200}}
	preferred, used := serial, object{"connector": "serial", "parameters": object{"port": p.port, "baudrate": p.baudrate}}
	all := []object{{
		"connector": "serial", "name": "Serial Connection",
		"parameters": object{"port": ports(), "baudrate": baudrates()},
	}}
	if other := c.s.options.Connector; other != nil {
		preferred = object{"connector": other.Name, "parameters": other.Parameters}
		used = preferred
		all = append(all, object{"connector": other.Name, "name": other.Name, "parameters": object{}})
	}
	if !p.isClosed() {
		current["connector"], current["parameters"], current["profile"] = used["connector"], used["parameters"], profile.ID
		current["capabilities"] = object{"job_on_hold": true, "temperature_offsets": true}
	}
	return object{
		"current": current,
		"options": object{
			"connectors":         all,
			"preferredConnector": preferred,
			"preferredProfile":   profile.ID,
			"profiles":           c.profileNames(),
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
		if !c.knownProfile() {
			return c.bad("printerProfile is invalid")
		}
		c.connectTo(port)
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
	case connector != "serial" && (c.s.options.Connector == nil || connector != c.s.options.Connector.Name):
		return c.bad(fmt.Sprintf("unknown connector: %q", connector))
	case !c.knownProfile():
		return c.bad("unknown printer profile")
	case connector != "serial":
		c.connectTo("")
		return done()
	}
	var parameters struct{ Port string }
	_ = json.Unmarshal(c.input["parameters"], &parameters)
	if parameters.Port != "" && parameters.Port != "AUTO" && !slices.Contains(ports(), parameters.Port) {
		return c.fail(http.StatusPreconditionFailed, "Preconditions for connecting to serial weren't met by provided parameters")
	}
	c.connectTo(parameters.Port)
	return done()
}

// knownProfile says whether the profile to connect with is one that there is, if one is named.
func (c *call) knownProfile() bool {
	id, given := word(c.input["printerProfile"])
	return !given || slices.ContainsFunc(c.s.profiles(), func(p Profile) bool { return p.ID == id })
}

// connectTo connects with the profile that the request names. Only the printer at the port VIRTUAL is there; AUTO finds
// it.
func (c *call) connectTo(port string) {
	if !c.s.printer.isClosed() {
		return
	}
	if id, given := word(c.input["printerProfile"]); given {
		c.s.useProfile(id)
	}
	c.s.printer.wanted = port
	c.s.printer.connect()
}
