package octoprint

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The methods in this file send one command each. They return once OctoPrint has
// accepted it, which does not say that the printer has done it: that shows in
// the State of a session. Where OctoPrint refuses, the error matches Conflict
// (the printer's state), NotPermitted, Refused or ServerFailed.

// Start prints the selected file. Without one OctoPrint accepts the command and
// does nothing.
func (c *Client) Start(ctx context.Context) error { return c.job(ctx, "start", "") }

// Cancel ends the running job.
func (c *Client) Cancel(ctx context.Context) error { return c.job(ctx, "cancel", "") }

// Restart begins the paused job again. OctoPrint 2.0.0rc7 accepts that and does
// nothing.
func (c *Client) Restart(ctx context.Context) error { return c.job(ctx, "restart", "") }

// Pause pauses the running job; it does nothing to a paused one.
func (c *Client) Pause(ctx context.Context) error { return c.job(ctx, "pause", "pause") }

// Resume goes on with the paused job; it does nothing to a running one.
func (c *Client) Resume(ctx context.Context) error { return c.job(ctx, "pause", "resume") }

// job sends a job command. The action is always explicit: without one OctoPrint
// takes pause for a toggle.
func (c *Client) job(ctx context.Context, command, action string) error {
	body := map[string]string{"command": command}
	if action != "" {
		body["action"] = action
	}
	return c.post(ctx, "/api/job", body, nil)
}

// SetTarget sets a heater's target in °C. The heater must be one of the printer
// profile: OctoPrint sends a tool that the profile lacks to the only one there is.
func (c *Client) SetTarget(ctx context.Context, heater string, celsius float64) error {
	return c.heat(ctx, "target", heater, celsius)
}

// SetTargets sets the targets of several heaters in °C. It tries all of them also
// where one fails, and then returns every error, joined. What SetTarget says of
// heaters holds here, too.
func (c *Client) SetTargets(ctx context.Context, targets map[string]float64) error {
	tools := make(map[string]float64)
	var errs []error
	for _, heater := range slices.Sorted(maps.Keys(targets)) {
		if strings.HasPrefix(heater, "tool") {
			tools[heater] = targets[heater]
			continue
		}
		errs = append(errs, c.SetTarget(ctx, heater, targets[heater]))
	}
	if len(tools) > 0 {
		errs = append(errs, c.post(ctx, "/api/printer/tool", map[string]any{"command": "target", "targets": tools}, nil))
	}
	return errors.Join(errs...)
}

// SetOffset sets what OctoPrint adds to every target that a file asks for, in °C.
func (c *Client) SetOffset(ctx context.Context, heater string, celsius float64) error {
	return c.heat(ctx, "offset", heater, celsius)
}

func (c *Client) heat(ctx context.Context, command, heater string, celsius float64) error {
	if strings.HasPrefix(heater, "tool") {
		body := map[string]any{"command": command, command + "s": map[string]float64{heater: celsius}}
		return c.post(ctx, "/api/printer/tool", body, nil)
	}
	return c.post(ctx, "/api/printer/"+url.PathEscape(heater), map[string]any{"command": command, command: celsius}, nil)
}

// Home moves the given axes ("x", "y", "z") to their end stops.
func (c *Client) Home(ctx context.Context, axes ...string) error {
	return c.post(ctx, "/api/printer/printhead", map[string]any{"command": "home", "axes": axes}, nil)
}

// EmergencyStop sends M112. OctoPrint then drops the connection to the printer.
func (c *Client) EmergencyStop(ctx context.Context) error {
	return c.post(ctx, "/api/printer/command", map[string]string{"command": "M112"}, nil)
}

// Disconnect ends OctoPrint's connection to the printer, and with it any job.
func (c *Client) Disconnect(ctx context.Context) error {
	return c.post(ctx, "/api/connection", map[string]string{"command": "disconnect"}, nil)
}

// ConnectOptions choose what Connect connects to; what is empty is taken from
// OctoPrint's own preferences.
type ConnectOptions struct {
	// Port and Baudrate are for serial ports: Connect is Refused with them where
	// OctoPrint prefers to connect otherwise, as it can since 2.0.
	Port     string
	Baudrate int
	Profile  string // a printer profile's id
}

