package octoprint

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzFrame: whatever is received, decoding and merging don't panic, no number
// in the state is none, a message applied twice is applied once, and copies of
// the state stay as they are.
func FuzzFrame(f *testing.F) {
	for _, frames := range recordings(f) {
		for i, r := range frames {
			if i%5 == 0 {
				f.Add([]byte(r.line))
			}
		}
	}
	for _, text := range []string{
		sample, changed("PAUSED"), `{"current":{"currentZ":1e999,"temps":[null,{"tool0":null,"bed":7}],"offsets":{"bed":null}}}`, strings.Replace(sample, `"bed":-3`, `"bed":1e999`, 1),
		`{"history":{"state":{"flags":null}}}`, `{"current":[]}`, `null`, `[`, `{"event":{"type":"Error","payload":{"error":"x"}}}`,
	} {
		f.Add([]byte(text))
	}
	first, err := decodeFrame([]byte(sample))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fr, err := decodeFrame(text)
		if err != nil {
			return
		}
		var s State
		for _, at := range []time.Time{noon(), noon().Add(time.Millisecond), noon().Add(time.Hour)} {
			before, text := s, written(t, s)
			s.apply(fr, at)
			if now := written(t, before); now != text {
				t.Errorf("a copy changed from %s to %s", text, now)
			}
			walk("State", reflect.ValueOf(s), func(path string, v reflect.Value) {
				if v.Kind() == reflect.Float64 && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)) {
					t.Errorf("%s is %v", path, v)
				}
			})
			once := s
			if s.apply(fr, at); !reflect.DeepEqual(once, s) {
				t.Errorf("applied twice: %+v, once: %+v", s, once)
			}
			if len(s.Heaters) > 0 && !s.Phase.Connected() {
				t.Errorf("heaters in the phase %s", s.Phase)
			}
			if fr.Event != nil {
				_ = fr.Event.event()
			}
			s.apply(first, at)
		}
	})
}

// FuzzVersion: the order of versions is one, and a pre-release counts as its release.
func FuzzVersion(f *testing.F) {
	for _, v := range []string{"1.11.8", "2.0.0rc7", "1.5.3", "1.10", "2", "", "1.x", "HEAD", "0+unknown", "1.9.0.dev3+gabc", "-1.-2", "99999999999999999999.1"} {
		f.Add(v, 1, 8)
	}
	f.Fuzz(func(t *testing.T, version string, major, minor int) {
		got := atLeast(version, major, minor)
		if minor > math.MinInt && got && !atLeast(version, major, minor-1) {
			t.Errorf("%q is at least %d.%d but not %d.%d", version, major, minor, major, minor-1)
		}
		if major > 0 && minor >= 0 {
			exact := strconv.Itoa(major) + "." + strconv.Itoa(minor)
			for _, end := range []string{"", ".0", "rc1", ".7rc2", ".0.dev1+g12"} {
				if v := exact + end; !atLeast(v, major, minor) || minor < math.MaxInt && atLeast(v, major, minor+1) {
					t.Errorf("%q isn't taken for %s", v, exact)
				}
			}
		}
	})
}

func TestAtLeast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version      string
		major, minor int
		want         bool
	}{
		{"1.7.3", 1, 8, false},
		{"1.8.7", 1, 8, true},
		{"1.10.3", 1, 8, true},
		{"2.0.0rc7", 1, 8, true},
		{"2.0.0rc7", 2, 0, true},
		{"1.11.8", 2, 0, false},
		{"2.0rc1", 2, 0, true},
		{"1.8rc1", 1, 8, true},
		{"1.7rc9", 1, 8, false},
		{"", 1, 8, true},
		{"HEAD", 1, 8, true},
		{"0+unknown", 1, 8, true},
		{"x.1", 1, 8, true},
		{"1.x", 1, 8, true},
	} {
		if got := atLeast(c.version, c.major, c.minor); got != c.want {
			t.Errorf("%q at least %d.%d: %v", c.version, c.major, c.minor, got)
		}
	}
}

// FuzzHeater: heaters are tool0 to tool31, bed and chamber, each by one name.
func FuzzHeater(f *testing.F) {
	for _, name := range []string{"tool0", "tool31", "tool32", "tool", "tool01", "tool-1", "tool+1", "tool1e1", "tool٣", "bed", "chamber", "Bed", "P", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		want := name == "bed" || name == "chamber"
		if n, err := strconv.Atoi(strings.TrimPrefix(name, "tool")); err == nil && n >= 0 && n < 32 {
			want = want || name == "tool"+strconv.Itoa(n)
		}
		if got := IsHeater(name); got != want {
			t.Errorf("%q is a heater: %v", name, got)
		}
	})
}

func TestHeatersAreOrdered(t *testing.T) {
	t.Parallel()
	order := []string{"tool0", "tool2", "tool10", "bed", "chamber"}
	for i, a := range order {
		for j, b := range order {
			if got := compareHeaters(a, b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s and %s compare as %d", a, b, got)
			}
		}
	}
}
