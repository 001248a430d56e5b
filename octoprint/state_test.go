package octoprint

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// told is a message with the time at which it arrives.
type told struct {
	after time.Duration // since the first
	text  string
}

func changed(id string) string {
	return `{"event":{"type":"PrinterStateChanged","payload":{"state_id":"` + id + `","state_string":""}}}`
}

// sampled is a message with a state's text, its error and the flags that are set.
func sampled(text, failure string, flags ...string) string {
	var set []string
	for _, f := range flags {
		set = append(set, `"`+f+`":true`)
	}
	return fmt.Sprintf(`{"current":{"state":{"text":%q,"error":%q,"flags":{%s}}}}`, text, failure, strings.Join(set, ","))
}

// TestPhases merges short stories and looks at the phase, and at a standing
// error, after each message.
func TestPhases(t *testing.T) {
	t.Parallel()
	idle := sampled("Operational", "", "operational", "ready")
	printing := sampled("Printing", "", "operational", "printing")
	broken := sampled("Offline after error", "boom", "closedOrError")
	for name, story := range map[string][]struct {
		told
		want string
	}{
		"an event wins against a sample taken before it": {
			{told{0, idle}, "idle"},
			{told{time.Minute, changed("PRINTING")}, "printing"},
			{told{time.Minute + 999*time.Millisecond, idle}, "printing"},
			{told{time.Minute + time.Second, idle}, "idle"}, // now it is the event that is old
			{told{time.Minute + 1100*time.Millisecond, printing}, "printing"},
		},
		"a sample can't tell what an event did": {
			{told{0, changed("STARTING")}, "starting"},
			{told{time.Hour, printing}, "starting"},
			{told{time.Hour, changed("PRINTING")}, "printing"},
		},
		"an old sample doesn't bring back an error": {
			{told{0, broken}, "error: boom"},
			{told{time.Minute, changed("OPEN_SERIAL")}, "connecting: boom"},
			{told{time.Minute, broken}, "connecting: boom"},
			{told{time.Minute, changed("OPERATIONAL")}, "idle"},
			{told{time.Minute + time.Millisecond, broken}, "idle"},
			{told{time.Minute + 500*time.Millisecond, idle}, "idle"},
			{told{2 * time.Minute, changed("OFFLINE")}, "offline"},
		},
		"a sample may tell an error before the event": {
			{told{0, changed("OPERATIONAL")}, "idle"},
			{told{time.Millisecond, broken}, "idle"},
			{told{2 * time.Millisecond, changed("OFFLINE")}, "error: boom"},
		},
		"an error stands until the printer is connected again": {
			{told{0, idle}, "idle"},
			{told{time.Minute, `{"event":{"type":"Error","payload":{"error":"boom"}}}`}, "idle: boom"},
			{told{time.Minute, changed("CLOSED_WITH_ERROR")}, "error: boom"},
			{told{2 * time.Minute, sampled("Offline after error", "", "closedOrError")}, "error: boom"},
			{told{3 * time.Minute, sampled("Offline", "", "closedOrError")}, "error: boom"},
			{told{4 * time.Minute, changed("CONNECTING")}, "connecting: boom"},
			{told{5 * time.Minute, changed("OPERATIONAL")}, "idle"},
		},
		"a lost line of 2.0 has no words": {
			{told{0, idle}, "idle"},
			{told{time.Minute, changed("CLOSED_WITH_ERROR")}, "error: "},
			{told{time.Minute, sampled("Offline after error", "", "closedOrError")}, "error: "},
			{told{time.Minute, `{"event":{"type":"PrintFailed","payload":{"reason":"error","error":"unknown"}}}`}, "error: "},
			{told{2 * time.Minute, idle}, "idle"},
		},
		"a lost line of 1.x tells it by the print": {
			{told{0, printing}, "printing"},
			{told{time.Minute, changed("OFFLINE")}, "offline"},
			{told{time.Minute, `{"event":{"type":"PrintFailed","payload":{"reason":"error","error":"SerialTimeout"}}}`}, "error: SerialTimeout"},
			{told{time.Minute, sampled("Offline after error", "SerialTimeout: x", "closedOrError")}, "error: SerialTimeout: x"},
		},
		"a cancelled print is no error": {
			{told{0, printing}, "printing"},
			{told{time.Minute, `{"event":{"type":"PrintFailed","payload":{"reason":"cancelled","error":"x"}}}`}, "printing"},
		},
		"before 1.6 the error is in the text": {
			{told{0, `{"history":{"state":{"text":"Offline (Error: no (more) heat)","flags":{"closedOrError":true}}}}`}, "error: no (more) heat"},
		},
		"a disconnect is no error": {
			{told{0, idle}, "idle"},
			{told{time.Minute, changed("OFFLINE")}, "offline"},
			{told{time.Minute, sampled("Offline", "", "closedOrError")}, "offline"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s State
			for i, step := range story {
				f, err := decodeFrame([]byte(step.text))
				if err != nil {
					t.Fatal(err)
				}
				s.apply(f, noon().Add(step.after))
				got := string(s.Phase)
				if s.Problem {
					got += ": " + s.Error
				}
				if got != step.want {
					t.Fatalf("after message %d, %s, it is %q, want %q", i+1, step.text, got, step.want)
				}
			}
		})
	}
}

