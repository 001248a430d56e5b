package octoprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// decoder decodes messages, of any session and one at a time. It keeps what the
// last sample was made of.
type decoder struct {
	scanner
	message bytes.Buffer
	source  []byte // of the message, also where it has been read
	known   *State // that the message may repeat
	frame   frame  // the message
	last    wireSample
}

// decoders are shared by all sessions: no more of them are in use than messages
// arrive at the same time.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

// keptMessage is how large a message may be, in bytes, for its memory to be kept
// for the next one.
const keptMessage = 64 << 10

func borrowDecoder() *decoder { return decoders.Get().(*decoder) }

// giveBack ends the use of the decoder, and of what it decoded.
func (d *decoder) giveBack() {
	if d.message.Cap() <= keptMessage {
		decoders.Put(d)
	}
}

// load reads a message.
func (d *decoder) load(r io.Reader) error {
	d.message.Reset()
	_, err := d.message.ReadFrom(r)
	return err
}

// decode decodes the message that was loaded. A leaf of an unexpected type stays
// at its zero value and spoils nothing else; of members that have the same name
// the last one counts. What is no JSON object is an error, and so is a message
// whose content is none: it must not pass for an empty one.
//
// Most of what a message says was said before: texts that known has are taken
// from it.
func (d *decoder) decode(known *State) (frame, error) {
	d.source, d.known, d.frame = d.message.Bytes(), known, frame{}
	d.begin(&d.message)
	if d.isObject("the message") {
		d.object(d.takeMessage)
	}
	d.known = nil
	if err := d.end(); err != nil {
		return frame{}, fmt.Errorf("decode frame: %w", err)
	}
	return d.frame, nil
}

// takeMessage takes the member of a message. Of what is no content, nothing changes.
func (d *decoder) takeMessage(name []byte) {
	switch string(name) {
	case "history":
		if d.isObject("history") {
			d.frame = frame{History: d.sample()}
		}
	case "current":
		if d.isObject("current") {
			d.frame = frame{Current: d.sample()}
		}
	case "event":
		if d.isObject("event") {
			d.frame = frame{Event: d.event()}
		}
	case "plugin":
		if d.isObject("plugin") {
			d.frame = frame{Plugin: d.plugin()}
		}
	case "reauthRequired":
		if d.isObject("reauthRequired") {
			d.frame = frame{Reauth: d.reauth()}
		}
	}
}

// isObject reports whether the next value is an object. Null is passed over, and
// anything else is an error.
func (d *decoder) isObject(what string) bool {
	switch d.kind() {
	case '{':
		return true
	case 'n':
		d.skip()
	default:
		d.fail(errors.New(what + " is not an object"))
	}
	return false
}

func (d *decoder) reauth() *wireReauth {
	var r wireReauth
	d.object(func(name []byte) {
		if string(name) == "reason" {
			r.Reason = d.text("")
		}
	})
	return &r
}

// sample decodes a sample. Each of its objects has a method that takes a member of
// it to its place in last, rather than a function that returns it: so a goroutine
// that decodes gets by with half of the stack.
func (d *decoder) sample() *wireSample {
	heaters := d.last.Heaters
	for i := range heaters {
		heaters[i] = wireHeater{Name: heaters[i].Name}
	}
	d.last = wireSample{}
	d.last.Heaters = heaters
	d.object(d.takeSample)
	return &d.last
}

func (d *decoder) takeSample(name []byte) {
	switch string(name) {
	case "state":
		d.last.State = wireState{}
		d.object(d.takeState)
	case "job":
		d.last.Job = wireJob{}
		d.object(d.takeJob)
	case "progress":
		d.last.Progress = wireProgress{}
		d.object(d.takeProgress)
	case "currentZ":
		d.last.Z = d.number()
	case "offsets":
		d.object(d.takeOffset)
	case "temps":
		d.array(d.temperatures)
	}
}

func (d *decoder) takeState(name []byte) {
	s := &d.last.State
	switch string(name) {
	case "text":
		s.Text = d.text(d.known.text)
	case "error":
		s.Error = d.text(d.known.Error)
	case "flags":
		s.Flags = wireFlags{}
		s.Flags.Known = d.object(d.takeFlag)
	}
}

func (d *decoder) takeFlag(name []byte) {
	f := &d.last.State.Flags
	switch string(name) {
	case "operational":
		f.Operational = d.flag()
	case "printing":
		f.Printing = d.flag()
	case "cancelling":
		f.Cancelling = d.flag()
	case "pausing":
		f.Pausing = d.flag()
	case "resuming":
		f.Resuming = d.flag()
	case "finishing":
		f.Finishing = d.flag()
	case "closedOrError":
		f.ClosedOrError = d.flag()
	case "error":
		f.Error = d.flag()
	case "paused":
		f.Paused = d.flag()
	}
}

