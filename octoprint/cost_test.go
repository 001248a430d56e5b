package octoprint

import (
	"bytes"
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

// FrameRejected implements Handler.
func (silence) FrameRejected(err error) { panic(err) }

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
			s := opened(b)
			size := 0
			for _, m := range c.messages {
				size += len(m)
			}
			b.SetBytes(int64(size / len(c.messages)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := s.receive(c.messages[i%len(c.messages)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// opened returns a session without a connection that a history has opened.
func opened(tb testing.TB) *session {
	tb.Helper()
	s := &session{handler: silence{}, info: Info{Profile: &Profile{}}}
	if err := s.receive(messagesOf(recordings(tb)["print"], `{"history"`)[0]); err != nil || !s.open {
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
