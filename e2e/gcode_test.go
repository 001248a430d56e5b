//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
)

// slowPrint is G-code that takes the virtual printer about that many seconds,
// two lines of the same length for each, so that progress rises evenly.
func slowPrint(seconds int) string {
	var code strings.Builder
	code.WriteString("G28 ; home\n")
	for i := range 2 * seconds {
		fmt.Fprintf(&code, "G4 P500 ; step %06d\n", i)
	}
	return code.String()
}

// withM73 has G-code tell its progress, but not before a third of it is through: none then, half after another, and all a few
// lines before the end, so that it is seen.
func withM73(code string) string {
	lines := strings.Split(code, "\n")
	lines = slices.Insert(lines, len(lines)-5, "M73 P100 R0")
	lines = slices.Insert(lines, len(lines)*2/3, "M73 P50 R1")
	lines = slices.Insert(lines, len(lines)/3, "M73 P0 R1")
	return strings.Join(lines, "\n")
}
