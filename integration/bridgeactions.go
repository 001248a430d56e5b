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
	name string
	// about and parameters are for the documentation, as those of a printer's action.
	about      string
	parameters []parameter
	admin      bool // changes the bridge: only where the configuration allows that
	// run checks the parameters, carries the action out and answers once. It must
	// not block.
	run func(b *Bridge, q request, answer func(*refusal, any))
}

func bridgeActions() []bridgeAction { return append(processActions(), managingActions()...) }

// processActions are about the bridge as a whole.
func processActions() []bridgeAction {
	return []bridgeAction{
		{
			name: "info", about: "Tells what `bridge/info` does, in `data`.",
			run: telling(func(b *Bridge) any { return b.info() }),
		},
		{
			name: "health", about: "Tells what `bridge/health` does, of this moment, in `data`.",
			run: telling(func(b *Bridge) any { return b.healthNow(time.Now()) }),
		},
		{
			name: "reload",
			about: "Reads the configuration again: `data` says which printers were `added`, `removed` and `changed`, and whether the bridge will `restart` for it; " +
				"it is `invalid`, with what is wrong, if it can't be used, and then nothing has changed.",
			admin: true, run: supervised(change{}),
		},
		{
			name: actionBridgeRestart, about: "Ends the bridge and starts it again with the configuration as it is.",
			admin: true, run: supervised(change{restart: true}),
		},
		{
			name: actionLogLevel, about: "Sets how much is logged, until the program ends or the configuration says otherwise.",
			parameters: []parameter{needs("level", choiceSchema(LogLevels()...), "The level.")},
			admin:      true, run: (*Bridge).setLogLevel,
		},
		{
			name:       "purge",
			about:      "Removes everything that was ever retained, also what earlier runs have left, and a moment later publishes what there is today afresh.",
			parameters: []parameter{takes("id", textSchema(), "Of a printer, `farm` or `bridge`, to remove only what is of that; all if left out.")},
			admin:      true, run: (*Bridge).purgeRequested,
		},
	}
}

// managingActions change the printers of the configuration.
func managingActions() []bridgeAction {
	which := []parameter{needs("id", textSchema(), "The printer's id.")}
	return []bridgeAction{
		{
			name: "printer_add", about: "Writes a printer into the configuration, disabled until it has a key; `data` is that of `reload`.",
			parameters: []parameter{
				needs("url", textSchema(), "Where its OctoPrint is, as a browser shows it."),
				needs("id", textSchema(), "The id, which is permanent."),
				takes("name", textSchema(), "What people call it."),
			},
			admin: true, run: managing(EditAdd, newPrinterParameters),
		},
		{
			name: "printer_enroll",
			about: "Asks the printer's OctoPrint for an application key, which goes into `secrets.yaml`, enables the printer and never travels over MQTT: " +
				"`data` has the `page` to open and the name of the `app` to allow there, and `bridge/event` tells how it goes on (`enroll`).",
			parameters: which, admin: true, run: (*Bridge).enrolRequested,
		},
		{
			name: "printer_remove", about: "Takes the printer out of the configuration and everything of it off the broker; its key stays in `secrets.yaml` and in OctoPrint; `data` is that of `reload`.",
			parameters: which, admin: true, run: managing(EditRemove, printerOnly),
		},
		{
			name: "printer_rename", about: "Gives the printer another name for people; `data` is that of `reload`.",
			parameters: append(which, needs("name", lineSchema(maxText), "The name.")), admin: true, run: managing(EditRename, renameParameters),
		},
		{
			name: "printer_enable", about: "Has the printer contacted; refused without a key; `data` is that of `reload`.",
			parameters: which, admin: true, run: managing(EditEnable, printerOnly),
		},
		{
			name: "printer_disable", about: "Has the printer not contacted any more; `data` is that of `reload`.",
			parameters: which, admin: true, run: managing(EditDisable, printerOnly),
		},
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
