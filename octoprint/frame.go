package octoprint

import "encoding/json"

// frame is one message of the push socket: an object with one member, whose
// name is the message's type. Types that aren't listed are ignored. A sample is
// the decoder's own and is overwritten by the next message.
type frame struct {
	History *wireSample
	Current *wireSample
	Event   *wireEvent
	Plugin  *wirePlugin
	Reauth  *wireReauth
}

// wirePlugin is what a plugin pushes, in a format of its own. Data is part of the
// message, which is overwritten by the next.
type wirePlugin struct {
	Plugin string
	Data   json.RawMessage
}

type wireReauth struct {
	Reason string // stale, logout, modified or removed
}

// wireSample is OctoPrint's sampled state. Every leaf may be null or missing.
type wireSample struct {
	State    wireState
	Job      wireJob
	Progress wireProgress
	Z        number
	Heaters  []wireHeater // those of earlier messages too
}

type wireState struct {
	Text  string
	Error string // since 1.6; always empty in 2.0
	Flags wireFlags
}

type wireFlags struct {
	Known         bool // there are flags
	Operational   bool
	Printing      bool
	Cancelling    bool
	Pausing       bool
	Resuming      bool
	Finishing     bool
	ClosedOrError bool
	Error         bool // true for some milliseconds only
	Paused        bool
}

type wireJob struct {
	Name, Path, Display, Origin string // of the file
	Size                        number
	User                        string
	Estimated                   number
}

type wireProgress struct {
	Completion number
	PrintTime  number
	TimeLeft   number
	Origin     string // of TimeLeft
}

// wireHeater is what different parts of a sample say of one heater and of the
// extruder that it is in.
type wireHeater struct {
	Name           string
	Measured       bool // it is among the temperatures
	Actual, Target number
	Offset         number
	Fed            bool // the job needs filament there
	Length, Volume number
}

type wireEvent struct {
	Type    string
	Payload wirePayload
	// Raw is the payload as it came, part of the message.
	Raw json.RawMessage
}

// wirePayload has the members of the events that are acted upon.
type wirePayload struct {
	Name     string
	Path     string
	Origin   string
	User     string
	Time     number
	Progress number
	Reason   string
	Error    string
	StateID  string
	State    string
}
