package octoprint_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"octoprint2mqtt/octoprint"
)

// record is what a session told.
type record struct {
	opened   int
	info     octoprint.Info
	infos    int // calls of InfoChanged
	phases   []octoprint.Phase
	states   []octoprint.State
	events   []octoprint.Event
	messages []string // of plugins: name and text
	rejected []error
	state    octoprint.State // the last one
}

// recorder is a Handler that also holds the session to its promises: one call
// at a time, and SessionOpened before all others.
type recorder struct {
	t    *testing.T
	busy atomic.Bool

	mu sync.Mutex
	r  record
}

var _ octoprint.Handler = (*recorder)(nil)

func (h *recorder) call(first bool, f func(r *record)) {
	if !h.busy.CompareAndSwap(false, true) {
		h.t.Error("the handler was called while another call ran")
		return
	}
	defer h.busy.Store(false)
	h.mu.Lock()
	defer h.mu.Unlock()
	if first != (h.r.opened == 0) {
		h.t.Error("SessionOpened was not the first call, or not the only one of its kind")
	}
	f(&h.r)
}

func (r *record) note(s *octoprint.State) {
	r.state = *s
	r.states = append(r.states, *s)
	if n := len(r.phases); n == 0 || r.phases[n-1] != s.Phase {
		r.phases = append(r.phases, s.Phase)
	}
}

// SessionOpened implements octoprint.Handler.
func (h *recorder) SessionOpened(i octoprint.Info, s *octoprint.State) {
	h.call(true, func(r *record) { r.opened++; r.info = i; r.note(s) })
}

// InfoChanged implements octoprint.Handler.
func (h *recorder) InfoChanged(i octoprint.Info) {
	h.call(false, func(r *record) { r.infos++; r.info = i })
}

// StateChanged implements octoprint.Handler.
func (h *recorder) StateChanged(s *octoprint.State) { h.call(false, func(r *record) { r.note(s) }) }

// EventReceived implements octoprint.Handler.
func (h *recorder) EventReceived(e octoprint.Event, s *octoprint.State) {
	e.Payload = bytes.Clone(e.Payload)
	h.call(false, func(r *record) { r.events = append(r.events, e); r.note(s) })
}

// PluginReceived implements [octoprint.Handler].
func (h *recorder) PluginReceived(plugin string, message json.RawMessage) {
	h.call(false, func(r *record) { r.messages = append(r.messages, plugin+" "+string(message)) })
}

// FrameRejected implements octoprint.Handler.
func (h *recorder) FrameRejected(err error) {
	h.call(false, func(r *record) { r.rejected = append(r.rejected, err) })
}

// log returns what was told so far.
func (h *recorder) log() record {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.r
	r.phases, r.events = slices.Clone(r.phases), slices.Clone(r.events)
	r.states, r.rejected = slices.Clone(r.states), slices.Clone(r.rejected)
	return r
}

// forget makes log begin anew at the last state.
func (h *recorder) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.r.phases, h.r.states, h.r.events, h.r.infos = []octoprint.Phase{h.r.state.Phase}, nil, nil, 0
}

// story joins the phases since the last forget.
func (r record) story() string {
	var words []string
	for _, p := range r.phases[1:] {
		words = append(words, string(p))
	}
	return strings.Join(words, " ")
}

// plot joins the events that say something of a print or an error, with their reasons.
func (r record) plot() string {
	var words []string
	for _, e := range r.events {
		word := string(e.Type)
		if e.Type == octoprint.EventPrintFailed {
			word += "(" + e.Reason + ")"
		}
		if strings.HasPrefix(word, "Print") && e.Type != octoprint.EventPrinterStateChanged || e.Type == octoprint.EventError {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// link joins the events of the connection to the printer.
func (r record) link() string {
	var words []string
	for _, e := range r.events {
		if e.Type == octoprint.EventConnected || e.Type == octoprint.EventDisconnected {
			words = append(words, string(e.Type))
		}
	}
	return strings.Join(words, " ")
}
