package integration

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

const (
	// coldest is the temperature in °C below which no filament is moved: it would
	// be ground down, whatever the firmware allows.
	coldest = 170
	// longest is how much filament in mm is moved at once.
	longest = 100
	// fastest is the speed of a movement in mm/min.
	fastest = 30_000
	// slowest and quickest are the speeds of a serial port in baud.
	slowest, quickest = 1200, 4_000_000
)

// motionActions move the printer.
func motionActions() []action {
	control := []string{octoprint.PermissionControl}
	standing, idle := []octoprint.Phase{octoprint.PhaseIdle, octoprint.PhasePaused}, []octoprint.Phase{octoprint.PhaseIdle}
	return []action{
		{
			name: actionHome, about: "Moves axes to their home positions.",
			parameters: []parameter{
				takes("axes", listSchema(choiceSchema("x", "y", "z"), 3), "The axes, each once at most; all three if left out."),
			},
			permissions: control, runsIn: idle, prepare: prepareHome,
		},
		{
			name: actionJog, about: "Moves the print head; refused beyond what the printer profile says of the printer's size.",
			parameters: []parameter{
				takes("x", numberSchema(), "How far along X, in mm; one of the three is needed."),
				takes("y", numberSchema(), "How far along Y, in mm."),
				takes("z", numberSchema(), "How far along Z, in mm."),
				takes("absolute", booleanSchema(), "Whether these are positions; they are distances if it is left out."),
				takes("speed", wholeSchema(1, fastest), "In mm/min; OctoPrint's own if left out."),
			},
			permissions: control, runsIn: standing, distinct: time.Second, prepare: prepareJog,
		},
		{
			name: actionExtrude, about: "Moves filament; refused while the tool is colder than 170 °C.",
			parameters: []parameter{
				needs("amount_mm", rangeSchema(-longest, longest), "How much filament, in mm; negative to retract."),
				takes("tool", textSchema(), "The tool, such as `tool0`; needed where there are several."),
			},
			permissions: control, runsIn: standing, distinct: time.Second, prepare: prepareExtrude,
		},
		{
			name: actionTool, about: "Puts a tool to use.",
			parameters:  []parameter{needs("tool", textSchema(), "The tool, such as `tool1`.")},
			permissions: control, runsIn: idle, prepare: prepareTool,
		},
	}
}

func prepareHome(parameters json.RawMessage, _ *printerView) (call, *refusal) {
	var p struct {
		Axes []string `json:"axes"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if p.Axes == nil {
		p.Axes = []string{"x", "y", "z"}
	}
	for i, axis := range p.Axes {
		if !slices.Contains([]string{"x", "y", "z"}, axis) || slices.Contains(p.Axes[:i], axis) {
			return call{}, refuse(CodeInvalid, "axes are \"x\", \"y\" and \"z\", each at most once")
		}
	}
	if len(p.Axes) == 0 {
		return call{}, refuse(CodeInvalid, "axes names no axis")
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error { return c.Home(ctx, p.Axes...) }), nil
}

// prepareJog keeps movements within what the printer profile says of the printer's
// size: positions on it, and distances no longer than it.
func prepareJog(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		X        *float64 `json:"x"`
		Y        *float64 `json:"y"`
		Z        *float64 `json:"z"`
		Absolute bool     `json:"absolute"`
		Speed    *int     `json:"speed"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if p.X == nil && p.Y == nil && p.Z == nil {
		return call{}, refuse(CodeInvalid, "jog needs at least one of x, y and z, such as {\"z\": 10}")
	}
	m := octoprint.Move{X: p.X, Y: p.Y, Z: p.Z, Absolute: p.Absolute}
	if p.Speed != nil {
		if r := inRange(float64(*p.Speed), 1, fastest); r != nil {
			return call{}, r
		}
		m.Speed = *p.Speed
	}
	if r := withinReach(m, v); r != nil {
		return call{}, r
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error { return c.Jog(ctx, m) }), nil
}

func withinReach(m octoprint.Move, v *printerView) *refusal {
	switch known := v.info.Profile != nil && v.info.Profile.X != (octoprint.Range{}); {
	case !known && !v.live():
		return nil // that nothing is known is reason enough to refuse it
	case !known:
		return refuse(CodeWrongState, "how large the printer is isn't known: its printer profile can't be read")
	}
	for _, axis := range []struct {
		to    *float64
		reach octoprint.Range
	}{{m.X, v.info.Profile.X}, {m.Y, v.info.Profile.Y}, {m.Z, v.info.Profile.Z}} {
		if axis.to == nil {
			continue
		}
		low, high := axis.reach.Min, axis.reach.Max
		if !m.Absolute {
			low, high = low-high, high-low
		}
		if r := inRange(*axis.to, low, high); r != nil {
			return r
		}
	}
	return nil
}

// prepareExtrude wants the tool to be warm.
func prepareExtrude(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		Amount *float64 `json:"amount_mm"`
		Tool   string   `json:"tool"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if p.Amount == nil || *p.Amount == 0 {
		return call{}, refuse(CodeInvalid, "extrude needs amount_mm, such as {\"amount_mm\": 5}; negative amounts retract")
	}
	if r := inRange(*p.Amount, -longest, longest); r != nil {
		return call{}, r
	}
	tool, r := v.toolFor(p.Tool)
	if r != nil {
		return call{}, r
	}
	if actual := v.state.Heaters[tool].Actual; v.state.Phase.Connected() && (actual == nil || *actual < coldest) {
		return call{}, refuse(CodeWrongState, "%s is colder than %d °C: filament would be ground down", tool, coldest)
	}
	ready := sending(func(ctx context.Context, c *octoprint.Client) error {
		if p.Tool != "" {
			if err := c.SelectTool(ctx, p.Tool); err != nil {
				return err
			}
		}
		return c.Extrude(ctx, *p.Amount)
	})
	if p.Tool != "" {
		ready.after = toolSelected(p.Tool)
	}
	return ready, nil
}

func prepareTool(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		Tool string `json:"tool"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if p.Tool == "" {
		return call{}, refuse(CodeInvalid, "tool needs tool, such as {\"tool\": \"tool1\"}")
	}
	if _, r := v.toolFor(p.Tool); r != nil {
		return call{}, r
	}
	ready := sending(func(ctx context.Context, c *octoprint.Client) error { return c.SelectTool(ctx, p.Tool) })
	ready.after = toolSelected(p.Tool)
	return ready, nil
}

// toolSelected takes in that a tool was put to use, or maybe was.
func toolSelected(tool string) func(*printerView, bool) {
	return func(v *printerView, ok bool) {
		v.now.sent.tool = ""
		if ok {
			v.now.sent.tool = tool
		}
	}
}

// tools are those of the printer profile.
func (v *printerView) tools() []string {
	return slices.DeleteFunc(slices.Clone(v.heaters()), func(h string) bool { return h == "bed" || h == "chamber" })
}

// toolFor returns the tool of a name, or the only one where none is named.
func (v *printerView) toolFor(name string) (string, *refusal) {
	tools := v.tools()
	switch {
	case name == "" && len(tools) > 1:
		return "", refuse(CodeInvalid, "the printer has several tools: say which, such as \"tool\": \"tool0\"")
	case name == "" && len(tools) == 1:
		return tools[0], nil
	case len(tools) == 0 && !v.live():
		return name, nil // refused in any case
	case len(tools) == 0:
		return "", refuse(CodeWrongState, "which tools the printer has is not known yet")
	case !slices.Contains(tools, name):
		return "", refuse(CodeInvalid, "this printer has no tool %s", quote(name))
	}
	return name, nil
}