// Connect has OctoPrint connect to the printer. It asks first whether there is a
// connection, and then fails with Conflict: connecting again would end it, and
// kill the print.
func (c *Client) Connect(ctx context.Context, o ConnectOptions) error {
	var v struct{ Server string }
	if err := c.get(ctx, "/api/version", &v); err != nil {
		return err
	}
	if atLeast(v.Server, 2, 0) {
		return c.connect2(ctx, o)
	}
	var status struct{ Current *struct{ State string } }
	if err := c.get(ctx, "/api/connection", &status); err != nil {
		return err
	}
	if status.Current == nil || status.Current.State == "" {
		return connectionUnknown()
	}
	if !closed(status.Current.State) {
		return alreadyConnected()
	}
	body := map[string]any{"command": "connect"}
	if o.Port != "" {
		body["port"] = o.Port
	}
	if o.Baudrate != 0 {
		body["baudrate"] = o.Baudrate
	}
	if o.Profile != "" {
		body["printerProfile"] = o.Profile
	}
	return c.post(ctx, "/api/connection", body, nil)
}

// connect2 connects on a 2.0 server. Its old form would always take the serial
// connector, whatever the printer is. The preferred connector's parameters can
// hold secrets: they go back to the server and nowhere else.
func (c *Client) connect2(ctx context.Context, o ConnectOptions) error {
	var status struct {
		Current *struct{ State *string } // a null state is no connection
		Options struct {
			PreferredConnector struct {
				Connector  string
				Parameters map[string]any
			}
		}
	}
	get := request{method: http.MethodGet, path: "/api/connection", header: apiVersion2}
	if err := c.doHeader(ctx, get, &status); err != nil {
		return err
	}
	if status.Current == nil {
		return connectionUnknown()
	}
	if s := status.Current.State; s != nil && !closed(*s) {
		return alreadyConnected()
	}
	preferred := status.Options.PreferredConnector
	if preferred.Connector == "" {
		preferred.Connector = SerialConnector
	}
	if preferred.Connector != SerialConnector && (o.Port != "" || o.Baudrate != 0) {
		return &Error{Op: "POST /api/connection", Failure: Refused, Message: "OctoPrint does not connect to this printer by a serial port, so it takes neither a port nor a baud rate"}
	}
	parameters := maps.Clone(preferred.Parameters)
	if parameters == nil {
		parameters = map[string]any{}
	}
	if o.Port != "" {
		parameters["port"] = o.Port
	}
	if o.Baudrate != 0 {
		parameters["baudrate"] = o.Baudrate
	}
	body := map[string]any{"command": "connect", "connector": preferred.Connector, "parameters": parameters}
	if o.Profile != "" {
		body["printerProfile"] = o.Profile
	}
	post := request{method: http.MethodPost, path: "/api/connection", in: body, header: apiVersion2}
	post.secrets = texts(preferred.Parameters)
	return c.doHeader(ctx, post, nil)
}

// texts returns the texts in decoded JSON that are long enough to be secrets.
func texts(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		if len(v) >= 4 {
			all = append(all, v)
		}
	case []any:
		for _, e := range v {
			all = append(all, texts(e)...)
		}
	case map[string]any:
		for _, e := range v {
			all = append(all, texts(e)...)
		}
	}
	return all
}

// closed reports whether a state of /api/connection means no connection. The
// endpoint says Closed for an error, too.
func closed(state string) bool {
	return state == "Closed" || strings.HasPrefix(state, "Offline") ||
		strings.HasPrefix(state, "Error") || state == "CLOSED" || state == "CLOSED_WITH_ERROR" || state == "ERROR"
}

func alreadyConnected() error {
	return &Error{Op: "POST /api/connection", Failure: Conflict, Message: "the printer is connected already"}
}

// connectionUnknown refuses to connect where connecting could end a connection.
func connectionUnknown() error {
	return &Error{Op: "GET /api/connection", Failure: Refused, Message: "the answer does not say whether the printer is connected"}
}

// PrintResult is how the last print of a file ended, as OctoPrint remembers it.
type PrintResult struct {
	Ended   time.Time
	Success bool // false: cancelled or failed, OctoPrint doesn't keep which
}

// lastSecond is the last one of the year 9999, after which times have no common
// form.
const lastSecond = 253402300799

// LastPrint returns how the last print of a file ended. The result is false if
// OctoPrint knows of none, or not when it was.
func (c *Client) LastPrint(ctx context.Context, origin, path string) (PrintResult, bool, error) {
	var file struct {
		Prints struct {
			Last struct {
				Date    number
				Success bool
			}
		}
	}
	err := c.get(ctx, filePath(origin, path), &file)
	last := file.Prints.Last
	if err != nil || !last.Date.known || last.Date.value < 0 || last.Date.value > lastSecond {
		return PrintResult{}, false, err
	}
	return PrintResult{Ended: time.UnixMilli(int64(last.Date.value * 1000)), Success: last.Success}, true, nil
}
