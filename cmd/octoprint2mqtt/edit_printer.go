package main

import (
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// printerEdit changes one printer in the text of a configuration.
type printerEdit struct {
	set    []entryField
	unset  []string
	remove bool // the whole printer
}

// editPrinter returns a configuration with one printer changed. Everything else stays
// as it is, byte for byte. The text must be a valid configuration.
func editPrinter(text []byte, id string, edit printerEdit) ([]byte, error) {
	documents, err := decodeYAML(text)
	root := rootMapping(documents)
	if err != nil || root == nil {
		return nil, errNoPlace
	}
	list := find(root, "printers")
	if list == nil || list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 {
		return nil, errNoPlace
	}
	index := slices.IndexFunc(list.Content, func(item *yaml.Node) bool {
		name := find(item, "id")
		return name != nil && name.Value == id
	})
	if index < 0 || list.Content[index].Style&yaml.FlowStyle != 0 {
		return nil, errNoPlace
	}
	f := newLines(text)
	if edit.remove {
		f.cut(list.Content[index], list.Column-1)
	} else if !f.change(list.Content[index], edit) {
		return nil, errNoPlace
	}
	result := f.bytes()
	if !changesOne(text, result, index, edit) {
		return nil, errNoPlace
	}
	return result, nil
}

// changesOne reports whether an edit is the only difference between two texts.
func changesOne(before, after []byte, index int, edit printerEdit) bool {
	want, is := plainMap(before), plainMap(after)
	if want == nil || is == nil {
		return false
	}
	printers, _ := want["printers"].([]any)
	if edit.remove {
		printers = slices.Delete(printers, index, index+1)
	} else {
		printer, _ := printers[index].(map[string]any)
		for _, key := range edit.unset {
			delete(printer, key)
		}
		for _, f := range edit.set {
			printer[f.key] = f.plain()
		}
	}
	got, _ := is["printers"].([]any)
	if len(got) != len(printers) || len(got) > 0 && !reflect.DeepEqual(got, printers) {
		return false
	}
	delete(want, "printers")
	delete(is, "printers")
	return reflect.DeepEqual(want, is)
}

// plain is the value as YAML reads it.
func (f entryField) plain() any {
	if f.secret {
		return f.value
	}
	return plainMap([]byte("v: " + f.text()))["v"]
}

// change edits the lines of a mapping that isn't in brackets. It is false where that
// can't be done line by line.
func (f *lines) change(mapping *yaml.Node, edit printerEdit) bool {
	inserted := make(map[int][]string) // behind the line with that number
	deleted := make(map[int]bool)
	last := lastLine(mapping)
	for _, field := range edit.set {
		key := findKey(mapping, field.key)
		if key == nil {
			inserted[last] = append(inserted[last], strings.Repeat(" ", mapping.Content[0].Column-1)+field.key+": "+field.text())
			continue
		}
		if lastLine(find(mapping, field.key)) != key.Line || !f.rewrite(key, field) {
			return false
		}
	}
	for _, name := range edit.unset {
		key := findKey(mapping, name)
		if key == nil {
			continue
		}
		if key == mapping.Content[0] { // the dash stands before it
			return false
		}
		for line := key.Line; line <= lastLine(find(mapping, name)); line++ {
			deleted[line] = true
		}
	}
	var list []string
	for i, line := range f.list {
		if !deleted[i+1] {
			list = append(list, line)
		}
		list = append(list, inserted[i+1]...)
	}
	f.list = list
	return true
}

// rewrite replaces the value behind a key, and keeps the comment behind that.
func (f *lines) rewrite(key *yaml.Node, field entryField) bool {
	line := f.list[key.Line-1]
	at := strings.Index(line, key.Value+":")
	if at < 0 {
		return false
	}
	at += len(key.Value) + 1
	f.list[key.Line-1] = line[:at] + " " + field.text() + trailingComment(line[at:])
	return true
}

// trailingComment is the comment at the end of a line, with the blanks before it.
func trailingComment(text string) string {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && (i == 0 || text[i-1] == ' '):
			quote = c
		case c == '#' && i > 0 && text[i-1] == ' ':
			return text[len(strings.TrimRight(text[:i], " ")):]
		}
	}
	return ""
}

// cut takes an item out of a list with dashes, which stand dash columns from the left,
// with the comments inside of it.
func (f *lines) cut(item *yaml.Node, dash int) {
	begin, end := item.Line-1, lastLine(item)
	for next := end; next < len(f.list); next++ {
		text := strings.TrimLeft(f.list[next], " ")
		if text != "" && (!strings.HasPrefix(text, "#") || len(f.list[next])-len(text) <= dash) {
			break
		}
		if text != "" {
			end = next + 1
		}
	}
	if begin > 0 && strings.TrimSpace(f.list[begin-1]) == "" && (end == len(f.list) || strings.TrimSpace(f.list[end]) == "") {
		begin-- // one blank line is enough
	}
	f.list = slices.Delete(f.list, begin, end)
}

// findKey returns a key of a mapping, nil if there is none.
func findKey(mapping *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i]
		}
	}
	return nil
}

// lastLine is the number of the last line of what n is, as far as it can be told:
// texts over several lines end later.
func lastLine(n *yaml.Node) int {
	last := n.Line + strings.Count(strings.TrimRight(n.Value, "\n"), "\n")
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		last++
	}
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}

// setSecret returns the text of secrets.yaml with another value under a name that it
// has.
func setSecret(text []byte, name, value string) ([]byte, error) {
	documents, err := decodeYAML(text)
	root := rootMapping(documents)
	if err != nil || root == nil || root.Style&yaml.FlowStyle != 0 {
		return nil, errNoPlace
	}
	f := newLines(text)
	if !f.change(root, printerEdit{set: []entryField{{key: name, value: value, quoted: true}}}) {
		return nil, errNoPlace
	}
	want, is := plainMap(text), plainMap(f.bytes())
	if want == nil || is == nil {
		return nil, errNoPlace
	}
	want[name] = value
	if !reflect.DeepEqual(want, is) {
		return nil, errNoPlace
	}
	return f.bytes(), nil
}
