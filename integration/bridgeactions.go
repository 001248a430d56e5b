package integration

import (
	"slices"
	"strings"
	"time"

	"octoprint2mqtt/discovery"
)

// The actions of the bridge that have a row too.
const (
	actionLogLevel      = "log_level"
	actionBridgeRestart = "restart"
)

// bridgeAction is one thing that the bridge itself can be asked for.
type bridgeAction struct {
	name  string
	admin bool // changes the bridge: only where the configuration allows that
	// run checks the parameters, carries the action out and answers once. It must
	// not block.
	run func(b *Bridge, q request, answer func(*refusal, any))
}

func bridgeActions() []bridgeAction {
	return []bridgeAction{
		{name: "info", run: telling(func(b *Bridge) any { return b.info() })},
		{name: "health", run: telling(func(b *Bridge) any { return b.healthNow(time.Now()) })},
		{name: "reload", admin: true, run: supervised(change{})},
		{name: actionBridgeRestart, admin: true, run: supervised(change{restart: true})},
		{name: actionLogLevel, admin: true, run: (*Bridge).setLogLevel},
		{name: "purge", admin: true, run: (*Bridge).purgeRequested},
		{name: "printer_add", admin: true, run: managing(EditAdd, newPrinterParameters)},
		{name: "printer_enroll", admin: true, run: (*Bridge).enrolRequested},
		{name: "printer_remove", admin: true, run: managing(EditRemove, printerOnly)},
		{name: "printer_rename", admin: true, run: managing(EditRename, renameParameters)},
		{name: "printer_enable", admin: true, run: managing(EditEnable, printerOnly)},
		{name: "printer_disable", admin: true, run: managing(EditDisable, printerOnly)},
	}
}

// requested takes a request for one of the bridge's own actions.
func (b *Bridge) requested(name string, q request, at time.Time, answer func(*refusal, any)) {
	actions := bridgeActions()
	i := slices.IndexFunc(actions, func(a bridgeAction) bool { return a.name == name })
	if i < 0 {
		answer(refuse(CodeNoAction, "the bridge has no action %s", quote(name)), nil)
		return
	}
	if r := b.admit(actions[i], q, at); r != nil {
		answer(r, nil)
		return
	}
	actions[i].run(b, q, answer)
}

// admit refuses what isn't allowed, and a change that came a moment ago. Asking
// twice does no harm, so that a question may share a transaction with others.
func (b *Bridge) admit(a bridgeAction, q request, at time.Time) *refusal {
	if !a.admin {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.admin {
		return refuse(CodeAccessDenied, "the configuration does not allow %s over MQTT; mqtt.admin: true does", a.name)
	}
	return b.recent.admit(&command{at: at}, q.transaction)
}

// set takes a command for one of the bridge's rows.
func (b *Bridge) set(key, payload string, at time.Time, answer func(*refusal)) {
	for _, r := range bridgeRows(true) {
		if r.key != key || r.action == "" {
			continue
		}
		parameters, refused := r.parameters(payload)
		if refused != nil {
			answer(refused)
			return
		}
		b.requested(r.action, request{parameters: parameters}, at, func(r *refusal, _ any) { answer(r) })
		return
	}
	answer(refuse(CodeNoAction, "the bridge has no row %s that takes commands", quote(key)))
}

// telling is an action that changes nothing.
func telling(data func(*Bridge) any) func(*Bridge, request, func(*refusal, any)) {
	return func(b *Bridge, q request, answer func(*refusal, any)) {
		if r := decodeParameters(q.parameters, &struct{}{}); r != nil {
			answer(r, nil)
			return
		}
		answer(nil, data(b))
	}
}

// change is something that only the supervisor does.
type change struct {
	restart bool  // else read the configuration anew
	edit    *Edit // to be made before that; nil: none
	answer  func(*refusal, any)
}

func supervised(c change) func(*Bridge, request, func(*refusal, any)) {
	return func(b *Bridge, q request, answer func(*refusal, any)) {
		if r := decodeParameters(q.parameters, &struct{}{}); r != nil {
			answer(r, nil)
			return
		}
		asked := c
		asked.answer = answer
		b.submit(asked)
	}
}

type levelParameters struct {
	Level string `json:"level"`
}

func (b *Bridge) setLogLevel(q request, answer func(*refusal, any)) {
	var p levelParameters
	if r := decodeParameters(q.parameters, &p); r != nil {
		answer(r, nil)
		return
	}
	switch {
	case !slices.Contains(LogLevels(), p.Level):
		answer(refuse(CodeInvalid, "%s is no log level; there are %s", quote(p.Level), strings.Join(LogLevels(), ", ")), nil)
		return
	case b.config.Host.SetLogLevel == nil:
		answer(refuse(CodeInvalid, "this program's log has no level that can be changed"), nil)
		return
	}
	b.config.Host.SetLogLevel(p.Level)
	b.mu.Lock()
	b.device.observe(b, time.Now())
	b.mu.Unlock()
	answer(nil, nil)
}

// logLevel is how much is logged now, empty if nobody knows.
func (b *Bridge) logLevel() string {
	if b.config.Host.LogLevel == nil {
		return ""
	}
	return b.config.Host.LogLevel()
}

func (b *Bridge) purgeRequested(q request, answer func(*refusal, any)) {
	var p struct {
		ID string `json:"id"`
	}
	if r := decodeParameters(q.parameters, &p); r != nil {
		answer(r, nil)
		return
	}
	if p.ID != "" && b.announcement(p.ID) == nil && discovery.ValidID(p.ID) != nil {
		answer(refuse(CodeNoPrinter, "no printer can have the id %s", quote(p.ID)), nil)
		return
	}
	b.purge(p.ID)
	answer(nil, nil)
}
