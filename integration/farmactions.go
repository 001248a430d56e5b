package integration

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
)

// farmActions are actions of all printers at once, by the printers' own action
// that each stands for.
func farmActions() map[string]string {
	return map[string]string{"pause_all": actionPause, "resume_all": actionResume}
}

// set takes a command for one of the farm's rows.
func (f *farm) set(key, payload string, at time.Time, answer func(*refusal)) {
	if _, ok := farmActions()[key]; !ok {
		answer(refuse(CodeNoAction, "the farm has no row %s that takes commands", quote(key)))
		return
	}
	parameters, r := pressed(payload)
	if r != nil {
		answer(r)
		return
	}
	f.requested(key, request{parameters: parameters}, at, func(r *refusal, _ any) { answer(r) })
}

// requested takes a request for one of the farm's actions.
func (f *farm) requested(name string, q request, at time.Time, answer func(*refusal, any)) {
	part, ok := farmActions()[name]
	if !ok {
		answer(refuse(CodeNoAction, "the farm has no action %s", quote(name)), nil)
		return
	}
	if r := decodeParameters(q.parameters, &struct{}{}); r != nil {
		answer(r, nil)
		return
	}
	if r := f.admit(&command{at: at}, q.transaction); r != nil {
		answer(r, nil)
		return
	}
	f.bridge.each(part, at, func(results map[string]printerResult) { answer(worst(results), results) })
}

func (f *farm) admit(c *command, transaction json.RawMessage) *refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.control {
		return refuse(CodeAccessDenied, "the configuration allows commands to none of the printers")
	}
	return f.recent.admit(c, transaction)
}

// printerResult is what a farm action did to one printer.
type printerResult struct {
	Status string   `json:"status"` // ok, error, or skipped where it had nothing to do
	Error  *refusal `json:"error"`
}

const statusSkipped = "skipped"

// resultOf tells a printer that has nothing to pause from one that failed to.
func resultOf(r *refusal) printerResult {
	switch {
	case r == nil:
		return printerResult{Status: statusOK}
	case r.Code == CodeWrongState, r.Code == CodeOffline, r.Code == CodeUnreachable, r.Code == CodeAccessDenied:
		return printerResult{Status: statusSkipped, Error: r}
	}
	return printerResult{Status: statusError, Error: r}
}

// worst returns the refusal of a farm action: there is one if a printer that
// should have acted did not.
func worst(results map[string]printerResult) *refusal {
	for _, id := range slices.Sorted(maps.Keys(results)) {
		if r := results[id]; r.Status == statusError {
			return refuse(r.Error.Code, "%s: %s", id, r.Error.Message)
		}
	}
	return nil
}

// each has every printer carry out an action and tells what came of it once all
// are through. It doesn't block.
func (b *Bridge) each(name string, at time.Time, done func(map[string]printerResult)) {
	var mu sync.Mutex
	printers := b.printers()
	results := make(map[string]printerResult, len(printers))
	left := len(printers)
	for _, p := range printers {
		p.requested(name, request{parameters: json.RawMessage("{}")}, at, func(r *refusal, _ any) {
			mu.Lock()
			results[p.id] = resultOf(r)
			left--
			last := left == 0
			mu.Unlock()
			if last {
				done(results)
			}
		})
	}
}
