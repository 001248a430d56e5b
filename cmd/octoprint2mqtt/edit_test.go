package main

import (
	"errors"
	"strings"
	"testing"
)

func rightPrinter() []entryField {
	return []entryField{
		{key: "id", value: "right"},
		{key: "name", value: "MK4: the right one"},
		{key: "url", value: "http://octopi.local:5000/right"},
		{key: "api_key", value: "right", secret: true},
	}
}

// TestInsertPrinter: where a printer goes in files as people write them; nothing else
// changes. <NEW> stands for the lines of the printer in the answer.
func TestInsertPrinter(t *testing.T) {
	t.Parallel()
	block := func(indent string) string {
		lines := []string{"- id: right", `  name: "MK4: the right one"`, "  url: http://octopi.local:5000/right", "  api_key: !secret right"}
		return indent + strings.Join(lines, "\n"+indent)
	}
	flow := `{id: right, name: "MK4: the right one", url: http://octopi.local:5000/right, api_key: !secret right}`
	for _, tt := range []struct{ name, before, after string }{
		{"no list", "mqtt:\n  url: x\n", "mqtt:\n  url: x\n\nprinters:\n" + block("  ") + "\n"},
		{"nothing but comments", "# nothing\n", "# nothing\n\nprinters:\n" + block("  ") + "\n"},
		{"empty file", "", "printers:\n" + block("  ") + "\n"},
		{"list without items", "printers:\nmqtt: {url: x}\n", "printers:\n" + block("  ") + "\nmqtt: {url: x}\n"},
		{"only comments in it", "printers:\n  # none yet\n\n# the broker\nmqtt: {url: x}\n", "printers:\n  # none yet\n" + block("  ") + "\n\n# the broker\nmqtt: {url: x}\n"},
		{"empty brackets", "printers: [] # none yet\nmqtt: {url: x}\n", "printers: # none yet\n" + block("  ") + "\nmqtt: {url: x}\n"},
		{"at the end", "printers:\n  - id: left\n    url: x\n", "printers:\n  - id: left\n    url: x\n" + block("  ") + "\n"},
		{"without a line's end", "printers:\n  - id: left\n    url: x", "printers:\n  - id: left\n    url: x\n" + block("  ") + "\n"},
		{"dashes at the left", "printers:\n- id: left\n  url: x\n\n# what follows\nfarm: {name: F}\n", "printers:\n- id: left\n  url: x\n" + block("") + "\n\n# what follows\nfarm: {name: F}\n"},
		{"more to the right", "printers:\n    -   id: left\n        url: x\nfarm: {name: F}\n", "printers:\n    -   id: left\n        url: x\n" + block("    ") + "\nfarm: {name: F}\n"},
		{
			"with comments of its own", "printers:\n  - id: left\n    url: x\n    #user: me\n\n  # more?\n\n# the farm\nfarm: {name: F}\n",
			"printers:\n  - id: left\n    url: x\n    #user: me\n\n  # more?\n" + block("  ") + "\n\n# the farm\nfarm: {name: F}\n",
		},
		{
			"with blank lines between", "printers:\n  - id: a\n    url: x\n\n  # b\n  - id: b\n    url: y\n",
			"printers:\n  - id: a\n    url: x\n\n  # b\n  - id: b\n    url: y\n\n" + block("  ") + "\n",
		},
		{"with Windows' line ends", "printers:\r\n  - id: left\r\n    url: x\r\n", strings.ReplaceAll("printers:\n  - id: left\n    url: x\n"+block("  ")+"\n", "\n", "\r\n")},
		{"in brackets", "printers: [{id: left, url: 'x]'}] # all\n", "printers: [{id: left, url: 'x]'}, " + flow + "] # all\n"},
		{"in brackets over lines", "printers: [\n  {id: left, url: x}, # it's ] fine\n]\nfarm: {name: F}\n", "printers: [\n  {id: left, url: x}, # it's ] fine\n " + flow + "]\nfarm: {name: F}\n"},
		{"all in brackets", "{mqtt: {url: x}, printers: []}\n", "{mqtt: {url: x}, printers: [" + flow + "]}\n"},
		{"with an end mark", "printers:\n  - id: left\n    url: x\n...\n", "printers:\n  - id: left\n    url: x\n" + block("  ") + "\n...\n"},
		{"with a long text", "printers:\n  - id: left\n    name: |\n      a\n      # no comment\n\nfarm: {name: F}\n", "printers:\n  - id: left\n    name: |\n      a\n      # no comment\n" + block("  ") + "\n\nfarm: {name: F}\n"},
	} {
		got, err := insertPrinter([]byte(tt.before), rightPrinter())
		if err != nil || string(got) != tt.after {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, got, tt.after)
		}
	}
}

// TestInsertPrinterGivesUp: where it can't be sure.
func TestInsertPrinterGivesUp(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"- a\n- b\n", "{mqtt: {url: x}}\n", "printers: none\n", "printers: {a: b}\n", "a: [\n", "a: 1\n---\nb: 2\n",
		"printers: [{id: left}\n  ]]\n", "a: &x {printers: []}\n",
	} {
		if got, err := insertPrinter([]byte(text), rightPrinter()); !errors.Is(err, errNoPlace) && string(got) != text+"\nprinters:\n"+strings.Join(blockItem(rightPrinter(), 2), "\n")+"\n" {
			t.Errorf("%q: %v\n%s", text, err, got)
		}
	}
}

// TestInsertIntoTheExample: the documentation stays whole.
func TestInsertIntoTheExample(t *testing.T) {
	t.Parallel()
	text := readText(t, exampleFile)
	got, err := insertPrinter([]byte(text), rightPrinter())
	if err != nil {
		t.Fatal(err)
	}
	item := strings.Join(blockItem(rightPrinter(), 2), "\n") + "\n"
	if strings.Replace(string(got), item, "", 1) != text || !strings.Contains(string(got), "#   api_key: !secret right\n"+item) {
		t.Errorf("%s", got)
	}
}

// TestScalar: what is written is read as it was.
func TestScalar(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Prusa left": "Prusa left", "true": `"true"`, "No": `"No"`, "12": `"12"`, "a: b": `"a: b"`, "# x": `"# x"`, "~": `"~"`, "ends ": `"ends "`,
		"http://a.test:80/x": "http://a.test:80/x", "http://[::1]:5000": `"http://[::1]:5000"`, "ä": `"ä"`, "it's": `"it's"`, `a"b\`: `"a\"b\\"`, "a b": "a b", "": `""`,
	} {
		if got := scalar(text); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
		read := plainMap([]byte("a: " + scalar(text) + "\nb: {c: " + scalar(text) + "}\n"))
		inner, _ := read["b"].(map[string]any)
		if read["a"] != text || inner["c"] != text {
			t.Errorf("%q is read as %v", text, read)
		}
	}
}

// FuzzInsertPrinter: whatever the file, it gets exactly one printer more, or nothing.
func FuzzInsertPrinter(f *testing.F) {
	f.Add("printers:\n  - id: left\n", "Left")
	f.Add("printers: [{a: b}]", "a'b\"c")
	f.Fuzz(func(t *testing.T, text, name string) {
		entry := []entryField{{key: "id", value: "x"}, {key: "name", value: name}}
		got, err := insertPrinter([]byte(text), entry)
		if err == nil && !addsOne([]byte(text), got, entry) {
			t.Errorf("%q", got)
		}
	})
}
