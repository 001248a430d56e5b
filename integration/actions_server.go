package integration

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

// serverActions concern OctoPrint itself, not the printer.
func serverActions() []action {
	return []action{
		{
			name: actionSystem, about: "Runs an entry of OctoPrint's system menu; refused if there is none of that name.",
			parameters: []parameter{
				needs("source", textSchema(), "Whose entry it is: `core`, `custom` or `plugin`."),
				needs("action", textSchema(), "Its name, such as `restart`."),
			},
			access: AccessFull, permissions: []string{octoprint.PermissionSystem}, runsIn: jobless(), prepare: prepareSystem,
		},
		{
			name: actionUpdate, about: "Updates OctoPrint itself, which then restarts; refused if there is nothing newer.",
			access: AccessFull, permissions: []string{octoprint.PermissionUpdate}, runsIn: jobless(), prepare: prepareUpdate,
		},
		{
			name: actionRefresh, about: "Asks OctoPrint anew for everything that it doesn't push, and announces the printer again if somebody has deleted it in Home Assistant.",
			access: AccessRead, runsIn: octoprint.Phases(), prepare: prepareRefresh,
		},
	}
}

// systemParameters name an entry of OctoPrint's system menu.
type systemParameters struct {
	Source string `json:"source"`
	Action string `json:"action"`
}

// prepareSystem runs an entry of OctoPrint's system menu, if there is one of that
// name.
func prepareSystem(parameters json.RawMessage, _ *printerView) (call, *refusal) {
	var p systemParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if p.Source == "" || p.Action == "" {
		return call{}, refuse(CodeInvalid, "system needs source and action, such as {\"source\": \"core\", \"action\": \"restart\"}")
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error {
		list, err := c.SystemCommands(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(s octoprint.SystemCommand) bool { return s.Source == p.Source && s.Action == p.Action }) {
			return refuse(CodeInvalid, "OctoPrint's system menu has no %s of %s", quote(p.Action), quote(p.Source))
		}
		return c.RunSystemCommand(ctx, p.Source, p.Action)
	}), nil
}

// prepareRefresh reads everything anew that is asked of OctoPrint by REST, and
// announces the printer again that somebody has deleted in Home Assistant.
func prepareRefresh(parameters json.RawMessage, _ *printerView) (call, *refusal) {
	if r := decodeParameters(parameters, &struct{}{}); r != nil {
		return call{}, r
	}
	return call{renew: (*printer).renew}, nil
}

func (p *printer) renew() {
	p.octoPrint().Recheck() // not with the printer locked: the session's lock comes first
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.announced.reviveLocked()
	p.planAllLocked(now)
	p.askDueLocked(now)
}
