package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

// basicActions are about jobs, the connection and heaters, and of the bridge's own.
func basicActions() []action {
	return slices.Concat(jobActions(), connectActions(), temperatureActions(), ownActions())
}

// jobActions start, hold and end jobs.
func jobActions() []action {
	job := []string{octoprint.PermissionPrint}
	cancellable := append([]octoprint.Phase{octoprint.PhasePausing, octoprint.PhasePaused}, jobPhases...)
	paused := []octoprint.Phase{octoprint.PhasePaused}
	return []action{
		{
			name: actionPause, about: "Pauses the job.",
			permissions: job, runsIn: jobPhases, prepare: plain((*octoprint.Client).Pause),
		},
		{
			name: actionResume, about: "Resumes the paused job.",
			permissions: job, runsIn: paused, prepare: plain((*octoprint.Client).Resume),
		},
		{
			name: actionCancel, about: "Cancels the job, for good.",
			permissions: job, runsIn: cancellable, prepare: plain((*octoprint.Client).Cancel),
		},
		{
			name: actionStart, about: "Prints the selected file; refused without one, and before the plate is cleared where `plate_check` is on.",
			permissions: job, runsIn: []octoprint.Phase{octoprint.PhaseIdle}, distinct: time.Second, prepare: prepareStart,
		},
		{
			name: actionRestart, about: "Prints the file of the paused job from its beginning.",
			permissions: job, runsIn: paused, prepare: plain((*octoprint.Client).Restart),
		},
	}
}

// connectActions open and close OctoPrint's connection to the printer.
func connectActions() []action {
	connection := []string{octoprint.PermissionConnection}
	return []action{
		{
			name: actionConnect, about: "Has OctoPrint connect to the printer; what is left out is as it was chosen by the rows `port` and `profile`, else as OctoPrint prefers it.",
			parameters: []parameter{
				takes("port", textSchema(), "The serial port, such as `/dev/ttyUSB0`, or `AUTO`; refused where OctoPrint connects otherwise."),
				takes("baudrate", wholeSchema(slowest, quickest), "The speed of the serial port in baud."),
				takes("profile", textSchema(), "The id of the printer profile."),
			},
			permissions: connection, runsIn: []octoprint.Phase{octoprint.PhaseOffline, octoprint.PhaseError}, prepare: prepareConnect,
		},
		{
			name: actionDisconnect, about: "Has OctoPrint end its connection to the printer.",
			permissions: connection, runsIn: []octoprint.Phase{octoprint.PhaseIdle}, prepare: plain((*octoprint.Client).Disconnect),
		},
	}
}

// temperatureActions set single heaters.
func temperatureActions() []action {
	control := []string{octoprint.PermissionControl}
	return []action{
		{
			name: actionSetTemperature, about: "Sets the target of a heater; a target of 0 is always tried, at once.",
			parameters: []parameter{
				needs("heater", textSchema(), "One of the printer's heaters: `tool0`, `tool1` …, `bed` or `chamber`."),
				needs("target", numberSchema(), "In °C, from 0, which is off, to the configured limit."),
			},
			permissions: control, runsIn: connectedPhases(), prepare: prepareTarget,
		},
		{
			name: actionSetOffset, about: "Sets what OctoPrint adds to the targets of a heater that come from G-code.",
			permissions: control, runsIn: connectedPhases(), rowOnly: true, prepare: prepareOffset,
		},
	}
}

// ownActions are of the bridge's own making, and those that are always tried.
func ownActions() []action {
	return []action{
		{
			name: actionEmergencyStop, about: "Stops the printer at once (M112); always tried, before everything that waits.",
			permissions: []string{octoprint.PermissionControl}, prepare: prepareEmergencyStop,
		},
		{
			name: actionArm, about: "Allows one command that the configuration lists under `arm`, within the next 10 s; refused as `duplicate` within these.",
			prepare: prepareArm,
		},
		{
			name: actionMaintenance, about: "Takes the printer out of the farm's work, or back.",
			rowOnly: true, prepare: prepareMaintenance,
		},
		{
			name: actionPlateClear, about: "Says that the plate is empty; refused while a job runs.",
			rowOnly: true, prepare: preparePlateClear,
		},
		snapshotAction(),
	}
}

func prepareEmergencyStop(parameters json.RawMessage, v *printerView) (call, *refusal) {
	c, r := plain((*octoprint.Client).EmergencyStop)(parameters, v)
	c.urgent = true
	return c, r
}

// prepareStart wants a selected file: without one OctoPrint accepts the command
// and does nothing.
func prepareStart(parameters json.RawMessage, v *printerView) (call, *refusal) {
	c, r := plain((*octoprint.Client).Start)(parameters, v)
	if r == nil && v.state.Phase == octoprint.PhaseIdle && v.state.Job.Path == "" {
		r = refuse(CodeWrongState, "no file is selected")
	}
	return c, cmp.Or(r, v.printable())
}

func prepareTarget(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p heatParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if r := p.check(v); r != nil {
		return call{}, r
	}
	if r := inRange(*p.Target, 0, v.config.limit(p.Heater)); r != nil {
		return call{}, r
	}
	ready := sending(func(ctx context.Context, c *octoprint.Client) error { return c.SetTarget(ctx, p.Heater, *p.Target) })
	ready.urgent, ready.heaters = *p.Target == 0, []string{p.Heater}
	return ready, nil
}

func prepareOffset(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p heatParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if r := p.check(v); r != nil {
		return call{}, r
	}
	if r := inRange(*p.Target, -50, 50); r != nil {
		return call{}, r
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error { return c.SetOffset(ctx, p.Heater, *p.Target) }), nil
}

// maintenanceParameters are what the maintenance switch is set to.
type maintenanceParameters struct {
	On bool `json:"on"`
}

func prepareMaintenance(parameters json.RawMessage, _ *printerView) (call, *refusal) {
	var p maintenanceParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	return call{own: func(v *printerView) { v.maintenance = p.On }}, nil
}
