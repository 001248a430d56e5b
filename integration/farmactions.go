package integration

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
)

// actionEmergencyStopAll is the farm's action that must be able to say that a
// printer was not stopped.
const actionEmergencyStopAll = "emergency_stop_all"

// farmAction is one thing that the farm can be asked to do.
type farmAction struct {
	name string
	// about and parameters are for the documentation, as those of a printer's action.
	about      string
	parameters []parameter
	// part is the printers' own action, of those that all of them carry out.
	part string
	// armed actions need arming.
	armed bool
	// distinct refuses the same again for that long.
	distinct time.Duration
	// requestOnly actions have no row.
	requestOnly bool
}

func farmActions() []farmAction {
	return []farmAction{
		{name: "pause_all", about: "Pauses every job that is running: `data` says of each printer whether that was `ok`, an `error`, or `skipped` where there was nothing to do.", part: actionPause},
		{name: "resume_all", about: "Resumes every job that is paused; `data` as above.", part: actionResume},
		{name: "cancel_all", about: "Cancels every job; needs arming; `data` as above.", part: actionCancel, armed: true},
		{
			name: actionEmergencyStopAll, about: "Stops every printer at once; needs arming; `data` as above, but that a printer can't be reached is an `error`.",
			part: actionEmergencyStop, armed: true,
		},
		{name: actionArm, about: "Allows one of `cancel_all` and `emergency_stop_all` within the next 10 s; it stands for the printers' own arming, too."},
		{
			name: actionPrint,
			about: "Has the first printer print a local file, in the order of the configuration, that is `ready` and has it: `data` says why the ones before it were skipped; " +
				"where it isn't certain whether a printer has begun, no other is asked.",
			parameters: []parameter{needs("path", lineSchema(maxPath), "The file's path, such as `parts/bracket.gcode`.")},
			distinct:   time.Second, requestOnly: true,
		},
	}
}

func farmActionOf(name string) (a farmAction, ok bool) {
	list := farmActions()
	i := slices.IndexFunc(list, func(a farmAction) bool { return a.name == name })
	if i < 0 {
		return farmAction{}, false
	}
	return list[i], true
}

// set takes a command for one of the farm's rows.
func (f *farm) set(key, payload string, at time.Time, answer func(*refusal)) {
	if a, ok := farmActionOf(key); !ok || a.requestOnly {
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
	a, ok := farmActionOf(name)
	if !ok {
		answer(refuse(CodeNoAction, "the farm has no action %s", quote(name)), nil)
		return
	}
	var file fileParameters
	r := decodeParameters(q.parameters, &struct{}{})
	if a.name == actionPrint {
		file, r = farmFile(q.parameters)
	}
	if r == nil {
		r = f.admit(a, q, at)
	}
	switch {
	case r != nil, a.name == actionArm:
		answer(r, nil)
	case a.name == actionPrint:
		f.print(file, at, answer)
	default:
		f.bridge.each(a, at, func(results map[string]printerResult) { answer(worst(results), results) })
	}
}

// admit refuses what isn't allowed now. It carries arming out.
func (f *farm) admit(a farmAction, q request, at time.Time) *refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.control {
		return refuse(CodeAccessDenied, "the configuration allows commands to none of the printers")
	}
	if a.armed {
		if r := f.arming.check(a.name, at); r != nil {
			return r
		}
	}
	c := &command{action: action{name: a.name, distinct: a.distinct}, parameters: q.parameters, at: at}
	if r := f.recent.admit(c, q.transaction); r != nil {
		return r
	}
	if a.name == actionArm {
		return f.arming.arm(at)
	}
	f.arming.used = f.arming.used || a.armed
	return nil
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
func (b *Bridge) each(a farmAction, at time.Time, done func(map[string]printerResult)) {
	var mu sync.Mutex
	printers := b.printers()
	results := make(map[string]printerResult, len(printers))
	left := len(printers)
	for _, p := range printers {
		p.forFarm(a.part, json.RawMessage("{}"), a.armed, at, func(r *refusal) {
			result := resultOf(r)
			if a.name == actionEmergencyStopAll && r != nil && r.Code == CodeUnreachable && !p.disabled() {
				result.Status = statusError // who knows what it is doing
			}
			mu.Lock()
			results[p.id] = result
			left--
			last := left == 0
			mu.Unlock()
			if last {
				done(results)
			}
		})
	}
}

// forFarm takes the farm's request for one of the printer's actions, which the
// farm may have armed already.
func (p *printer) forFarm(name string, parameters json.RawMessage, armed bool, at time.Time, answer func(*refusal)) {
	if a, ok := actionNamed(name); ok {
		p.accept(&command{action: a, parameters: parameters, at: at, armed: armed, answer: func(r *refusal, _ any) { answer(r) }}, nil)
	}
}
