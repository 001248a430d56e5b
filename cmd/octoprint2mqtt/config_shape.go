package main

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shape is what the reader knows of a key's values. It is learned while reading, so
// that there is no second list of keys beside the code that reads them.
type shape struct {
	kind     string // JSON's word for the value, or for each item of a list
	list     bool
	required bool
	fallback any // nil: none worth mentioning
	accepts  func(text string) error
}

// accepts is what a parser says of a text.
func accepts[T any](parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		_, err := parse(text)
		return err
	}
}

// of takes in what holds without the key, and what it accepts.
func (s *shape) of(fallback any, accepts func(string) error) {
	s.accepts = accepts
	if d, ok := fallback.(time.Duration); ok {
		s.kind, s.fallback = "string", spoken(d)
		return
	}
	v := reflect.ValueOf(fallback)
	if !v.IsValid() {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		s.kind, s.fallback = "boolean", v.Bool()
	case reflect.Float64:
		s.kind, s.fallback = "number", v.Float()
	case reflect.Int, reflect.Int64:
		s.kind, s.fallback = "integer", v.Int()
	case reflect.String:
		if s.kind = "string"; v.String() != "" {
			s.fallback = v.String()
		}
	}
}

// configShapes are the keys that a configuration may have. It reads one that has
// nothing but a printer, so that everything is asked for.
func configShapes() map[string]*shape {
	src := newSource("config.yaml", func(string) (string, bool) { return "", false })
	src.config([]byte("printers: [{}]\n"))
	return src.shapes
}

// jsonSchema describes the configuration for editors. texts say for each key what it is
// for.
func jsonSchema(shapes map[string]*shape, texts map[string]string) map[string]any {
	root := objectSchema(shapes, texts, "")
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "The configuration of octoprint2mqtt"
	return root
}

// objectSchema describes a section, of which path is how its keys begin.
func objectSchema(shapes map[string]*shape, texts map[string]string, path string) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, at := range slices.Sorted(maps.Keys(shapes)) {
		key, ok := strings.CutPrefix(at, path)
		if !ok || key == "" || strings.ContainsAny(key, ".[") {
			continue
		}
		s := shapes[at]
		property := s.schema()
		if s.kind == "object" && s.list {
			property["items"] = objectSchema(shapes, texts, at+"[].")
		} else if s.kind == "object" {
			maps.Copy(property, objectSchema(shapes, texts, at+"."))
		}
		if texts[at] != "" {
			property["description"] = texts[at]
		}
		properties[key] = property
		_, inFile := shapes[at+"_file"]
		switch section := s.kind == "object" && !s.list; {
		case s.required && !inFile, section && property["required"] != nil:
			required = append(required, key)
		case section:
			property["type"] = []string{"object", "null"} // one without keys is nothing to YAML
		}
	}
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		object["required"] = required
	}
	return object
}

// schema describes the values of a key that is no section, or that is a list.
func (s *shape) schema() map[string]any {
	var schema map[string]any
	switch {
	case s.list && s.kind == "object":
		schema = map[string]any{"type": []string{"array", "null"}}
	case s.kind == "object":
		schema = map[string]any{}
	case s.list:
		schema = map[string]any{"type": []string{"array", "null"}, "items": s.single()}
	default:
		schema = s.single()
	}
	if s.fallback != nil {
		schema["default"] = s.fallback
	}
	return schema
}

var (
	words = regexp.MustCompile(`; use ((?:[a-z]+, )*[a-z]+ or [a-z]+)$`)
	limit = regexp.MustCompile(`from ([0-9.]+) to ([0-9.]+)`)
)

// single describes one value. What is allowed the parser says itself, of a text that
// makes no sense. Any value may be an environment variable instead.
func (s *shape) single() map[string]any {
	text := map[string]any{"type": []string{"string", "number"}} // 12 may be a name, too
	if s.kind == "string" && !s.refuses() {
		return text
	}
	own := map[string]any{"type": s.kind}
	if s.refuses() {
		said := s.accepts(nonsense).Error()
		if m := words.FindStringSubmatch(said); m != nil {
			own = map[string]any{"enum": strings.Split(strings.Replace(m[1], " or ", ", ", 1), ", ")}
		}
		if m := limit.FindStringSubmatch(said); m != nil && s.kind == "number" {
			own["minimum"], own["maximum"] = number(m[1]), number(m[2])
		}
	}
	if s.kind == "string" && own["enum"] == nil {
		return text
	}
	return map[string]any{"anyOf": []any{own, map[string]any{"type": "string", "pattern": `\$\{`}}}
}

// nonsense is no value of any key that doesn't take every text.
const nonsense = "\x00nonsense"

func (s *shape) refuses() bool { return s.accepts != nil && s.accepts(nonsense) != nil }

// number reads one that a pattern has found.
func number(text string) float64 {
	n, _ := strconv.ParseFloat(strings.TrimSuffix(text, "."), 64)
	return n
}
