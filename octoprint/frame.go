package octoprint

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// frame is one message of the push socket: an object with one member, whose
// name is the message's type. Types that aren't listed are ignored.
type frame struct {
	Connected *wireConnected `json:"connected"`
	History   *wireSample    `json:"history"`
	Current   *wireSample    `json:"current"`
	Event     *wireEvent     `json:"event"`
	Reauth    *wireReauth    `json:"reauthRequired"`
}

type wireConnected struct {
	Version string `json:"version"`
}

type wireReauth struct {
	Reason string `json:"reason"` // stale, logout, modified or removed
}

// wireSample is OctoPrint's sampled state. Every leaf may be null or missing.
type wireSample struct {
	State    *wireState               `json:"state"`
	Job      wireJob                  `json:"job"`
	Progress wireProgress             `json:"progress"`
	Z        number                   `json:"currentZ"`
	Offsets  map[string]number        `json:"offsets"`
	Temps    []map[string]wireReading `json:"temps"` // since the last sample, oldest first
}

type wireState struct {
	Text  string     `json:"text"`
	Error string     `json:"error"` // since 1.6; always empty in 2.0
	Flags *wireFlags `json:"flags"`
}

type wireFlags struct {
	Operational   bool `json:"operational"`
	Printing      bool `json:"printing"`
	Cancelling    bool `json:"cancelling"`
	Pausing       bool `json:"pausing"`
	Resuming      bool `json:"resuming"`
	Finishing     bool `json:"finishing"`
	ClosedOrError bool `json:"closedOrError"`
	Error         bool `json:"error"` // true for some milliseconds only
	Paused        bool `json:"paused"`
}

type wireJob struct {
	File struct {
		Name    *string `json:"name"`
		Path    *string `json:"path"`
		Display *string `json:"display"`
		Origin  *string `json:"origin"`
		Size    number  `json:"size"`
	} `json:"file"`
	User      *string                  `json:"user"`
	Estimated number                   `json:"estimatedPrintTime"`
	Filament  map[string]*wireFilament `json:"filament"`
}

type wireFilament struct {
	Length number `json:"length"`
	Volume number `json:"volume"`
}

type wireProgress struct {
	Completion number  `json:"completion"`
	PrintTime  number  `json:"printTime"`
	TimeLeft   number  `json:"printTimeLeft"`
	Origin     *string `json:"printTimeLeftOrigin"`
}

// wireReading is one heater's temperatures, or the time of all of them: the
// entries of temps mix both.
type wireReading struct {
	Actual number
	Target number
}

// UnmarshalJSON takes objects and passes over everything else, such as the
// entry's time.
func (r *wireReading) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	var w struct{ Actual, Target number }
	err := json.Unmarshal(b, &w)
	*r = wireReading(w)
	return tolerate(err)
}

type wireEvent struct {
	Type    string       `json:"type"`
	Payload *wirePayload `json:"payload"`
}

// wirePayload has the members of the events that are acted upon.
type wirePayload struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	Origin   string `json:"origin"`
	User     string `json:"user"`
	Time     number `json:"time"`
	Progress number `json:"progress"`
	Reason   string `json:"reason"`
	Error    string `json:"error"`
	StateID  string `json:"state_id"`
	State    string `json:"state_string"`
}

// number is a JSON number. Null, another type and what no float64 can hold
// leave it unknown: decoded into a pointer, another type would become 0.
type number struct {
	value float64 // 0 unless known
	known bool
}

// UnmarshalJSON takes whatever comes.
func (n *number) UnmarshalJSON(b []byte) error {
	value, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		*n = number{}
		return nil //nolint:nilerr // what is no number is unknown
	}
	*n = number{value, true}
	return nil
}

// pointer returns nil for what is unknown.
func (n number) pointer() *float64 {
	if !n.known {
		return nil
	}
	return &n.value
}

// decodeFrame decodes one message. A leaf of an unexpected type stays at its
// zero value and spoils nothing else; what is no JSON object is an error, and so
// is a message whose content is none: it must not pass for an empty one.
func decodeFrame(b []byte) (frame, error) {
	var f frame
	err := json.Unmarshal(b, &f)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && !strings.Contains(wrongType.Field, ".") || tolerate(err) != nil {
		return frame{}, fmt.Errorf("decode frame: %w", err)
	}
	return f, nil
}

func tolerate(err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		return nil
	}
	return err
}
