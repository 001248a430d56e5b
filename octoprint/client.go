package octoprint

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

const (
	requestTimeout = 10 * time.Second // of a whole request, unless ctx ends earlier
	dialTimeout    = 5 * time.Second  // of connecting, and of the TLS handshake after it
	bodyLimit      = 8 << 20          // bytes of an answer; file lists of big farms stay far below
)

// Options tell how to reach one OctoPrint server.
type Options struct {
	URL    *url.URL // http or https, with the path prefix under which OctoPrint is served
	APIKey string
	User   string // the user that the key must belong to; empty: any
	Agent  string // User-Agent; empty: the library's
	TLS    *tls.Config

	// Events are those that the session's handler is told of beside the ones that
	// this package names, and Plugins the plugins whose push messages it gets.
	Events  []EventType
	Plugins []string

	// Dial makes the network connections; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client talks to one OctoPrint server. It keeps no connection and no goroutine
// beyond its calls.
type Client struct {
	options Options
	base    string                  // without a slash at the end
	session atomic.Pointer[Session] // that Serve serves; nil: none
}

// NewClient returns a client; it does not touch the network.
func NewClient(o Options) *Client {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return &Client{options: o, base: strings.TrimRight(o.URL.String(), "/")}
}

// events are those that sessions ask for. The list isn't kept: all clients of a program
// have the same options.
func (c *Client) events() []EventType {
	events := subscribedEvents()
	for _, t := range c.options.Events {
		if !slices.Contains(events, t) {
			events = append(events, t)
		}
	}
	return events
}

// wants reports whether an event is among those.
func (c *Client) wants(t EventType) bool {
	return slices.Contains(subscribedEvents(), t) || slices.Contains(c.options.Events, t)
}

// newHTTP returns what sends one request. Its transport would hold on to its last
// request for as long as it lives, and keeps no connection anyway.
func (c *Client) newHTTP() *http.Client {
	return &http.Client{
		// A cookie would start a session of its own on old servers, and a
		// followed redirect would turn a command into a GET and show the
		// key to a stranger: the client has no jar and stays where it is.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:           c.options.Dial,
			TLSClientConfig:       c.options.TLS,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: requestTimeout,
			// Servers before 1.10 hang up after an answer without saying so,
			// and a command that meets that would be lost.
			DisableKeepAlives: true,
			ReadBufferSize:    1024, // most answers are short
			WriteBufferSize:   1024,
		},
	}
}

func (c *Client) get(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodGet, path, nil, out)
}

func (c *Client) post(ctx context.Context, path string, in, out any) error {
	return c.do(ctx, http.MethodPost, path, in, out)
}

// apiVersion2 asks a 2.0 server for its new shapes; older ones ignore it.
var apiVersion2 = http.Header{"X-Octoprint-Api-Version": {"2.0.0"}}

// do sends one request and decodes the answer into out unless that is nil.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	return c.doHeader(ctx, request{method: method, path: path, in: in}, out)
}

type request struct {
	method, path string
	in           any         // sent as JSON; nil: no body, or raw
	raw          []byte      // sent as it is, of this kind
	kind         string      // media type of raw
	header       http.Header // sent beside the usual ones
	secrets      []string    // in the body, must not come back in an error
}

func (c *Client) doHeader(ctx context.Context, r request, out any) error {
	return c.presentable(c.exchange(ctx, r, out), r.secrets...)
}

// exchange is doHeader with errors as they come.
func (c *Client) exchange(ctx context.Context, r request, out any) error {
	op := r.method + " " + r.path
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := c.build(ctx, r)
	if err != nil {
		return &Error{Op: op, Failure: Refused, Err: err}
	}
	resp, err := c.newHTTP().Do(req)
	if err != nil {
		return transportError(op, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	if err != nil {
		return transportError(op, err)
	}
	if len(body) > bodyLimit {
		return &Error{Op: op, Failure: NotOctoPrint, Status: resp.StatusCode, Message: "the answer is larger than 8 MiB"}
	}
	if err := statusError(op, resp, body); err != nil {
		return err
	}
	return decodeAnswer(op, resp, body, out)
}

func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	if r.in != nil {
		b, err := json.Marshal(r.in)
		if err != nil {
			return nil, err
		}
		r.raw, r.kind = b, "application/json"
	}
	var body io.Reader
	if r.raw != nil {
		body = bytes.NewReader(r.raw)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, body)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, r.header)
	if r.raw != nil {
		req.Header.Set("Content-Type", r.kind)
	}
	req.Header.Set("X-Api-Key", c.options.APIKey)
	if c.options.Agent != "" {
		req.Header.Set("User-Agent", c.options.Agent)
	}
	return req, nil
}

// decodeAnswer decodes a success. Some endpoints of some versions answer 204
// where others send JSON, so an empty body leaves out as it is.
func decodeAnswer(op string, resp *http.Response, body []byte, out any) error {
	if out == nil || len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	err := json.Unmarshal(body, out)
	var wrongType *json.UnmarshalTypeError
	if err == nil || errors.As(err, &wrongType) && strings.HasPrefix(string(bytes.TrimSpace(body)), "{") {
		return nil // a leaf of another type than expected stays at its zero value
	}
	return &Error{Op: op, Failure: NotOctoPrint, Status: resp.StatusCode, Message: serverMessage(resp, body), Err: err}
}

// serverMessage returns what an answer says in words: the error member of JSON,
// plain text as it is, and of anything else only what it is. Broken JSON is not
// quoted: that of a login holds the user's master key. The words are not fit to be
// shown yet.
func serverMessage(resp *http.Response, body []byte) string {
	var j struct{ Error string }
	if json.Valid(body) {
		_ = json.Unmarshal(body, &j) // an error of another type says nothing
		return j.Error
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		if text := string(body); strings.Contains(text, "CSRF") {
			return "CSRF validation failed"
		} else if strings.Contains(text, "Invalid API key") {
			return "Invalid API key" // servers before 1.6 wrap their errors in a page
		}
		return "it answers with a web page"
	}
	if text := bytes.TrimSpace(body); bytes.HasPrefix(text, []byte("{")) || bytes.HasPrefix(text, []byte("[")) {
		return "it answers with broken JSON"
	}
	return string(body)
}
