package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// pluginHost is a simulated plugin with settings that answers as it is told.
type pluginHost struct {
	settings string
	// answers are what requests are answered with, by "METHOD path" or, for commands,
	// "METHOD path command". Others get 404.
	answers map[string]func(body map[string]any) (int, any)
	heard   []string // requests with their bodies, in order
}

func (h *pluginHost) plugin() octoprinttest.Plugin {
	return octoprinttest.Plugin{Settings: json.RawMessage(h.settings), Serve: h.serve}
}

func (h *pluginHost) serve(q octoprinttest.PluginRequest) (int, any) {
	var body map[string]any
	if len(q.Body) > 0 && json.Unmarshal(q.Body, &body) != nil {
		return 400, nil
	}
	h.heard = append(h.heard, strings.TrimSpace(fmt.Sprintf("%s %s %s", q.Method, q.Path, q.Body)))
	key := q.Method + " " + q.Path
	if command, ok := body["command"]; ok {
		key += fmt.Sprint(" ", command)
	}
	if answer := h.answers[key]; answer != nil {
		return answer(body)
	}
	return 404, nil
}

// since returns the requests from the n-th on that mention something.
func (h *pluginHost) since(n int, mention string) []string {
	return slices.DeleteFunc(slices.Clone(h.heard[n:]), func(s string) bool { return !strings.Contains(s, mention) })
}

// pluginView is of a printer whose server has plugins with these settings.
func pluginView(settings map[string]string) *printerView {
	v := shapedView()
	v.takeSettings(rawSettings(settings))
	return v
}

func rawSettings(settings map[string]string) map[string]json.RawMessage {
	raw := make(map[string]json.RawMessage)
	for id, s := range settings {
		raw[id] = json.RawMessage(s)
	}
	return raw
}

// settingsRows are the rows of those plugins that settings have shown to be there.
func settingsRows(v *printerView) []printerRow {
	var rows []printerRow
	for _, p := range plugins() {
		if _, ok := v.has.Plugins[p.id]; ok && p.rows != nil && !p.asked && !p.bundled {
			rows = append(rows, p.rows(v)...)
		}
	}
	return rows
}

// rowTable writes the rows of plugins as "key platform class unit access permission".
func rowTable(v *printerView) []string {
	var list []string
	for _, r := range settingsRows(v) {
		words := []string{r.key, string(r.component.Platform), r.component.DeviceClass, r.component.Unit, string(r.access), strings.Join(r.permissions, " ")}
		list = append(list, strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " "))
	}
	return list
}

// checkPluginRows holds the rows of plugins against a table, and against the rules of
// all rows.
func checkPluginRows(t *testing.T, v *printerView, want ...string) {
	t.Helper()
	if got := rowTable(v); !slices.Equal(got, want) {
		t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	shape := *v
	shape.now = vitals{}
	components := make(map[string]discovery.Component)
	for _, f := range factsOf("left", settingsRows(&shape), &shape) {
		if err := f.component.Validate(); err != nil {
			t.Errorf("%s: %v", f.key, err)
		}
		if _, double := components[f.key]; double || !keyPattern.MatchString(f.key) || discovery.ReservedKey(f.key) {
			t.Errorf("%s: the key is not allowed", f.key)
		}
		if f.hasValue && f.zero != unknown {
			t.Errorf("%s shows %q when nothing is known", f.key, f.zero.payload())
		}
		if (f.action != "") != (f.access == AccessControl) || (f.action != "") != (f.permission != "") || f.parameters != (f.action != "") {
			t.Errorf("%s: action %q at access %q with permission %q", f.key, f.action, f.access, f.permission)
		}
		if f.hasNoise != noisy(f.key) {
			t.Errorf("%s: has a noise rule: %v", f.key, f.hasNoise)
		}
		components[f.key] = f.component
	}
	// The table is made of the shape alone.
	if again := rowTable(v.shape().view()); !slices.Equal(again, rowTable(v)) {
		t.Errorf("the shape alone gives\n%s", strings.Join(again, "\n"))
	}
}

// shownBy returns what a row of plugins shows.
func shownBy(t *testing.T, v *printerView, key string) string {
	t.Helper()
	for _, r := range settingsRows(v) {
		if r.key == key {
			return r.value(v).payload()
		}
	}
	t.Fatalf("there is no row %s", key)
	return ""
}

// checkFree fails if a row's value costs memory while nothing changes.
func checkFree(t *testing.T, v *printerView) {
	t.Helper()
	for _, r := range settingsRows(v) {
		if n := testing.AllocsPerRun(20, func() { r.value(v) }); n > 0 {
			t.Errorf("%s costs %v allocations", r.key, n)
		}
	}
}

// receive has a plugin take in a message.
func receive(t *testing.T, v *printerView, id, message string) {
	t.Helper()
	for _, p := range plugins() {
		if p.id != id {
			continue
		}
		buffer := []byte(message)
		if change := p.received(id, buffer); change != nil {
			for i := range buffer {
				buffer[i] = 'X' // it is not valid any more
			}
			change(v)
		}
	}
}

// decidePluginRow says what becomes of a command to a row of a printer in a
// situation, after something was made known.
func decidePluginRow(t *testing.T, s situation, prepare func(*printerView), key, payload string) Code {
	t.Helper()
	p := printerIn(s)
	prepare(&p.view)
	return decideRow(t, p, key, payload)
}

// rowGuard is what a row's command may need.
type rowGuard struct {
	key, payload string
	permission   string
	runsIn       string // phases, "any" for all; the rest is wrong_state, or printer_offline where there is no printer
	anyPrinter   bool   // being without a printer is no reason to refuse
}

// checkGuards holds commands to rows against what they need, in every phase, at every
// access, with and without the permission.
func checkGuards(t *testing.T, prepare func(*printerView), guards ...rowGuard) {
	t.Helper()
	for _, g := range guards {
		for _, access := range []Access{AccessRead, AccessControl, AccessFull} {
			for _, permitted := range []bool{false, true} {
				for _, phase := range append(octoprint.Phases(), "") {
					s := situation{access, []string{"STATUS"}, phase}
					if permitted {
						s.permissions = append(s.permissions, g.permission)
					}
					a := contractAction{permission: g.permission, runsIn: g.runsIn, withoutPrinter: g.anyPrinter}
					if got, want := decidePluginRow(t, s, prepare, g.key, g.payload), a.want(s); got != want {
						t.Errorf("%s %s at %+v: %s, want %s", g.key, g.payload, s, got, want)
					}
				}
			}
		}
	}
}

// sortedKeys are those of an object in a document.
func sortedKeys(object any) string {
	m, _ := object.(map[string]any)
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}
