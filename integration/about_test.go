package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"octoprint2mqtt/discovery"
)

// plainSentence is text that begins with a capital letter or a word in backticks
// and ends with a full stop.
var plainSentence = regexp.MustCompile("^[A-Z`][^\n]{7,}\\.$")

// TestEverythingSaysWhatItIs: each row, action, parameter, event and error code has
// its sentence.
func TestEverythingSaysWhatItIs(t *testing.T) {
	t.Parallel()
	check := func(of, about string) {
		if !plainSentence.MatchString(about) || strings.Count(about, "`")%2 != 0 {
			t.Errorf("%s: %q is no sentence that says what it is", of, about)
		}
	}
	for _, f := range allFacts() {
		check(f.device+"/"+f.key, f.about)
	}
	for _, p := range plugins() {
		for _, r := range p.documentedRows() {
			check(r.key, r.about)
		}
	}
	for _, k := range topicKinds(discovery.Topics{Base: "base"}) {
		check(k.address, k.about)
	}
	for _, a := range documentedActions() {
		check(a.name, a.about)
		for _, p := range a.parameters {
			check(a.name+"'s "+p.name, p.about)
		}
	}
	for _, k := range eventKinds() {
		check(string(k.typ), k.about)
	}
	for _, k := range codes() {
		check(string(k.code), k.about)
	}
	for _, k := range lifecycleKinds() {
		check(k.typ, k.about)
	}
}

// TestLifecycleKinds: what is told on bridge/event is of the types that are
// documented.
func TestLifecycleKinds(t *testing.T) {
	t.Parallel()
	told := 0
	for _, text := range sources(t) {
		for _, m := range regexp.MustCompile(`lifecycle\("(\w+)"`).FindAllStringSubmatch(text, -1) {
			told++
			if !slices.ContainsFunc(lifecycleKinds(), func(k lifecycleKind) bool { return k.typ == m[1] }) {
				t.Errorf("%s is not documented", m[1])
			}
		}
	}
	if told < 7 {
		t.Errorf("only %d places tell something", told)
	}
}

// sources are the texts of the package's files.
func sources(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// documentedAction is an action of any device.
type documentedAction struct {
	name, about string
	parameters  []parameter
	rowOnly     bool
	// try has the action look at parameters.
	try func(json.RawMessage) *refusal
}

func documentedActions() []documentedAction {
	p := printerIn(situation{AccessFull, nil, "idle"})
	var list []documentedAction
	for _, a := range printerActions() {
		list = append(list, documentedAction{a.name, a.about, a.parameters, a.rowOnly, func(m json.RawMessage) *refusal {
			_, r := a.prepare(m, &p.view)
			return r
		}})
	}
	for _, a := range farmActions() {
		list = append(list, documentedAction{"farm " + a.name, a.about, a.parameters, false, func(m json.RawMessage) (r *refusal) {
			p.bridge.farm.requested(a.name, request{parameters: m}, p.bridge.started, func(refused *refusal, _ any) { r = refused })
			return r
		}})
	}
	for _, a := range bridgeActions() {
		list = append(list, documentedAction{"bridge " + a.name, a.about, a.parameters, false, func(m json.RawMessage) (r *refusal) {
			a.run(p.bridge, request{parameters: m}, func(refused *refusal, _ any) { r = refused })
			return r
		}})
	}
	return list
}

// TestParametersAreDocumented: an action takes the parameters that its documentation
// names, of the type that it names, and refuses all others that there are anywhere.
// None is sent alone with a value that could be right, so that nothing is done.
func TestParametersAreDocumented(t *testing.T) {
	t.Parallel()
	names := jsonNames(t)
	for _, a := range documentedActions() {
		if a.rowOnly {
			if a.parameters != nil {
				t.Errorf("%s can't be requested and has documented parameters", a.name)
			}
			continue
		}
		for _, p := range a.parameters {
			r := a.try(parameterNamed(p.name, "{}"))
			if r == nil || !strings.HasSuffix(r.Message, "must be of type "+goType(p.schema)) {
				t.Errorf("%s with %s of a wrong type: %v, want it to be of type %s", a.name, p.name, r, goType(p.schema))
			}
		}
		for _, name := range names {
			if slices.ContainsFunc(a.parameters, func(p parameter) bool { return p.name == name }) {
				continue
			}
			if r := a.try(parameterNamed(name, "{}")); r == nil || !strings.HasPrefix(r.Message, "unknown parameters: ") {
				t.Errorf("%s with %s, which is not documented: %v", a.name, name, r)
			}
		}
		if slices.ContainsFunc(a.parameters, func(p parameter) bool { return p.required }) {
			if r := a.try(json.RawMessage("{}")); r == nil {
				t.Errorf("%s does without what it is said to need", a.name)
			}
		}
	}
}

func parameterNamed(name, v string) json.RawMessage {
	return json.RawMessage(`{"` + name + `":` + v + `}`)
}

// goType is what a refusal calls a schema's type.
func goType(s schema) string {
	switch s["type"] {
	case "integer":
		return "number"
	case "boolean":
		return "bool"
	case "array":
		return "list"
	}
	return s["type"].(string)
}

// jsonNames are all names of members that the package reads or writes, and one that
// nobody has.
func jsonNames(t *testing.T) []string {
	t.Helper()
	names := []string{"nonsense"}
	for _, text := range sources(t) {
		for _, m := range regexp.MustCompile("`json:\"(\\w+)").FindAllStringSubmatch(text, -1) {
			if name := strings.ToLower(m[1]); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) < 100 {
		t.Fatalf("only %d names", len(names))
	}
	return names
}

// TestSchemaTags: the schema of every document can be made, which a value without a
// tag that says what it can be prevents.
func TestSchemaTags(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a value without a schema tag has a schema")
		}
	}()
	if s := schemaOf[printerDoc](); s["properties"] == nil {
		t.Errorf("a printer's document: %v", s)
	}
	schemaOfType(reflect.TypeFor[struct {
		V value `json:"v"`
	}]())
}
