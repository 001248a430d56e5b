//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// logLine is one line of the bridge's log.
type logLine struct {
	Level   string
	Printer string
	Event   string // the id, in a line that tells an event of a printer
	Command string // the name, in a line that tells what became of a command
	Message string
}

// String is the line as the tests write it: "warn left: …", or "info: …" where it is about no printer.
func (l logLine) String() string {
	if l.Printer == "" {
		return fmt.Sprintf("%s: %s", l.Level, l.Message)
	}
	return fmt.Sprintf("%s %s: %s", l.Level, l.Printer, l.Message)
}

// logMark is a position in the program's output: what it writes later is after it.
func (p *process) logMark() int { return len(p.text()) }

// logAfter returns what the program has logged since a mark, without commands and events: those are told elsewhere, too.
// With printers named, it returns the lines about them only.
func (p *process) logAfter(t *testing.T, mark int, printers ...string) []string {
	t.Helper()
	text := p.text()[mark:]
	var lines []string
	for text := range strings.Lines(text[:strings.LastIndex(text, "\n")+1]) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("the log has a line that is no JSON: %s", text)
		}
		if line.Command == "" && line.Event == "" && (len(printers) == 0 || slices.Contains(printers, line.Printer)) {
			lines = append(lines, line.String())
		}
	}
	return lines
}

// waitLog waits until a line has been logged since a mark that begins like this.
func (p *process) waitLog(t *testing.T, limit time.Duration, mark int, beginning string) {
	t.Helper()
	eventually(t, "a line in the log: "+beginning, limit, func() (bool, string) {
		lines := p.logAfter(t, mark)
		found := slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, beginning) })
		return found, strings.Join(lines, "\n")
	})
}

// wantLog wants that since a mark exactly these lines have been logged, in any order, each given by its beginning; some
// others may be there as well. With printers named only the lines about them count.
func (p *process) wantLog(t *testing.T, mark int, beginnings, maybe []string, printers ...string) {
	t.Helper()
	for _, beginning := range beginnings {
		p.waitLog(t, soon, mark, beginning)
	}
	lines := p.logAfter(t, mark, printers...)
	rest := slices.Clone(lines)
	for _, beginning := range beginnings {
		i := slices.IndexFunc(rest, func(line string) bool { return strings.HasPrefix(line, beginning) })
		if i < 0 {
			t.Errorf("%q isn't logged as often as wanted; there are\n%s", beginning, strings.Join(lines, "\n"))
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	rest = slices.DeleteFunc(rest, func(line string) bool {
		return slices.ContainsFunc(maybe, func(beginning string) bool { return strings.HasPrefix(line, beginning) })
	})
	if len(rest) > 0 {
		t.Errorf("logged beside what is wanted:\n%s\nof\n%s", strings.Join(rest, "\n"), strings.Join(lines, "\n"))
	}
}
