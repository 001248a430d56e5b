package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// FuzzRequest feeds anything to a request: it is understood or refused with a
// code, what is understood has an object for parameters, and what OctoPrint gets
// to see of any action is within the guards.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"transaction":1}`, `{"transaction":"x","heater":"bed","target":60}`, `[]`, "", "{\"\xff\":1}", `{"a":{"b":[]}}`, `{"heater":"tool0","target":300.5}`,
		`{"heater":"bed","target":-0.0}`, `{"heater":"tool0/../..","target":0}`, `{"axes":["x","y","x"]}`, `{"axes":["z"]}`, `{"port":"/dev/tty\u0000","baudrate":115200}`, `{"port":"AUTO","profile":"_default"}`,
		`{"x":10,"z":-1,"speed":600}`, `{"amount_mm":5,"tool":"tool0"}`, `{"tool":"tool0"}`, `{"path":"a.gcode"}`, `{"path":"a.gcode","origin":"sdcard"}`,
		`{"command":"M106 S255"}`, `{"commands":["G28 X","M104 S200"]}`, `{"text":"Hello"}`, `{"name":"a.gcode","base64":"RzI4","print":true}`, `{"source":"core","action":"restart"}`,
		`{"choice":"Yes"}`, `{"on":false}`,
	} {
		f.Add([]byte(seed))
	}
	v := &printerIn(everythingAllowed()).view
	v.withDialog(octoprint.Prompt{Text: "Door open?", Choices: []string{"Yes"}}, true)
	f.Fuzz(func(t *testing.T, payload []byte) {
		q, r := parseRequest(payload)
		if r != nil {
			if r.Code != CodeInvalid || !json.Valid([]byte(mustMarshal(r))) {
				t.Errorf("refused with %v", r)
			}
			return
		}
		var parameters map[string]json.RawMessage
		if err := json.Unmarshal(q.parameters, &parameters); err != nil || parameters == nil {
			t.Fatalf("parameters %s: %v", q.parameters, err)
		}
		if len(q.transaction) > 0 && !json.Valid(q.transaction) {
			t.Errorf("transaction %s", q.transaction)
		}
		for _, a := range printerActions() {
			checkPrepared(t, a, q.parameters, v)
		}
	})
}

// FuzzSet feeds anything to the rows' commands.
func FuzzSet(f *testing.F) {
	for _, seed := range []string{"PRESS", "60", "-0", "1e9", "NaN", "0x10", "install", "local/a.gcode", "AUTO", "M106 S255", "12.5", "", "ON", "-50", "300.001"} {
		f.Add(seed)
	}
	v := &printerIn(everythingAllowed()).view
	f.Fuzz(func(t *testing.T, payload string) {
		for _, row := range printerRows(v) {
			if row.parameters == nil {
				continue
			}
			parameters, r := row.parameters(payload)
			if r != nil {
				continue
			}
			if !json.Valid(parameters) {
				t.Errorf("%s: %q gives %s", row.key, payload, parameters)
			}
			n, err := strconv.ParseFloat(payload, 64)
			if row.component.Platform == discovery.Number && (err != nil || n != n) {
				t.Errorf("%s: %q passes for a number", row.key, payload)
			}
			for _, a := range printerActions() {
				if a.name == row.action {
					checkPrepared(t, a, parameters, v)
				}
			}
		}
	})
}

func everythingAllowed() situation {
	return situation{AccessFull, strings.Fields("CONTROL PRINT CONNECTION FILES_LIST FILES_SELECT FILES_UPLOAD FILES_DELETE SYSTEM"), octoprint.PhaseIdle}
}

// checkPrepared has an action sent if its parameters are accepted, and fails if
// OctoPrint gets to see what it must not.
func checkPrepared(t *testing.T, a action, parameters json.RawMessage, v *printerView) {
	t.Helper()
	c, r := a.prepare(parameters, v)
	if (r == nil) != (c.send != nil || c.own != nil || c.renew != nil || c.pictures) {
		t.Fatalf("%s: %v, but something to send: %v", a.name, r, c.send != nil)
	}
	if r != nil || c.send == nil {
		return
	}
	server := &yesSayer{}
	client := octoprint.NewClient(octoprint.Options{URL: v.config.URL, APIKey: "key", Dial: server.dial})
	if _, err := c.send(t.Context(), client); err != nil && refusalOf(err).Code != CodeInvalid {
		t.Fatalf("%s: %v", a.name, err)
	}
	urgent := false
	for _, s := range server.sent {
		if s.path == "/api/files/local" {
			continue // an upload, which is no JSON
		}
		p := checkPosted(t, s, v.config)
		urgent = urgent || p.Command == "M112" || slices.Contains(slices.Collect(maps.Values(p.Targets)), 0)
	}
	if c.urgent != urgent {
		t.Errorf("%s %+v is urgent: %v", a.name, server.sent, c.urgent)
	}
}

