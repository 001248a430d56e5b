package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// secretTag marks a value that stands in secrets.yaml.
const secretTag = "!secret"

// document reads the one YAML document of a file. It returns false when there
// is none that can be looked at; that has been reported then.
func (s *source) document(file string, text []byte) (*yaml.Node, bool) {
	fail := func(line int, text string) (*yaml.Node, bool) {
		s.report.mistake(place{file: file, line: line}, text)
		return nil, false
	}
	if len(text) > maxConfigBytes {
		return fail(0, "is larger than 1 MiB, which no configuration is")
	}
	if line := firstInvalidLine(text); line > 0 {
		return fail(line, "this is not UTF-8 text; save the file with the encoding UTF-8")
	}
	documents, err := decodeYAML(text)
	if err != nil {
		return fail(syntaxErrorLine(text), explainSyntax(err))
	}
	if len(documents) == 0 {
		return fail(1, "the file is empty")
	}
	if len(documents) > 1 {
		s.report.mistake(place{file: file, line: documents[1].Line},
			"a second document starts here; one file holds one document, so remove the line ---")
	}
	return documents[0].Content[0], true
}

// firstInvalidLine returns the first line that is not UTF-8, or 0.
func firstInvalidLine(text []byte) int {
	line := 0
	for part := range bytes.Lines(text) {
		line++
		if !utf8.Valid(part) {
			return line
		}
	}
	return 0
}

// decodeYAML returns the documents of a text, two at most. The library panics
// on some malformed texts; that becomes an error.
func decodeYAML(text []byte) (documents []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decode: %v", p)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for len(documents) < 2 {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, &node)
	}
	return documents, nil
}

// maxSearchBytes bounds how much text is decoded to find a malformed line: it
// is enough for ordinary files, and ends within seconds for the worst ones.
const maxSearchBytes = 8 << 20

// syntaxErrorLine finds the line that breaks a malformed text, or one before it
// if the text is very large. The library often names the line where the
// surrounding block starts instead.
func syntaxErrorLine(text []byte) int {
	ends := []int{0}
	for part := range bytes.Lines(text) {
		ends = append(ends, ends[len(ends)-1]+len(part))
	}
	budget := maxSearchBytes
	valid := func(lines int) bool {
		if budget -= ends[lines]; budget < 0 {
			return false
		}
		_, err := decodeYAML(text[:ends[lines]])
		return err == nil
	}
	good, bad := 0, len(ends)-1
	for {
		for bad-good > 1 {
			if middle := (good + bad) / 2; valid(middle) {
				good = middle
			} else {
				bad = middle
			}
		}
		// A text that was cut inside brackets or quotes is malformed too, but a
		// few lines more repair it: then the search goes on behind them.
		repaired := firstValid(good+2, min(good+20, len(ends)-1), valid)
		if repaired == 0 {
			return bad
		}
		good, bad = repaired, len(ends)-1
	}
}

// firstValid returns the first number of lines in [from, to] that is valid, or 0.
func firstValid(from, to int, valid func(lines int) bool) int {
	for lines := from; lines <= to; lines++ {
		if valid(lines) {
			return lines
		}
	}
	return 0
}

// syntaxHints say in plain words what the library's messages mean.
var syntaxHints = []struct{ message, hint string }{
	{"cannot start any token", "a value cannot start with a tab, @, % or `; indent with blanks, and put such a value in quotes"},
	{"mapping values are not allowed", "there is a colon where none fits; check the indentation, and put a value with a colon and a blank in quotes"},
	{"did not find expected key", "the indentation does not fit the lines above, or a quote is not closed"},
	{"did not find expected '-'", "the indentation does not fit the lines above; every item of a list starts with a dash in the same column"},
	{"could not find expected ':'", "this is no \"key: value\"; put a colon and a blank behind the key"},
	{"unexpected end of stream", "a quote is opened here and never closed"},
	{"did not find expected ','", "a bracket is opened here and never closed, or a comma is missing"},
	{"unknown anchor", "a value cannot start with *, which stands for an alias in YAML; put it in quotes"},
	{"alphabetic or numeric", "a value cannot start with * or &, which have a meaning in YAML; put it in quotes"},
	{"tag", "a value cannot start with !, which has a meaning in YAML; put it in quotes"},
	{"comment or line break", "a value cannot start with | or >, which have a meaning in YAML; put it in quotes"},
	{"sequence entries", "there is a dash where none fits; check the indentation, and put a value that starts with a dash in quotes"},
	{"unknown escape character", "in double quotes a backslash has a meaning of its own; use single quotes"},
	{"tab character", "lines are indented with blanks, not with tabs"},
	{"control characters", "there is a control character in this line; remove it"},
}

// explainSyntax never repeats the library's own text, which may quote the file
// and so a secret.
func explainSyntax(err error) string {
	for _, known := range syntaxHints {
		if strings.Contains(err.Error(), known.message) {
			return known.hint
		}
	}
	return "this is not valid YAML; check indentation, quotes and brackets"
}

// plainYAML reports what YAML allows and a configuration does not: aliases and
// merge keys, because they hide which line a value comes from, and tags other
// than !secret. It reports each once and looks at everything below n.
func (s *source) plainYAML(file string, n *yaml.Node) {
	fail := func(text string) { s.report.mistake(place{file: file, line: n.Line}, text) }
	switch {
	case n.Kind == yaml.AliasNode:
		fail("aliases (*name) are not supported; write the value out, or put it in quotes if it starts with *")
	case n.Anchor != "":
		fail("anchors (&name) are not supported; remove it, or put the value in quotes if it starts with &")
	case n.ShortTag() == "!!merge":
		fail("merge keys (<<) are not supported; write the keys out")
	case foreignTag(n):
		fail("this tag is not supported, only !secret is; put the value in quotes if it starts with !")
	}
	for _, child := range n.Content {
		s.plainYAML(file, child)
	}
}

// foreignTag tells whether n has a tag that a configuration does not know.
func foreignTag(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!merge", "":
		return n.Kind != yaml.ScalarNode && n.Kind != yaml.AliasNode
	case "!!map":
		return n.Kind != yaml.MappingNode
	case "!!seq":
		return n.Kind != yaml.SequenceNode
	case secretTag:
		return n.Kind != yaml.ScalarNode
	default:
		return true
	}
}

// unusable tells whether plainYAML has reported n itself, so that nothing else
// needs to be said about it.
func unusable(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || foreignTag(n) || n.ShortTag() == "!!merge"
}
