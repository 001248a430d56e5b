package octoprint

import "encoding/json"

// EventType is the name of one of OctoPrint's events.
type EventType string

// The events that a session asks for. PrintFailed is sent for cancelled prints
// too, then with the reason "cancelled".
const (
	EventPrinterStateChanged EventType = "PrinterStateChanged"
	EventConnected           EventType = "Connected"
	EventDisconnected        EventType = "Disconnected"
	EventError               EventType = "Error"
	EventPrintStarted        EventType = "PrintStarted"
	EventPrintPaused         EventType = "PrintPaused"
	EventPrintResumed        EventType = "PrintResumed"
	EventPrintDone           EventType = "PrintDone"
	EventPrintCancelled      EventType = "PrintCancelled"
	EventPrintFailed         EventType = "PrintFailed"
	EventProfileModified     EventType = "PrinterProfileModified"
	EventSettingsUpdated     EventType = "SettingsUpdated"
	EventConnectionsFound    EventType = "ConnectionsAutorefreshed" // ports came or went; since 1.9
	EventFirmwareData        EventType = "FirmwareData"
	EventFileAdded           EventType = "FileAdded"
	EventFileRemoved         EventType = "FileRemoved"
	EventFilesUpdated        EventType = "UpdatedFiles"
	EventFileAnalysed        EventType = "MetadataAnalysisFinished"
	EventFilamentChange      EventType = "FilamentChange"
	EventMovieDone           EventType = "MovieDone" // a timelapse is ready
)

func subscribedEvents() []EventType {
	return []EventType{
		EventPrinterStateChanged, EventConnected, EventDisconnected, EventError,
		EventPrintStarted, EventPrintPaused, EventPrintResumed,
		EventPrintDone, EventPrintCancelled, EventPrintFailed, EventProfileModified,
		EventSettingsUpdated, EventConnectionsFound, EventFirmwareData,
		EventFileAdded, EventFileRemoved, EventFilesUpdated, EventFileAnalysed, EventFilamentChange, EventMovieDone,
	}
}

// Event is one of OctoPrint's events with the facts that it carries; what it
// doesn't carry is empty or nil.
type Event struct {
	Type     EventType
	Name     string // of the file
	Path     string
	Origin   string   // local, sdcard or printer
	User     string   // who caused it; empty when the printer did
	Duration *float64 // s since the print's start
	Progress *float64 // percent, 0 to 100
	Reason   string   // of PrintFailed: error or cancelled
	Error    string   // the error's text
	// Payload is all that OctoPrint says of the event, as JSON. It is only valid
	// while the event is handled.
	Payload json.RawMessage
}

// event translates a frame. The progress of a print that failed by an error is
// a fraction, everywhere else it is a percentage.
func (w *wireEvent) event() Event {
	p := &w.Payload
	e := Event{
		Type: EventType(w.Type), Name: p.Name, Path: p.Path, Origin: p.Origin, User: p.User,
		Duration: p.Time.pointer(nil), Progress: p.Progress.pointer(nil), Reason: p.Reason, Error: p.Error,
		Payload: w.Raw,
	}
	if e.Type == EventPrintFailed && e.Reason == "error" && e.Progress != nil && *e.Progress <= 1 {
		percent := *e.Progress * 100
		e.Progress = &percent
	}
	return e
}
