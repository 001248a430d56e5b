package integration

import (
	"bytes"
	"encoding/json"
)

// marshal encodes v as JSON that is also nice to read for people: < and > stay
// what they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// mustMarshal encodes a value of our own making, which can't fail.
func mustMarshal(v any) string {
	b, err := marshal(v)
	if err != nil {
		panic("integration: encode a document: " + err.Error())
	}
	return string(b)
}
