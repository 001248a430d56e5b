package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseSchedstat(t *testing.T) {
	t.Parallel()
	got, err := parseSchedstat("931978 296215 15\n")
	if err != nil || got != 931978*time.Nanosecond {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "1 2\n", "a 2 3\n"} {
		if got, err := parseSchedstat(text); err == nil {
			t.Errorf("%q gives %v", text, got)
		}
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	const text = "Name:\tfloor\nVmPeak:\t 1272928 kB\nVmHWM:\t   71680 kB\nVmRSS:\t   66560 kB\nRssAnon:\t    116 kB\n"
	got, err := parseStatus(text)
	if want := (memory{resident: 65 << 20, peak: 70 << 20}); err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, text := range []string{"", "Name:\tzombie\n", strings.Replace(text, "66560 kB", "much", 1)} {
		if got, err := parseStatus(text); err == nil {
			t.Errorf("%q gives %v", text, got)
		}
	}
}
