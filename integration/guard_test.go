package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/octoprint"
)

// contractAction is an action as the contract has it.
type contractAction struct {
	name       string
	parameters string // a valid example
	permission string // several are separated by blanks
	access     Access // that it needs; control if empty
	runsIn     string // phases; "connected" for all of them with a connection, "any"
	// withoutPrinter actions are for printers that are not connected, so it is no
	// reason to refuse them.
	withoutPrinter bool
	always         bool
	own            bool // concerns the bridge alone, so it is always possible
}

func contractActions() []contractAction {
	return []contractAction{
		{name: "pause", permission: "PRINT", runsIn: "printing starting resuming"},
		{name: "resume", permission: "PRINT", runsIn: "paused"},
		{name: "cancel", permission: "PRINT", runsIn: "printing starting pausing paused resuming"},
		{name: "start", permission: "PRINT", runsIn: "idle"},
		{name: "restart", permission: "PRINT", runsIn: "paused"},
		{name: "connect", permission: "CONNECTION", runsIn: "offline error", withoutPrinter: true},
		{name: "disconnect", permission: "CONNECTION", runsIn: "idle"},
		{name: "home", permission: "CONTROL", runsIn: "idle"},
		{name: "home", parameters: `{"axes":["z"]}`, permission: "CONTROL", runsIn: "idle"},
		{name: "set_temperature", parameters: `{"heater":"bed","target":60}`, permission: "CONTROL", runsIn: "connected"},
		{name: "set_temperature", parameters: `{"heater":"tool0","target":0}`, permission: "CONTROL", always: true},
		{name: "emergency_stop", permission: "CONTROL", always: true},
		{name: "arm", own: true},
		{name: "jog", parameters: `{"x":10,"z":-1}`, permission: "CONTROL", runsIn: "idle paused"},
		{name: "extrude", parameters: `{"amount_mm":5}`, permission: "CONTROL", runsIn: "idle paused"},
		{name: "tool", parameters: `{"tool":"tool0"}`, permission: "CONTROL", runsIn: "idle"},
		{name: "files", permission: "FILES_LIST", runsIn: "any", withoutPrinter: true},
		{name: "snapshot", access: AccessRead, runsIn: "any", withoutPrinter: true},
		{name: "select", parameters: `{"path":"a.gcode"}`, permission: "FILES_LIST FILES_SELECT", runsIn: "idle"},
		{name: "print", parameters: `{"path":"a.gcode","origin":"sdcard"}`, permission: "FILES_LIST FILES_SELECT PRINT", runsIn: "idle"},
		{name: "gcode", parameters: `{"command":"M106 S255"}`, permission: "CONTROL", access: AccessFull, runsIn: "connected"},
		{name: "message", parameters: `{"text":"Hello"}`, permission: "CONTROL", access: AccessFull, runsIn: "connected"},
		{name: "upload", parameters: `{"name":"a.gcode","base64":"RzI4"}`, permission: "FILES_UPLOAD", access: AccessFull, runsIn: "any", withoutPrinter: true},
		{name: "delete", parameters: `{"path":"b.gcode"}`, permission: "FILES_LIST FILES_DELETE", access: AccessFull, runsIn: "any", withoutPrinter: true},
		{name: "system", parameters: `{"source":"core","action":"restart"}`, permission: "SYSTEM", access: AccessFull, runsIn: "offline connecting idle error sending", withoutPrinter: true},
		{name: "update", permission: "PLUGIN_SOFTWAREUPDATE_UPDATE", access: AccessFull, runsIn: "offline connecting idle error sending", withoutPrinter: true},
		{name: "refresh", access: AccessRead, runsIn: "any", withoutPrinter: true},
	}
}

const connected = "idle starting printing pausing paused resuming cancelling finishing sending"

// situation is what a command meets.
type situation struct {
	access      Access
	permissions []string
	phase       octoprint.Phase // "": the state is not known
}

// want is the code that the contract demands, "ok" for a command that is sent.
func (a contractAction) want(s situation) Code {
	runsIn := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(a.runsIn, "connected", connected), "any", "offline connecting error "+connected))
	switch {
	case s.access == AccessRead && a.access != AccessRead, a.access == AccessFull && s.access != AccessFull:
		return CodeAccessDenied
	case slices.ContainsFunc(strings.Fields(a.permission), func(p string) bool { return !slices.Contains(s.permissions, p) }):
		return CodeNotPermitted
	case a.always, a.own:
		return "ok"
	case s.phase == "":
		return CodeUnreachable
	case slices.Contains(runsIn, string(s.phase)):
		return "ok"
	case !slices.Contains(strings.Fields(connected), string(s.phase)) && !a.withoutPrinter:
		return CodeOffline
	}
	return CodeWrongState
}