// yesSayer is an OctoPrint 1.11.8 without a connection to its printer, with a file
// and a system command, that accepts every command.
type yesSayer struct{ sent []sentCommand }

// sentCommand is a command as OctoPrint gets it.
type sentCommand struct{ method, path, body string }

func (y *yesSayer) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go y.serve(far)
	return near, nil
}

func (y *yesSayer) serve(conn net.Conn) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	body, _ := io.ReadAll(r.Body)
	answer, known := map[string]string{
		"/api/version":            `{"server":"1.11.8"}`,
		"/api/connection":         `{"current":{"state":"Closed"}}`,
		"/api/files":              `{"files":[{"type":"machinecode","origin":"local","path":"a.gcode"}]}`,
		"/api/system/commands":    `{"core":[{"source":"core","action":"restart","name":"Restart"}]}`,
		updatePath:                `{"order":["octoprint"]}`,
		"/api/plugin/" + promptID: `{"text":"Door open?","choices":["Yes"]}`,
	}[r.URL.Path]
	if r.Method != http.MethodGet {
		y.sent, known = append(y.sent, sentCommand{r.Method, r.URL.Path, string(body)}), r.URL.Path == updatePath
	}
	if known {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"+answer)
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
}

const updatePath = "/plugin/softwareupdate/update"

// posted is what commands consist of.
type posted struct {
	Command, Action, Port, PrinterProfile, Tool string
	Baudrate                                    int
	Axes, Commands                              []string
	Target, Offset, Amount, X, Y, Z             *float64
	Targets, Offsets                            map[string]float64
	Absolute, Print                             bool
	Speed, Factor, Choice                       int
}

// checkPosted holds a command to OctoPrint against the contract, and returns it
// with all targets and offsets by their heaters.
func checkPosted(t *testing.T, s sentCommand, c *PrinterConfig) posted {
	t.Helper()
	var p posted
	if s.method == http.MethodDelete {
		if s.path != "/api/files/local/a.gcode" {
			t.Errorf("deleted: %s", s.path)
		}
		return p
	}
	if s.path == updatePath {
		if s.body != `{"targets":["octoprint"]}` {
			t.Errorf("sent to %s: %s", s.path, s.body)
		}
		return p
	}
	d := json.NewDecoder(strings.NewReader(s.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("sent to %s: %s: %v", s.path, s.body, err)
	}
	commands := map[string][]string{
		"/api/job": {"start", "cancel", "restart", "pause"}, "/api/connection": {"connect", "disconnect"},
		"/api/printer/printhead": {"home", "jog", "feedrate"}, "/api/printer/command": {"M112", ""},
		"/api/printer/tool": {"target", "offset", "extrude", "select", "flowrate"}, "/api/printer/bed": {"target", "offset"},
		"/api/files/local/a.gcode": {"select"}, "/api/system/commands/core/restart": {""},
		"/api/plugin/" + promptID: {"select"}, "/api/plugin/" + psuID: {"turnPSUOn", "turnPSUOff"},
	}
	ok := slices.Contains(commands[s.path], p.Command) && (p.Command == "pause") == (p.Action == "pause" || p.Action == "resume") &&
		!hasControl(p.Port+p.PrinterProfile+strings.Join(p.Commands, "")) && p.Baudrate >= 0 && p.Baudrate <= 4_000_000 &&
		p.Choice == 0 && p.Speed >= 0 && p.Speed <= fastest && (p.Tool == "" || p.Tool == "tool0")
	switch p.Command {
	case "feedrate":
		ok = ok && p.Factor >= 10 && p.Factor <= 200
	case "flowrate":
		ok = ok && p.Factor >= 75 && p.Factor <= 125
	}
	for i, axis := range p.Axes {
		ok = ok && slices.Contains([]string{"x", "y", "z"}, axis) && !slices.Contains(p.Axes[:i], axis)
	}
	for _, n := range []*float64{p.X, p.Y, p.Z, p.Amount} {
		ok = ok && (n == nil || *n >= -250 && *n <= 250)
	}
	if p.Target != nil {
		p.Targets = map[string]float64{"bed": *p.Target}
	}
	if p.Offset != nil {
		p.Offsets = map[string]float64{"bed": *p.Offset}
	}
	for heater, n := range p.Targets {
		ok = ok && (heater == "tool0" || heater == "bed") && n >= 0 && n <= c.limit(heater)
	}
	for heater, n := range p.Offsets {
		ok = ok && (heater == "tool0" || heater == "bed") && n >= -50 && n <= 50
	}
	if !ok {
		t.Errorf("sent to %s: %s", s.path, s.body)
	}
	return p
}
