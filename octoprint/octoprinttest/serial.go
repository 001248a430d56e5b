package octoprinttest

import (
	"fmt"
	"strings"
)

type direction int

const (
	received direction = iota
	sent
	noted // OctoPrint's own remarks
)

// log adds a line to the terminal, and to the firmware's messages if it came from there.
func (p *printer) log(d direction, line string) {
	prefix := [...]string{"Recv: ", "Send: ", ""}[d]
	if p.release.isTwo() {
		prefix = [...]string{"<<< ", ">>> ", "--- "}[d]
	}
	p.logs.add(prefix + line)
	if d == received {
		p.messages.add(line)
	}
	p.dirty = true
}

func (p *printer) temperatureLine() string {
	var b strings.Builder
	for i, h := range p.heaters {
		name := map[string]string{"bed": "B", "chamber": "C"}[h.name]
		if name == "" {
			name = "T"
			if p.profile.hotends() > 1 {
				name = fmt.Sprintf("T%d", i)
			}
		}
		fmt.Fprintf(&b, "%s:%.2f/ %.2f ", name, h.reading(), h.target)
	}
	return b.String() + "@:64"
}

// chatter is what passes over the line in half a second in which nothing is asked of the printer.
func (p *printer) chatter() {
	p.beats++
	switch {
	case p.state.isPrinting() && p.job.phase == moving:
		p.transmitted += 2
		p.log(sent, fmt.Sprintf("N%d G1 X%d Y%d E%.4f F3000", p.transmitted, 50+p.beats*7%60, 50+p.beats*13%60, p.job.extruded()))
		p.log(received, "ok")
	case p.beats%2 == 0:
		p.log(received, "wait")
	default:
		p.log(received, "Not SD printing")
	}
}
