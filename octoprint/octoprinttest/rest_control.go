package octoprinttest

import (
	"encoding/json"
	"regexp"
	"slices"
)

// heat sets a target. OctoPrint forwards what it is told without looking at the profile: a second tool's target heats
// the only one there is, and a tool beyond that is the firmware's problem.
func (p *printer) heat(tool string, target float64) {
	if tool == "tool" || p.profile.hotends() == 1 {
		tool = "tool0"
	}
	p.setTarget(tool, target)
}

var toolName = regexp.MustCompile(`^tool\d*$`)

// values reads an object of numbers by tool.
func (c *call) values(parameter string, least, most float64) (map[string]float64, *response) {
	var raw map[string]json.RawMessage
	if json.Unmarshal(c.input[parameter], &raw) != nil {
		r := c.bad(parameter + " is invalid")
		return nil, &r
	}
	values := map[string]float64{}
	for tool, v := range raw {
		if !toolName.MatchString(tool) || tool == "tool" && !c.s.release.atLeast(11) {
			r := c.bad(parameter + " contains invalid tool")
			return nil, &r
		}
		n, valid := number(v)
		if !valid || n < least || n > most {
			r := c.bad(parameter + " contains invalid value")
			return nil, &r
		}
		values[tool] = n
	}
	return values, nil
}

// operationalOr answers 409 for a printer that takes no commands.
func (c *call) operationalOr() *response {
	if c.s.printer.state.isOperational() {
		return nil
	}
	r := c.conflict(offlineText)
	return &r
}

func (c *call) postTool() response {
	if problem := c.operationalOr(); problem != nil {
		return *problem
	}
	name, problem := c.command(map[string][]string{
		"select": {"tool"}, "target": {"targets"}, "offset": {"offsets"}, "extrude": {"amount"}, "flowrate": {"factor"},
	})
	if problem != nil {
		return *problem
	}
	switch name {
	case "select":
		return c.selectTool()
	case "target":
		return c.target()
	case "offset":
		offsets, problem := c.values("offsets", -50, 50)
		if problem != nil {
			return *problem
		}
		for tool, offset := range offsets {
			c.s.printer.offset(tool, offset)
		}
	case "extrude":
		return c.extrude()
	case "flowrate":
		if _, valid := number(c.input["factor"]); !valid {
			return c.bad("factor is invalid")
		}
	}
	return done()
}

func (c *call) target() response {
	targets, problem := c.values("targets", -1e9, 1e9)
	if problem != nil {
		return *problem
	}
	for _, target := range targets {
		if target < 0 {
			return c.crash()
		}
	}
	for tool, target := range targets {
		c.s.printer.heat(tool, target)
	}
	return done()
}

func (p *printer) offset(heater string, offset float64) {
	p.offsets[heater] = offset
	p.dirty = true
}

func (c *call) selectTool() response {
	tool, valid := word(c.input["tool"])
	if !valid || !toolName.MatchString(tool) {
		return c.bad("tool is invalid")
	}
	p := c.s.printer
	n := slices.IndexFunc(p.heaters, func(h *heater) bool { return h.name == tool })
	if n < 0 || n >= p.profile.hotends() {
		p.emit("CommandSuppressed", object{"command": "T" + tool[len("tool"):], "message": "Not sent, no such tool", "severity": "warn"})
		return done()
	}
	p.changeTool(n)
	return done()
}

func (p *printer) changeTool(n int) {
	if n != p.tool {
		p.emit("ToolChange", object{"old": p.tool, "new": n})
		p.tool = n
	}
}

func (c *call) extrude() response {
	if p := c.s.printer; p.state.countsAsPrinting(p.release) {
		return c.conflict("Printer is currently printing")
	}
	if _, valid := number(c.input["amount"]); !valid {
		return c.bad("amount is invalid")
	}
	return done()
}

func (c *call) postBed() response     { return c.postHeater("bed") }
func (c *call) postChamber() response { return c.postHeater("chamber") }

func (c *call) postHeater(name string) response {
	if problem := c.operationalOr(); problem != nil {
		return *problem
	}
	if problem := c.missing(name); problem != nil {
		return *problem
	}
	command, problem := c.command(map[string][]string{"target": {"target"}, "offset": {"offset"}})
	if problem != nil {
		return *problem
	}
	value, valid := number(c.input[command])
	switch {
	case !valid:
		return c.bad(command + " is invalid")
	case command == "offset" && (value < -50 || value > 50):
		return c.bad("offset is invalid")
	case command == "offset":
		c.s.printer.offset(name, value)
	case value < 0:
		return c.crash()
	default:
		c.s.printer.setTarget(name, value)
	}
	return done()
}

func (c *call) postPrinthead() response {
	name, problem := c.command(map[string][]string{"jog": nil, "home": {"axes"}, "feedrate": {"factor"}})
	if problem != nil {
		return *problem
	}
	p := c.s.printer
	if !p.state.isOperational() || p.state.countsAsPrinting(p.release) && name != "feedrate" {
		return c.conflict("Printer is not operational or currently printing")
	}
	switch name {
	case "jog":
		return c.jog()
	case "home":
		return c.home()
	}
	if _, valid := number(c.input["factor"]); !valid {
		return c.bad("factor is invalid")
	}
	return done()
}

func (c *call) jog() response {
	var moved bool
	for _, axis := range []string{"x", "y", "z"} {
		raw, given := c.input[axis]
		if !given {
			continue
		}
		by, valid := number(raw)
		if !valid {
			return c.bad("axis value is invalid")
		}
		moved = true
		if axis == "z" {
			c.s.printer.moveZ(by, truth(c.input["absolute"]))
		}
	}
	if !moved {
		return c.crash()
	}
	return done()
}

func (p *printer) moveZ(by float64, absolute bool) {
	z := float(by)
	var old any
	if p.z != nil {
		old = *p.z
		if !absolute {
			z += *p.z
		}
	}
	p.z = &z
	p.emit("ZChange", object{"old": old, "new": z})
	p.dirty = true
}

func (c *call) home() response {
	var axes []string
	if json.Unmarshal(c.input["axes"], &axes) != nil {
		text, _ := word(c.input["axes"]) // a text is taken for its letters
		for _, r := range text {
			axes = append(axes, string(r))
		}
	}
	for _, axis := range axes {
		if axis != "x" && axis != "y" && axis != "z" {
			return c.bad("axis is invalid")
		}
	}
	c.s.printer.emit("Home", nil)
	return done()
}
