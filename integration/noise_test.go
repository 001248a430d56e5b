package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// step is what a row could show from some second on.
type step struct {
	at    float64 // s
	value any     // nil: unknown; float64: a number; int: a point in time, in s
}

// told feeds values to a rule, looking again each second as the bridge does, and
// returns what is published when.
func told(rule noise, decimals int8, until float64, steps ...step) []string {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var s shown
	var list []string
	next, n := unknown, 0
	look := func(at float64) {
		if publish, _ := s.update(next, rule, start.Add(time.Duration(at*float64(time.Second)))); publish {
			list = append(list, fmt.Sprintf("%v:%s", at, s.value().payload()))
		}
	}
	for tick := 0.0; tick <= until; tick++ {
		for ; n < len(steps) && steps[n].at <= tick; n++ {
			next = valueOf(steps[n].value, decimals, start)
			look(steps[n].at)
		}
		look(tick)
	}
	return list
}

func valueOf(v any, decimals int8, start time.Time) value {
	switch v := v.(type) {
	case float64:
		return number(&v, decimals)
	case int:
		return instant(start.Add(time.Duration(v) * time.Second))
	}
	return unknown
}

func TestNoiseRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		rule  noise
		until float64
		steps []step
		want  []string
	}{
		{"no rule", nil, 3, []step{{0, 1.0}, {0.5, 1.1}, {0.7, 1.1}, {1, 1.0}}, []string{"0:1", "0.5:1.1", "1:1"}},
		{"temperature, a step of half a degree", temperature, 5, []step{{0, 20.0}, {1, 20.4}, {2, 20.5}, {3, 20.9}, {4, 20.0}}, []string{"0:20", "2:20.5", "4:20"}},
		{"temperature, small change settles after 10 s", temperature, 30, []step{{0, 20.0}, {3, 20.3}}, []string{"0:20", "13:20.3"}},
		{
			"temperature, jitter within 0.1 settles too", temperature, 20,
			[]step{{0, 19.7}, {1, 20.0}, {3, 20.1}, {5, 20.0}, {7, 20.1}, {9, 20.0}, {10, 20.1}},
			[]string{"0:19.7", "11:20.1"},
		},
		{
			"temperature, jitter elsewhere settles too", temperature, 20,
			[]step{{0, 59.8}, {1, 60.2}, {3, 60.1}, {5, 60.2}, {7, 60.1}, {9, 60.2}},
			[]string{"0:59.8", "11:60.2"},
		},
		{
			"temperature, a slow drift is told each half degree", temperature, 16,
			[]step{{0, 20.0}, {2, 20.2}, {4, 20.4}, {6, 20.6}, {8, 20.8}, {10, 21.0}, {12, 21.2}},
			[]string{"0:20", "6:20.6", "12:21.2"},
		},
		{
			"temperature, jitter around what is shown is not told", temperature, 60,
			[]step{{0, 20.0}, {5, 20.1}, {12, 20.0}, {20, 19.9}, {28, 20.0}, {33, 20.1}, {42, 20.0}},
			[]string{"0:20"},
		},
		{"temperature becomes unknown and known", temperature, 5, []step{{0, 20.0}, {1, nil}, {2, 20.1}}, []string{"0:20", "1:None", "2:20.1"}},
		{"progress each 30 s", percentage, 70, []step{{0, 0.0}, {1, 0.4}, {10, 5.0}, {40, 6.0}, {41, 7.0}}, []string{"0:0", "30:5", "60:7"}},
		{"progress at the end", percentage, 10, []step{{0, 99.0}, {5, 100.0}}, []string{"0:99", "5:100"}},
		{"progress of the next print", percentage, 10, []step{{0, 100.0}, {3, nil}, {5, 0.0}}, []string{"0:100", "3:None", "5:0"}},
		{"z each minute", everyMinute, 130, []step{{0, 0.2}, {30, 0.4}, {70, 0.6}, {90, 0.8}}, []string{"0:0.2", "60:0.4", "120:0.8"}},
		{"finish off by a minute", finishing, 100, []step{{0, 3600}, {10, 3660}, {20, 3661}, {30, 3601}, {40, 3600}}, []string{"0:13:00:00", "20:13:01:01", "40:13:00:00"}},
		{"finish off by a hundredth of the time left", finishing, 100, []step{{0, 36000}, {10, 36360}, {20, 36370}}, []string{"0:22:00:00", "20:22:06:10"}},
		{"finish just outside a hundredth", finishing, 100, []step{{0, 36000}, {10, 36364}}, []string{"0:22:00:00", "10:22:06:04"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := told(tt.rule, 1, tt.until, tt.steps...)
			for i, g := range got {
				got[i] = shortTime(g)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("told %q, want %q", got, tt.want)
			}
		})
	}
}

// shortTime leaves the time of day of a point in time.
func shortTime(s string) string {
	at, value, _ := strings.Cut(s, ":")
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		value = t.Format(time.TimeOnly)
	}
	return at + ":" + value
}
