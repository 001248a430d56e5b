package octoprint

import (
	"context"
	"fmt"
	"strings"
)

// The methods in this file move the printer. OctoPrint checks little of what it
// is asked for: it clamps numbers, passes unknown tools on, and lets the printer
// find out what is out of its reach. The caller has to know better.

// Move is a movement of the print head in mm. Axes that are nil stay.
type Move struct {
	X, Y, Z  *float64
	Absolute bool // to a position; else by a distance
	Speed    int  // mm/min; 0: the printer profile's
}

// Jog moves the print head. It fails without a request if no axis is to move:
// OctoPrint would fail in another way.
func (c *Client) Jog(ctx context.Context, m Move) error {
	const path = "/api/printer/printhead"
	body := map[string]any{"command": "jog"}
	for axis, to := range map[string]*float64{"x": m.X, "y": m.Y, "z": m.Z} {
		if to != nil {
			body[axis] = *to
		}
	}
	if len(body) == 1 {
		return &Error{Op: "POST " + path, Failure: Refused, Message: "no axis is to move"}
	}
	if m.Absolute {
		body["absolute"] = true
	}
	if m.Speed != 0 {
		body["speed"] = m.Speed
	}
	return c.post(ctx, path, body, nil)
}

// Extrude pushes mm of filament through the tool that is in use, or pulls it back
// if mm is negative. OctoPrint refuses it while it prints; that the tool is warm is
// for the caller to see to.
func (c *Client) Extrude(ctx context.Context, mm float64) error {
	return c.post(ctx, "/api/printer/tool", map[string]any{"command": "extrude", "amount": mm}, nil)
}

// SelectTool puts a tool, such as "tool1", to use. It must be one of the printer
// profile.
func (c *Client) SelectTool(ctx context.Context, tool string) error {
	return c.post(ctx, "/api/printer/tool", map[string]any{"command": "select", "tool": tool}, nil)
}

// SetFeedRate sets how fast everything moves, in percent of what files ask for.
func (c *Client) SetFeedRate(ctx context.Context, percent int) error {
	return c.post(ctx, "/api/printer/printhead", map[string]any{"command": "feedrate", "factor": percent}, nil)
}

// SetFlowRate sets how much is extruded, in percent of what files ask for.
func (c *Client) SetFlowRate(ctx context.Context, percent int) error {
	return c.post(ctx, "/api/printer/tool", map[string]any{"command": "flowrate", "factor": percent}, nil)
}

// SetFan sets the speed of the part cooling fan in percent, which OctoPrint has no
// command for.
func (c *Client) SetFan(ctx context.Context, percent int) error {
	if percent <= 0 {
		return c.Gcode(ctx, "M107")
	}
	return c.Gcode(ctx, fmt.Sprintf("M106 S%d", (min(percent, 100)*255+50)/100))
}

// Message shows a text on the printer's display. What is behind a line break is
// left out: it would be a command of its own.
func (c *Client) Message(ctx context.Context, text string) error {
	line, _, _ := strings.Cut(strings.ReplaceAll(text, "\r", "\n"), "\n")
	return c.Gcode(ctx, "M117 "+line)
}

// Gcode sends lines of G-code to the printer, in order. It fails without a request
// if there is none, or if one has a line break in it, behind which OctoPrint would
// send another command.
func (c *Client) Gcode(ctx context.Context, lines ...string) error {
	const path = "/api/printer/command"
	for _, line := range lines {
		if strings.ContainsAny(line, "\r\n") {
			return &Error{Op: "POST " + path, Failure: Refused, Message: "a line of G-code has a line break"}
		}
	}
	if len(lines) == 0 {
		return &Error{Op: "POST " + path, Failure: Refused, Message: "there is no line of G-code"}
	}
	return c.post(ctx, path, map[string]any{"commands": lines}, nil)
}
