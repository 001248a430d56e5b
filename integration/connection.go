package integration

import (
	"errors"
	"fmt"

	"octoprint2mqtt/octoprint"
)

// connection is how the bridge stands with an OctoPrint server.
type connection string

// The connections, as the MQTT contract has them.
const (
	connectionConnected    connection = "connected"
	connectionConnecting   connection = "connecting"
	connectionUnreachable  connection = "unreachable"
	connectionUnauthorized connection = "unauthorized"
	connectionNotPermitted connection = "not_permitted"
	connectionTLS          connection = "tls_error"
	connectionNotOctoPrint connection = "not_octoprint"
	connectionStarting     connection = "starting"
	connectionDisabled     connection = "disabled"
)

// connectionYielding is how the bridge stands with a broker on which another one
// is at work. It is no state of a printer.
const connectionYielding connection = "yielding"

func connections() []string {
	return []string{
		string(connectionConnected), string(connectionConnecting), string(connectionUnreachable),
		string(connectionUnauthorized), string(connectionNotPermitted), string(connectionTLS),
		string(connectionNotOctoPrint), string(connectionStarting), string(connectionDisabled),
	}
}

// The payloads of availability topics.
const (
	online  = "online"
	offline = "offline"
)

// diagnosis is a failed connection in the words of the user: what it is, why, and
// what to do. Each is a part of a sentence, without a full stop.
type diagnosis struct {
	connection    connection
	what, why, do string
	failure       octoprint.Failure
}

// detail is the diagnosis as one sentence.
func (d diagnosis) detail() string {
	switch {
	case d.why == "" && d.do == "":
		return d.what + "."
	case d.do == "":
		return d.what + ": " + d.why + "."
	}
	return d.what + ": " + d.do + "."
}

// final reports whether only a person can mend it.
func (d diagnosis) final() bool { return d.connection == connectionUnauthorized }

// atOnce reports whether it is no passing disturbance that deserves grace.
func (d diagnosis) atOnce() bool {
	return d.connection == connectionUnauthorized || d.connection == connectionNotPermitted
}

// check is the name of what has failed, as findings have it.
func (d diagnosis) check() string {
	switch d.failure {
	case octoprint.KeyRejected, octoprint.GlobalKey:
		return "key"
	case octoprint.WrongUser:
		return "user"
	case octoprint.NotPermitted:
		return "permissions"
	case octoprint.TLSFailed:
		return "certificate"
	case octoprint.Redirected:
		return "redirect"
	}
	return "connection"
}

// diagnose explains why there is no session with a printer's OctoPrint.
func diagnose(p *PrinterConfig, err error) diagnosis {
	var e *octoprint.Error
	if !errors.As(err, &e) {
		e = &octoprint.Error{Failure: octoprint.Unreachable, Err: err}
	}
	d := explain(p, e)
	d.failure = e.Failure
	return d
}

func explain(p *PrinterConfig, e *octoprint.Error) diagnosis {
	switch e.Failure {
	case octoprint.KeyRejected:
		return diagnosis{connection: connectionUnauthorized, what: "OctoPrint does not accept the API key", why: "it was revoked, mistyped, or is another OctoPrint's", do: "make a new application key in OctoPrint and put it into the configuration"}
	case octoprint.GlobalKey:
		return diagnosis{connection: connectionUnauthorized, what: "The API key is OctoPrint's global key, which belongs to no user and is going away", why: "OctoPrint will stop accepting it, and with it everything is allowed to everybody", do: "make an application key of a user instead"}
	case octoprint.WrongUser:
		return diagnosis{connection: connectionUnauthorized, what: "Wrong user: " + e.Message, why: "what the key may do is what its user may do", do: "use a key of the configured user, or change the user in the configuration"}
	case octoprint.NotPermitted:
		return diagnosis{connection: connectionNotPermitted, what: fmt.Sprintf("OctoPrint does not let the API key's user see the printer (%s)", reason(e)), why: "without the permission STATUS nothing is known of the printer", do: "put the user into the group Read-only or Operator"}
	case octoprint.TLSFailed:
		return diagnosis{connection: connectionTLS, what: fmt.Sprintf("The TLS connection to %s failed (%s)", p.URL.Host, reason(e)), why: "the API key is only sent to a server that can be told from others", do: "check the certificate or set ca_file, or write http:// if it has no TLS"}
	case octoprint.Redirected:
		return diagnosis{connection: connectionNotOctoPrint, what: fmt.Sprintf("%s redirects to %s", publicURL(p.URL), e.Location), why: "redirects are not followed, since commands would get lost and the API key would be shown to whoever is there", do: "put the address it really has into the configuration"}
	case octoprint.NotOctoPrint, octoprint.Refused, octoprint.ServerFailed, octoprint.Conflict:
		return diagnosis{connection: connectionNotOctoPrint, what: fmt.Sprintf("What answers at %s is not OctoPrint (%s)", publicURL(p.URL), reason(e)), why: "something else listens there, or something in front of OctoPrint", do: "check host, port and path of the URL"}
	case octoprint.Starting:
		return diagnosis{connection: connectionStarting, what: "OctoPrint is not up yet", why: reason(e)}
	case octoprint.RateLimited:
		return diagnosis{connection: connectionUnreachable, what: "OctoPrint refuses logins from this address for a while because of wrong passwords", why: "after three wrong passwords in a minute OctoPrint lets nobody from there in", do: "wait, or find out who tries them"}
	}
	return diagnosis{connection: connectionUnreachable, what: fmt.Sprintf("No answer from %s (%s)", p.URL.Host, reason(e)), why: "nothing is known of the printer meanwhile", do: "check that it is on and that the URL is right"}
}

// reason returns the shortest account of an error that still tells something.
func reason(e *octoprint.Error) string {
	text := e.Failure.Error()
	switch {
	case e.Message != "":
		text = e.Message
	case e.Err != nil:
		text = e.Err.Error()
	}
	if e.Status != 0 {
		text += fmt.Sprintf(", HTTP %d", e.Status)
	}
	return clean(text)
}
