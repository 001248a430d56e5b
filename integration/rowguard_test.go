package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
)

// rowCommand is a command to a row, for what the contract says of its guard.
type rowCommand struct {
	key, payload string
	runsIn       string // as in contractAction; empty: none
	always       bool
	own          bool // concerns the bridge alone
}

func rowCommands() []rowCommand {
	return []rowCommand{
		{key: "preset", payload: "PLA", runsIn: "idle"},
		{key: "preset", payload: "Off", always: true},
		{key: "preset", payload: "Cool down", always: true},
		{key: "tool0_setpoint", payload: "200", runsIn: "connected"},
		{key: "tool0_setpoint", payload: "0", always: true},
		{key: "bed_heater", payload: "off", always: true},
		{key: "bed_heater", payload: "heat", runsIn: "connected"},
		{key: "tool0_offset", payload: "5", runsIn: "connected"},
		{key: "fan", payload: "50", runsIn: "connected"},
		{key: "fan", payload: "0", runsIn: "connected"},
		{key: "feedrate", payload: "150", runsIn: "connected"},
		{key: "flowrate", payload: "95", runsIn: "connected"},
		{key: "tool", payload: "tool1", runsIn: "idle"},
		{key: "maintenance", payload: "ON", own: true},
		{key: "arm", payload: "PRESS", own: true},
	}
}

// TestRowGuards holds the commands to rows that have no action of their own against
// the contract, in every phase and without the permission that they need.
func TestRowGuards(t *testing.T) {
	t.Parallel()
	for _, c := range rowCommands() {
		a := contractAction{name: c.key, runsIn: c.runsIn, always: c.always, own: c.own, permission: "CONTROL"}
		if c.own {
			a.permission = ""
		}
		for _, access := range []Access{AccessRead, AccessControl} {
			for _, permissions := range [][]string{{"CONTROL"}, {"PRINT"}} {
				for _, phase := range append(octoprint.Phases(), "") {
					s := situation{access, permissions, phase}
					if got, want := decideRow(t, heatingPrinter(s), c.key, c.payload), a.want(s); got != want {
						t.Errorf("%s %s at %+v: %s, want %s", c.key, c.payload, s, got, want)
					}
				}
			}
		}
	}
}

// heatingPrinter is a printer with two tools, presets, and a warm bed.
func heatingPrinter(s situation) *printer {
	p := printerIn(s)
	p.view.config.Arm = []string{actionConnect}
	p.view.info.Profile.Heaters = []string{"tool0", "tool1", "bed"}
	p.view.has.Presets = namedPresets([]octoprint.Preset{
		{Name: "PLA", Tool: new(210.0), Bed: new(60.0), Chamber: new(999.0)},
		{Name: "Too hot", Tool: new(210.0), Bed: new(121.0)},
		{Name: "Below zero", Tool: new(-1.0)},
		{Name: "Cool down", Tool: new(0.0), Bed: new(0.0)},
		{Name: "Only chamber", Chamber: new(50.0)},
		{Name: "off", Bed: new(40.0)},
	})
	if s.phase.Connected() {
		p.view.state.Heaters = map[string]octoprint.Heater{
			"tool0": {Actual: new(20.0), Target: new(0.0)}, "tool1": {Actual: new(20.0), Target: new(0.0)},
			"bed": {Actual: new(60.0), Target: new(60.0)},
		}
	}
	return p
}

// decideRow asks a printer that nobody runs for a row's command.
func decideRow(t *testing.T, p *printer, key, payload string) Code {
	t.Helper()
	rows := printerRows(&p.view)
	i := slices.IndexFunc(rows, func(r printerRow) bool { return r.key == key })
	if i < 0 {
		t.Fatalf("there is no row %s", key)
	}
	parameters, r := rows[i].parameters(payload)
	if r != nil {
		return r.Code
	}
	for _, a := range printerActions() {
		if a.name != rows[i].action {
			continue
		}
		c := &command{action: a, row: key, parameters: parameters, at: time.Now()}
		ready, r := p.admitLocked(c, nil)
		if r == nil && !ready.urgent && ready.own == nil {
			_, r = p.readyLocked(c)
		}
		if r != nil {
			return r.Code
		}
		return "ok"
	}
	t.Fatalf("there is no action %s", rows[i].action)
	return ""
}

