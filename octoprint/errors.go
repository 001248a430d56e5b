package octoprint

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Failure is the kind of an [Error]. It is an error itself, so that
// errors.Is(err, octoprint.KeyRejected) tells the kinds apart.
type Failure uint8

// The kinds of failure.
const (
	Unreachable  Failure = iota + 1 // no connection, no answer, or the connection broke
	TLSFailed                       // the TLS handshake or the certificate
	NotOctoPrint                    // something else answers at this URL
	Redirected                      // the server points elsewhere; Error.Location says where
	KeyRejected                     // the API key is not known to OctoPrint
	GlobalKey                       // the key is the server's global key, which belongs to nobody
	WrongUser                       // the key belongs to another user than configured
	NotPermitted                    // the key's user lacks a permission
	Starting                        // OctoPrint, or the proxy in front of it, says that it isn't up yet
	RateLimited                     // too many logins from this address
	Conflict                        // the printer's state doesn't allow the command
	Refused                         // OctoPrint rejected the request for another reason
	ServerFailed                    // OctoPrint failed while handling the request
	SessionEnded                    // the server ended the push session, or it fell silent
)

func (f Failure) Error() string {
	//exhaustive:enforce
	switch f {
	case Unreachable:
		return "server unreachable"
	case TLSFailed:
		return "TLS failed"
	case NotOctoPrint:
		return "not an OctoPrint server"
	case Redirected:
		return "redirected"
	case KeyRejected:
		return "API key rejected"
	case GlobalKey:
		return "global API key"
	case WrongUser:
		return "wrong user"
	case NotPermitted:
		return "not permitted"
	case Starting:
		return "server is starting"
	case RateLimited:
		return "too many logins"
	case Conflict:
		return "not possible in the printer's state"
	case Refused:
		return "request refused"
	case ServerFailed:
		return "server failed"
	case SessionEnded:
		return "session ended"
	}
	return "unknown failure"
}

// Error is what went wrong with one request or session.
type Error struct {
	Op       string  // what was being done, for instance "GET /api/version"
	Failure  Failure // its kind; also what Unwrap leads to
	Status   int     // the HTTP status, 0 without an answer
	Message  string  // the server's own words or the facts, one line, may be empty
	Location string  // where a redirect leads, without user, password and query
	Err      error   // the cause, may be nil
	// Relogin says that the server is there and only wants a new login.
	Relogin bool
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(e.Failure.Error())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	switch {
	case e.Location != "":
		b.WriteString(" to " + e.Location)
	case e.Message != "":
		b.WriteString(": " + e.Message)
	case e.Err != nil:
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap makes both the kind and the cause visible to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Failure}
	}
	return []error{e.Failure, e.Err}
}

// transportError classifies an error that came instead of an answer.
func transportError(op string, err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // without the URL, which Op names already
	}
	e := &Error{Op: op, Failure: Unreachable, Err: err}
	switch text := err.Error(); {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		// The caller gave up, or the server took too long: Err says which.
	case isTLS(err):
		e.Failure = TLSFailed
	case strings.Contains(text, `malformed HTTP status code "found"`):
		// While OctoPrint starts, a helper process answers with the bare words
		// "Not found" instead of HTTP.
		e.Failure, e.Err, e.Message = Starting, nil, "it does not speak HTTP yet"
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "server gave HTTP response to HTTPS"):
		e.Failure, e.Err, e.Message = NotOctoPrint, nil, "what answers does not speak the protocol of the URL; is it http or https?"
	}
	return e
}

func isTLS(err error) bool {
	var (
		record    tls.RecordHeaderError
		verify    *tls.CertificateVerificationError
		alert     tls.AlertError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	return errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) ||
		strings.Contains(err.Error(), "TLS handshake timeout") || strings.Contains(err.Error(), "tls: ") // alerts of the other side have no type
}

// statusError classifies an answer that is no success. It returns nil for 2xx.
func statusError(op string, resp *http.Response, body []byte) error {
	e := &Error{Op: op, Status: resp.StatusCode, Message: serverMessage(resp, body)}
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		e.Failure, e.Location = Redirected, redirectTarget(resp)
	case code == http.StatusUnauthorized:
		e.Failure, e.Message = NotOctoPrint, "something in front of OctoPrint asks for a user name and password"
	case code == http.StatusBadRequest && strings.Contains(e.Message, "CSRF"):
		e.Failure = KeyRejected // a good key exempts from CSRF checks
	case code == http.StatusForbidden && strings.Contains(e.Message, "Invalid API key"):
		e.Failure = KeyRejected
	case code == http.StatusForbidden:
		e.Failure = NotPermitted
	case code == http.StatusConflict:
		e.Failure = Conflict
	case code == http.StatusTooManyRequests:
		e.Failure = RateLimited
	case code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		e.Failure, e.Message = Starting, "the proxy in front of OctoPrint gets no answer from it"
	case code == http.StatusNotImplemented:
		// The helper process that stands in for OctoPrint while it starts.
		e.Failure, e.Message = Starting, "it takes no commands yet"
	case code >= 500:
		e.Failure = ServerFailed
	default:
		e.Failure = Refused
	}
	return e
}

// redirectTarget returns where a redirect leads, without user, password and query.
func redirectTarget(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil {
		return "an unreadable address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// presentable makes an error fit to be logged and shown: on one line, short, and
// without the API key and other secrets, which a server may quote.
func (c *Client) presentable(err error, secrets ...string) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	secrets = append(slices.Clone(secrets), c.options.APIKey)
	// The longest first: others may be a part of it.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var marks []string
	for _, s := range secrets {
		if s != "" {
			marks = append(marks, s, "…")
		}
	}
	hide := strings.NewReplacer(marks...)
	show := func(text string) string { return oneLine(hide.Replace(text)) }
	e.Message, e.Location = show(e.Message), show(e.Location)
	if e.Err == nil {
		return err
	}
	if text := e.Err.Error(); show(text) != text {
		e.Message, e.Err = cmp.Or(e.Message, show(text)), nil
	}
	return err
}

// oneLine makes foreign text fit for an error: printable, on one line, short.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	const limit = 200
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
