package octoprint

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// sample is a message in which every member that is read has a value.
const sample = `{"current":{
	"state":{"text":"Printing","error":"it squeaks","flags":{"operational":true,"printing":true,"cancelling":false,"pausing":false,
		"resuming":false,"finishing":false,"closedOrError":false,"error":false,"paused":false,"ready":false,"sdReady":true}},
	"job":{"file":{"name":"a.gcode","path":"dir/a.gcode","display":"A","origin":"local","size":1000,"date":1700000000},
		"estimatedPrintTime":3600.5,"averagePrintTime":1.5,"lastPrintTime":2.5,"user":"admin",
		"filament":{"tool0":{"length":5000.5,"volume":12.25},"tool1":{"length":1,"volume":2}}},
	"progress":{"completion":42.5,"filepos":425,"printTime":1500,"printTimeLeft":2000,"printTimeLeftOrigin":"average"},
	"currentZ":1.25,"offsets":{"tool0":5,"bed":-3},
	"temps":[{"time":1700000000,"tool0":{"actual":204.5,"target":205},"bed":{"actual":59.5,"target":60},"P":{"actual":31.5,"target":1}}],
	"logs":["Recv: ok"],"messages":["ok"],"busyFiles":[],"resends":{"count":0,"transmitted":1,"ratio":0},"serverTime":1700000000.5}}`

// noon is when frames arrive in these tests.
func noon() time.Time { return time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC) }

// merged is the state after some messages, each of which must be decodable.
func merged(t *testing.T, frames ...string) State {
	t.Helper()
	var s State
	for _, text := range frames {
		agree(t, []byte(text))
		f, err := decodeFrame([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		s.apply(f, noon())
	}
	return s
}

// values flattens what a state tells, by the names of its fields.
func values(t *testing.T, s State) map[string]string {
	t.Helper()
	all := make(map[string]string)
	walk("State", reflect.ValueOf(s), func(path string, v reflect.Value) { all[path] = fmt.Sprint(v) })
	return all
}

// walk visits the exported leaves of a value. What is nil is left out.
func walk(path string, v reflect.Value, visit func(path string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(path, v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				walk(path+"."+f.Name, v.Field(i), visit)
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			walk(fmt.Sprintf("%s[%v]", path, k), v.MapIndex(k), visit)
		}
	default:
		visit(path, v)
	}
}

// affected are the fields that may change when a member of the sample is
// spoiled; of members that aren't listed none may.
func affected() map[string][]string {
	return map[string][]string{
		"state.error":                  {"State.Problem", "State.Error"},
		"state.flags.printing":         {"State.Phase"},
		"job.file.name":                {"State.Job.Name"},
		"job.file.path":                {"State.Job.Path"},
		"job.file.display":             {"State.Job.Display"},
		"job.file.origin":              {"State.Job.Origin"},
		"job.file.size":                {"State.Job.Size"},
		"job.estimatedPrintTime":       {"State.Job.Estimated"},
		"job.user":                     {"State.Job.User"},
		"job.filament.tool0.length":    {"State.Job.Filament[tool0].Length"},
		"job.filament.tool0.volume":    {"State.Job.Filament[tool0].Volume"},
		"job.filament.tool1.length":    {"State.Job.Filament[tool1].Length"},
		"job.filament.tool1.volume":    {"State.Job.Filament[tool1].Volume"},
		"progress.completion":          {"State.Job.Completion"},
		"progress.printTime":           {"State.Job.Elapsed"},
		"progress.printTimeLeft":       {"State.Job.Remaining"},
		"progress.printTimeLeftOrigin": {"State.Job.RemainingOrigin"},
		"currentZ":                     {"State.Z"},
		"offsets.tool0":                {"State.Heaters[tool0].Offset"},
		"offsets.bed":                  {"State.Heaters[bed].Offset"},
		"temps.0.tool0.actual":         {"State.Heaters[tool0].Actual"},
		"temps.0.tool0.target":         {"State.Heaters[tool0].Target"},
		"temps.0.bed.actual":           {"State.Heaters[bed].Actual"},
		"temps.0.bed.target":           {"State.Heaters[bed].Target"},
	}
}

// TestSpoiledLeaves replaces each leaf of the sample by null, by other types and
// by nothing. That value is then unknown, and all others are as before.
func TestSpoiledLeaves(t *testing.T) {
	t.Parallel()
	whole := values(t, merged(t, sample))
	seen := 0
	for _, path := range leaves(t) {
		allowed, listed := affected()[path]
		if listed {
			seen++
		}
		without := values(t, merged(t, spoil(t, path, absent)))
		for field := range whole {
			if without[field] != whole[field] && !slices.Contains(allowed, field) {
				t.Errorf("without %s, %s is %q instead of %q", path, field, without[field], whole[field])
			}
		}
		for _, field := range allowed {
			if without[field] == whole[field] {
				t.Errorf("without %s, %s is still %q", path, field, whole[field])
			}
		}
		original := leaf(t, path)
		for _, other := range []any{nil, "text", 7.5, true, false, []any{}, []any{1.0}, map[string]any{}, map[string]any{"a": 1.0}} {
			if other != nil && reflect.TypeOf(other) == reflect.TypeOf(original) {
				continue // another value, not another type
			}
			if got := values(t, merged(t, spoil(t, path, other))); !reflect.DeepEqual(got, without) {
				t.Errorf("%s as %v gives\n%v\nwhich is not the same as without it:\n%v", path, other, got, without)
			}
		}
	}
	if seen != len(affected()) {
		t.Errorf("the sample has %d of the %d members listed", seen, len(affected()))
	}
}

// TestSpoiledBranches does the same to whole objects and lists: whatever becomes
// of them, nothing panics, and the rest of the message counts.
func TestSpoiledBranches(t *testing.T) {
	t.Parallel()
	whole := values(t, merged(t, sample))
	for path, owns := range map[string]string{
		"state": "State.Phase State.Problem State.Error State.Heaters", "state.flags": "State.Phase State.Problem State.Error State.Heaters",
		"job": "State.Job", "job.file": "State.Job", "job.filament": "State.Job.Filament", "job.filament.tool0": "State.Job.Filament",
		"progress": "State.Job", "offsets": "State.Heaters", "temps": "State.Heaters", "temps.0": "State.Heaters",
		"temps.0.tool0": "State.Heaters[tool0]", "temps.0.P": "",
	} {
		for _, other := range []any{absent, nil, "text", 7.5, true, []any{}, []any{nil}, []any{"x"}, map[string]any{}, map[string]any{"a": nil}} {
			got := values(t, merged(t, spoil(t, path, other)))
			for field, want := range whole {
				mine := slices.ContainsFunc(strings.Fields(owns), func(p string) bool { return strings.HasPrefix(field, p) })
				if !mine && got[field] != want {
					t.Errorf("%s as %v: %s is %q instead of %q", path, other, field, got[field], want)
				}
			}
		}
	}
}

// missing is the type of absent, which stands for no member at all.
type missing struct{}

var absent = missing{}

// leaves lists the paths of the sample's leaves.
func leaves(t *testing.T) []string {
	t.Helper()
	var list []string
	var visit func(prefix string, v any)
	visit = func(prefix string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				visit(prefix+"."+k, inner)
			}
		case []any:
			for i, inner := range v {
				visit(fmt.Sprintf("%s.%d", prefix, i), inner)
			}
		default:
			list = append(list, strings.TrimPrefix(prefix, "."))
		}
	}
	visit("", contents(t)["current"])
	slices.Sort(list)
	return list
}

