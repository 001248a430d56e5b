//go:build e2e

package e2e

import (
	"fmt"
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
