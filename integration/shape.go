package integration

import (
	"octoprint2mqtt/discovery"
)

// printerRows is the table of a printer: all rows that its shape gives, before
// it is asked which of them are allowed. It is a pure function of what is known.
func printerRows(v *printerView) []printerRow {
	var rows []printerRow
	rows = append(rows, stateRows()...)
	rows = append(rows, jobRows()...)
	rows = append(rows, heatRows(v.config, v.heaters())...)
	rows = append(rows, sentRows(v)...)
	rows = append(rows, controlRows()...)
	rows = append(rows, fileChoiceRows()...)
	rows = append(rows, connectionRows(v)...)
	rows = append(rows, fullRows()...)
	rows = append(rows, systemRows(v.has.Commands)...)
	rows = append(rows, updateRows()...)
	rows = append(rows, diagnosticRows()...)
	if v.config.PlateCheck {
		rows = append(rows, plateRow())
	}
	if len(v.config.Arm) > 0 {
		rows = append(rows, armRow())
	}
	rows = append(rows, pictureRows(v)...)
	return append(rows, pluginRows(v)...)
}

// shapedRows are the rows that the printer has now. Home Assistant is told of
// those that need nothing and those that the configuration and OctoPrint allow;
// of a printer that was never reached only of those that it can show without
// OctoPrint. The rest is published all the same where anybody may read it, so
// that nothing from an earlier run is left standing.
func shapedRows(v *printerView) []printerRow {
	reached := v.reached()
	var rows []printerRow
	for _, r := range printerRows(v) {
		if !v.config.Access.includes(r.access) || len(r.permissions) > 0 && !reached || len(r.lacks(v)) > 0 {
			continue
		}
		r.unannounced = !reached && !r.bridged
		if r.component.Platform == discovery.Update && !v.mayCommand(&r) {
			r.action, r.parameters, r.component.PayloadInstall = "", nil, "" // to be looked at
		}
		rows = append(rows, r)
	}
	return rows
}

// mayCommand reports whether the configuration and OctoPrint allow a row's command.
func (v *printerView) mayCommand(r *printerRow) bool {
	a, ok := actionNamed(r.action)
	return ok && v.config.Access.includes(a.level()) && len(r.lacksToCommand(v, []action{a})) == 0
}

// lacks returns the permissions that a row needs and the user hasn't.
func (r *row[V]) lacks(v *printerView) []string {
	var missing []string
	for _, permission := range r.permissions {
		if !v.info.May(permission) {
			missing = append(missing, permission)
		}
	}
	return missing
}

// reached reports whether it was ever heard what the printer is like.
func (v *printerView) reached() bool { return v.info.Version != "" }

// reshapeLocked gives the printer the rows that it has now and announces them.
func (p *printer) reshapeLocked() {
	if p.purged {
		return
	}
	t := p.bridge.tables.of(&p.view)
	p.view.missing = t.missing
	p.announced.reshapeLocked(func() { p.device.setRows(t.rows) })
	p.arrangeLocked()
}
