package integration

import (
	"context"
	"encoding/json"
	"time"

	"octoprint2mqtt/octoprint"
)

// farmFile reads which file the farm is to print.
func farmFile(parameters json.RawMessage) (fileParameters, *refusal) {
	var p struct {
		Path string `json:"path"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return fileParameters{}, r
	}
	file := fileParameters{Path: p.Path}
	return file, file.check()
}

// print has the first printer that is ready and has a file print it, in the order
// of the configuration. It doesn't block.
func (f *farm) print(file fileParameters, at time.Time, answer func(*refusal, any)) {
	if !f.bridge.spawn(func(ctx context.Context) { f.place(ctx, file, at, answer) }) {
		answer(refuse(CodeTimeout, "too much is waiting to be done"), nil)
	}
}

// place tries one printer after the other, but goes on only where it is certain
// that the one before has not begun. One print is placed at a time, so that two
// don't meet at the same printer.
func (f *farm) place(ctx context.Context, file fileParameters, at time.Time, answer func(*refusal, any)) {
	select {
	case f.placing <- struct{}{}:
		defer func() { <-f.placing }()
	case <-ctx.Done():
		answer(refuse(CodeUnreachable, "the bridge is stopping"), nil)
		return
	}
	results := make(map[string]printerResult)
	var begun *printer
	verdict := refuse(CodeWrongState, "no printer that is ready has the file %s", quote(file.Path))
	settled := false
	for _, p := range f.bridge.printers() {
		if settled {
			results[p.id] = printerResult{Status: statusSkipped, Error: refuse(CodeWrongState, "it was not asked: another printer came first")}
			continue
		}
		r := p.unready()
		if r == nil {
			r = p.printNow(ctx, file, at)
			settled = r == nil || !harmless(r)
		}
		switch {
		case r == nil:
			results[p.id], verdict, begun = printerResult{Status: statusOK}, nil, p
		case settled:
			results[p.id] = printerResult{Status: statusError, Error: r}
			verdict = refuse(r.Code, "%s: %s", p.id, r.Message)
		default:
			results[p.id] = printerResult{Status: statusSkipped, Error: r}
		}
	}
	answer(verdict, results)
	if begun != nil {
		begun.awaitBusy(ctx)
	}
}

const (
	// busyPause and busyAttempts bound how long a printer that has accepted a print
	// may go on to look ready.
	busyPause    = 100 * time.Millisecond
	busyAttempts = 30
)

// awaitBusy waits until the printer is seen to be no longer ready, so that the next
// print isn't placed at it, too.
func (p *printer) awaitBusy(ctx context.Context) {
	for n := 0; n < busyAttempts && p.unready() == nil && wait(ctx, busyPause); n++ {
	}
}

// harmless reports whether a refusal says for certain that nothing was begun.
func harmless(r *refusal) bool {
	switch r.Code {
	case CodeWrongState, CodeOffline, CodeAccessDenied, CodeNotPermitted, CodeNotArmed, CodeInvalid:
		return true
	}
	return false
}

// printNow has the printer print a file as a request would, and waits for what
// comes of it: the printer's worker answers every command in time.
func (p *printer) printNow(ctx context.Context, file fileParameters, at time.Time) *refusal {
	answered := make(chan *refusal, 1)
	p.forFarm(actionPrint, encodeParameters(file), false, at, func(r *refusal) { answered <- r })
	select {
	case r := <-answered:
		return r
	case <-ctx.Done():
		return refuse(CodeUnreachable, "the bridge is stopping; whether the print has begun is not known")
	}
}

// unready says why the printer can't take a job of the farm now, nil if it can.
func (p *printer) unready() *refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := &p.view
	if ready, _ := v.ready(); ready && p.session {
		return nil
	}
	switch {
	case !p.session || !v.live():
		return refuse(CodeUnreachable, "there is no connection to OctoPrint")
	case v.maintenance:
		return refuse(CodeWrongState, "it is in maintenance")
	case !v.state.Phase.Connected():
		return refuse(CodeOffline, "it is %s", v.state.Phase)
	case v.state.Phase != octoprint.PhaseIdle:
		return refuse(CodeWrongState, "it is %s", v.state.Phase)
	case !v.plateCleared():
		return refuse(CodeWrongState, "its plate has not been cleared")
	case v.state.Problem:
		return refuse(CodeWrongState, "an error is standing")
	}
	return refuse(CodeWrongState, "a heater is not below %v °C, or its temperature isn't known", v.config.ReadyBelow)
}
