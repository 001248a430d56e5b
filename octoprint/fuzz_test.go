package octoprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
)

// FuzzSession: whatever is received, in whatever order, decoding and merging don't
// panic, the handler's promises hold, what is said of a message that can't be
// understood is short, and the state makes sense. An input is one message a line.
func FuzzSession(f *testing.F) {
	const window = 4 // messages of a recording in one input
	for _, frames := range recordings(f) {
		for part := range slices.Chunk(frames, window) {
			var lines []string
			for _, r := range part {
				lines = append(lines, r.line)
			}
			f.Add([]byte(strings.Join(lines, "\n")))
		}
	}
	text, err := os.ReadFile("testdata/messages.txt")
	if err != nil {
		f.Fatal(err)
	}
	for part := range slices.Chunk(strings.Split(string(text), "\n"), window) {
		f.Add([]byte(strings.Join(part, "\n")))
	}
	opened := strings.Replace(sample, "current", "history", 1)
	for _, lines := range [][]string{
		// Versions before 1.6, where the error is in the text, and 2.0, where it is in no sample.
		{opened, sampled("Offline (Error: Thermal Runaway)", "", "closedOrError", "error"), changed("OFFLINE"), sampled("Operational", "", "operational", "ready")},
		{opened, changed("CLOSED_WITH_ERROR"), sampled("Offline after error", "", "closedOrError"), changed("CONNECTING"), changed("OPERATIONAL")},
		{opened, sampled("Paused", "", "operational", "paused", "printing"), changed("RESUMING"), sampled("Sending file to SD", "", "printing")},
		{`{"history":{"state":{"flags":null}}}`, opened, `{"current":{"currentZ":1e999,"temps":[null,{"tool0":null,"bed":7}],"offsets":{"bed":null}}}`},
		{opened, strings.Replace(sample, `"bed":-3`, `"bed":1e999`, 1), `{"current":[]}`, "null", "[", `{"event":{"type":"Error","payload":{"error":"x"}}}`},
		{opened, `{"plugin":{"plugin":"psucontrol","data":{"isPSUOn":true}}}`, `{"plugin":{"plugin":"psucontrol"}}`},
		{opened, `{"current":` + strings.Repeat("7", 1000) + "}", `{"reauthRequired":{"reason":"` + strings.Repeat("a", 300) + `"}}`},
	} {
		f.Add([]byte(strings.Join(lines, "\n")))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		client := &Client{options: Options{Plugins: []string{"psucontrol"}}}
		s := Session{client: client, handler: &referee{t: t}, runErrands: func() {}}
		var state State
		at := noon()
		for line := range bytes.SplitSeq(text, []byte("\n")) {
			if fr, err := decodeFrame(line); err == nil {
				at = at.Add(time.Duration(len(line)) * time.Millisecond) // sometimes before an event's word is final
				checkMerge(t, &state, fr, at)
			}
			if err := s.take(bytes.NewReader(line)); err != nil {
				if !errors.Is(err, SessionEnded) || len(err.Error()) > 500 {
					t.Errorf("the session ends with %v", err)
				}
				return
			}
		}
	})
}

// checkMerge merges a message, and fails unless that changes no copy, and not more
// when it is done twice.
func checkMerge(t *testing.T, s *State, f frame, at time.Time) {
	t.Helper()
	before, text := *s, written(t, *s)
	s.apply(f, at)
	if now := written(t, before); now != text {
		t.Errorf("a copy changed from %s to %s", text, now)
	}
	once := *s
	if s.apply(f, at); !reflect.DeepEqual(once, *s) {
		t.Errorf("applied twice: %+v, once: %+v", *s, once)
	}
}

// referee is a handler that watches over what it is told.
type referee struct {
	t      *testing.T
	opened bool
}

// SessionOpened implements [Handler].
func (r *referee) SessionOpened(_ Info, s *State) {
	if r.opened {
		r.t.Error("opened twice")
	}
	r.opened = true
	r.check(s)
}

// InfoChanged implements [Handler].
func (r *referee) InfoChanged(Info) { r.check(&State{}) }

// StateChanged implements [Handler].
func (r *referee) StateChanged(s *State) { r.check(s) }

// EventReceived implements [Handler].
func (r *referee) EventReceived(e Event, s *State) {
	if !slices.Contains(subscribedEvents(), e.Type) {
		r.t.Errorf("told of an event %q", e.Type)
	}
	r.finite("Event", e)
	r.check(s)
}

