package octoprint

import (
	"encoding/json"
	"strings"
	"testing"
)

// locked is a handler that wants the session's lock to be held in every call:
// that is what keeps calls from the socket and from errands apart.
type locked struct {
	t     *testing.T
	s     *Session
	calls []string
}

func (h *locked) note(call string) {
	h.calls = append(h.calls, call)
	if h.s.mu.TryLock() {
		h.s.mu.Unlock()
		h.t.Errorf("%s is called without the session's lock", call)
	}
}

// SessionOpened implements Handler.
func (h *locked) SessionOpened(Info, *State) { h.note("SessionOpened") }

// InfoChanged implements Handler.
func (h *locked) InfoChanged(Info) { h.note("InfoChanged") }

// StateChanged implements Handler.
func (h *locked) StateChanged(*State) { h.note("StateChanged") }

// EventReceived implements Handler.
func (h *locked) EventReceived(Event, *State) { h.note("EventReceived") }

// PluginReceived implements Handler.
func (h *locked) PluginReceived(string, json.RawMessage) { h.note("PluginReceived") }

// FrameRejected implements Handler.
func (h *locked) FrameRejected(error) { h.note("FrameRejected") }

func TestHandlerIsCalledOneAtATime(t *testing.T) {
	t.Parallel()
	h := &locked{t: t}
	runs := 0
	s := &Session{client: &Client{}, handler: h, runErrands: func() { runs++ }}
	h.s = s
	s.change(func(i *Info) { i.User = "too early" })
	for _, f := range []string{
		`{"event":{"type":"Connected"}}`, `garbage`, `{"current":{"job":{}}}`, // too early, too
		`{"history":{}}`, `{"current":{}}`, `{"event":{"type":"Connected"}}`, `{"event":{"type":"Connected"}}`, `garbage`,
		`{"history":{}}`, `{"connected":{}}`,
	} {
		if err := s.take(strings.NewReader(f)); err != nil {
			t.Errorf("%s ends the session: %v", f, err)
		}
	}
	s.change(func(*Info) {})
	want := []string{"SessionOpened", "StateChanged", "EventReceived", "EventReceived", "FrameRejected", "StateChanged", "InfoChanged"}
	if len(h.calls) != len(want) {
		t.Fatalf("calls %v, want %v", h.calls, want)
	}
	for i := range want {
		if h.calls[i] != want[i] {
			t.Errorf("call %d is %s, want %s", i, h.calls[i], want[i])
		}
	}
	if runs != 1 || s.errands != errandProfile {
		t.Errorf("%d times somebody is asked to run the errands %b, want once, to read the printer profile", runs, s.errands)
	}
}
