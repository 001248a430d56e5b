package octoprint

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// silence is a Handler that does nothing.
type silence struct{}

// SessionOpened implements Handler.
func (silence) SessionOpened(Info, *State) {}

// InfoChanged implements Handler.
func (silence) InfoChanged(Info) {}

// StateChanged implements Handler.
func (silence) StateChanged(*State) {}

// EventReceived implements Handler.
func (silence) EventReceived(Event, *State) {}

// PluginReceived implements Handler.
func (silence) PluginReceived(string, json.RawMessage) {}

// FrameRejected implements Handler.
func (silence) FrameRejected(err error) { panic(err) }

// TestMessageAllocations: a farm's bridge spends its life on messages that say
// little that is new. What they say for the first time has to be kept somewhere;
// all else costs no memory.
func TestMessageAllocations(t *testing.T) {
	printing := messagesOf(recordings(t)["print"], `{"current"`)
	for _, c := range []struct {
		name     string
		messages [][]byte
		allowed  float64 // allocations a message
	}{
		{"the same sample again", printing[:1], 0},
		{"a whole sample again", wholeSamples(t)[:1], 0},
		{"every fourth sample of a print", printing, 4},
	} {
		s, d, r := opened(t), new(decoder), new(bytes.Reader)
		got := testing.AllocsPerRun(10, func() {
			for _, m := range c.messages {
				r.Reset(m)
				if err := d.load(r); err != nil {
					t.Fatal(err)
				}
				if err := s.receive(d.decode(&s.state)); err != nil {
					t.Fatal(err)
				}
			}
		}) / float64(len(c.messages))
		if got > c.allowed {
			t.Errorf("%s: %v allocations a message, allowed are %v", c.name, got, c.allowed)
		}
	}
}

// BenchmarkReceive takes in what real servers sent: everything that a message
// costs from the socket to the handler.
func BenchmarkReceive(b *testing.B) {
	printing := recordings(b)["print"]
	for _, c := range []struct {
		name     string
		messages [][]byte
	}{
		{"samples", messagesOf(printing, `{"current"`)},
		{"whole samples", wholeSamples(b)},
		{"events", messagesOf(printing, `{"event"`)},
		{"history", messagesOf(printing, `{"history"`)},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, r := opened(b), new(bytes.Reader)
			size := 0
			for _, m := range c.messages {
				size += len(m)
			}
			b.SetBytes(int64(size / len(c.messages)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.Reset(c.messages[i%len(c.messages)])
				if err := s.take(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// opened returns a session without a connection that a history has opened.
func opened(tb testing.TB) *Session {
	tb.Helper()
	s := &Session{handler: silence{}, info: Info{Profile: &Profile{}}}
	history := messagesOf(recordings(tb)["print"], `{"history"`)[0]
	if err := s.take(bytes.NewReader(history)); err != nil || !s.open {
		tb.Fatal("the history did not open the session", err)
	}
	return s
}

// messagesOf returns those messages of a recording that begin like this.
func messagesOf(recording []recorded, beginning string) [][]byte {
	var list [][]byte
	for _, r := range recording {
		if strings.HasPrefix(r.line, beginning) {
			list = append(list, []byte(r.line))
		}
	}
	return list
}

func wholeSamples(tb testing.TB) [][]byte {
	tb.Helper()
	text, err := os.ReadFile("testdata/whole/printing.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}
