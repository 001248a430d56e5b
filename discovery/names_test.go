package discovery

import (
	"errors"
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"octoprint2mqtt":  "octoprint2mqtt",
		"home/Print Farm": "home_print_farm",
		"left-2_state":    "left_2_state",
		"__a--b__":        "a_b",
		"Größe":           "gr_e",
		"a\xff\x00b":      "a_b",
		"ÄÖÜ":             "unknown",
		"":                "unknown",
	} {
		if got := Slug(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestValidID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"left": true, "2": true, "a-b-": true, strings.Repeat("a", 32): true,
		"": false, "-a": false, "Left": false, "a_b": false, "a/b": false, "ä": false,
		strings.Repeat("a", 33): false, "bridge": false, "farm": false,
	} {
		if err := ValidID(id); (err == nil) != want {
			t.Errorf("%q: got %v", id, err)
		}
	}
}

func TestReservedKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"request": true, "response": true, "raw": true, "availability": true, "event": false, "state": false,
	} {
		if got := ReservedKey(key); got != want {
			t.Errorf("%q: got %t", key, got)
		}
	}
}

func TestValidBaseAndPrefix(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"octoprint2mqtt":         "",
		"home/3D-Druck/Keller 2": "",
		"cost$":                  "",
		strings.Repeat("a", 128): "",
		strings.Repeat("a", 129): "longer than 128 bytes",
		"$SYS/a":                 "begins with $",
		"a/+/b":                  "wildcard",
		"a#":                     "wildcard",
		"/a":                     "begins or ends with /",
		"a/":                     "begins or ends with /",
		"a//b":                   "empty level",
		"a\nb":                   "control character",
		"a\u0085b":               "control character",
		"a\ufdd0b":               "noncharacter",
		"a\xffb":                 "not UTF-8",
	} {
		for _, valid := range []func(string) error{ValidBase, ValidPrefix} {
			wantErrors(t, base, valid(base), want)
		}
	}
	wantErrors(t, "empty base", ValidBase(""), "empty")
	wantErrors(t, "empty prefix", ValidPrefix(""), "")
	wantErrors(t, "all at once", ValidBase("$a//\n"), "control character", "empty level", "begins with $")
}

func TestTopicsValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		base, prefix string
		want         []string
	}{
		{"octoprint2mqtt", "homeassistant", nil},
		{"octoprint2mqtt", "", nil},
		{"", "", []string{"base topic: empty"}},
		{"a#", "b+", []string{"base topic: has a wildcard", "discovery prefix: has a wildcard"}},
		{"homeassistant", "homeassistant", []string{"is also the discovery prefix"}},
	} {
		err := Topics{Base: tt.base, Prefix: tt.prefix}.Validate()
		wantErrors(t, tt.base+" "+tt.prefix, err, tt.want...)
	}
}

// wantErrors checks that err joins exactly the errors that contain the wanted
// texts, in this order. Empty texts want nothing.
func wantErrors(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	if len(want) == 1 && want[0] == "" {
		want = nil
	}
	var got []error
	if err != nil {
		joined, ok := errors.AsType[interface {
			error
			Unwrap() []error
		}](err)
		if !ok {
			t.Fatalf("%s: %T does not join errors", what, err)
		}
		got = joined.Unwrap()
	}
	if len(got) != len(want) {
		t.Errorf("%s: got %d errors, want %d %q:\n%v", what, len(got), len(want), want, err)
		return
	}
	for i, w := range want {
		if !strings.Contains(got[i].Error(), w) {
			t.Errorf("%s: got %q, want %q in it", what, got[i], w)
		}
	}
}

// TestValidLevel: names that may become a level of a topic.
func TestValidLevel(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"arc_welder": true, "plugin_Spoolman_spool_selected": true, "Ü b": true, "a$": true, strings.Repeat("x", 128): true,
		"": false, "a/b": false, "+": false, "a#": false, "$SYS": false, "a\nb": false, "\x00": false, "\xff": false, "\uFFFF": false, strings.Repeat("x", 129): false,
	} {
		if err := ValidLevel(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
