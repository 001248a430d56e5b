package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"
)

// maxPayload bounds a command's payload in bytes.
const maxPayload = 64 << 10

// request is what a command asks for, before it is known whether it makes sense.
type request struct {
	transaction json.RawMessage // null, a string or a number; nil without one
	parameters  json.RawMessage // an object
}

// parseRequest reads the payload of a request topic.
func parseRequest(payload []byte) (request, *refusal) {
	if len(payload) == 0 {
		return request{}, refuse(CodeInvalid, "the payload is empty; send {} at the least")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil || members == nil || !utf8.Valid(payload) {
		return request{}, refuse(CodeInvalid, "the payload is no JSON object")
	}
	transaction := members["transaction"]
	if len(transaction) > 0 && (transaction[0] == '{' || transaction[0] == '[') || len(transaction) > 256 {
		return request{}, refuse(CodeInvalid, "transaction must be a string or a number of up to 256 characters")
	}
	delete(members, "transaction")
	return request{transaction: transaction, parameters: encodeParameters(members)}, nil
}

// encodeParameters encodes parameters of our own making or just decoded.
func encodeParameters(v any) json.RawMessage { return json.RawMessage(mustMarshal(v)) }

// decodeParameters decodes an action's parameters and refuses what it doesn't
// know.
func decodeParameters(parameters json.RawMessage, into any) *refusal {
	d := json.NewDecoder(bytes.NewReader(parameters))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		_, err = d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return refuse(CodeInvalid, "%s must be of type %s", quote(wrong.Field), jsonType(wrong.Type.Kind().String()))
	}
	return refuse(CodeInvalid, "unknown parameters: %s", quote(err.Error()))
}

// jsonType names a Go kind as JSON's users do.
func jsonType(kind string) string {
	switch kind {
	case "float64", "int":
		return "number"
	case "slice":
		return "list"
	case "ptr", "struct", "map":
		return "object"
	}
	return kind
}

// plainNumber is the form of numbers in commands: Home Assistant sends 120 and
// 12.5, and what else Go would parse (1e9, 0x1p4, Inf) nobody means.
var plainNumber = regexp.MustCompile(`^-?[0-9]{1,6}(\.[0-9]{1,3})?$`)

func parseNumber(payload string) (float64, *refusal) {
	if !plainNumber.MatchString(payload) {
		return 0, refuse(CodeInvalid, "%s is not a number such as 60 or 12.5", quote(payload))
	}
	n, err := strconv.ParseFloat(payload, 64)
	if err != nil {
		return 0, refuse(CodeInvalid, "%s is not a number", quote(payload))
	}
	return n, nil
}
