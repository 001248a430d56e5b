package main

import (
	"strings"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i))
	}
	for _, c := range []struct {
		values []time.Duration
		p      float64
		want   time.Duration
	}{
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 99.1, 100},
		{hundred, 100, 100},
		{hundred, 0, 1},
		{[]time.Duration{7}, 99, 7},
		{nil, 50, 0},
	} {
		if got := percentile(c.values, c.p); got != c.want {
			t.Errorf("p%v of %d values is %d, want %d", c.p, len(c.values), got, c.want)
		}
	}
	if hundred[0] != 100 {
		t.Error("the values were put into another order")
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{5, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("the median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

// TestWriteTable: the lines have medians, ratios and what became of the budget.
func TestWriteTable(t *testing.T) {
	t.Parallel()
	p := plan{sizes: []int{10, 1000}, subjects: []subject{{name: "ours"}, {name: "least"}}}
	var results []result
	for _, cpu := range []time.Duration{50_000, 10_000, 20_000} {
		results = append(results,
			result{subject: "ours", printers: 1000, perFrame: cpu, memory: memory{resident: 65 << 20}},
			result{subject: "least", printers: 1000, perFrame: 2 * cpu, start: 2 * time.Second},
		)
	}
	var b strings.Builder
	writeTable(&b, results, p)
	for _, line := range []string{
		"| | budget | ours | least | ours / least |",
		"|---|---:|---:|---:|---:|",
		"| CPU per frame, 10 printers | – | – | – | – |",
		"| CPU per frame, 1000 printers | ≤ 40.0 µs kept | 20.0 µs | 40.0 µs | 0.50 |",
		"| resident memory, 1000 printers | ≤ 64.1 MiB **exceeded** | 65.0 MiB | – | – |",
		"| start until all are published | – | – | 2.0 s | – |",
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("the line %q is not in\n%s", line, &b)
		}
	}
}
