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

// The codes; [codes] says what they mean.
const (
	CodeRetained     Code = "retained"
	CodeExpired      Code = "expired"
	CodeDuplicate    Code = "duplicate"
	CodeNotPermitted Code = "not_permitted"
	CodeAccessDenied Code = "access_denied"
	CodeOutOfRange   Code = "out_of_range"
	CodeInvalid      Code = "invalid"
	CodeTooLarge     Code = "too_large"
	CodeWrongState   Code = "wrong_state"
	CodeOffline      Code = "printer_offline"
	CodeUnreachable  Code = "octoprint_unreachable"
	CodeOctoPrint    Code = "octoprint_error"
	CodeNotArmed     Code = "not_armed"
	CodeTimeout      Code = "timeout"
	CodeNoAction     Code = "unknown_action"
	CodeNoPrinter    Code = "unknown_printer"
)

// codeKind is a code with what it means.
type codeKind struct {
	code  Code
	about string // a sentence
}

// codes are all of them.
func codes() []codeKind {
	return []codeKind{
		{CodeRetained, "The message was retained, so nobody sent it just now."},
		{CodeExpired, "It waited for more than 10 s behind other commands, or a later emergency stop or target of 0 has overtaken it."},
		{CodeDuplicate, "It has the transaction of another within a minute (`info` and `health` of the bridge answer anyway), is the same start, print, movement or G-code within a second, or arms again."},
		{CodeNotPermitted, "OctoPrint doesn't permit it to the API key's user."},
		{CodeAccessDenied, "The configuration doesn't allow it: `access`, `gcode_allow` or `mqtt.admin`."},
		{CodeOutOfRange, "The number is beyond what the row, the printer or the configured limit allows."},
		{CodeInvalid, "The payload can't be understood, or names what isn't there."},
		{CodeTooLarge, "The payload has more than 64 KiB, or 6 MiB for an upload."},
		{CodeWrongState, "The printer is doing something else, or something is missing first."},
		{CodeOffline, "OctoPrint has no connection to the printer."},
		{CodeUnreachable, "The bridge has no session with OctoPrint."},
		{CodeOctoPrint, "OctoPrint refused, or failed."},
		{CodeNotArmed, "It needs arming first."},
		{CodeTimeout, "OctoPrint did not answer in time, or too many commands were waiting."},
		{CodeNoAction, "There is no action or row of that name."},
		{CodeNoPrinter, "There is no printer of that id."},
	}
}

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
