package integration

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestValuePayloads(t *testing.T) {
	t.Parallel()
	n := func(f float64, decimals int8) value { return number(&f, decimals) }
	zone := time.FixedZone("", 2*60*60)
	for _, tt := range []struct {
		name          string
		value         value
		payload, json string
	}{
		{"unknown", unknown, "None", "null"},
		{"no number", number(nil, 1), "None", "null"},
		{"NaN", n(math.NaN(), 1), "None", "null"},
		{"infinite", n(math.Inf(1), 1), "None", "null"},
		{"minus infinite", n(math.Inf(-1), 1), "None", "null"},
		{"rounds to infinite", n(math.MaxFloat64, 2), "None", "null"},
		{"whole", n(200, 1), "200", "200"},
		{"one decimal", n(20.14999, 1), "20.1", "20.1"},
		{"rounded up", n(20.15001, 1), "20.2", "20.2"},
		{"half", n(0.5, 0), "1", "1"},
		{"negative", n(-12.25, 2), "-12.25", "-12.25"},
		{"minus zero", n(math.Copysign(0, -1), 1), "0", "0"},
		{"rounds to minus zero", n(-0.04, 1), "0", "0"},
		{"large without exponent", n(123456789012, 0), "123456789012", "123456789012"},
		{"larger without exponent", n(1e15, 0), "1000000000000000", "1000000000000000"},
		{"small without exponent", n(0.0000001, 7), "0.0000001", "0.0000001"},
		{"count", count(7), "7", "7"},
		{"on", onOff(true), "ON", "true"},
		{"off", onOff(false), "OFF", "false"},
		{"text", text("idle"), "idle", `"idle"`},
		{"empty text", text(""), "None", "null"},
		{"quoted text", text(`a"b<c>&d`), `a"b<c>&d`, `"a\"b<c>&d"`},
		{"no time", instant(time.Time{}), "None", "null"},
		{"time", instant(time.Date(2026, 11, 23, 22, 0, 0, 999, zone)), "2026-11-23T20:00:00Z", `"2026-11-23T20:00:00Z"`},
		{"minutes in seconds", n(7, 0).seconds(), "420", "420"},
		{"unknown in seconds", unknown.seconds(), "None", "null"},
	} {
		if got := tt.value.payload(); got != tt.payload {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.payload)
		}
		if got, err := json.Marshal(tt.value); err != nil || !sameJSON(string(got), tt.json) {
			t.Errorf("%s: JSON %s, want %s (%v)", tt.name, got, tt.json, err)
		}
	}
}

// sameJSON compares JSON by what it means: the encoder may escape.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && x == y
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"as it is", "Benchy ü € 🖨.gcode", "Benchy ü € 🖨.gcode"},
		{"255 bytes", strings.Repeat("a", 255), strings.Repeat("a", 255)},
		{"255 characters", strings.Repeat("ü", 255), strings.Repeat("ü", 255)},
		{"256 characters", strings.Repeat("a", 256), strings.Repeat("a", 254) + "…"},
		{"256 wide characters", strings.Repeat("🖨", 256), strings.Repeat("🖨", 254) + "…"},
		{"a megabyte", strings.Repeat("a", 1<<20), strings.Repeat("a", 254) + "…"},
		{"invalid UTF-8", "a\xffb", "a\uFFFDb"},
		{"half a character", "a\xc3", "a\uFFFD"},
		{"control characters", "a\x00b\nc\td\x7fe", "a b c d e"},
		{"C1 control characters", "a\u0085b\u009bc", "a b c"},
		{"only control characters", "\n\r\t", "None"},
		{"only space", "   ", "None"},
	} {
		if got := text(tt.text).payload(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestTextThatLooksUnknown: a file that is called None is not unknown.
func TestTextThatLooksUnknown(t *testing.T) {
	t.Parallel()
	if got := text("None").payload(); got == "None" {
		t.Errorf("the text None is told as %q, which means unknown", got)
	}
}

// checkText fails unless a payload is fit for a state of Home Assistant.
func checkText(t *testing.T, payload string) {
	t.Helper()
	if payload == "" || !utf8.ValidString(payload) || utf8.RuneCountInString(payload) > 255 || strings.ContainsFunc(payload, unicode.IsControl) {
		t.Errorf("payload %q", payload)
	}
}

// FuzzValue: whatever text or number OctoPrint has for a row, Home Assistant takes
// what is made of it for a state, and a document stays JSON.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{"", "a", "\xff", "a\x00", "\u0085", strings.Repeat("é", 300), " x ", "None", "Thermal Runaway, system stopped! Heater_ID: bed - Printer halted. kill() called!"} {
		f.Add(seed, 0.05, int8(1))
	}
	for _, seed := range []float64{0, math.Copysign(0, -1), 1e300, 1e-300, -1, 1 << 53, math.Inf(1), math.NaN()} {
		f.Add("a", seed, int8(3))
	}
	f.Fuzz(func(t *testing.T, s string, n float64, decimals int8) {
		if decimals < 0 || decimals > 3 {
			return
		}
		v := text(s)
		if again := text(v.text); v.kind == textValue && again != v {
			t.Errorf("%q becomes %q when it is cleaned again", v.text, again.text)
		}
		figure := number(&n, decimals)
		if payload := figure.payload(); strings.ContainsAny(payload, "eE+") && payload != "None" || payload == "-0" {
			t.Errorf("%v is told as %s", n, payload)
		}
		for _, v := range []value{v, figure} {
			checkText(t, v.payload())
			if encoded, err := json.Marshal(v); err != nil || !json.Valid(encoded) {
				t.Errorf("JSON %s, %v", encoded, err)
			}
		}
	})
}
