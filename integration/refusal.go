package integration

import (
	"context"
	"errors"
	"fmt"

	"octoprint2mqtt/octoprint"
)

// Code says in one word why a command was not carried out. Codes are part of the
// MQTT contract.
type Code string

// The codes.
const (
	CodeRetained     Code = "retained"      // the message was retained, so nobody sent it just now
	CodeExpired      Code = "expired"       // it waited for more than 10 s
	CodeDuplicate    Code = "duplicate"     // the same command came a moment ago
	CodeNotPermitted Code = "not_permitted" // OctoPrint doesn't permit it to the API key's user
	CodeAccessDenied Code = "access_denied" // our configuration doesn't allow it
	CodeOutOfRange   Code = "out_of_range"
	CodeInvalid      Code = "invalid" // the payload can't be understood
	CodeTooLarge     Code = "too_large"
	CodeWrongState   Code = "wrong_state"           // the printer is doing something else
	CodeOffline      Code = "printer_offline"       // OctoPrint has no connection to the printer
	CodeUnreachable  Code = "octoprint_unreachable" // there is no session with OctoPrint
	CodeOctoPrint    Code = "octoprint_error"       // OctoPrint refused or failed
	CodeNotArmed     Code = "not_armed"             // it needs arming first
	CodeTimeout      Code = "timeout"
	CodeNoAction     Code = "unknown_action"
	CodeNoPrinter    Code = "unknown_printer"
)

// refusal is why a command was not carried out.
type refusal struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return string(r.Code) + ": " + r.Message }

func refuse(code Code, format string, args ...any) *refusal {
	return &refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// refusalOf translates what OctoPrint said to a command; nil stays nil.
func refusalOf(err error) *refusal {
	var r *refusal
	var e *octoprint.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return r
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(CodeTimeout, "OctoPrint did not answer in time; whether it acted is not known")
	case errors.Is(err, octoprint.Conflict):
		return refuse(CodeWrongState, "OctoPrint says that the printer's state doesn't allow it")
	case errors.Is(err, octoprint.NotPermitted):
		return refuse(CodeNotPermitted, "OctoPrint doesn't permit this to the API key's user")
	case errors.Is(err, octoprint.KeyRejected):
		return refuse(CodeNotPermitted, "OctoPrint rejects the API key")
	case errors.Is(err, octoprint.Unreachable), errors.Is(err, octoprint.Starting), errors.Is(err, octoprint.TLSFailed):
		return refuse(CodeUnreachable, "OctoPrint can't be reached")
	case errors.As(err, &e):
		return refuse(CodeOctoPrint, "%s", e.Error())
	}
	return refuse(CodeOctoPrint, "%s", err.Error())
}
