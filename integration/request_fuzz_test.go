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
	} {
		f.Add([]byte(seed))
	}
	v := &printerIn(everythingAllowed()).view
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
	for _, seed := range []string{"PRESS", "60", "-0", "1e9", "NaN", "0x10", "12.5", "", "ON", "-50", "300.001"} {
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
			if row.component.Platform == discovery.Number && err != nil || n != n {
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
	return situation{AccessControl, []string{"CONTROL", "PRINT", "CONNECTION"}, octoprint.PhaseIdle}
}

// checkPrepared has an action sent if its parameters are accepted, and fails if
// OctoPrint gets to see what it must not.
func checkPrepared(t *testing.T, a action, parameters json.RawMessage, v *printerView) {
	t.Helper()
	c, r := a.prepare(parameters, v)
	if (r == nil) != (c.send != nil || c.own != nil) {
		t.Fatalf("%s: %v, but something to send: %v", a.name, r, c.send != nil)
	}
	if r != nil || c.own != nil {
		return
	}
	server := &yesSayer{}
	client := octoprint.NewClient(octoprint.Options{URL: v.config.URL, APIKey: "key", Dial: server.dial})
	if err := c.send(t.Context(), client); err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	p := checkPosted(t, server.path, server.body, v.config)
	cold := slices.Contains(slices.Collect(maps.Values(p.Targets)), 0)
	if urgent := p.Command == "M112" || cold; c.urgent != urgent {
		t.Errorf("%s %s is urgent: %v", a.name, server.body, c.urgent)
	}
}

// yesSayer is an OctoPrint 1.11.8 without a connection to its printer that accepts
// the one command that it gets.
type yesSayer struct{ path, body string }

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
	answer := "HTTP/1.1 204 No Content\r\n\r\n"
	switch {
	case r.Method == http.MethodPost:
		y.path, y.body = r.URL.Path, string(body)
	case r.URL.Path == "/api/version":
		answer = "HTTP/1.1 200 OK\r\n\r\n" + `{"server":"1.11.8"}`
	case r.URL.Path == "/api/connection":
		answer = "HTTP/1.1 200 OK\r\n\r\n" + `{"current":{"state":"Closed"}}`
	}
	_, _ = io.WriteString(conn, answer)
}

// posted is what commands consist of.
type posted struct {
	Command, Action, Port, PrinterProfile string
	Baudrate                              int
	Axes                                  []string
	Target, Offset                        *float64
	Targets, Offsets                      map[string]float64
}

// checkPosted holds a command to OctoPrint against the contract, and returns it
// with all targets and offsets by their heaters.
func checkPosted(t *testing.T, path, body string, c *PrinterConfig) posted {
	t.Helper()
	var p posted
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("sent to %s: %s: %v", path, body, err)
	}
	commands := map[string][]string{
		"/api/job": {"start", "cancel", "restart", "pause"}, "/api/connection": {"connect", "disconnect"},
		"/api/printer/printhead": {"home"}, "/api/printer/command": {"M112"},
		"/api/printer/tool": {"target", "offset"}, "/api/printer/bed": {"target", "offset"},
	}
	ok := slices.Contains(commands[path], p.Command) && (p.Command == "pause") == (p.Action == "pause" || p.Action == "resume") &&
		!hasControl(p.Port+p.PrinterProfile) && p.Baudrate >= 0 && p.Baudrate <= 4_000_000
	for i, axis := range p.Axes {
		ok = ok && slices.Contains([]string{"x", "y", "z"}, axis) && !slices.Contains(p.Axes[:i], axis)
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
		t.Errorf("sent to %s: %s", path, body)
	}
	return p
}
