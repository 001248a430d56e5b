package integration

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"octoprint2mqtt/octoprint"
)

const (
	maxMessage = 64 // characters of a text for the printer's display
	maxLine    = 96 // characters of a line of G-code
	maxLines   = 32 // of G-code in one request
)

// fullActions are those that need full access.
func fullActions() []action {
	control := []string{octoprint.PermissionControl}
	return []action{
		{
			name: actionGcode, about: "Sends lines of G-code to the printer; refused unless `gcode_allow` lists the word of each, while a job runs with a `!`, and if they heat above the configured limit.",
			parameters: []parameter{
				takes("command", lineSchema(maxLine), "One line; either this or `commands`."),
				takes("commands", listSchema(lineSchema(maxLine), maxLines), "Several lines."),
			},
			access: AccessFull, permissions: control, runsIn: connectedPhases(), distinct: time.Second, prepare: prepareGcode,
		},
		{
			name: actionMessage, about: "Shows a line on the printer's display.",
			parameters: []parameter{needs("text", lineSchema(maxMessage), "The line.")},
			access:     AccessFull, permissions: control, runsIn: connectedPhases(), prepare: prepareMessage,
		},
		{
			name: actionUpload, about: "Stores a file: `data` has the `path` that it got, and whether it is `printing`.",
			parameters: []parameter{
				needs("name", lineSchema(maxFileName), "The file's name, ending in `.gcode`, `.gco` or `.g`."),
				needs("base64", textSchema(), "Its content in base64, 4 MiB at most."),
				takes("print", booleanSchema(), "Whether to print it, which the printer has to be idle for, and its plate cleared where `plate_check` is on."),
			},
			access: AccessFull, permissions: []string{octoprint.PermissionUpload}, runsIn: octoprint.Phases(), prepare: prepareUpload,
		},
		{
			name: actionDelete, about: "Deletes a local file; refused while it is printed.",
			parameters: []parameter{needs("path", lineSchema(maxPath), "The file's path, as `files` lists it.")},
			access:     AccessFull, permissions: []string{octoprint.PermissionFilesList, octoprint.PermissionDelete}, runsIn: octoprint.Phases(), prepare: prepareDelete,
		},
	}
}

// gcodeLine is a line that can be read: a word and its parameters, without
// comments and whatever else OctoPrint or a firmware gives a meaning to.
var gcodeLine = regexp.MustCompile(`^([GMT][0-9]{1,4}(?:\.[0-9]{1,2})?)((?: [A-Za-z0-9 .,:+*/_-]*)?)$`)

// prepareGcode lets through what the configuration lists, word for word.
func prepareGcode(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		Command  string   `json:"command"`
		Commands []string `json:"commands"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	lines := p.Commands
	if p.Command != "" {
		lines = append([]string{p.Command}, lines...)
	}
	if len(lines) == 0 || len(lines) > maxLines || p.Command != "" && len(p.Commands) > 0 {
		return call{}, refuse(CodeInvalid, "gcode needs command, one line, or commands, a list of up to %d lines", maxLines)
	}
	for _, line := range lines {
		if r := v.gcodeAllowed(line); r != nil {
			return call{}, r
		}
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error { return c.Gcode(ctx, lines...) }), nil
}

func (v *printerView) gcodeAllowed(line string) *refusal {
	m := gcodeLine.FindStringSubmatch(line)
	if m == nil || len(line) > maxLine {
		return refuse(CodeInvalid, "%s is no line of G-code of up to %d characters: a word such as M117 in capitals, and parameters without comments", quote(line), maxLine)
	}
	word := m[1]
	i := slices.IndexFunc(v.config.GcodeAllow, func(w GcodeWord) bool { return w.Word == word })
	switch {
	case i < 0:
		return refuse(CodeAccessDenied, "gcode_allow in the configuration does not list %s", word)
	case v.running() && !v.config.GcodeAllow[i].WhilePrinting:
		return refuse(CodeWrongState, "%s is not possible while the printer is %s; gcode_allow lists it without the !", word, v.state.Phase)
	}
	return v.heatAllowed(word, m[2])
}

// heatingWords set the target of a kind of heater.
func heatingWords() map[string]string {
	return map[string]string{"M104": "tool", "M109": "tool", "M140": "bed", "M190": "bed", "M141": "chamber", "M191": "chamber"}
}

var targetOf = regexp.MustCompile(`[SsRr] *([0-9.+-]+)`)

// heatAllowed holds the targets in G-code to the caps of the configuration.
func (v *printerView) heatAllowed(word, parameters string) *refusal {
	heater, heats := heatingWords()[word]
	if !heats {
		return nil
	}
	for _, m := range targetOf.FindAllStringSubmatch(parameters, -1) {
		target, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return refuse(CodeInvalid, "%s is no temperature", quote(m[1]))
		}
		if r := inRange(target, 0, v.config.limit(heater)); r != nil {
			return r
		}
	}
	return nil
}

func prepareMessage(parameters json.RawMessage, _ *printerView) (call, *refusal) {
	var p struct {
		Text string `json:"text"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if strings.TrimSpace(p.Text) == "" || len([]rune(p.Text)) > maxMessage || hasControl(p.Text) {
		return call{}, refuse(CodeInvalid, "text must be a line of up to %d characters", maxMessage)
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error { return c.Message(ctx, p.Text) }), nil
}
