package integration

import (
	"encoding/json"
	"testing"
)

// decodeDoc decodes a JSON object.
func decodeDoc(t *testing.T, text string) map[string]any {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return d
}

// at follows a path of keys into decoded JSON; nil when there is nothing.
func at(v any, path ...string) any {
	for _, key := range path {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}
