package integration

import (
	"slices"

	"octoprint2mqtt/discovery"
)

// printerRows is the table of a printer: all rows that its shape gives, before
// it is asked which of them are allowed. It is a pure function of what is known.
func printerRows(v *printerView) []printerRow {
	var rows []printerRow
	rows = append(rows, stateRows()...)
	rows = append(rows, jobRows()...)
	rows = append(rows, heatRows(v.config, v.heaters())...)
	return append(rows, controlRows()...)
}

// shapedRows are the rows that the printer has now. Home Assistant is told of
// those that need nothing and those that the configuration and OctoPrint allow;
// of a printer that was never reached only of those that it can show without
// OctoPrint. The rest is published all the same where anybody may read it, so
// that nothing from an earlier run is left standing.
func shapedRows(v *printerView) []printerRow {
	reached := v.info.Version != ""
	var rows []printerRow
	for _, r := range printerRows(v) {
		allowed := v.config.Access.includes(r.access) && (r.permission == "" || reached && v.info.May(r.permission))
		if !allowed {
			continue
		}
		r.unannounced = !reached && !r.bridged
		rows = append(rows, r)
	}
	return rows
}

// missingPermissions are those that would give more rows at this access level.
func missingPermissions(v *printerView) []string {
	missing := []string{}
	if v.info.Version == "" {
		return missing
	}
	for _, r := range printerRows(v) {
		if r.permission != "" && v.config.Access.includes(r.access) && !v.info.May(r.permission) && !slices.Contains(missing, r.permission) {
			missing = append(missing, r.permission)
		}
	}
	return missing
}

// reshapeLocked gives the printer the rows that it has now and announces them.
func (p *printer) reshapeLocked() {
	if p.bridge.outbox.Known(p.bridge.topics.Config(p.config.ID)) {
		// A stub for what Home Assistant never had would confuse it.
		p.announced = p.device.components()
	}
	p.device.setRows(shapedRows(&p.view))
	now := p.device.components()
	for key, c := range p.announced {
		if _, stays := now[key]; !stays {
			if p.removed == nil {
				p.removed = make(map[string]discovery.Component)
			}
			p.removed[key] = c
		}
	}
	for key := range now {
		delete(p.removed, key)
	}
	p.announceLocked(false)
}
