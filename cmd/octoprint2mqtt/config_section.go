package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// section is a mapping of the configuration while it is being read. What it is
// asked for is what it may contain: the keys that nobody asked for are reported
// as unknown when it has been read.
//
// An absent section reads like an empty one, so that defaults and required
// keys have one place each.
type section struct {
	src     *source
	at      place
	entries map[string]entry
	asked   []string
	broken  bool // it is no mapping at all; its keys are not missed then
}

type entry struct{ key, value *yaml.Node }

func newSection(src *source, at place) *section {
	return &section{src: src, at: at, entries: map[string]entry{}}
}

// read reads the mapping n, which may be nil or null, with body.
func (s *section) read(n *yaml.Node, body func(*section)) {
	switch {
	case n == nil || isNull(n):
	case unusable(n):
		s.broken = true
	case n.Kind != yaml.MappingNode:
		s.broken = true
		subject := ""
		if s.at.path == "" {
			subject = "the file "
		}
		s.src.report.mistake(s.at, subject+"must be a section of keys, not "+kindOf(n))
	default:
		s.collect(n)
	}
	body(s)
	s.reportUnknown()
}

// collect takes the entries of n and reports those that are none.
func (s *section) collect(n *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case unusable(key):
		case key.Kind != yaml.ScalarNode:
			s.src.report.mistake(place{s.at.file, key.Line, s.at.path}, "a key must be one word, not "+kindOf(key))
		default:
			s.add(entry{key, value})
		}
	}
}

func (s *section) add(e entry) {
	name := e.key.Value
	if first, double := s.entries[name]; double {
		s.src.report.mistake(s.at.at(e.key.Line, shownKey(name)),
			fmt.Sprintf("is given twice, first in line %d; remove one of them", first.key.Line))
		return
	}
	s.entries[name] = e
}

// ask returns the entry of a key, which is thereby known.
func (s *section) ask(key string) (entry, bool) {
	if !slices.Contains(s.asked, key) {
		s.asked = append(s.asked, key)
		s.shape(key)
	}
	e, ok := s.entries[key]
	return e, ok
}

// shape returns what is known of a key's values, to be added to.
func (s *section) shape(key string) *shape {
	path := listIndex.ReplaceAllString(s.at.at(0, key).path, "[]")
	if s.src.shapes[path] == nil {
		s.src.shapes[path] = &shape{kind: "string"}
	}
	return s.src.shapes[path]
}

var listIndex = regexp.MustCompile(`\[\d+\]`)

// place returns where a key stands, or where it is missing.
func (s *section) place(key string) place {
	if e, ok := s.entries[key]; ok {
		return s.at.at(e.key.Line, key)
	}
	return s.at.at(s.at.line, key)
}

// require reports a key that isn't there; what says what it is.
func (s *section) require(key, what string) {
	_, ok := s.ask(key)
	s.shape(key).required = true
	if !ok && !s.broken {
		s.src.report.mistake(s.place(key), "is missing; it is "+what)
	}
}

// section reads the mapping under a key.
func (s *section) section(key string, body func(*section)) {
	e, _ := s.ask(key)
	s.shape(key).kind = "object"
	inner := newSection(s.src, s.place(key))
	inner.broken = s.broken
	inner.read(e.value, body)
}

// each reads the mappings of the list under a key.
func (s *section) each(key string, body func(*section)) {
	e, ok := s.ask(key)
	s.shape(key).kind, s.shape(key).list = "object", true
	if !ok || isNull(e.value) || unusable(e.value) {
		return
	}
	if e.value.Kind != yaml.SequenceNode {
		s.src.report.mistake(s.place(key), "must be a list whose items start with a dash, not "+kindOf(e.value))
		return
	}
	for i, item := range e.value.Content {
		newSection(s.src, s.place(key).item(item.Line, i)).read(item, body)
	}
}

// value is a single value of the file, with its place and how messages show it.
type value struct {
	place
	text  string
	shown string
}

// value returns the single value of a key. It returns false when the key isn't
// there or when its value has been reported as unusable.
func (s *section) value(key string) (value, bool) {
	e, ok := s.ask(key)
	if !ok || unusable(e.value) {
		return value{}, false
	}
	at := s.place(key)
	if isNull(e.value) {
		s.src.report.mistake(at, "has no value; write one behind the colon or remove the line")
		return value{}, false
	}
	if e.value.Kind != yaml.ScalarNode {
		s.src.report.mistake(at, "must be a single value, not "+kindOf(e.value))
		return value{}, false
	}
	return s.src.resolve(at, e.value)
}

// read returns the value of a key as parse understands it. It returns the
// fallback when the key isn't there or wrong. The errors of parse must not
// contain the text: the section decides what is shown of it.
func read[T any](s *section, key string, fallback T, parse func(string) (T, error)) T {
	v, ok := s.value(key)
	s.shape(key).of(fallback, accepts(parse))
	if !ok {
		return fallback
	}
	parsed, err := parse(v.text)
	if err != nil {
		s.src.reject(v, err.Error())
		return fallback
	}
	return parsed
}

// readList returns the values of the list under a key, each as parse understands
// it. It returns nil when the key isn't there; what is wrong in it is left out.
func readList[T any](s *section, key string, parse func(string) (T, error)) []T {
	e, ok := s.ask(key)
	s.shape(key).list, s.shape(key).accepts = true, accepts(parse)
	if !ok || isNull(e.value) || unusable(e.value) {
		return nil
	}
	if e.value.Kind != yaml.SequenceNode {
		s.src.report.mistake(s.place(key), "must be a list such as [a, b], not "+kindOf(e.value))
		return nil
	}
	var list []T
	for i, item := range e.value.Content {
		at := s.place(key).item(item.Line, i)
		if item.Kind != yaml.ScalarNode || isNull(item) {
			s.src.report.mistake(at, "must be a single value, not "+kindOf(item))
			continue
		}
		v, ok := s.src.resolve(at, item)
		if !ok {
			continue
		}
		parsed, err := parse(v.text)
		if err != nil {
			s.src.reject(v, err.Error())
			continue
		}
		list = append(list, parsed)
	}
	return list
}

// reportUnknown reports the entries that nobody asked for.
func (s *section) reportUnknown() {
	for _, name := range slices.Sorted(maps.Keys(s.entries)) {
		e := s.entries[name]
		if slices.Contains(s.asked, name) {
			continue
		}
		at := s.at.at(e.key.Line, shownKey(name))
		if before, _, found := strings.Cut(name, ":"); found && slices.Contains(s.asked, before) {
			s.src.report.mistake(at, "there is no blank behind the colon; write \"key: value\"")
			continue
		}
		text := "there is no such key."
		if meant := nearest(shownKey(name), s.asked); meant != "" {
			text = "there is no such key; did you mean " + meant + "?"
		}
		s.src.report.mistake(at, text+" Valid here: "+strings.Join(s.asked, ", "))
	}
}

var keyWord = regexp.MustCompile(`^[\w.-]{1,40}`)

// shownKey returns the part of a key that is shown. A key that isn't a plain
// word may be a value that was put in the wrong place.
func shownKey(name string) string {
	if word := keyWord.FindString(name); word == name {
		return name
	} else if before, _, found := strings.Cut(name, ":"); found && before == word {
		return word
	}
	return "(unreadable key)"
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// kindOf names what n is for people who do not know YAML's words.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a section of keys"
	case isNull(n):
		return "nothing"
	default:
		return "a single value"
	}
}
