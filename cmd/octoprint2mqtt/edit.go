package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// entryField is a key of a printer with its value, as it goes into the file.
type entryField struct {
	key, value string
	secret     bool // value is a name in secrets.yaml
	bare       bool // value is no text, but what YAML makes of it
	quoted     bool // in quotes, needed or not
}

// errNoPlace means that the file is written in a way that can't be added to safely.
var errNoPlace = errors.New("the list of printers in this file can't be added to without risk")

// insertPrinter returns a configuration with one more printer at the end of its list.
// Everything else stays as it is, byte for byte: comments, order, blank lines. The text
// must be a valid configuration.
func insertPrinter(text []byte, entry []entryField) ([]byte, error) {
	documents, err := decodeYAML(text)
	if err != nil {
		return nil, errNoPlace
	}
	f := newLines(text)
	changed := false
	switch root := rootMapping(documents); {
	case root == nil && len(documents) == 0, root != nil && root.Style&yaml.FlowStyle == 0 && find(root, "printers") == nil:
		f.append(append([]string{"printers:"}, blockItem(entry, 2)...))
		changed = true
	case root != nil:
		changed = f.insert(root, entry)
	}
	if !changed {
		return nil, errNoPlace
	}
	result := f.bytes()
	if !addsOne(text, result, entry) {
		return nil, errNoPlace
	}
	return result, nil
}

// rootMapping is the mapping that a file consists of; nil if it is none.
func rootMapping(documents []*yaml.Node) *yaml.Node {
	if len(documents) != 1 || documents[0].Content[0].Kind != yaml.MappingNode {
		return nil
	}
	return documents[0].Content[0]
}

// find returns the value of a key in a mapping; nil if there is none.
func find(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Kind == yaml.MappingNode && mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// addsOne reports whether the only difference between two texts is one printer more.
func addsOne(before, after []byte, entry []entryField) bool {
	was, is := plainMap(before), plainMap(after)
	if was == nil || is == nil {
		return false
	}
	old, _ := was["printers"].([]any)
	printers, _ := is["printers"].([]any)
	if len(printers) != len(old)+1 {
		return false
	}
	want := make(map[string]any)
	for _, f := range entry {
		want[f.key] = f.plain()
	}
	if !reflect.DeepEqual(printers[len(old)], any(want)) {
		return false
	}
	for i := range old {
		if !reflect.DeepEqual(old[i], printers[i]) {
			return false
		}
	}
	delete(was, "printers")
	delete(is, "printers")
	return reflect.DeepEqual(was, is)
}

// plainMap is what a text means, without its form; nil if that is no mapping.
func plainMap(text []byte) (m map[string]any) {
	defer func() {
		if recover() != nil { // the library panics on some malformed texts
			m = nil
		}
	}()
	m = make(map[string]any)
	if yaml.Unmarshal(text, &m) != nil {
		return nil
	}
	return m
}

// lines is a text that lines are put into.
type lines struct {
	list []string // without their ends
	eol  string
}

func newLines(text []byte) *lines {
	f := &lines{eol: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		f.eol = "\r\n"
	}
	if len(text) == 0 {
		return f
	}
	f.list = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for i := range f.list {
		f.list[i] = strings.TrimSuffix(f.list[i], "\r")
	}
	return f
}

func (f *lines) bytes() []byte {
	text := strings.Join(f.list, f.eol)
	return []byte(text + f.eol)
}

// append puts lines at the end, after a blank one.
func (f *lines) append(more []string) {
	end := len(f.list)
	for end > 0 && strings.TrimSpace(f.list[end-1]) == "..." {
		end--
	}
	if end > 0 && strings.TrimSpace(f.list[end-1]) != "" {
		more = append([]string{""}, more...)
	}
	f.put(end, more)
}

// put puts lines before the one with an index.
func (f *lines) put(at int, more []string) {
	f.list = append(f.list[:at:at], append(append([]string{}, more...), f.list[at:]...)...)
}

// insert adds an item to the list of printers that a root mapping has, in the way in
// which that is written.
func (f *lines) insert(root *yaml.Node, entry []entryField) bool {
	list := find(root, "printers")
	switch {
	case list == nil:
		return false
	case list.Kind == yaml.SequenceNode && list.Style&yaml.FlowStyle != 0:
		return f.insertFlow(root, list, entry)
	case list.Kind == yaml.SequenceNode && len(list.Content) > 0:
		dash := list.Column - 1
		item := blockItem(entry, dash)
		at := f.endOf(root, list, dash)
		if f.spaced(list) {
			item = append([]string{""}, item...)
		}
		f.put(at, item)
		return true
	case isNull(list) && list.Value == "":
		f.put(f.endOf(root, list, 2), blockItem(entry, 2))
		return true
	}
	return false
}

// endOf returns the index of the line before which an item goes that is the last one of
// the list: behind the comments that belong to the list, before those that belong to
// what follows.
func (f *lines) endOf(root, list *yaml.Node, dash int) int {
	key := 0
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i+1] == list {
			key = root.Content[i].Line
		}
	}
	end := len(f.list)
	for i := 0; i+1 < len(root.Content); i += 2 {
		if line := root.Content[i].Line; line > key && line-1 < end {
			end = line - 1
		}
	}
	for end > key {
		line := f.list[end-1]
		text := strings.TrimSpace(line)
		indent := len(line) - len(strings.TrimLeft(line, " "))
		foreign := strings.HasPrefix(text, "#") && indent < max(dash, 1)
		if text != "" && text != "..." && !foreign {
			break
		}
		end--
	}
	return end
}

