package integration

import (
	"slices"

	"octoprint2mqtt/octoprint"
)

// missing are OctoPrint's permissions that would give a printer more rows at its
// level of access, in the order of the rows. Printers of one shape share it; it
// never changes.
type missing struct {
	names      []string
	of         map[string]missingDoc
	attributes string // of the row, as JSON
}

// missingDoc is what is told of one such permission.
type missingDoc struct {
	Rows  []string `json:"rows"`  // that it would give
	Group string   `json:"group"` // of OctoPrint that has it
}

// missingOf finds out what is missing. What an administrator lacks the server
// doesn't know: an old one, or one without the plugin that it is of.
func missingOf(v *printerView) *missing {
	m := &missing{names: []string{}, of: make(map[string]missingDoc)}
	if !v.reached() || v.info.May(octoprint.PermissionAdmin) {
		m.attributes = mustMarshal(m.of)
		return m
	}
	actions := printerActions()
	for _, r := range printerRows(v) {
		if !v.config.Access.includes(r.access) {
			continue
		}
		for _, permission := range append(r.lacks(v), r.lacksToCommand(v, actions)...) {
			m.add(permission, r.key)
		}
	}
	for _, q := range inquiries() {
		if q.permission != "" && !v.info.May(q.permission) && v.config.Access.includes(q.access) {
			m.add(q.permission, q.gives...)
		}
	}
	m.attributes = mustMarshal(m.of)
	return m
}

func (m *missing) add(permission string, rows ...string) {
	if len(rows) == 0 {
		return
	}
	doc, known := m.of[permission]
	if !known {
		m.names = append(m.names, permission)
		doc.Group = octoprint.Group(permission)
	}
	for _, key := range rows {
		if !slices.Contains(doc.Rows, key) {
			doc.Rows = append(doc.Rows, key)
		}
	}
	m.of[permission] = doc
}

// lacksToCommand returns the permissions that the user lacks for the command of a
// row that may be looked at without them: an update.
func (r *row[V]) lacksToCommand(v *printerView, actions []action) []string {
	a, ok := actionAmong(actions, r.action)
	if !ok || !v.config.Access.includes(a.level()) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.permissions), v.info.May)
}

// list returns the names; none of a printer whose shape isn't known yet.
func (m *missing) list() []string {
	if m == nil {
		return []string{}
	}
	return m.names
}
