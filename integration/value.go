package integration

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// unknownPayload is what Home Assistant takes for "unknown"; an empty message
// would say nothing, and on a retained topic delete it.
const unknownPayload = "None"

// maxText is how many characters Home Assistant stores of a state.
const maxText = 255

// maxNumber is far beyond any figure of a printer. Larger ones, which only a
// broken server sends, would not fit into a state when written out.
const maxNumber = 1e15

// value is what a row shows. Values are compared with ==, which is how a row
// notices that there is nothing to publish.
type value struct {
	kind     valueKind
	decimals int8 // of a number
	number   float64
	text     string
}

type valueKind uint8

const (
	unknownValue valueKind = iota // the zero value: nobody knows
	textValue
	numberValue
	boolValue // number is 0 or 1
	timeValue // number is Unix seconds
)

var unknown = value{}

// number returns a value rounded to some decimals, unknown if f is nil or no
// number at all.
func number(f *float64, decimals int8) value {
	if f == nil || math.IsNaN(*f) || math.IsInf(*f, 0) {
		return unknown
	}
	scale := math.Pow10(int(decimals))
	n := math.Round(*f*scale) / scale
	if math.Abs(n) > maxNumber {
		return unknown
	}
	if n == 0 {
		n = 0 // -0 is equal to 0 and would be written with its sign
	}
	return value{kind: numberValue, decimals: decimals, number: n}
}

func count(n int) value { return value{kind: numberValue, number: float64(n)} }

func onOff(on bool) value {
	if on {
		return value{kind: boolValue, number: 1}
	}
	return value{kind: boolValue}
}

// instant returns a point in time in whole seconds, unknown if t is zero.
func instant(t time.Time) value {
	if t.IsZero() {
		return unknown
	}
	return value{kind: timeValue, number: float64(t.Unix())}
}

// text returns a text that is fit for a state: valid UTF-8, no control
// characters, at most 255 characters. It is unknown if s is empty.
func text(s string) value {
	s = clean(s)
	if s == "" {
		return unknown
	}
	return value{kind: textValue, text: s}
}

// clean drops what a text may not have. It returns most texts as they are,
// without an allocation.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
	if r := []rune(s); len(r) > maxText {
		s = string(r[:maxText-1]) + "…"
	}
	return s
}

func isClean(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) && strings.TrimSpace(s) == s
}

// payload encodes the value for its own topic.
func (v value) payload() string {
	switch v.kind {
	case textValue:
		if v.text == unknownPayload {
			return strings.ToLower(v.text) // a file may be called so
		}
		return v.text
	case numberValue:
		return strconv.FormatFloat(v.number, 'f', -1, 64)
	case boolValue:
		if v.number != 0 {
			return "ON"
		}
		return "OFF"
	case timeValue:
		return v.time().Format(time.RFC3339)
	}
	return unknownPayload
}

func (v value) time() time.Time { return time.Unix(int64(v.number), 0).UTC() }

func (v value) isOn() bool { return v.kind == boolValue && v.number != 0 }

// seconds returns what is in minutes in seconds.
func (v value) seconds() value {
	if v.kind == numberValue {
		v.number *= 60
	}
	return v
}

// MarshalJSON encodes the value for a document: null where it is unknown.
func (v value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case numberValue:
		return []byte(v.payload()), nil
	case boolValue:
		return strconv.AppendBool(nil, v.number != 0), nil
	case textValue:
		return jsontext.AppendQuote(nil, v.text)
	case timeValue:
		return jsontext.AppendQuote(nil, v.payload())
	}
	return []byte("null"), nil
}
