package octoprint

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// recorded is one message of a recorded session.
type recorded struct {
	at   time.Time
	line string // the message as it came
	frame
}

func recordings(tb testing.TB) map[string][]recorded {
	tb.Helper()
	files, err := filepath.Glob("testdata/push/*.jsonl")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recorded sessions: %v", err)
	}
	all := make(map[string][]recorded)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var in struct {
				T     float64
				Frame json.RawMessage
			}
			if err := json.Unmarshal(line, &in); err != nil {
				tb.Fatalf("%s: %v", file, err)
			}
			f, err := decodeFrame(in.Frame)
			if err != nil {
				tb.Fatalf("%s: %s: %v", file, line, err)
			}
			at := time.Unix(0, 0).Add(time.Duration(in.T * float64(time.Second)))
			name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
			all[name] = append(all[name], recorded{at, string(in.Frame), f})
		}
	}
	return all
}

// TestReplay merges recorded sessions and holds every change that a user would
// notice against what was found right before.
func TestReplay(t *testing.T) {
	t.Parallel()
	for name, frames := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s State
			var got strings.Builder
			before := ""
			for _, f := range frames {
				if !s.apply(f.frame, f.at) {
					continue
				}
				if now := s.outline(); now != before {
					fmt.Fprintf(&got, "%7.3f %-28s %s\n", float64(f.at.UnixMilli())/1000, f.kind(), s.describe())
					before = now
				}
			}
			golden := filepath.Join("testdata", "push", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("the state went\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}

func (f recorded) kind() string {
	switch {
	case f.History != nil:
		return "history"
	case f.Event != nil:
		return f.Event.Type
	}
	return "current"
}

// outline is what of a state is worth a line of its own.
func (s *State) outline() string {
	var targets []string
	for _, name := range slices.SortedFunc(maps.Keys(s.Heaters), compareHeaters) {
		targets = append(targets, name+show(s.Heaters[name].Target))
	}
	return fmt.Sprint(s.Phase, s.Problem, s.Error, s.Job.Path, s.Job.Origin, s.Job.User, s.Job.RemainingOrigin, targets)
}

// describe is a state in one line.
func (s *State) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s", s.Phase)
	if s.Problem {
		fmt.Fprintf(&b, " problem %q", s.Error)
	}
	if s.Job.Path != "" {
		fmt.Fprintf(&b, " job %s:%s by %s, %s bytes, estimated %s", s.Job.Origin, s.Job.Path, s.Job.User, show(s.Job.Size), show(s.Job.Estimated))
		fmt.Fprintf(&b, ", %s%% after %s, left %s (%s)", show(s.Job.Completion), show(s.Job.Elapsed), show(s.Job.Remaining), s.Job.RemainingOrigin)
	}
	for _, name := range slices.SortedFunc(maps.Keys(s.Heaters), compareHeaters) {
		h := s.Heaters[name]
		fmt.Fprintf(&b, " %s %s/%s", name, show(h.Actual), show(h.Target))
	}
	return b.String()
}

func show(f *float64) string {
	if f == nil {
		return "?"
	}
	return fmt.Sprintf("%.4g", *f)
}

// TestEveryFrameIsIdempotent applies each recorded frame twice.
func TestEveryFrameIsIdempotent(t *testing.T) {
	t.Parallel()
	for name, frames := range recordings(t) {
		var s State
		for i, f := range frames {
			s.apply(f.frame, f.at)
			once := s
			s.apply(f.frame, f.at)
			if !reflect.DeepEqual(once, s) {
				t.Errorf("%s: frame %d applied twice gives\n%+v, once\n%+v", name, i+1, s, once)
			}
		}
	}
}

// TestCopyStaysAsItIs copies the state after each frame, and looks at the copies
// when all frames were applied.
func TestCopyStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, frames := range recordings(t) {
		var s State
		var copies []State
		var texts []string
		for _, f := range frames {
			s.apply(f.frame, f.at)
			copies = append(copies, s)
			texts = append(texts, written(t, s))
		}
		for i, c := range copies {
			if now := written(t, c); now != texts[i] {
				t.Errorf("%s: the copy after frame %d changed from\n%s to\n%s", name, i+1, texts[i], now)
			}
		}
	}
}

func written(tb testing.TB, s State) string {
	tb.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}
