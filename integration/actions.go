package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"octoprint2mqtt/octoprint"
)

// The actions of a printer, by their names in the MQTT contract.
const (
	actionPause          = "pause"
	actionResume         = "resume"
	actionCancel         = "cancel"
	actionStart          = "start"
	actionRestart        = "restart"
	actionConnect        = "connect"
	actionDisconnect     = "disconnect"
	actionHome           = "home"
	actionEmergencyStop  = "emergency_stop"
	actionSetTemperature = "set_temperature"
	actionSetOffset      = "set_offset"  // of rows only, it can't be requested
	actionMaintenance    = "maintenance" // likewise, and so on
	actionSetPreset      = "set_preset"
	actionSetMode        = "set_mode"
	actionSetFan         = "set_fan"
	actionSetFeedRate    = "set_feedrate"
	actionSetFlowRate    = "set_flowrate"
	actionPlateClear     = "plate_clear"
	actionArm            = "arm"
	actionJog            = "jog"
	actionExtrude        = "extrude"
	actionTool           = "tool"
	actionFiles          = "files"
	actionSelect         = "select"
	actionPrint          = "print"
	actionGcode          = "gcode"
	actionMessage        = "message"
	actionUpload         = "upload"
	actionDelete         = "delete"
	actionSystem         = "system"
	actionUpdate         = "update"
	actionRefresh        = "refresh"
	actionSetPort        = "port"    // of rows only
	actionSetProfile     = "profile" // likewise
)

// action is one thing that a printer can be asked to do.
type action struct {
	name string
	// about says in a sentence what it does and what it refuses beside what the
	// other fields say, and parameters what it takes, for the documentation. Actions
	// of rows only have parameters that nobody else sees.
	about      string
	parameters []parameter
	// access is the level that it needs; empty: control.
	access Access
	// permissions are OctoPrint's that it needs.
	permissions []string
	// runsIn are the phases that it may run in.
	runsIn []octoprint.Phase
	// distinct refuses the same command again for that long.
	distinct time.Duration
	// rowOnly actions are reached by a row's commands, not by requests.
	rowOnly bool
	// prepare checks parameters against what is known of the printer and returns
	// the call to make. It must not block.
	prepare func(parameters json.RawMessage, v *printerView) (call, *refusal)
}

// call is a checked command, ready to be sent.
type call struct {
	send func(context.Context, *octoprint.Client) (data any, err error)
	// urgent calls make the printer safer: they are always tried, whatever is
	// known of it, at once and without a time limit on how long they waited.
	urgent bool
	// heaters are those that the call is about, if it is about some.
	heaters []string
	// since is when what the call is about came to be: a command that was sent
	// before can't have meant it.
	since time.Time
	// after takes in that the call was made, and whether OctoPrint has accepted it:
	// of what OctoPrint doesn't report that is all there is to know. nil: nothing.
	after func(v *printerView, ok bool)
	// own calls concern the bridge alone: they are carried out at once, whether
	// OctoPrint is there or not unless their action has phases to run in, with the
	// printer locked. They have no send.
	own func(v *printerView)
	// renew calls have the bridge read and tell anew what it knows of the printer. They
	// wait their turn like those that are sent, and don't block. They have no send.
	renew func(p *printer)
	// asks is the name of the inquiry that tells what came of the call, where
	// nothing else does.
	asks string
	// pictures calls are for new ones of the printer's cameras, and don't queue. They
	// have no send.
	pictures bool
}

var jobPhases = []octoprint.Phase{octoprint.PhasePrinting, octoprint.PhaseStarting, octoprint.PhaseResuming}

// connectedPhases are those in which OctoPrint has a connection to the printer.
func connectedPhases() []octoprint.Phase {
	return slices.DeleteFunc(octoprint.Phases(), func(p octoprint.Phase) bool { return !p.Connected() })
}

// jobless are the phases in which no job runs.
func jobless() []octoprint.Phase { return slices.DeleteFunc(octoprint.Phases(), octoprint.Phase.Job) }

func printerActions() []action {
	return slices.Concat(basicActions(), heatActions(), motionActions(), fileActions(), connectionActions(), fullActions(), serverActions(), pluginActions())
}

// actionNamed returns the action of a name, if there is one.
func actionNamed(name string) (action, bool) { return actionAmong(printerActions(), name) }

func actionAmong(actions []action, name string) (action, bool) {
	i := slices.IndexFunc(actions, func(a action) bool { return a.name == name })
	if i < 0 {
		return action{}, false
	}
	return actions[i], true
}

// level is the level of access that the action needs.
func (a *action) level() Access { return cmp.Or(a.access, AccessControl) }

// allows refuses where the configuration or OctoPrint's permissions don't allow
// the action. What OctoPrint permits is asked only where it is known.
func (a *action) allows(v *printerView) *refusal {
	if !v.config.Access.includes(a.level()) {
		return refuse(CodeAccessDenied, "access: %s in the configuration does not allow this for this printer", v.config.Access)
	}
	for _, permission := range a.permissions {
		if v.info.User != "" && !v.info.May(permission) {
			return refuse(CodeNotPermitted, "the OctoPrint user %s lacks the permission %s", quote(v.info.User), permission)
		}
	}
	return nil
}

// includes reports whether a level covers another.
func (a Access) includes(b Access) bool {
	levels := []Access{AccessRead, AccessControl, AccessFull} // none at all is as good as read
	return max(slices.Index(levels, a), 0) >= max(slices.Index(levels, b), 0)
}

// fits refuses where the printer's phase doesn't allow the action.
func (a *action) fits(v *printerView) *refusal {
	phase := v.state.Phase
	switch {
	case slices.Contains(a.runsIn, phase):
		return nil
	case !phase.Connected() && !slices.Contains(a.runsIn, octoprint.PhaseOffline):
		return refuse(CodeOffline, "OctoPrint has no connection to the printer: it is %s", phase)
	}
	return refuse(CodeWrongState, "%s is not possible while the printer is %s", a.name, phase)
}

// plain prepares an action that takes no parameters.
func plain(send func(*octoprint.Client, context.Context) error) func(json.RawMessage, *printerView) (call, *refusal) {
	return func(parameters json.RawMessage, _ *printerView) (call, *refusal) {
		if r := decodeParameters(parameters, &struct{}{}); r != nil {
			return call{}, r
		}
		return sending(func(ctx context.Context, c *octoprint.Client) error { return send(c, ctx) }), nil
	}
}

// sending makes a call of a command that tells nothing.
func sending(send func(context.Context, *octoprint.Client) error) call {
	return call{send: func(ctx context.Context, c *octoprint.Client) (any, error) { return nil, send(ctx, c) }}
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 })
}
