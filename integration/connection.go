package integration

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

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
		return diagnosis{connection: connectionUnauthorized, what: "OctoPrint does not accept the API key", why: "it was revoked, mistyped, or is another OctoPrint's", do: renewal(p, "get a new one", "leave --key out, and OctoPrint is asked for one")}
	case octoprint.GlobalKey:
		return diagnosis{connection: connectionUnauthorized, what: "The API key is OctoPrint's global key, which belongs to no user and is going away", why: "OctoPrint will stop accepting it, and with it everything is allowed to everybody", do: renewal(p, "get an application key instead,", "leave --key out, and OctoPrint is asked for an application key")}
	case octoprint.WrongUser:
		return diagnosis{connection: connectionUnauthorized, what: "Wrong user: " + e.Message, why: "what the key may do is what its user may do", do: renewal(p, fmt.Sprintf("change user in the configuration, or log in to OctoPrint as %s and get a key", quote(p.User)), fmt.Sprintf("give a key of %s, or leave --user out", quote(p.User)))}
	case octoprint.NotPermitted:
		return diagnosis{connection: connectionNotPermitted, what: fmt.Sprintf("OctoPrint does not let the API key's user see the printer (%s)", reason(e)), why: "without the permission STATUS nothing is known of the printer", do: "put the user into the group Read-only or Operator"}
	case octoprint.TLSFailed:
		return diagnosis{connection: connectionTLS, what: fmt.Sprintf("The TLS connection to %s failed (%s)", p.URL.Host, reason(e)), why: "the API key is only sent to a server that can be told from others", do: "check the certificate or set ca_file, or write http:// if it has no TLS"}
	case octoprint.Redirected:
		return diagnosis{connection: connectionNotOctoPrint, what: fmt.Sprintf("%s redirects to %s", publicURL(p.URL), redirectedTo(e)), why: "redirects are not followed, since commands would get lost and the API key would be shown to whoever is there", do: "put the address it really has into the configuration"}
	case octoprint.NotOctoPrint, octoprint.Refused, octoprint.ServerFailed, octoprint.Conflict:
		return explainForeign(p, e)
	case octoprint.Starting:
		return diagnosis{connection: connectionStarting, what: fmt.Sprintf("OctoPrint is not up yet (%s)", reason(e)), why: "nothing is known of the printer meanwhile", do: "wait a minute; if that does not help, look at OctoPrint and its log"}
	case octoprint.RateLimited:
		return diagnosis{connection: connectionUnreachable, what: "OctoPrint refuses logins from this address for a while because of wrong passwords", why: "after three wrong passwords in a minute OctoPrint lets nobody from there in", do: "wait, or find out who tries them"}
	}
	if unknown, ok := unknownName(p.URL.Hostname(), e); ok {
		unknown.connection, unknown.why = connectionUnreachable, "nothing is known of the printer meanwhile"
		return unknown
	}
	return diagnosis{connection: connectionUnreachable, what: fmt.Sprintf("No answer from %s (%s)", p.URL.Host, reason(e)), why: "nothing is known of the printer meanwhile", do: "check that it is on and that the URL is right"}
}

// explainForeign tells of what is no OctoPrint, or stands in front of one.
func explainForeign(p *PrinterConfig, e *octoprint.Error) diagnosis {
	d := diagnosis{
		connection: connectionNotOctoPrint, what: fmt.Sprintf("What answers at %s is not OctoPrint (%s)", publicURL(p.URL), reason(e)),
		why: "something else listens there, or something in front of OctoPrint", do: "check host, port and path of the URL",
	}
	switch {
	case errors.Is(e, octoprint.ErrNoPushSocket):
		d.what = fmt.Sprintf("OctoPrint answers at %s, but not its push socket (HTTP %d)", publicURL(p.URL), e.Status)
		d.why, d.do = "what happens there is told by the push socket alone", "have the proxy in front of OctoPrint pass on websockets, as OctoPrint's guide to reverse proxies shows"
	case e.Status == http.StatusUnauthorized:
		d.do = "use an address at which OctoPrint answers without that password, which this program can't give"
	}
	return d
}

// redirectedTo is where OctoPrint is said to be, without the path that it was asked for.
func redirectedTo(e *octoprint.Error) string {
	_, path, _ := strings.Cut(e.Op, " ")
	return strings.TrimSuffix(e.Location, path)
}

// renewal tells how to get another key. A printer that is just being added has no id yet.
func renewal(p *PrinterConfig, configured, added string) string {
	if p.ID == "" {
		return added
	}
	return configured + " with octoprint2mqtt enroll " + p.ID
}

// unknownName tells of a host whose name leads nowhere. It is false for any other error.
func unknownName(host string, err error) (diagnosis, bool) {
	failed, ok := errors.AsType[*net.DNSError](err)
	if !ok {
		return diagnosis{}, false
	}
	d := diagnosis{what: fmt.Sprintf("The name %s is not known to this machine (%s)", host, clean(failed.Err)), do: "check how it is spelt, or use the IP address"}
	if strings.HasSuffix(strings.TrimSuffix(host, "."), ".local") {
		d.do += "; names that end in .local are found by mDNS, which containers often lack"
	}
	return d, true
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
