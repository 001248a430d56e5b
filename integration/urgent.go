package integration

import (
	"context"
	"slices"
)

const (
	// maxUrgent is how many urgent commands of one kind and printer run side by
	// side: a server that hangs must not keep the next attempt from being made.
	maxUrgent = 8
	// maxUrgentWaiting is how many more may wait.
	maxUrgentWaiting = 64
)

// urgent keeps track of a printer's commands that don't queue. It is guarded by
// the printer's mutex.
type urgent struct {
	running map[string]int         // by action
	waiting map[string][]urgentRun // by action
	// overtaken are the numbers of the last stop and of the last switching off of
	// each heater. What came before and still waits must not undo them.
	stopped uint64
	off     map[string]uint64 // by heater
}

type urgentRun struct {
	command *command
	call    call
}

// overtook reports whether an urgent command that came later makes a queued one
// wrong.
func (u *urgent) overtook(c *command, ready call) bool {
	return c.number < u.stopped || slices.ContainsFunc(ready.heaters, func(h string) bool { return c.number < u.off[h] })
}

// note remembers what an urgent command overtakes.
func (u *urgent) note(c *command, ready call) {
	if len(ready.heaters) == 0 {
		u.stopped = c.number
		return
	}
	if u.off == nil {
		u.off = make(map[string]uint64)
	}
	for _, h := range ready.heaters {
		u.off[h] = c.number
	}
}

// hurry runs an urgent command at once, whatever waits and whatever hangs. It
// doesn't block.
func (p *printer) hurry(c *command, ready call) {
	p.mu.Lock()
	u, name := &p.urgent, c.action.name
	u.note(c, ready)
	if u.running == nil {
		u.running, u.waiting = make(map[string]int), make(map[string][]urgentRun)
	}
	start, full := u.running[name] < maxUrgent, len(u.waiting[name]) >= maxUrgentWaiting
	switch {
	case start:
		u.running[name]++
	case !full:
		u.waiting[name] = append(u.waiting[name], urgentRun{c, ready})
	}
	p.mu.Unlock()
	switch {
	case start && !p.bridge.spawn(func(ctx context.Context) { p.runUrgent(ctx, urgentRun{c, ready}) }):
		p.mu.Lock()
		u.running[name]--
		p.mu.Unlock()
		c.answer(refuse(CodeTimeout, "too many urgent commands are running"), nil)
	case !start && full:
		c.answer(refuse(CodeTimeout, "too many urgent commands are waiting for this printer"), nil)
	}
}

// runUrgent runs an urgent command, and then those that waited for its place.
func (p *printer) runUrgent(ctx context.Context, run urgentRun) {
	name := run.command.action.name
	for more := true; more && ctx.Err() == nil; {
		p.send(ctx, run.command, run.call)
		p.mu.Lock()
		waiting := p.urgent.waiting[name]
		if more = len(waiting) > 0; more {
			run, p.urgent.waiting[name] = waiting[0], waiting[1:]
		} else {
			p.urgent.running[name]--
		}
		p.mu.Unlock()
	}
}
