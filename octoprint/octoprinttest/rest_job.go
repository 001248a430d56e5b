package octoprinttest

import (
	"encoding/json"
	"errors"
)

func (c *call) job() response {
	p := c.s.printer
	o := object{"job": p.jobFrame(), "progress": p.progressFrame(), "state": p.state.text(p.release, p.cause)}
	switch {
	case p.release.isTwo():
		o["error"] = nil
		delete(o["job"].(object), "plate")
	case p.release.hasStateError() && p.cause != "":
		o["error"] = p.cause
	}
	if c.new() {
		return ok(compact(o))
	}
	return ok(o)
}

// compact leaves out what is null, at any depth, as 2.0 does.
func compact(o object) object {
	var plain object
	_ = json.Unmarshal(encode(o), &plain)
	return withoutNulls(plain)
}

func withoutNulls(o object) object {
	for k, v := range o {
		if v == nil {
			delete(o, k)
		}
		if inner, ok := v.(object); ok {
			withoutNulls(inner)
		}
	}
	return o
}

func (c *call) postJob() response {
	p := c.s.printer
	if !p.state.isOperational() {
		return c.conflict(offlineText)
	}
	if !c.may("PRINT") {
		return c.forbidden()
	}
	name, problem := c.command(map[string][]string{"start": nil, "restart": nil, "pause": nil, "cancel": nil})
	if problem != nil {
		return *problem
	}
	switch name {
	case "start":
		if p.state.hasJob() {
			return c.conflict("Printer already has an active print job, did you mean 'restart'?")
		}
		_ = p.start(c.user.Name) // without a file nothing happens, and nobody is told
	case "restart":
		if p.state != paused {
			return c.conflict("Printer does not have an active print job or is not paused")
		}
		if !p.state.countsAsPrinting(p.release) { // where it does, a restart is accepted and forgotten
			_ = p.start(c.user.Name)
		}
	case "pause":
		return c.pause()
	case "cancel":
		if !p.state.hasJob() {
			return c.conflict("Printer is neither printing nor paused, 'cancel' command cannot be performed")
		}
		_ = p.cancel(c.user.Name)
	}
	return done()
}

// pause pauses, resumes or toggles; what already is so is fine.
func (c *call) pause() response {
	p := c.s.printer
	if !p.state.hasJob() {
		return c.conflict("Printer is neither printing nor paused, 'pause' command cannot be performed")
	}
	action, given := word(c.input["action"])
	if !given {
		action = "toggle"
	}
	var err error
	switch action {
	case "pause":
		err = p.pause(c.user.Name)
	case "resume":
		err = p.resume(c.user.Name)
	case "toggle":
		if p.state.countsAsPrinting(p.release) { // since 2.0 a toggle therefore never resumes
			err = p.pause(c.user.Name)
		} else {
			err = p.resume(c.user.Name)
		}
	default:
		return c.bad("Unknown action")
	}
	if err != nil && !errors.Is(err, ErrState) {
		return c.crash()
	}
	return done()
}