// TestEventPhases is the table of OctoPrint's state ids, of 1.x and of 2.0.
func TestEventPhases(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]Phase{
		"OFFLINE": PhaseOffline, "NONE": PhaseOffline, "CLOSED": PhaseOffline, "CLOSED_WITH_ERROR": PhaseError, "ERROR": PhaseError,
		"OPEN_SERIAL": PhaseConnecting, "DETECT_SERIAL": PhaseConnecting, "DETECTING": PhaseConnecting, "CONNECTING": PhaseConnecting,
		"DETECT_BAUDRATE": PhaseConnecting,
		"OPERATIONAL":     PhaseIdle, "STARTING": PhaseStarting, "PRINTING": PhasePrinting, "PAUSING": PhasePausing, "PAUSED": PhasePaused,
		"RESUMING": PhaseResuming, "CANCELLING": PhaseCancelling, "FINISHING": PhaseFinishing,
		"TRANSFERING_FILE": PhaseSending, "TRANSFERRING_FILE": PhaseSending, "": "", "UNKNOWN": "", "printing": "",
	} {
		if got, ok := phaseOfEvent(id, ""); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v; want %q", id, got, ok, want)
		}
	}
	for _, c := range []struct {
		id, text string
		want     Phase
	}{
		{"PRINTING", "Printing from SD", PhasePrinting},
		{"PRINTING", "Sending file to SD", PhaseSending},
		{"PRINTING", "Druckt", PhasePrinting},
		{"STARTING", "Starting print from SD", PhaseStarting},
		{"STARTING", "Starting to send file to SD", PhaseSending},
	} {
		if got, _ := phaseOfEvent(c.id, c.text); got != c.want {
			t.Errorf("%s %q is %q, want %q", c.id, c.text, got, c.want)
		}
	}
}

// TestSampledPhases is the table of flags. Where several are set, the order of
// the phases decides.
func TestSampledPhases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		flags string
		want  Phase
	}{
		{"Operational", "operational ready sdReady", PhaseIdle},
		{"Printing", "operational printing", PhasePrinting},
		{"Starting", "operational printing", PhaseStarting},
		{"Sending file to SD", "operational printing", PhaseSending},
		{"Printing from SD", "operational printing", PhasePrinting},
		{"Pausing", "operational printing pausing", PhasePausing},
		{"Paused", "operational paused", PhasePaused},
		{"Paused", "operational paused ready", PhasePaused},    // before 1.8
		{"Paused", "operational paused printing", PhasePaused}, // 2.0
		{"Resuming", "operational printing resuming", PhaseResuming},
		{"Cancelling", "operational printing cancelling", PhaseCancelling},
		{"Finishing", "operational printing finishing", PhaseFinishing},
		{"Offline", "closedOrError", PhaseOffline},
		{"Offline after error", "closedOrError", PhaseError},
		{"Offline (Error: x)", "closedOrError", PhaseError},
		{"Error", "closedOrError error", PhaseError},
		{"Error", "closedOrError", PhaseError},
		{"Opening serial connection", "", PhaseConnecting},
		{"", "", PhaseConnecting},
	} {
		s := merged(t, sampled(c.text, "", strings.Fields(c.flags)...))
		if s.Phase != c.want {
			t.Errorf("%q with %q is %q, want %q", c.text, c.flags, s.Phase, c.want)
		}
	}
}

func TestPhasesAreAllListed(t *testing.T) {
	t.Parallel()
	apart := func(p Phase) bool { return !p.Connected() }
	without := func(p Phase) bool { return !p.Job() }
	jobs := []Phase{PhaseStarting, PhasePrinting, PhasePausing, PhasePaused, PhaseResuming, PhaseCancelling, PhaseFinishing}
	connected := append(append([]Phase{PhaseIdle}, jobs...), PhaseSending)
	if got := slices.DeleteFunc(Phases(), apart); !slices.Equal(got, connected) {
		t.Errorf("connected: %v, want %v", got, connected)
	}
	if got := slices.DeleteFunc(Phases(), without); !slices.Equal(got, jobs) {
		t.Errorf("with a job: %v, want %v", got, jobs)
	}
}

