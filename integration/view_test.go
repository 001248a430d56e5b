package integration

import (
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
)

// TestProgress is by time where OctoPrint's estimate is good, else by bytes.
func TestProgress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		origin             string
		elapsed, remaining float64 // s; negative: unknown
		completion         float64
		phase              octoprint.Phase
		want               string
	}{
		{"estimate", 600, 1800, 60, "printing", "25"},
		{"average", 600, 1800, 60, "printing", "25"},
		{"genius", 600, 1800, 60, "printing", "25"},
		{"mixed-analysis", 600, 1800, 60, "printing", "25"},
		{"mixed-average", 600, 1800, 60, "paused", "25"},
		{"linear", 600, 1800, 60, "printing", "60"},
		{"analysis", 600, 1800, 60, "printing", "60"},
		{"printer", 600, 1800, 60, "printing", "60"},
		{"", 600, 1800, 60, "printing", "60"},
		{"estimate", -1, 1800, 60, "printing", "60"},
		{"estimate", 600, -1, 60, "printing", "60"},
		{"estimate", 0, 0, 60, "printing", "60"},
		{"estimate", 1, 2, 33.36, "printing", "33.3"},
		{"estimate", 600, 0, 99, "finishing", "100"},
		{"estimate", 600, 1800, 60, "idle", "None"},
		{"estimate", 600, 1800, 60, "offline", "None"},
		{"estimate", 600, 1800, 60, "sending", "None"},
	} {
		v := zeroView()
		known := func(f float64) *float64 {
			if f < 0 {
				return nil
			}
			return &f
		}
		v.state = octoprint.State{Phase: tt.phase, Job: octoprint.Job{
			Elapsed: known(tt.elapsed), Remaining: known(tt.remaining), RemainingOrigin: tt.origin, Completion: &tt.completion,
		}}
		if got := number(v.progress(), 1).payload(); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// TestJobValues: what is unknown while nothing runs, and what also while a print is
// paused.
func TestJobValues(t *testing.T) {
	t.Parallel()
	elapsed, remaining := 119.9, 61.0
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		phase                               octoprint.Phase
		elapsed, remaining, finish, printed string
	}{
		{"printing", "1", "2", "2026-11-23T12:01:01Z", "ON"},
		{"starting", "1", "2", "2026-11-23T12:01:01Z", "ON"},
		{"resuming", "1", "2", "2026-11-23T12:01:01Z", "ON"},
		{"finishing", "1", "2", "2026-11-23T12:01:01Z", "ON"},
		{"pausing", "1", "None", "None", "ON"},
		{"paused", "1", "None", "None", "ON"},
		{"idle", "None", "None", "None", "OFF"},
		{"error", "None", "None", "None", "OFF"},
		{"sending", "None", "None", "None", "OFF"},
		{"", "None", "None", "None", "None"},
	} {
		v := zeroView()
		v.at = now
		v.state = octoprint.State{Phase: tt.phase, Job: octoprint.Job{Elapsed: &elapsed, Remaining: &remaining}}
		rows := make(map[string]string)
		for _, r := range printerRows(v) {
			if r.value != nil {
				rows[r.key] = r.value(v).payload()
			}
		}
		for key, want := range map[string]string{"elapsed": tt.elapsed, "remaining": tt.remaining, "finish": tt.finish, "printing": tt.printed} {
			if rows[key] != want {
				t.Errorf("%s %s: %s, want %s", tt.phase, key, rows[key], want)
			}
		}
	}
}

// TestReady: idle, without a problem, and every heater below the limit.
func TestReady(t *testing.T) {
	t.Parallel()
	heaters := func(tool, bed float64) map[string]octoprint.Heater {
		return map[string]octoprint.Heater{"tool0": {Actual: &tool}, "bed": {Actual: &bed}}
	}
	for _, tt := range []struct {
		name    string
		phase   octoprint.Phase
		problem bool
		heaters map[string]octoprint.Heater
		want    string
	}{
		{"cold", "idle", false, heaters(20, 20), "ON"},
		{"just below", "idle", false, heaters(49.9, 20), "ON"},
		{"hot tool", "idle", false, heaters(50, 20), "OFF"},
		{"hot bed", "idle", false, heaters(20, 60), "OFF"},
		{"a heater is missing", "idle", false, map[string]octoprint.Heater{}, "None"},
		{"problem", "idle", true, heaters(20, 20), "OFF"},
		{"printing", "printing", false, heaters(20, 20), "OFF"},
		{"offline", "offline", false, nil, "OFF"},
		{"unreachable", "", false, nil, "None"},
	} {
		v := zeroView()
		v.info.Profile = &octoprint.Profile{Heaters: []string{"tool0", "bed"}}
		v.state = octoprint.State{Phase: tt.phase, Problem: tt.problem, Heaters: tt.heaters}
		got := "None"
		if ready, known := v.ready(); known {
			got = onOff(ready).payload()
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
