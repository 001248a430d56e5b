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

// diagnosis is a failed connection in the words of the user: what it is, and one
// sentence on why and what to do.
type diagnosis struct {
	connection connection
	detail     string
}

// final reports whether only a person can mend it.
func (d diagnosis) final() bool { return d.connection == connectionUnauthorized }

// atOnce reports whether it is no passing disturbance that deserves grace.
func (d diagnosis) atOnce() bool {
	return d.connection == connectionUnauthorized || d.connection == connectionNotPermitted
}

// diagnose explains why there is no session with a printer's OctoPrint.
func diagnose(p *PrinterConfig, err error) diagnosis {
	var e *octoprint.Error
	if !errors.As(err, &e) {
		e = &octoprint.Error{Failure: octoprint.Unreachable, Err: err}
	}
	switch e.Failure {
	case octoprint.KeyRejected:
		return diagnosis{connectionUnauthorized, "OctoPrint does not accept the API key: make a new application key in OctoPrint and put it into the configuration."}
	case octoprint.GlobalKey:
		return diagnosis{connectionUnauthorized, "The API key is OctoPrint's global key, which belongs to no user and is going away: make an application key of a user instead."}
	case octoprint.WrongUser:
		return diagnosis{connectionUnauthorized, fmt.Sprintf("Wrong user: %s. Use a key of the configured user, or change the user in the configuration.", e.Message)}
	case octoprint.NotPermitted:
		return diagnosis{connectionNotPermitted, fmt.Sprintf("OctoPrint does not let the API key's user see the printer (%s): put the user into the group Read-only or Operator.", reason(e))}
	case octoprint.TLSFailed:
		return diagnosis{connectionTLS, fmt.Sprintf("The TLS connection to %s failed (%s): check the certificate or set ca_file, or write http:// if it has no TLS.", p.URL.Host, reason(e))}
	case octoprint.Redirected:
		return diagnosis{connectionNotOctoPrint, fmt.Sprintf("%s redirects to %s: put the address it really has into the configuration.", publicURL(p.URL), e.Location)}
	case octoprint.NotOctoPrint, octoprint.Refused, octoprint.ServerFailed, octoprint.Conflict:
		return diagnosis{connectionNotOctoPrint, fmt.Sprintf("What answers at %s is not OctoPrint (%s): check host, port and path of the URL.", publicURL(p.URL), reason(e))}
	case octoprint.Starting:
		return diagnosis{connectionStarting, fmt.Sprintf("OctoPrint is not up yet: %s.", reason(e))}
	case octoprint.RateLimited:
		return diagnosis{connectionUnreachable, "OctoPrint refuses logins from this address for a while because of wrong passwords: wait, or find out who tries them."}
	}
	return diagnosis{connectionUnreachable, fmt.Sprintf("No answer from %s (%s): check that it is on and that the URL is right.", p.URL.Host, reason(e))}
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
