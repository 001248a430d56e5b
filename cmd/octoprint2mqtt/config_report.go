package main

import (
	"cmp"
	"fmt"
	"slices"
)

// place is where something stands in a file.
type place struct {
	file string
	line int    // from 1; 0 means the file as a whole
	path string // of keys, such as printers[0].limits.bed; empty at the top
}

func (p place) String() string {
	text := p.file
	if p.line > 0 {
		text = fmt.Sprintf("%s:%d", text, p.line)
	}
	if p.path != "" {
		text += ": " + p.path
	}
	return text
}

// at returns the place of a key inside p.
func (p place) at(line int, key string) place {
	if p.path != "" {
		key = p.path + "." + key
	}
	return place{file: p.file, line: line, path: key}
}

// item returns the place of a list's item.
func (p place) item(line, index int) place {
	return place{file: p.file, line: line, path: fmt.Sprintf("%s[%d]", p.path, index)}
}

// finding is something to tell the user about a place.
type finding struct {
	place
	text string
}

// report collects findings, so that a user hears of all of them at once.
type report struct {
	mistakes []finding // the file can't be used
	warnings []finding // it can, but should not be left like this
}

func (r *report) mistake(p place, text string) {
	r.mistakes = append(r.mistakes, finding{p, text})
}

func (r *report) warn(p place, text string) {
	r.warnings = append(r.warnings, finding{p, text})
}

// inOrder renders findings in the order of lines, those of the main file first.
func inOrder(main string, findings []finding) []string {
	rank := func(f finding) int {
		if f.file == main {
			return 0
		}
		return 1
	}
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b finding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.line, b.line))
	})
	var lines []string
	for _, f := range sorted {
		lines = append(lines, fmt.Sprintf("%s: %s", f.place, f.text))
	}
	return lines
}

// nearest returns the candidate that a misspelt word most likely meant, or "".
func nearest(word string, candidates []string) string {
	best, distance := "", min(3, 1+len(word)/3)
	for _, candidate := range candidates {
		if d := editDistance(word, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// editDistance counts the letters to insert, remove or replace to get from a
// to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