// TestDisconnectForgets: what OctoPrint nulls is null, and what is left of the
// old connection in a late sample doesn't come back.
func TestDisconnectForgets(t *testing.T) {
	t.Parallel()
	late := strings.Replace(sample, `"error":"it squeaks"`, `"error":""`, 1)
	s := merged(t, sample, changed("OFFLINE"), late)
	if len(s.Heaters) != 0 {
		t.Errorf("heaters of a printer that is off: %v", s.Heaters)
	}
	s = merged(t, late, changed("OFFLINE"), sampled("Offline", "", "closedOrError"))
	if s.Phase != PhaseOffline || s.Job.Path != "" || s.Job.Completion != nil || s.Job.Filament != nil {
		t.Errorf("off, the job is %+v in the phase %s", s.Job, s.Phase)
	}
	s = merged(t, sample, `{"history":{"state":{"text":"Operational","flags":{"operational":true}},"temps":[{"bed":{"actual":1}}]}}`)
	if _, there := s.Heaters["tool0"]; there || len(s.Heaters) != 1 {
		t.Errorf("a history begins anew, but the heaters are %v", s.Heaters)
	}
}

func TestEventFacts(t *testing.T) {
	t.Parallel()
	f, err := decodeFrame([]byte(`{"event":{"type":"PrintFailed","payload":{"name":"a.gcode","path":"d/a.gcode","origin":"sdcard",
		"user":"admin","time":12.5,"progress":0.25,"reason":"error","error":"boom"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	e := f.Event.event()
	if e.Type != EventPrintFailed || e.Name != "a.gcode" || e.Path != "d/a.gcode" || e.Origin != "sdcard" || e.User != "admin" ||
		*e.Duration != 12.5 || *e.Progress != 25 || e.Reason != "error" || e.Error != "boom" {
		t.Errorf("event %+v", e)
	}
	for payload, want := range map[string]string{
		`{"reason":"error","progress":1.0}`: "100", `{"reason":"error","progress":0}`: "0", `{"reason":"cancelled","progress":1}`: "1",
		`{"reason":"cancelled","progress":50}`: "50", `{"reason":"error","progress":null}`: "?", `null`: "?", `{"progress":"x"}`: "?",
	} {
		f, err := decodeFrame([]byte(`{"event":{"type":"PrintFailed","payload":` + payload + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := show(f.Event.event().Progress); got != want {
			t.Errorf("the progress of %s is %s %%, want %s", payload, got, want)
		}
	}
}

// TestOffsetsAreComplete: an offset that isn't listed any more is none.
func TestOffsetsAreComplete(t *testing.T) {
	t.Parallel()
	s := merged(t, sample, `{"current":{"state":{"text":"Printing","flags":{"operational":true,"printing":true}},"offsets":{"tool0":4}}}`)
	if tool, bed := s.Heaters["tool0"], s.Heaters["bed"]; tool.Offset != 4 || bed.Offset != 0 || *tool.Actual != 204.5 {
		t.Errorf("tool0 is %+v and the bed %+v", tool, bed)
	}
}

// TestNothingOfTheSampleBeforeRemains merges samples that differ little from the
// one before: what they don't repeat is gone.
func TestNothingOfTheSampleBeforeRemains(t *testing.T) {
	t.Parallel()
	job := func(members string) string { return `{"current":{"job":{"filament":{` + members + `}}}}` }
	samples := []string{
		job(`"tool0":{"length":1,"volume":2},"tool1":{"length":3,"volume":4}`),
		job(`"tool0":{"length":1,"volume":2}`),
		job(`"tool1":{"length":1,"volume":2}`),
		job(`"tool1":{"length":1}`),
		job(`"tool1":{"length":0}`),
		job(`"tool1":{}`),
		job(``),
		`{"current":{"job":{"file":{"name":"a","path":"a","size":1},"estimatedPrintTime":1}}}`,
		`{"current":{"job":{"file":{"name":"a","path":"a","size":0},"estimatedPrintTime":1},"progress":{"completion":1},"currentZ":1}}`,
		`{"current":{"job":{"file":{"name":"a"}},"progress":{"completion":2},"currentZ":2}}`,
	}
	for _, before := range samples {
		for _, now := range samples {
			if got, want := merged(t, before, now), merged(t, now); !reflect.DeepEqual(got, want) {
				t.Errorf("%s after %s gives\n%s, want\n%s", now, before, written(t, got), written(t, want))
			}
		}
	}
}
