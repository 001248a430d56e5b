package integration

import (
	"context"
	"sync"
)

// hire lets the printer's commands be carried out, one at a time and in order, until
// dismiss, which ends the one that is under way. What waits then stays in the queue.
//
// The goroutine for that is there only while there is something to do: nearly all
// printers get no command for hours.
func (p *printer) hire(ctx context.Context) (dismiss func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	p.mu.Lock()
	defer p.mu.Unlock()
	p.engage = func() { running.Go(func() { p.work(ctx) }) }
	p.engageLocked()
	return func() {
		p.mu.Lock()
		p.engage = nil
		p.mu.Unlock()
		cancel()
		running.Wait()
	}
}

// engageLocked starts the worker if it has something to do and doesn't do it yet.
func (p *printer) engageLocked() {
	if len(p.queue) > 0 && !p.working && p.engage != nil {
		p.working = true
		p.engage()
	}
}

func (p *printer) enqueueLocked(c *command) *refusal {
	if len(p.queue) >= queueLength {
		return refuse(CodeTimeout, "too many commands are waiting for this printer")
	}
	p.queue = append(p.queue, c)
	p.engageLocked()
	return nil
}

// work carries out what is in the queue.
func (p *printer) work(ctx context.Context) {
	for c := p.nextCommand(ctx); c != nil; c = p.nextCommand(ctx) {
		p.carryOut(ctx, c)
	}
}

// nextCommand returns nil if the worker is to end.
func (p *printer) nextCommand(ctx context.Context) *command {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.working = len(p.queue) > 0 && ctx.Err() == nil; !p.working {
		return nil
	}
	c := p.queue[0]
	p.queue = rest(p.queue)
	return c
}