func contents(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(sample), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// leaf returns a value of the sample.
func leaf(t *testing.T, path string) any {
	t.Helper()
	var found any
	edit(contents(t)["current"], strings.Split(path, "."), func(v any) any { found = v; return v })
	return found
}

// spoil returns the sample with one value replaced.
func spoil(t *testing.T, path string, by any) string {
	t.Helper()
	v := contents(t)
	edit(v["current"], strings.Split(path, "."), func(any) any { return by })
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// edit changes the value at a path.
func edit(v any, path []string, f func(any) any) {
	switch v := v.(type) {
	case map[string]any:
		if len(path) > 1 {
			edit(v[path[0]], path[1:], f)
		} else if by := f(v[path[0]]); by == any(absent) {
			delete(v, path[0])
		} else {
			v[path[0]] = by
		}
	case []any:
		if len(path) > 1 {
			edit(v[0], path[1:], f)
		} else if by := f(v[0]); by == any(absent) {
			v[0] = map[string]any{} // a list has no holes
		} else {
			v[0] = by
		}
	}
}

// TestEveryFieldIsSet fails when a field is added to State that no message sets.
func TestEveryFieldIsSet(t *testing.T) {
	t.Parallel()
	have := values(t, merged(t, sample))
	want := make(map[string]bool)
	var list func(path string, of reflect.Type)
	list = func(path string, of reflect.Type) {
		switch of.Kind() {
		case reflect.Pointer:
			list(path, of.Elem())
		case reflect.Map:
			list(path+"[tool0]", of.Elem())
		case reflect.Struct:
			for f := range of.Fields() {
				if f.IsExported() {
					list(path+"."+f.Name, f.Type)
				}
			}
		default:
			want[path] = true
		}
	}
	list("State", reflect.TypeFor[State]())
	if len(want) < 20 {
		t.Errorf("only %d fields found: %v", len(want), want)
	}
	for path := range want {
		if v, ok := have[path]; !ok || v == "" || v == "0" || v == "false" {
			t.Errorf("%s is %q after a message with everything in it", path, v)
		}
	}
}
