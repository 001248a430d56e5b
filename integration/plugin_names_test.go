package integration

import (
	"slices"
	"strings"
	"testing"
)

// TestSlugs: what people call things becomes part of row keys only where it tells them
// apart.
func TestSlugs(t *testing.T) {
	t.Parallel()
	plug := []string{"", "_power"}
	for _, tt := range []struct {
		labels []string
		want   string // separated by blanks; - for none
	}{
		{[]string{"Printer power", "Licht (Küche)"}, "printer_power licht_k_che"},
		{[]string{"Lamp", "lamp!", "Fan"}, "- - fan"},
		{[]string{"A", "A power", "B"}, "- - b"},
		{[]string{"灯", "Fan"}, "unknown fan"},
		{[]string{"灯", "扇"}, "- -"},
		{[]string{strings.Repeat("x", 40) + "1", "y"}, strings.Repeat("x", 32) + " y"},
		{[]string{strings.Repeat("x", 40) + "1", strings.Repeat("x", 40) + "2"}, "- -"},
		{[]string{strings.Repeat("x", 31) + " y"}, strings.Repeat("x", 31)},
		{[]string{"../+/#", "$SYS"}, "unknown sys"},
	} {
		var things []labelled
		for _, label := range tt.labels {
			things = append(things, labelled{label, plug})
		}
		got := slugs(things)
		for i, s := range got {
			if s == "" {
				got[i] = "-"
			}
		}
		if !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%q: %q, want %s", tt.labels, got, tt.want)
		}
	}
}
