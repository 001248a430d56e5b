package octoprinttest

import (
	"bytes"
	"strings"
	"time"
)

// analyse reads from an uploaded file how it will print: dwelling (G4) is taken for the whole of its duration, and the
// highest targets for those of the print. A file that never dwells prints as long as one without an idea of it.
func analyse(f File) File {
	for line := range bytes.Lines(f.Contents) {
		word, rest, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(string(line))), " ")
		switch word {
		case "G4":
			if ms, given := argument(rest, 'P'); given {
				f.PrintTime += time.Duration(ms * float64(time.Millisecond))
			}
			if s, given := argument(rest, 'S'); given {
				f.PrintTime += time.Duration(s * float64(time.Second))
			}
		case "M104", "M109":
			target, _ := argument(rest, 'S')
			f.ToolTarget = max(f.ToolTarget, target)
		case "M140", "M190":
			target, _ := argument(rest, 'S')
			f.BedTarget = max(f.BedTarget, target)
		case "M73":
			f.M73 = true
		}
	}
	return f
}