// TestGuards holds every action against the contract in every phase, at every
// level of access and with every set of permissions.
func TestGuards(t *testing.T) {
	t.Parallel()
	all := strings.Fields("STATUS PRINT CONTROL CONNECTION FILES_LIST FILES_SELECT FILES_UPLOAD FILES_DELETE SYSTEM PLUGIN_SOFTWAREUPDATE_UPDATE")
	sets := [][]string{all, {}}
	for i := range all {
		sets = append(sets, all[i:i+1], slices.Concat(all[:i], all[i+1:]))
	}
	n := 0
	for _, a := range contractActions() {
		for _, access := range []Access{AccessRead, AccessControl, AccessFull} {
			for _, permissions := range sets {
				for _, phase := range append(octoprint.Phases(), "") {
					s := situation{access, permissions, phase}
					if got, want := decide(t, a, s), a.want(s); got != want {
						t.Errorf("%s %s at %+v: %s, want %s", a.name, a.parameters, s, got, want)
					}
					n++
				}
			}
		}
	}
	if n < 12*3*10*13 {
		t.Errorf("only %d situations", n)
	}
}

// decide asks a printer that is in a situation.
func decide(t *testing.T, a contractAction, s situation) Code {
	t.Helper()
	p := printerIn(s)
	c := &command{parameters: json.RawMessage(a.parameters), at: time.Now()}
	if a.parameters == "" {
		c.parameters = json.RawMessage("{}")
	}
	found := false
	for _, known := range printerActions() {
		if known.name == a.name && !known.rowOnly {
			c.action, found = known, true
		}
	}
	if !found {
		t.Fatalf("there is no action %s", a.name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ready, r := p.admitLocked(c, nil)
	if r == nil && !ready.urgent && ready.own == nil {
		ready, r = p.readyLocked(c)
	}
	switch {
	case r != nil:
		return r.Code
	case (ready.own != nil) != a.own:
		t.Fatalf("%s concerns the bridge alone: %v", a.name, !a.own)
	case a.own:
		return "ok"
	case ready.send == nil && ready.renew == nil && !ready.pictures:
		t.Fatalf("%s is allowed, but has nothing to send", a.name)
	case ready.urgent != a.always:
		t.Errorf("%s is urgent: %v, want %v", a.name, ready.urgent, a.always)
	}
	return "ok"
}

// printerIn returns a printer that nobody runs, in a situation.
func printerIn(s situation) *printer {
	c := printerConfig("left")
	c.Access, c.Arm = s.access, []string{actionMaintenance}
	c.Camera = CameraConfig{Enabled: true, URL: mustURL("http://cam.test/")}
	c.GcodeAllow = []GcodeWord{{Word: "M106", WhilePrinting: true}, {Word: "M104", WhilePrinting: true}, {Word: "G28"}}
	b := New(Config{MQTT: MQTTConfig{URL: mustURL("mqtt://broker.test:1883"), BaseTopic: "base"}, Printers: []PrinterConfig{c}}, zerolog.Nop())
	p := b.printers()[0]
	p.view.info = octoprint.Info{
		Version: "1.11.8", User: "operator", Permissions: append([]string{}, s.permissions...),
		Profile: &octoprint.Profile{Heaters: []string{"tool0", "bed"}, X: octoprint.Range{Max: 250}, Y: octoprint.Range{Max: 210}, Z: octoprint.Range{Max: 200}},
	}
	p.view.state = octoprint.State{Phase: s.phase, Job: octoprint.Job{Path: "a.gcode", Origin: "local"}}
	if s.phase.Connected() {
		p.view.state.Heaters = map[string]octoprint.Heater{"tool0": {Actual: new(205.0)}, "bed": {Actual: new(60.0)}}
	}
	p.session = s.phase != ""
	return p
}

// TestEveryActionIsInTheContract fails when an action is added that TestGuards
// does not know.
func TestEveryActionIsInTheContract(t *testing.T) {
	t.Parallel()
	for _, a := range printerActions() {
		known := slices.ContainsFunc(contractActions(), func(c contractAction) bool {
			return c.name == a.name && c.permission == strings.Join(a.permissions, " ") && c.access == a.access
		})
		if !known && !a.rowOnly {
			t.Errorf("the contract has no action %s with permissions %s at access %q", a.name, a.permissions, a.access)
		}
	}
}

// TestStartWantsAFile: without a selected file OctoPrint would say yes and do
// nothing.
func TestStartWantsAFile(t *testing.T) {
	t.Parallel()
	p := printerIn(situation{AccessControl, []string{"PRINT"}, octoprint.PhaseIdle})
	p.view.state.Job.Path = ""
	_, r := prepareStart(json.RawMessage("{}"), &p.view)
	if r == nil || r.Code != CodeWrongState {
		t.Errorf("start without a file: %v, want %s", r, CodeWrongState)
	}
}

// TestParameters holds parameters of all kinds against what they are refused
// with.
func TestParameters(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 50)
	for _, tt := range []struct {
		action, parameters string
		want               Code
	}{
		{"set_temperature", `{"heater":"bed","target":120}`, "ok"},
		{"set_temperature", `{"heater":"bed","target":0.5}`, "ok"},
		{"set_temperature", `{"heater":"bed","target":120.1}`, CodeOutOfRange},
		{"set_temperature", `{"heater":"tool0","target":300}`, "ok"},
		{"set_temperature", `{"heater":"tool0","target":301}`, CodeOutOfRange},
		{"set_temperature", `{"heater":"tool0","target":-1}`, CodeOutOfRange},
		{"set_temperature", `{"heater":"tool0","target":1e9}`, CodeOutOfRange},
		{"set_temperature", `{"heater":"tool0","target":1e999}`, CodeInvalid},
		{"set_temperature", `{"heater":"tool0","target":"60"}`, CodeInvalid},
		{"set_temperature", `{"heater":"tool0","target":null}`, CodeInvalid},
		{"set_temperature", `{"heater":"tool0","target":true}`, CodeInvalid},
		{"set_temperature", `{"heater":"tool0","target":[60]}`, CodeInvalid},
		{"set_temperature", `{"heater":"tool0"}`, CodeInvalid},
		{"set_temperature", `{"target":60}`, CodeInvalid},
		{"set_temperature", `{}`, CodeInvalid},
		{"set_temperature", `{"heater":"tool1","target":60}`, CodeInvalid},
		{"set_temperature", `{"heater":"chamber","target":60}`, CodeInvalid},
		{"set_temperature", `{"heater":"","target":60}`, CodeInvalid},
		{"set_temperature", `{"heater":"tool0\nM112","target":60}`, CodeInvalid},
		{"set_temperature", `{"heater":5,"target":60}`, CodeInvalid},
		{"set_temperature", `{"heater":"bed","target":60,"more":1}`, CodeInvalid},
		{"set_temperature", deep, CodeInvalid},
		{"home", `{}`, "ok"},
		{"home", `{"axes":["x","y"]}`, "ok"},
		{"home", `{"axes":[]}`, CodeInvalid},
		{"home", `{"axes":["x","x"]}`, CodeInvalid},
		{"home", `{"axes":["e"]}`, CodeInvalid},
		{"home", `{"axes":["X"]}`, CodeInvalid},
		{"home", `{"axes":"x"}`, CodeInvalid},
		{"home", `{"axes":[1]}`, CodeInvalid},
		{"home", `{"axis":["x"]}`, CodeInvalid},
		{"connect", `{}`, "ok"},
		{"connect", `{"port":"/dev/ttyUSB0","baudrate":115200,"profile":"_default"}`, "ok"},
		{"connect", `{"baudrate":"115200"}`, CodeInvalid},
		{"connect", `{"baudrate":115200.5}`, CodeInvalid},
		{"connect", `{"baudrate":0}`, CodeOutOfRange},
		{"connect", `{"baudrate":99999999}`, CodeOutOfRange},
		{"connect", `{"port":"a\nb"}`, CodeInvalid},
		{"connect", `{"profile":"a\u0000"}`, CodeInvalid},
		{"connect", `{"port":7}`, CodeInvalid},
		{"pause", `{"action":"toggle"}`, CodeInvalid},
		{"emergency_stop", `{"really":true}`, CodeInvalid},
		{"jog", `{"x":250}`, "ok"},
		{"jog", `{"x":-250,"y":210,"z":-200}`, "ok"},
		{"jog", `{"x":250.1}`, CodeOutOfRange},
		{"jog", `{"x":-1,"absolute":true}`, CodeOutOfRange},
		{"jog", `{"z":0,"absolute":true,"speed":3000}`, "ok"},
		{"jog", `{"z":201,"absolute":true}`, CodeOutOfRange},
		{"jog", `{"z":1,"speed":0}`, CodeOutOfRange},
		{"jog", `{"z":1,"speed":30001}`, CodeOutOfRange},
		{"jog", `{"z":1,"speed":1.5}`, CodeInvalid},
		{"jog", `{}`, CodeInvalid},
		{"jog", `{"speed":100}`, CodeInvalid},
		{"jog", `{"e":1}`, CodeInvalid},
		{"jog", `{"x":"1"}`, CodeInvalid},
		{"extrude", `{"amount_mm":-100}`, "ok"},
		{"extrude", `{"amount_mm":100.1}`, CodeOutOfRange},
		{"extrude", `{"amount_mm":0}`, CodeInvalid},
		{"extrude", `{}`, CodeInvalid},
		{"extrude", `{"amount_mm":1,"tool":"tool0"}`, "ok"},
		{"extrude", `{"amount_mm":1,"tool":"tool1"}`, CodeInvalid},
		{"extrude", `{"amount_mm":1,"tool":"bed"}`, CodeInvalid},
		{"tool", `{"tool":"tool1"}`, CodeInvalid},
		{"tool", `{"tool":"bed"}`, CodeInvalid},
		{"tool", `{}`, CodeInvalid},
		{"files", `{"path":"parts"}`, "ok"},
		{"files", `{"path":7}`, CodeInvalid},
		{"select", `{}`, CodeInvalid},
		{"select", `{"path":""}`, CodeInvalid},
		{"select", `{"path":"a\nb"}`, CodeInvalid},
		{"select", `{"path":"a.gcode","origin":"cloud"}`, CodeInvalid},
		{"print", `{"path":"a.gcode","print":true}`, CodeInvalid},
		{"gcode", `{"command":"M106 S255"}`, "ok"},
		{"gcode", `{"commands":["G28 X Y","M106 S0"]}`, "ok"},
		{"gcode", `{"commands":["G28","M112"]}`, CodeAccessDenied},
		{"gcode", `{"command":"M1060 S255"}`, CodeAccessDenied},
		{"gcode", `{"command":"M10"}`, CodeAccessDenied},
		{"gcode", `{"command":"m106"}`, CodeInvalid},
		{"gcode", `{"command":"M106\nM112"}`, CodeInvalid},
		{"gcode", `{"command":"M106\rM112"}`, CodeInvalid},
		{"gcode", `{"command":"M106 ;x"}`, CodeInvalid},
		{"gcode", `{"command":"M106 %(x)s"}`, CodeInvalid},
		{"gcode", `{"command":"M106 {x}"}`, CodeInvalid},
		{"gcode", `{"command":"@pause"}`, CodeInvalid},
		{"gcode", `{"command":" M106"}`, CodeInvalid},
		{"gcode", `{"command":"M106S255"}`, CodeInvalid},
		{"gcode", `{"command":""}`, CodeInvalid},
		{"gcode", `{}`, CodeInvalid},
		{"gcode", `{"command":"G28","commands":["G28"]}`, CodeInvalid},
		{"gcode", `{"command":"M104 S300"}`, "ok"},
		{"gcode", `{"command":"M104 T0 S301"}`, CodeOutOfRange},
		{"gcode", `{"command":"M104 R301"}`, CodeOutOfRange},
		{"gcode", `{"command":"M104 S 301"}`, CodeOutOfRange},
		{"gcode", `{"command":"M104 S-1"}`, CodeOutOfRange},
		{"gcode", `{"command":"M104 S1.2.3"}`, CodeInvalid},
		{"message", `{"text":""}`, CodeInvalid},
		{"message", `{"text":"a\nM112"}`, CodeInvalid},
		{"message", `{"text":"` + strings.Repeat("x", 65) + `"}`, CodeInvalid},
		{"upload", `{"name":"../a.gcode","base64":"RzI4"}`, CodeInvalid},
		{"upload", `{"name":"a.txt","base64":"RzI4"}`, CodeInvalid},
		{"upload", `{"name":".gcode","base64":"RzI4"}`, CodeInvalid},
		{"upload", `{"name":"a.gcode","base64":"%"}`, CodeInvalid},
		{"upload", `{"name":"a.gcode","base64":""}`, CodeInvalid},
		{"upload", `{"name":"A.GCO","base64":"RzI4","print":true}`, "ok"},
		{"delete", `{}`, CodeInvalid},
		{"delete", `{"path":"a\u0000"}`, CodeInvalid},
		{"system", `{"source":"core"}`, CodeInvalid},
		{"system", `{}`, CodeInvalid},
		{"update", `{"plugins":true}`, CodeInvalid},
		{"refresh", `{"all":true}`, CodeInvalid},
	} {
		phase := octoprint.PhaseIdle
		switch tt.action {
		case "connect":
			phase = octoprint.PhaseOffline
		case "pause":
			phase = octoprint.PhasePrinting
		}
		a := contractAction{name: tt.action, parameters: tt.parameters, always: tt.action == "emergency_stop"}
		s := situation{AccessFull, []string{"PRINT", "CONTROL", "CONNECTION", "FILES_LIST", "FILES_SELECT", "FILES_UPLOAD", "FILES_DELETE", "SYSTEM", "PLUGIN_SOFTWAREUPDATE_UPDATE"}, phase}
		if got := decide(t, a, s); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.action, short(tt.parameters), got, tt.want)
		}
	}
}

func short(s string) string { return fmt.Sprintf("%.60q", s) }
