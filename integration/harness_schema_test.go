package integration

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/discovery"
)

// publishedContract is docs/asyncapi.json as a program reads it.
type publishedContract struct {
	channels map[string]publishedChannel // by address
}

type publishedChannel struct {
	contentType string
	schema      map[string]any
}

func readContract(t *testing.T) publishedContract {
	t.Helper()
	c := publishedContract{channels: make(map[string]publishedChannel)}
	channels, _ := at(decodeDoc(t, string(AsyncAPI())), "channels").(map[string]any)
	for _, channel := range channels {
		address, _ := at(channel, "address").(string)
		kind, _ := at(channel, "messages", "message", "contentType").(string)
		payload, _ := at(channel, "messages", "message", "payload").(map[string]any)
		c.channels[address] = publishedChannel{kind, payload}
	}
	if len(c.channels) < 200 {
		t.Fatalf("only %d channels", len(c.channels))
	}
	return c
}

// tools are described once.
var furtherTools = regexp.MustCompile(`/tool\d+_`)

// channel finds what a topic below the base topic is described by.
func (c publishedContract) channel(topic string) (publishedChannel, bool) {
	if found, ok := c.channels[discovery.DefaultBase+"/"+topic]; ok {
		return found, true
	}
	device, rest, more := strings.Cut(topic, "/")
	if device == discovery.Bridge || device == discovery.Farm {
		return publishedChannel{}, false
	}
	topic = discovery.DefaultBase + "/" + documentedPrinter
	if more {
		topic += furtherTools.ReplaceAllString("/"+rest, "/tool0_")
	}
	if found, ok := c.channels[topic]; ok {
		return found, true
	}
	for address, channel := range c.channels {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(address), regexp.QuoteMeta(documentedPrinter), "PRINTER")
		pattern = regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(pattern, "[^/]+")
		if strings.Contains(pattern, "[^/]+") && regexp.MustCompile("^"+pattern+"$").MatchString(strings.ReplaceAll(topic, documentedPrinter, "PRINTER")) {
			return channel, true
		}
	}
	return publishedChannel{}, false
}

// checkContract holds everything that is retained against the AsyncAPI document.
func (w *world) checkContract() {
	w.t.Helper()
	c := readContract(w.t)
	for topic, payload := range w.broker.retained() {
		name, ok := strings.CutPrefix(topic, w.topics.Base+"/")
		if !ok {
			continue
		}
		channel, ok := c.channel(name)
		if !ok {
			w.t.Errorf("%s is not in docs/asyncapi.json", topic)
			continue
		}
		var v any = payload
		if channel.contentType == jsonContent {
			if err := json.Unmarshal([]byte(payload), &v); err != nil {
				w.t.Errorf("%s: %v", topic, err)
			}
		}
		if wrong := against(channel.schema, v, channel.contentType == plainContent); wrong != "" {
			w.t.Errorf("%s: %s", topic, wrong)
		}
	}
}

// against says what of a value isn't as a schema wants it: as much of JSON Schema as
// docs/asyncapi.json has. Of plain text, numbers are written as such.
func against(schema map[string]any, v any, plain bool) string {
	if options, ok := schema["oneOf"].([]any); ok {
		var all []string
		for _, o := range options {
			wrong := against(o.(map[string]any), v, plain)
			if wrong == "" {
				return ""
			}
			all = append(all, wrong)
		}
		return strings.Join(all, ", and ")
	}
	if want, ok := schema["const"]; ok && want != v {
		return fmt.Sprintf("%v is not %v", v, want)
	}
	if values, ok := schema["enum"].([]any); ok && !slices.Contains(values, v) {
		return fmt.Sprintf("%v is none of %v", v, values)
	}
	if schema["type"] != nil && !slices.ContainsFunc(typesIn(schema), func(kind any) bool { return isOf(kind, v, plain) }) {
		return fmt.Sprintf("%v is not of type %v", v, schema["type"])
	}
	if s, ok := v.(string); ok && schema["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return err.Error()
		}
	}
	return againstMembers(schema, v)
}

func againstMembers(schema map[string]any, v any) string {
	if list, ok := v.([]any); ok {
		items, _ := schema["items"].(map[string]any)
		for i, item := range list {
			if wrong := against(items, item, false); wrong != "" {
				return strconv.Itoa(i) + ": " + wrong
			}
		}
	}
	object, _ := v.(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := object[name.(string)]; !ok {
			return fmt.Sprintf("there is no %s", name)
		}
	}
	for name, member := range object {
		s, described := at(schema, "properties", name).(map[string]any)
		if !described {
			more, ok := schema["additionalProperties"].(map[string]any)
			if !ok && schema["properties"] != nil {
				return name + " is not described"
			}
			s = more
		}
		if wrong := against(s, member, false); wrong != "" {
			return name + ": " + wrong
		}
	}
	return ""
}

func typesIn(schema map[string]any) []any {
	if list, ok := schema["type"].([]any); ok {
		return list
	}
	return []any{schema["type"]}
}

func isOf(kind, v any, plain bool) bool {
	number, isNumber := v.(float64)
	if s, ok := v.(string); ok && plain && kind == "number" {
		_, err := strconv.ParseFloat(s, 64)
		return err == nil
	}
	switch kind {
	case "null":
		return v == nil
	case "string", "boolean":
		return v != nil && reflect.TypeOf(v).String() == map[any]string{"string": "string", "boolean": "bool"}[kind]
	case "number":
		return isNumber
	case "integer":
		return isNumber && number == math.Trunc(number)
	case "array":
		_, ok := v.([]any)
		return ok
	}
	_, ok := v.(map[string]any)
	return ok
}
