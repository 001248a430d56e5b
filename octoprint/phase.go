package octoprint

import "strings"

// Phase is what a printer is doing, in one word for every version of OctoPrint.
type Phase string

// The phases. Only PhaseOffline, PhaseConnecting and PhaseError mean that there
// is no connection between OctoPrint and the printer.
const (
	PhaseOffline    Phase = "offline"
	PhaseConnecting Phase = "connecting"
	PhaseIdle       Phase = "idle"
	PhaseStarting   Phase = "starting"
	PhasePrinting   Phase = "printing"
	PhasePausing    Phase = "pausing"
	PhasePaused     Phase = "paused"
	PhaseResuming   Phase = "resuming"
	PhaseCancelling Phase = "cancelling"
	PhaseFinishing  Phase = "finishing"
	PhaseError      Phase = "error"   // an error, or offline after one
	PhaseSending    Phase = "sending" // a file goes to the printer's own storage
)

// Phases lists every phase.
func Phases() []Phase {
	return []Phase{
		PhaseOffline, PhaseConnecting, PhaseIdle, PhaseStarting, PhasePrinting, PhasePausing,
		PhasePaused, PhaseResuming, PhaseCancelling, PhaseFinishing, PhaseError, PhaseSending,
	}
}

// Connected reports whether OctoPrint has a connection to the printer.
func (p Phase) Connected() bool {
	return p != PhaseOffline && p != PhaseConnecting && p != PhaseError && p != ""
}

// Job reports whether a print job runs, paused or not.
func (p Phase) Job() bool {
	switch p {
	case PhaseStarting, PhasePrinting, PhasePausing, PhasePaused, PhaseResuming, PhaseCancelling, PhaseFinishing:
		return true
	}
	return false
}

// phaseOfEvent translates a PrinterStateChanged event. The ids of 1.x and 2.0
// differ; the text matters only where one id stands for several things.
func phaseOfEvent(id, text string) (Phase, bool) {
	switch id {
	case "OFFLINE", "NONE", "CLOSED":
		return PhaseOffline, true
	case "OPEN_SERIAL", "DETECT_SERIAL", "DETECT_BAUDRATE", "DETECTING", "CONNECTING":
		return PhaseConnecting, true
	case "OPERATIONAL":
		return PhaseIdle, true
	case "STARTING":
		return refine(PhaseStarting, text), true
	case "PRINTING":
		return refine(PhasePrinting, text), true
	case "PAUSING":
		return PhasePausing, true
	case "PAUSED":
		return PhasePaused, true
	case "RESUMING":
		return PhaseResuming, true
	case "CANCELLING":
		return PhaseCancelling, true
	case "FINISHING":
		return PhaseFinishing, true
	case "ERROR", "CLOSED_WITH_ERROR":
		return PhaseError, true
	case "TRANSFERING_FILE", "TRANSFERRING_FILE":
		return PhaseSending, true
	}
	return "", false
}

// refine tells sending and starting from printing by OctoPrint's text, which is
// the only place where it shows. The text may be translated in 2.0; then the
// coarser phase stays.
func refine(p Phase, text string) Phase {
	switch {
	case strings.HasSuffix(text, " to SD"): // "Sending file to SD", not "Printing from SD"
		return PhaseSending
	case strings.HasPrefix(text, "Starting"):
		return PhaseStarting
	}
	return p
}

// phaseOfFlags translates the flags of a sample. The order matters: 2.0 has
// printing set while it is paused, and all versions while pausing and so on.
func phaseOfFlags(f wireFlags, text string) Phase {
	switch {
	case f.Error, f.ClosedOrError && strings.HasPrefix(text, "Offline ") || f.ClosedOrError && text == "Error":
		return PhaseError
	case f.ClosedOrError:
		return PhaseOffline
	case f.Cancelling:
		return PhaseCancelling
	case f.Finishing:
		return PhaseFinishing
	case f.Pausing:
		return PhasePausing
	case f.Resuming:
		return PhaseResuming
	case f.Paused:
		return PhasePaused
	case f.Printing:
		return refine(PhasePrinting, text)
	case f.Operational:
		return PhaseIdle
	}
	return PhaseConnecting
}

// coarse drops the distinctions that flags can't show, so that a phase learned
// from an event can be held against a later sample.
func (p Phase) coarse() Phase {
	switch p {
	case PhaseStarting, PhaseSending:
		return PhasePrinting
	case PhaseError:
		return PhaseOffline
	}
	return p
}