// TestEveryRowOnlyActionIsGuarded fails when one is added that no test knows.
func TestEveryRowOnlyActionIsGuarded(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{actionPlateClear: true} // by TestPlate
	for _, r := range printerRows(&heatingPrinter(situation{}).view) {
		if slices.ContainsFunc(rowCommands(), func(c rowCommand) bool { return c.key == r.key }) {
			tested[r.action] = true
		}
	}
	for _, a := range basicActions() {
		if a.rowOnly && !tested[a.name] {
			t.Errorf("no test knows when %s may run", a.name)
		}
	}
	for _, a := range heatActions() {
		if !tested[a.name] {
			t.Errorf("no test knows when %s may run", a.name)
		}
	}
}

// TestRowPayloads holds what is sent to rows against what it is refused with.
func TestRowPayloads(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key, payload string
		want         Code
	}{
		{"preset", "PLA", "ok"}, // a chamber that isn't there has no cap
		{"preset", "off (2)", CodeInvalid},
		{"preset", "off", "ok"},
		{"preset", "Too hot", CodeOutOfRange},
		{"preset", "Below zero", CodeOutOfRange},
		{"preset", "Only chamber", CodeInvalid},
		{"preset", "pla", CodeInvalid},
		{"preset", "PLA\nM112", CodeInvalid},
		{"bed_heater", "heat", "ok"},
		{"tool0_heater", "heat", CodeWrongState},
		{"bed_heater", "HEAT", CodeInvalid},
		{"bed_heater", "auto", CodeInvalid},
		{"bed_heater", "60", CodeInvalid},
		{"fan", "0", "ok"},
		{"fan", "100", "ok"},
		{"fan", "100.0", "ok"},
		{"fan", "101", CodeOutOfRange},
		{"fan", "-1", CodeOutOfRange},
		{"fan", "50.5", CodeInvalid},
		{"fan", "ON", CodeInvalid},
		{"feedrate", "10", "ok"},
		{"feedrate", "9", CodeOutOfRange},
		{"feedrate", "201", CodeOutOfRange},
		{"flowrate", "74", CodeOutOfRange},
		{"flowrate", "126", CodeOutOfRange},
		{"flowrate", "1e2", CodeInvalid},
		{"tool", "tool2", CodeInvalid},
		{"tool", "bed", CodeInvalid},
		{"tool", "", CodeInvalid},
		{"arm", "press", CodeInvalid},
	} {
		p := heatingPrinter(situation{AccessControl, []string{"CONTROL"}, octoprint.PhaseIdle})
		if got := decideRow(t, p, tt.key, tt.payload); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.key, short(tt.payload), got, tt.want)
		}
	}
}

// TestPreset: the state is Off or the preset that all targets match.
func TestPreset(t *testing.T) { // not parallel: it counts allocations
	for _, tt := range []struct {
		targets string // of tool0, tool1 and bed; ? where it isn't known
		want    string
	}{
		{"0 0 0", "Off"},
		{"210 210 60", "PLA"},
		{"210 0 60", "None"},
		{"210 210 61", "None"},
		{"0 0 ?", "None"},
		{"? 0 0", "None"},
		{"0 0 40", "off"},
		{"200 210 40", "off"},
		{"", "None"},
	} {
		p := heatingPrinter(situation{AccessControl, nil, octoprint.PhaseIdle})
		p.view.state.Heaters = map[string]octoprint.Heater{}
		for i, field := range strings.Fields(tt.targets) {
			var h octoprint.Heater
			if n, r := parseNumber(field); r == nil {
				h.Target = &n
			}
			p.view.state.Heaters[p.view.heaters()[i]] = h
		}
		row := presetRow()
		if got := row.value(&p.view).payload(); got != tt.want {
			t.Errorf("targets %s: %s, want %s", tt.targets, got, tt.want)
		}
		if n := testing.AllocsPerRun(10, func() { row.value(&p.view) }); n > 0 {
			t.Errorf("targets %s: %v allocations", tt.targets, n)
		}
	}
	if got := strings.Join(presetRow().options(&heatingPrinter(situation{}).view), ", "); got != "Off, PLA, Too hot, Below zero, Cool down, Only chamber, off" {
		t.Errorf("offered: %s", got)
	}
	again := namedPresets(namedPresets([]octoprint.Preset{{Name: "Off"}, {Name: "None"}, {Name: " a\n"}, {Name: "a"}}))
	var names []string
	for _, p := range again {
		names = append(names, p.Name)
	}
	if got := strings.Join(names, ", "); got != "Off (2), None*, a, a (2)" {
		t.Errorf("named twice: %s", got)
	}
}
