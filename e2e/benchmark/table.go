package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// measure is one line of the table.
type measure struct {
	name   string
	of     func(r result) float64 // in unit; 0: was not measured
	size   int                    // of the farm
	format string                 // of a figure, with its unit
	// budget is the most that the bridge may have, given the same figure of the
	// floor; nil: there is none.
	budget func(floor float64) float64
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

func fixed(limit float64) func(float64) float64 { return func(float64) float64 { return limit } }

// memoryBudget is 25 MiB and 40 KiB per printer, in MiB.
func memoryBudget(printers int) func(float64) float64 {
	return fixed(25 + 40*float64(printers)/1024)
}

// measures are the lines of the table.
func measures(sizes []int) []measure {
	var list []measure
	for _, n := range sizes {
		list = append(list, measure{
			name: fmt.Sprintf("CPU per frame, %d printers", n), size: n, format: "%.1f µs",
			of:     func(r result) float64 { return float64(r.perFrame) / float64(time.Microsecond) },
			budget: func(floor float64) float64 { return floor },
		})
	}
	for _, n := range sizes {
		list = append(list, measure{
			name: fmt.Sprintf("resident memory, %d printers", n), size: n, format: "%.1f MiB",
			of: func(r result) float64 { return mebibytes(r.memory.resident) }, budget: memoryBudget(n),
		})
	}
	most := sizes[len(sizes)-1]
	add := func(name, format string, of func(r result) float64, budget func(float64) float64) {
		list = append(list, measure{name: name, size: most, format: format, of: of, budget: budget})
	}
	add("resident memory, peak", "%.1f MiB", func(r result) float64 { return mebibytes(r.memory.peak) }, nil)
	add("frame to subscriber, p50", "%.2f ms", func(r result) float64 { return milliseconds(percentile(r.latencies, 50)) }, nil)
	add("frame to subscriber, p99", "%.2f ms", func(r result) float64 { return milliseconds(percentile(r.latencies, 99)) }, fixed(10))
	add("start until all are published", "%.1f s", func(r result) float64 { return r.start.Seconds() }, fixed(10))
	add("the same, with what a former run left on the broker", "%.1f s", func(r result) float64 { return r.again.Seconds() }, fixed(10))
	add("broker back until all is published again", "%.1f s", func(r result) float64 { return r.broker.Seconds() }, nil)
	add("all sessions lost until all tell something new", "%.1f s", func(r result) float64 { return r.sessions.Seconds() }, nil)
	add("printers off: CPU per printer and minute", "%.2f ms", func(r result) float64 { return milliseconds(r.idle) }, nil)
	add("messages published per frame", "%.3f", func(r result) float64 { return r.messages }, nil)
	return list
}

// figure is the median of a measure over all turns of a program.
func figure(results []result, m measure, subject string) float64 {
	var values []float64
	for _, r := range results {
		if v := m.of(r); r.subject == subject && r.printers == m.size && v != 0 {
			values = append(values, v)
		}
	}
	return median(values)
}

// writeTable writes a table in Markdown. The first of the plan's programs is
// judged, and the second is what it is held against.
func writeTable(w io.Writer, results []result, p plan) {
	fmt.Fprint(w, "| | budget |")
	for _, s := range p.subjects {
		fmt.Fprintf(w, " %s |", s.name)
	}
	fmt.Fprintf(w, " %s / %s |\n|---|%s\n", p.subjects[0].name, p.subjects[1].name, strings.Repeat("---:|", len(p.subjects)+2))
	for _, m := range measures(p.sizes) {
		var figures []float64
		for _, s := range p.subjects {
			figures = append(figures, figure(results, m, s.name))
		}
		fmt.Fprintf(w, "| %s | %s |", m.name, m.judge(figures[0], figures[1]))
		for _, f := range figures {
			fmt.Fprintf(w, " %s |", m.print(f))
		}
		fmt.Fprintf(w, " %s |\n", ratio(figures[0], figures[1]))
	}
}

func (m measure) print(f float64) string {
	if f == 0 {
		return "–"
	}
	return fmt.Sprintf(m.format, f)
}

// judge tells the budget, and whether a figure keeps it.
func (m measure) judge(figure, floor float64) string {
	if m.budget == nil || figure == 0 {
		return "–"
	}
	limit := m.budget(floor)
	verdict := "kept"
	if figure > limit {
		verdict = "**exceeded**"
	}
	return "≤ " + m.print(limit) + " " + verdict
}

func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a/b)
}
