package octoprinttest

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// brokenPlaceholder is a percent sign that Python's formatting chokes on.
var brokenPlaceholder = regexp.MustCompile(`%([^(%]|$)`)

func (c *call) postCommand() response {
	if problem := c.operationalOr(); problem != nil {
		return *problem
	}
	if problem := c.decode(); problem != nil {
		return *problem
	}
	one, many, script := c.input["command"], c.input["commands"], c.input["script"]
	switch {
	case one != nil && many != nil:
		return c.bad("'command' and 'commands' are mutually exclusive")
	case script != nil && (one != nil || many != nil):
		return c.bad("'command'/'commands' and 'script' are mutually exclusive")
	case script != nil:
		if name, _ := word(script); !strings.HasPrefix(name, "afterPrint") && !strings.HasPrefix(name, "beforePrint") {
			return c.fail(404, "Unknown script")
		}
		return done()
	case one == nil && many == nil:
		return c.bad("Need one of 'command', 'commands' or 'script'")
	}
	var commands []string
	if many != nil {
		if json.Unmarshal(many, &commands) != nil {
			return c.bad("commands is invalid")
		}
	} else if text, valid := word(one); valid {
		commands = []string{text}
	} else {
		return c.bad("command is invalid")
	}
	return c.execute(commands)
}

func (c *call) execute(commands []string) response {
	for _, command := range commands {
		if c.input["parameters"] != nil && brokenPlaceholder.MatchString(command) {
			return c.crash()
		}
	}
	for _, command := range commands {
		for line := range strings.SplitSeq(command, "\n") {
			c.s.printer.gcode(strings.TrimSpace(line))
		}
	}
	return done()
}

// gcode executes one line as far as it shows. Besides the firmware's own words it knows those of OctoPrint's virtual
// printer that make it fail.
func (p *printer) gcode(line string) {
	if line == "" || !p.state.isOperational() {
		return
	}
	p.log(sent, line)
	if debug, isDebug := strings.CutPrefix(line, "!!DEBUG:"); isDebug {
		p.debug(debug)
		return
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word = strings.ToUpper(word); word {
	case "M112":
		_ = p.emergencyStop()
	case "M104", "M109":
		tool := "tool"
		if n, given := argument(rest, 'T'); given {
			tool += strconv.Itoa(int(n))
		}
		if target, given := argument(rest, 'S'); given {
			p.heat(tool, target)
		}
	case "M140", "M190", "M141", "M191":
		if target, given := argument(rest, 'S'); given {
			p.setTarget(map[byte]string{'0': "bed", '1': "chamber"}[word[3]], target)
		}
	case "G28":
		p.emit("Home", nil)
	case "G4":
		p.emit("Dwelling", nil)
	default:
		if n, err := strconv.Atoi(strings.TrimPrefix(word, "T")); err == nil && word[0] == 'T' && n < p.profile.Extruders {
			p.changeTool(n)
		}
	}
}

// argument is the number behind a letter.
func argument(text string, letter byte) (float64, bool) {
	for field := range strings.FieldsSeq(strings.ToUpper(text)) {
		if field[0] == letter {
			n, err := strconv.ParseFloat(field[1:], 64)
			return n, err == nil
		}
	}
	return 0, false
}

// marlinError is what the virtual printer reports when it is told to fail.
const marlinError = "Thermal Runaway, system stopped! Heater_ID: bed - Printer halted. kill() called!"

func (p *printer) debug(command string) {
	name, rest, _ := strings.Cut(command, " ")
	switch name {
	case "trigger_fatal_error_marlin":
		_ = p.fatal(marlinError)
	case "maxtemp_error":
		_ = p.fatal("MAXTEMP triggered!")
	case "drop_connection":
		_ = p.drop()
	case "reset":
		p.reset()
	case "send":
		if text, isError := strings.CutPrefix(rest, "Error:"); isError {
			_ = p.fatal(strings.TrimSpace(text))
		}
	case "action_pause":
		_ = p.pause("")
	case "action_resume":
		_ = p.resume("")
	case "action_disconnect":
		_ = p.disconnect()
	case "action_custom":
		p.action(rest)
	}
}

// reset is a restart of the firmware: the print is gone, the connection stays.
func (p *printer) reset() {
	idle := !p.state.hasJob()
	p.emit("PrinterReset", object{"idle": idle})
	p.cool()
	if !idle {
		_ = p.cancel("")
	}
}

// action is a command that the firmware gives to OctoPrint.
func (p *printer) action(text string) {
	name, rest, _ := strings.Cut(text, " ")
	switch name {
	case "cancel":
		_ = p.cancel("")
	case "notification":
		p.announce(notificationID, object{"message": rest})
	case "prompt_begin":
		p.beginPrompt(rest)
	case "prompt_choice", "prompt_button":
		p.offerChoice(rest)
	case "prompt_show":
		p.showPrompt()
	case "prompt_end":
		if p.prompt != nil {
			p.closePrompt()
		}
	}
}
