package main

import (
	"fmt"
	"slices"
	"testing"
)

// TestTurns: small farms and programs for comparison are measured once, all else
// in each round.
func TestTurns(t *testing.T) {
	t.Parallel()
	p := plan{sizes: []int{10, 1000}, subjects: []subject{{name: "a"}, {name: "b", loadOnly: true}}}
	for round, want := range [][]string{
		{"a 10 false", "a 1000 true", "b 1000 true"},
		{"a 1000 true"},
	} {
		var got []string
		for _, turn := range p.turns(round) {
			got = append(got, fmt.Sprint(turn.result.subject, " ", turn.result.printers, " ", turn.all))
		}
		if !slices.Equal(got, want) {
			t.Errorf("round %d: %q, want %q", round, got, want)
		}
	}
}
