package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestSchema: the schema is what the reader knows, in the words of the example.
func TestSchema(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(jsonSchema(configShapes(), exampleTexts(t))); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("config.schema.json", b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if b.String() != configSchema {
		t.Error("config.schema.json is out of date; run go test ./cmd/octoprint2mqtt -run Schema -update")
	}
	if _, out, _ := answered(t, "", "schema"); out != configSchema {
		t.Error("the command prints something else")
	}
}

// exampleTexts are the comments of the example, for each key the one above it, or above
// the keys right before it.
func exampleTexts(t *testing.T) map[string]string {
	t.Helper()
	text := use(readText(t, exampleFile), func(_, _ string) bool { return true })
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	lines, at := strings.Split(text, "\n"), map[string]int{}
	collectLines(root.Content[0], "", at)
	texts := make(map[string]string)
	for key, line := range at {
		end := line - 1
		for end > 0 && strings.TrimSpace(lines[end-1]) != "" && !isComment(lines[end-1]) {
			end-- // over the keys before it
		}
		begin := end
		for begin > 0 && isComment(lines[begin-1]) {
			begin--
		}
		var words []string
		for _, comment := range lines[begin:end] {
			words = append(words, strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(comment), "#"), " "))
		}
		texts[key] = strings.TrimSpace(strings.Join(words, "\n"))
	}
	// The first comment of the file is about all of it.
	delete(texts, "mqtt")
	return texts
}

func isComment(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "#") }

// collectLines notes in which line each key below n is first.
func collectLines(n *yaml.Node, path string, lines map[string]int) {
	switch n.Kind {
	case yaml.SequenceNode:
		for _, item := range n.Content {
			collectLines(item, path+"[]", lines)
		}
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			key := strings.TrimPrefix(path+"."+n.Content[i].Value, ".")
			if lines[key] == 0 {
				lines[key] = n.Content[i].Line
			}
			collectLines(n.Content[i+1], key, lines)
		}
	}
}

// TestSchemaKnowsEveryKey, and no other, each with a text.
func TestSchemaKnowsEveryKey(t *testing.T) {
	t.Parallel()
	described := make(map[string]bool)
	collectProperties(t, parsedSchema(t), "", described)
	if got, want := slices.Sorted(maps.Keys(described)), knownKeys(t); !slices.Equal(got, want) {
		t.Errorf("the schema has\n%q\nwant\n%q", got, want)
	}
	for key, has := range described {
		if !has && key != "mqtt" && key != "farm" && key != "log" && key != "http" && key != "printers" {
			t.Errorf("%s has no text", key)
		}
	}
}

func parsedSchema(t *testing.T) map[string]any {
	t.Helper()
	var schema map[string]any
	if err := json.Unmarshal([]byte(configSchema), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func collectProperties(t *testing.T, schema map[string]any, path string, keys map[string]bool) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	for key, value := range properties {
		at := strings.TrimPrefix(path+"."+key, ".")
		property := value.(map[string]any)
		keys[at] = property["description"] != nil
		collectProperties(t, property, at, keys)
		if items, ok := property["items"].(map[string]any); ok {
			collectProperties(t, items, at+"[]", keys)
		}
	}
}

// TestSchemaAgreesWithTheReader: of good and bad configurations.
func TestSchemaAgreesWithTheReader(t *testing.T) {
	t.Parallel()
	example := readText(t, exampleFile)
	all := use(secureExample(t), func(_, _ string) bool { return true })
	printer := func(line string) string {
		return "mqtt: {url: 'mqtt://x'}\nprinters:\n- id: left\n  url: http://x\n  api_key: A\n  " + line + "\n"
	}
	for _, tt := range []struct {
		text string
		good bool
	}{
		{example, true},
		{all, true},
		{"mqtt: {url: 'mqtt://x'}\n", true},
		{"mqtt: {url: 'mqtt://x'}\nprinters:\n", true},
		{printer("access: full"), true},
		{printer("access: ${KEY}"), true},
		{printer("disabled: true\n  ready_below: 40\n  limits: {bed: 90}"), true},
		{printer("gcode_allow: [M117]"), true},
		{printer("name: 12"), true},
		{"printers: []\n", false},
		{"mqtt: {}\n", false},
		{"mqtt: {url: 'mqtt://x', colour: blue}\n", false},
		{printer("access: admin"), false},
		{printer("disabled: maybe"), false},
		{printer("ready_below: 1000"), false},
		{printer("limits: {bed: hot}"), false},
		{printer("gcode_allow: M117"), false},
		{"mqtt: {url: 'mqtt://x'}\nprinters: [{url: 'http://x'}]\n", false},
	} {
		var document any
		if err := yaml.Unmarshal([]byte(tt.text), &document); err != nil {
			t.Fatal(err)
		}
		if wrong := violations(parsedSchema(t), document, "it"); (len(wrong) == 0) != tt.good {
			t.Errorf("%s\n%q", tt.text, wrong)
		}
	}
}

// violations are what of a document a schema doesn't allow, as far as ours need it.
func violations(schema map[string]any, v any, path string) []string {
	var wrong []string
	if options := schema["anyOf"]; options != nil {
		for _, option := range options.([]any) {
			if len(violations(option.(map[string]any), v, path)) == 0 {
				return nil
			}
		}
		return []string{path + " is none of the options"}
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		wrong = append(wrong, fmt.Sprintf("%s is %v", path, v))
	}
	kinds, ok := schema["type"].([]any)
	if !ok && schema["type"] != nil {
		kinds = []any{schema["type"]}
	}
	if kinds != nil && !slices.ContainsFunc(kinds, func(kind any) bool { return kindMatches(kind, v) }) {
		return append(wrong, fmt.Sprintf("%s is a %T", path, v))
	}
	if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(fmt.Sprint(v)) {
		wrong = append(wrong, path+" does not match")
	}
	if n := reflect.ValueOf(v); schema["minimum"] != nil && (n.CanInt() || n.CanFloat()) {
		if f := n.Convert(reflect.TypeFor[float64]()).Float(); f < schema["minimum"].(float64) || f > schema["maximum"].(float64) {
			wrong = append(wrong, path+" is out of range")
		}
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			wrong = append(wrong, violations(schema["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case map[string]any:
		properties := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, key := range required {
			if _, there := v[key.(string)]; !there {
				wrong = append(wrong, fmt.Sprintf("%s has no %v", path, key))
			}
		}
		for key, value := range v {
			property, known := properties[key].(map[string]any)
			if !known {
				wrong = append(wrong, path+" has "+key)
				continue
			}
			wrong = append(wrong, violations(property, value, path+"."+key)...)
		}
	}
	return wrong
}

func kindMatches(kind, v any) bool {
	switch v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case int, float64:
		return kind == "number" || kind == "integer"
	case []any:
		return kind == "array"
	}
	return kind == "object"
}