// spaced reports whether blank lines stand between items, or ought to.
func (f *lines) spaced(list *yaml.Node) bool {
	if len(list.Content) == 1 {
		return false
	}
	for line := list.Content[1].Line - 2; line > 0; line-- {
		text := strings.TrimSpace(f.list[line])
		if !strings.HasPrefix(text, "#") {
			return text == ""
		}
	}
	return false
}

// insertFlow adds an item to a list in brackets.
func (f *lines) insertFlow(root, list *yaml.Node, entry []entryField) bool {
	text := strings.Join(f.list, "\n")
	open := 0
	for _, line := range f.list[:list.Line-1] {
		open += len(line) + 1
	}
	open += strings.IndexByte(text[open:], '[')
	end, comma := closing(text, open)
	if end < 0 {
		return false
	}
	inside := strings.TrimSpace(text[open+1 : end])
	switch {
	case inside == "" && root.Style&yaml.FlowStyle == 0: // an empty list becomes one with dashes
		before := strings.TrimRight(text[:open], " ")
		item := strings.Join(blockItem(entry, 2), "\n")
		rest, following, more := strings.Cut(text[end+1:], "\n")
		text = before + rest + "\n" + item
		if more {
			text += "\n" + following
		}
	case inside == "":
		text = text[:open+1] + flowItem(entry) + text[end:]
	default:
		separator := ", "
		if comma {
			separator = " "
		}
		text = text[:end] + separator + flowItem(entry) + text[end:]
	}
	f.list = strings.Split(text, "\n")
	return true
}

// closing returns where the bracket at open is closed, -1 if it isn't, and whether a
// comma stands before that.
func closing(text string, open int) (end int, comma bool) {
	depth, quote := 0, byte(0)
	for i := open; i < len(text); i++ {
		c := text[i]
		starts := i == 0 || strings.IndexByte(" \t\n[{,:", text[i-1]) >= 0 // a quote or a comment may
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && starts:
			quote = c
		case c == '#' && starts:
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return -1, false
			}
			i += end
			continue
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return i, comma
			}
		}
		if strings.IndexByte(" \t\n", c) < 0 {
			comma = quote == 0 && c == ','
		}
	}
	return -1, false
}

// blockItem is an item of a list with dashes, which stand dash columns from the left.
func blockItem(entry []entryField, dash int) []string {
	var item []string
	for i, f := range entry {
		lead := strings.Repeat(" ", dash) + "- "
		if i > 0 {
			lead = strings.Repeat(" ", dash+2)
		}
		item = append(item, lead+f.key+": "+f.text())
	}
	return item
}

// flowItem is an item of a list in brackets.
func flowItem(entry []entryField) string {
	var parts []string
	for _, f := range entry {
		parts = append(parts, f.key+": "+f.text())
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// plain are values that need no quotes, whatever stands around them.
var plainValue = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*( [A-Za-z0-9_.-]+)*$`)

// address are those that need none outside of brackets; within, they do no harm.
var plainAddress = regexp.MustCompile(`^(?:https?|mqtts?|wss?)://[A-Za-z0-9_.:/~-]*[A-Za-z0-9_/]$`)

// text is the value as it is written.
func (f entryField) text() string {
	switch {
	case f.secret:
		return secretTag + " " + f.value
	case f.bare:
		return f.value
	case f.quoted:
		return quoted(f.value)
	}
	return scalar(f.value)
}

// scalar writes a text so that YAML reads it as the same text.
func scalar(text string) string {
	word := strings.ToLower(text)
	switch {
	case word == "true", word == "false", word == "null", word == "yes", word == "no", word == "on", word == "off", word == "y", word == "n":
	case plainValue.MatchString(text), plainAddress.MatchString(text):
		return text
	}
	return quoted(text)
}

// quoted writes a text in quotes. Any can be written as JSON does, which YAML reads.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string builder takes everything
	return strings.TrimSuffix(b.String(), "\n")
}

// literal keeps a text from having environment variables put in.
func literal(text string) string { return strings.ReplaceAll(text, "${", "$${") }