// PluginReceived implements [octoprint.Handler].
func (r *referee) PluginReceived(string, json.RawMessage) {}

// FrameRejected implements [Handler].
func (r *referee) FrameRejected(err error) {
	if text := err.Error(); len(text) > 500 || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
		r.t.Errorf("rejected with %q", text)
	}
	r.check(&State{})
}

func (r *referee) check(s *State) {
	if !r.opened {
		r.t.Error("told of something before the session was opened")
	}
	if s.Phase != "" && !slices.Contains(Phases(), s.Phase) {
		r.t.Errorf("the phase is %q", s.Phase)
	}
	for name := range s.Heaters {
		if !s.Phase.Connected() || !IsHeater(name) {
			r.t.Errorf("there is a heater %q in the phase %s", name, s.Phase)
		}
	}
	r.finite("State", *s)
}

// finite fails if a number is none.
func (r *referee) finite(name string, v any) {
	walk(name, reflect.ValueOf(v), func(path string, v reflect.Value) {
		if v.Kind() == reflect.Float64 && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)) {
			r.t.Errorf("%s is %v", path, v)
		}
	})
}

// FuzzVersion: the order of versions is one, and a pre-release counts as its release.
func FuzzVersion(f *testing.F) {
	for _, v := range []string{"1.11.8", "2.0.0rc7", "1.5.3", "1.10", "2", "", "1.x", "HEAD", "0+unknown", "1.9.0.dev3+gabc", "-1.-2", "99999999999999999999.1"} {
		f.Add(v, 1, 8)
	}
	f.Fuzz(func(t *testing.T, version string, major, minor int) {
		got := atLeast(version, major, minor)
		if minor > math.MinInt && got && !atLeast(version, major, minor-1) {
			t.Errorf("%q is at least %d.%d but not %d.%d", version, major, minor, major, minor-1)
		}
		if major > 0 && minor >= 0 {
			exact := strconv.Itoa(major) + "." + strconv.Itoa(minor)
			for _, end := range []string{"", ".0", "rc1", ".7rc2", ".0.dev1+g12"} {
				if v := exact + end; !atLeast(v, major, minor) || minor < math.MaxInt && atLeast(v, major, minor+1) {
					t.Errorf("%q isn't taken for %s", v, exact)
				}
			}
		}
	})
}

func TestAtLeast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version      string
		major, minor int
		want         bool
	}{
		{"1.7.3", 1, 8, false},
		{"1.8.7", 1, 8, true},
		{"1.10.3", 1, 8, true},
		{"2.0.0rc7", 1, 8, true},
		{"2.0.0rc7", 2, 0, true},
		{"1.11.8", 2, 0, false},
		{"2.0rc1", 2, 0, true},
		{"1.8rc1", 1, 8, true},
		{"1.7rc9", 1, 8, false},
		{"", 1, 8, true},
		{"HEAD", 1, 8, true},
		{"0+unknown", 1, 8, true},
		{"x.1", 1, 8, true},
		{"1.x", 1, 8, true},
	} {
		if got := atLeast(c.version, c.major, c.minor); got != c.want {
			t.Errorf("%q at least %d.%d: %v", c.version, c.major, c.minor, got)
		}
	}
}

// FuzzHeater: heaters are tool0 to tool31, bed and chamber, each by one name.
func FuzzHeater(f *testing.F) {
	for _, name := range []string{"tool0", "tool31", "tool32", "tool", "tool01", "tool-1", "tool+1", "tool1e1", "tool٣", "bed", "chamber", "Bed", "P", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		want := name == "bed" || name == "chamber"
		if n, err := strconv.Atoi(strings.TrimPrefix(name, "tool")); err == nil && n >= 0 && n < 32 {
			want = want || name == "tool"+strconv.Itoa(n)
		}
		if got := IsHeater(name); got != want {
			t.Errorf("%q is a heater: %v", name, got)
		}
	})
}

func TestHeatersAreOrdered(t *testing.T) {
	t.Parallel()
	order := []string{"tool0", "tool2", "tool10", "bed", "chamber"}
	for i, a := range order {
		for j, b := range order {
			if got := compareHeaters(a, b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s and %s compare as %d", a, b, got)
			}
		}
	}
}
