package integration

import (
	"strconv"
	"time"

	"octoprint2mqtt/octoprint"
)

// EventType is the kind of an event that a printer tells. The types are part of
// the MQTT contract.
type EventType string

// The events.
const (
	EventPrintStarted        EventType = "print_started"
	EventPrintPaused         EventType = "print_paused"
	EventPrintResumed        EventType = "print_resumed"
	EventPrintFinished       EventType = "print_finished"
	EventPrintCancelled      EventType = "print_cancelled"
	EventPrintFailed         EventType = "print_failed"
	EventPrinterError        EventType = "printer_error"
	EventPrinterConnected    EventType = "printer_connected"
	EventPrinterDisconnected EventType = "printer_disconnected"
	EventFilamentChange      EventType = "filament_change"
	EventFileAdded           EventType = "file_added"
	EventFileRemoved         EventType = "file_removed"
	EventTimelapseDone       EventType = "timelapse_done"
	EventHeated              EventType = "heated"
	EventCooledDown          EventType = "cooled_down"
	EventPrompt              EventType = "prompt"
	EventMessage             EventType = "message"
	EventPlateCleared        EventType = "plate_cleared"
	EventFirstLayerDone      EventType = "first_layer_done"
)

// eventKind is a type of events, with when they are told.
type eventKind struct {
	typ   EventType
	about string // a sentence
}

// eventKinds are all of them.
func eventKinds() []eventKind {
	return []eventKind{
		{EventPrintStarted, "A print begins."},
		{EventPrintPaused, "A print is paused, by whomever; without `user` it was the printer itself."},
		{EventPrintResumed, "A print goes on, by whomever; without `user` it was the printer itself."},
		{EventPrintFinished, "A print is done."},
		{EventPrintCancelled, "Somebody has cancelled a print, or restarted it while it was paused (`reason`: `restarted`)."},
		{EventPrintFailed, "A print has failed, with `reason`: `error`; `lost`, OctoPrint came back without the job; `unknown`, nobody saw it end."},
		{EventPrinterError, "The printer has an error, with `error`."},
		{EventPrinterConnected, "OctoPrint has a connection to the printer now."},
		{EventPrinterDisconnected, "OctoPrint has no connection to the printer any more."},
		{EventFilamentChange, "The printer is told to have its filament changed."},
		{EventFileAdded, "There is a new printable file, with `file`, `path` and `origin`; one that is moved is removed, too."},
		{EventFileRemoved, "A printable file is gone, with `file`, `path` and `origin`."},
		{EventTimelapseDone, "A timelapse is ready: `path` is its name, `file` the print that it shows."},
		{EventHeated, "A heater has reached the target that was set; `heater` says which."},
		{EventCooledDown, "A heater was hot, and now all are below `ready_below` without a target."},
		{EventPrompt, "The printer asks something on its display, with `text`."},
		{EventMessage, "The printer says something on its display, with `text`."},
		{EventPlateCleared, "Somebody has said that the plate is empty, where `plate_check` is on."},
		{EventFirstLayerDone, "The first layer is printed, where a plugin tells."},
	}
}

func eventTypes() []string {
	var types []string
	for _, k := range eventKinds() {
		types = append(types, string(k.typ))
	}
	return types
}

// event is something that happened once. It is not retained, but kept until the
// broker has it; a repetition has the same id.
type event struct {
	Type    EventType `json:"event_type"`
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	Printer string    `json:"printer"`
	// Late says that the event is told at another time than it happened: the
	// broker, OctoPrint or the bridge was away.
	Late bool `json:"late"`

	File     string   `json:"file,omitempty"`
	Path     string   `json:"path,omitempty"`
	Origin   string   `json:"origin,omitempty"`
	User     string   `json:"user,omitempty"`
	Duration *float64 `json:"duration_s,omitempty"`
	Progress *float64 `json:"progress,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Error    string   `json:"error,omitempty"`
	Result   string   `json:"result,omitempty"`
	Text     string   `json:"text,omitempty"` // that the printer shows
	Heater   string   `json:"heater,omitempty"`
}

// tell has an event told that a change of the view brings, such as a plugin's
// message: about the running job, if there is one, and with the text that the
// printer shows, if it is about one. A view without a tracker tells nothing.
func (v *printerView) tell(typ EventType, text string) { v.tellAs(typ, text, false) }

// tellLate is tell for what happened while nobody was looking.
func (v *printerView) tellLate(typ EventType, text string) { v.tellAs(typ, text, true) }

func (v *printerView) tellAs(typ EventType, text string, late bool) {
	if v.prints == nil {
		return
	}
	e := v.prints.about(typ, octoprint.Event{}, time.Now())
	e.Text, e.Late = clean(text), late
	v.prints.untold = append(v.prints.untold, e)
}

// news returns what waits to be told.
func (t *tracker) news() []event {
	list := t.untold
	t.untold = nil
	return list
}

// lateAfter is how old an event is when it counts as late.
const lateAfter = 10 * time.Second

// payload renders the event as it is sent at a time.
func (e event) payload(now time.Time) string {
	for _, text := range []*string{&e.ID, &e.File, &e.Path, &e.Origin, &e.User, &e.Reason, &e.Error, &e.Result, &e.Text} {
		*text = clean(*text)
	}
	e.Late = e.Late || now.Sub(e.Time) > lateAfter
	e.Time = e.Time.UTC().Round(time.Millisecond)
	return mustMarshal(e)
}

// endID is the id of the event that ends a job. It follows from the job alone: if
// a crash comes between telling the end and recording that it was told, the end
// is found out and told again under the same id.
func endID(printer string, j *job) string {
	return printer + "-" + strconv.FormatInt(j.started.UnixMilli(), 36) + "-end"
}

// eventID is unique among all events of a printer, over restarts too.
func eventID(printer string, at time.Time, n uint64) string {
	return printer + "-" + strconv.FormatInt(at.UnixMilli(), 36) + "-" + strconv.FormatUint(n, 36)
}
