package octoprint

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Greeting is what a server tells everybody who opens its push socket.
type Greeting struct {
	Version string // OctoPrint's, such as "1.11.8"
	// Config is a hash of the whole configuration, secrets included: no two servers
	// have the same, and it changes with every change of the settings.
	Config string
}

// Greet opens the push socket and hears what the server says there before any
// login: that shows that it is OctoPrint, whatever is known of a key, and that
// nothing in between keeps the push socket out. It needs no key.
func (c *Client) Greet(ctx context.Context) (Greeting, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	conn, _, err := c.dialSocket(ctx, "")
	if err != nil {
		return Greeting{}, err
	}
	defer conn.Close()
	for {
		g, err := readGreeting(conn)
		if err != nil || g.Version != "" {
			return g, c.presentable(err)
		}
	}
}

// readGreeting returns the zero greeting for any other message.
func readGreeting(conn *websocket.Conn) (Greeting, error) {
	const op = "reading the greeting of the push socket"
	if err := conn.SetReadDeadline(time.Now().Add(authTimeout)); err != nil {
		return Greeting{}, transportError(op, err)
	}
	_, r, err := conn.NextReader()
	if err != nil {
		return Greeting{}, transportError(op, err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return Greeting{}, transportError(op, err)
	}
	var frame struct {
		Connected *struct {
			Version string
			Config  string `json:"config_hash"`
		}
	}
	err = json.Unmarshal(text, &frame)
	switch {
	case err != nil:
		return Greeting{}, &Error{Op: op, Failure: NotOctoPrint, Message: "the greeting is not OctoPrint's"}
	case frame.Connected == nil:
		return Greeting{}, nil // where guests may watch, other messages come too
	case frame.Connected.Version == "":
		return Greeting{}, &Error{Op: op, Failure: NotOctoPrint, Message: "the greeting names no version"}
	}
	return Greeting{Version: oneLine(frame.Connected.Version), Config: oneLine(frame.Connected.Config)}, nil
}

// foreignOrigin is that of a page on a site that does not exist.
const foreignOrigin = "http://octoprint2mqtt.invalid"

// CORS tells whether the server lets programs in browsers on other sites in
// (cross-origin resource sharing). Nothing else needs it.
type CORS struct {
	REST bool // as the settings are
	// Socket is how the settings were when OctoPrint was started: the push socket
	// heeds a change only after a restart.
	Socket bool
}

// CORS finds out by trying. It needs no key and no permission.
func (c *Client) CORS(ctx context.Context) (CORS, error) {
	const path = "/api/currentuser"
	op := http.MethodGet + " " + path
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := c.build(ctx, request{method: http.MethodGet, path: path, header: http.Header{"Origin": {foreignOrigin}}})
	if err != nil {
		return CORS{}, &Error{Op: op, Failure: Refused, Err: err}
	}
	resp, err := c.newHTTP().Do(req)
	if err != nil {
		return CORS{}, c.presentable(transportError(op, err))
	}
	resp.Body.Close()
	found := CORS{REST: strings.TrimSpace(resp.Header.Get("Access-Control-Allow-Origin")) != ""}
	conn, _, err := c.dialSocket(ctx, foreignOrigin)
	e, isOurs := errors.AsType[*Error](err)
	switch {
	case err == nil:
		found.Socket = true
		conn.Close()
	case !isOurs || e.Status == 0:
		return CORS{}, err
	}
	return found, nil
}
