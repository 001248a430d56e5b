package integration

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"text/template"

	"octoprint2mqtt/discovery"
)

var updateDocs = flag.Bool("update-docs", false, "write docs/entities.md, docs/mqtt.md and docs/asyncapi.json anew")

// TestPages holds the generated pages of docs against the tables. The words of
// docs/entities.md and docs/mqtt.md around their tables are in testdata.
func TestPages(t *testing.T) {
	t.Parallel()
	page(t, "../docs/entities.md", filledIn(t, "entities.md.tmpl"))
	page(t, "../docs/mqtt.md", filledIn(t, "mqtt.md.tmpl"))
	page(t, "../docs/asyncapi.json", string(AsyncAPI()))
}

func page(t *testing.T, file, want string) {
	t.Helper()
	if *updateDocs {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if difference := diff(want, string(got)); difference != "" {
		t.Errorf("%s does not say what the tables say (- they, + it); go test ./integration -run Pages -update-docs writes it anew:\n%s", file, difference)
	}
}

// filledIn is a page with the tables that its template asks for.
func filledIn(t *testing.T, name string) string {
	t.Helper()
	pages, err := template.New(name).Funcs(template.FuncMap{
		"topics":         topicTable,
		"printerRows":    func() string { return rowTableOf(exampleID, documentedRows()) },
		"plugins":        pluginSections,
		"farmRows":       func() string { return rowTableOf(discovery.Farm, farmRows(true)) },
		"bridgeRows":     func() string { return rowTableOf(discovery.Bridge, bridgeRows(true)) },
		"printerActions": func(access string) string { return printerActionTable(Access(access)) },
		"rowActions":     rowActionTable,
		"farmActions":    farmActionTable,
		"bridgeActions":  bridgeActionTable,
		"codes":          codeTable,
		"events":         eventTable,
		"lifecycle":      lifecycleTable,
		"documents":      documentTexts,
	}).ParseFiles("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := pages.Execute(&b, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPagesAreComplete: what there are tables of is in some of them.
func TestPagesAreComplete(t *testing.T) {
	t.Parallel()
	pages := filledIn(t, "entities.md.tmpl") + filledIn(t, "mqtt.md.tmpl")
	for _, k := range eventKinds() {
		if !strings.Contains(pages, "| `"+string(k.typ)+"` | "+k.about+" |") {
			t.Errorf("event %s is in no table", k.typ)
		}
	}
	for _, k := range lifecycleKinds() {
		if !strings.Contains(pages, "| `"+k.typ+"` | "+k.about+" |") {
			t.Errorf("what is told as %s is in no table", k.typ)
		}
	}
	for _, k := range codes() {
		if !strings.Contains(pages, "| `"+string(k.code)+"` | "+k.about+" |") {
			t.Errorf("code %s is in no table", k.code)
		}
	}
	for _, a := range printerActions() {
		if !strings.Contains(pages, a.about) {
			t.Errorf("action %s is in no table", a.name)
		}
	}
	for _, a := range farmActions() {
		if !strings.Contains(pages, a.about) {
			t.Errorf("the farm's action %s is in no table", a.name)
		}
	}
	for _, a := range bridgeActions() {
		if !strings.Contains(pages, a.about) {
			t.Errorf("the bridge's action %s is in no table", a.name)
		}
	}
}