func (d *decoder) takeJob(name []byte) {
	j := &d.last.Job
	switch string(name) {
	case "file":
		d.object(d.takeFile)
	case "user":
		j.User = d.text(d.known.Job.User)
	case "estimatedPrintTime":
		j.Estimated = d.number()
	case "filament":
		d.object(d.takeFilament)
	}
}

func (d *decoder) takeFile(name []byte) {
	j, known := &d.last.Job, &d.known.Job
	switch string(name) {
	case "name":
		j.Name = d.text(known.Name)
	case "path":
		j.Path = d.text(known.Path)
	case "display":
		j.Display = d.text(known.Display)
	case "origin":
		j.Origin = d.text(known.Origin)
	case "size":
		j.Size = d.number()
	}
}

// takeFilament takes what a job needs of a tool. Without a job some versions send a
// bare length and volume.
func (d *decoder) takeFilament(name []byte) {
	h := d.heater(name)
	if h == nil || d.kind() == 'n' {
		return
	}
	h.Fed, h.Length, h.Volume = true, number{}, number{}
	d.object(func(name []byte) {
		switch string(name) {
		case "length":
			h.Length = d.number()
		case "volume":
			h.Volume = d.number()
		}
	})
}

func (d *decoder) takeProgress(name []byte) {
	p := &d.last.Progress
	switch string(name) {
	case "completion":
		p.Completion = d.number()
	case "printTime":
		p.PrintTime = d.number()
	case "printTimeLeft":
		p.TimeLeft = d.number()
	case "printTimeLeftOrigin":
		p.Origin = d.text(d.known.Job.RemainingOrigin)
	}
}

func (d *decoder) takeOffset(name []byte) {
	if h := d.heater(name); h != nil {
		h.Offset = d.number()
	}
}

// temperatures decodes one of the readings since the last sample, which come oldest
// first. It holds those of all heaters beside their time. One without any tells that
// the connection to the printer ended: what was read before counts no more.
func (d *decoder) temperatures() {
	empty := true
	d.object(func(name []byte) {
		h := d.heater(name)
		if h == nil {
			return
		}
		empty = false
		h.Measured, h.Actual, h.Target = true, number{}, number{}
		d.object(func(name []byte) {
			switch string(name) {
			case "actual":
				h.Actual = d.number()
			case "target":
				h.Target = d.number()
			}
		})
	})
	for i := range d.last.Heaters {
		if h := &d.last.Heaters[i]; empty {
			h.Measured, h.Actual, h.Target = false, number{}, number{}
		}
	}
}

// heater returns what the sample says of a heater, or nil if name is none. It is
// valid until the next call.
func (d *decoder) heater(name []byte) *wireHeater {
	for i := range d.last.Heaters {
		if h := &d.last.Heaters[i]; h.Name == string(name) {
			return h
		}
	}
	if !IsHeater(string(name)) {
		return nil
	}
	d.last.Heaters = append(d.last.Heaters, wireHeater{Name: string(name)})
	return &d.last.Heaters[len(d.last.Heaters)-1]
}

func (d *decoder) event() *wireEvent {
	var e wireEvent
	d.object(func(name []byte) {
		switch string(name) {
		case "type":
			e.Type = d.text("")
		case "payload":
			e.Raw = d.raw(func() { e.Payload = d.payload() })
		}
	})
	return &e
}

func (d *decoder) plugin() *wirePlugin {
	var p wirePlugin
	d.object(func(name []byte) {
		switch string(name) {
		case "plugin":
			p.Plugin = d.text("")
		case "data":
			p.Data = d.raw(d.skip)
		}
	})
	return &p
}

// raw returns the text of the value that take takes.
func (d *decoder) raw(take func()) json.RawMessage {
	from := d.tokens.InputOffset()
	take()
	to := d.tokens.InputOffset()
	if d.err != nil || from > to || to > int64(len(d.source)) {
		return nil
	}
	return bytes.TrimLeft(d.source[from:to], ": \t\r\n")
}

func (d *decoder) payload() (p wirePayload) {
	d.object(func(name []byte) {
		switch string(name) {
		case "name":
			p.Name = d.text("")
		case "path":
			p.Path = d.text("")
		case "origin":
			p.Origin = d.text("")
		case "user":
			p.User = d.text("")
		case "time":
			p.Time = d.number()
		case "progress":
			p.Progress = d.number()
		case "reason":
			p.Reason = d.text("")
		case "error":
			p.Error = d.text("")
		case "state_id":
			p.StateID = d.text("")
		case "state_string":
			p.State = d.text("")
		}
	})
	return p
}
