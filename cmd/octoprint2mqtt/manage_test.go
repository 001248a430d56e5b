package main

import (
	"maps"
	"strings"
	"testing"

	"octoprint2mqtt/integration"
)

const managedFile = `# my farm
mqtt: {url: 'mqtt://x'}
printers:
  # the left one
  - id: left              # permanent
    name: "Left # one"    # shown
    url: http://left
    api_key: !secret left # keep
    limits:
      bed: 90
    #user: me

  - name: Right
    id: right
    url: http://right
    api_key_file: right.txt

  # at last
  - {id: last, url: 'http://last', api_key: B}

# the rest
farm: {name: Mine}
`

// TestEdit: each change over MQTT changes just what it should in the files.
func TestEdit(t *testing.T) {
	t.Parallel()
	const kind = integration.EditAdd
	for _, tt := range []struct {
		name     string
		edit     integration.Edit
		old, new string // in the configuration
		secrets  string // "left: A # key\n" if empty
		says     string // instead
	}{
		{name: "add", edit: integration.Edit{Kind: kind, ID: "new", Name: "New one", URL: "octopi.local/#temp"}, old: "api_key: B}\n", new: "api_key: B}\n\n  - id: new\n    name: New one\n    url: http://octopi.local\n    disabled: true\n"},
		{name: "add without a name", edit: integration.Edit{Kind: kind, ID: "new", URL: "https://octopi.local"}, old: "api_key: B}\n", new: "api_key: B}\n\n  - id: new\n    url: https://octopi.local\n    disabled: true\n"},
		{name: "add one that is there", edit: integration.Edit{Kind: kind, ID: "left", URL: "octopi.local"}, says: "FILE was not changed, since that would make it wrong:\nFILE:21: printers[3].id: is the id of the printer in line 5 already; give each printer its own"},
		{name: "add nothing", edit: integration.Edit{Kind: kind, ID: "new"}, says: "no address is given; write it like http://octopi.local"},
		{name: "add with a bad name", edit: integration.Edit{Kind: kind, ID: "new", URL: "x", Name: "a\nb"}, says: "the name contains a line break or another control character"},
		{name: "enrol again", edit: integration.Edit{Kind: integration.EditEnrol, ID: "left", Key: "K2"}, secrets: "left: \"K2\" # key\n"},
		{name: "enrol", edit: integration.Edit{Kind: integration.EditEnrol, ID: "right", Key: "K2"}, old: "    api_key_file: right.txt\n", new: "    api_key: !secret right\n", secrets: "left: A # key\nright: \"K2\"\n"},
		{name: "rename", edit: integration.Edit{Kind: integration.EditRename, ID: "left", Name: "It's: ${X}"}, old: `"Left # one"    # shown`, new: `"It's: $${X}"    # shown`},
		{name: "rename to nothing", edit: integration.Edit{Kind: integration.EditRename, ID: "left", Name: " "}, says: "the name is empty; write a text or remove the line"},
		{name: "rename in brackets", edit: integration.Edit{Kind: integration.EditRename, ID: "last", Name: "X"}, says: "FILE is written in a way that it can't be changed safely; change it by hand"},
		{name: "disable", edit: integration.Edit{Kind: integration.EditDisable, ID: "right"}, old: "right.txt\n", new: "right.txt\n    disabled: true\n"},
		{name: "disable one with more", edit: integration.Edit{Kind: integration.EditDisable, ID: "left"}, old: "bed: 90\n", new: "bed: 90\n    disabled: true\n"},
		{name: "enable", edit: integration.Edit{Kind: integration.EditEnable, ID: "left"}},
		{name: "remove", edit: integration.Edit{Kind: integration.EditRemove, ID: "right"}, old: "  - name: Right\n    id: right\n    url: http://right\n    api_key_file: right.txt\n\n", new: ""},
		{name: "remove with its comments", edit: integration.Edit{Kind: integration.EditRemove, ID: "left"}, old: managedFile[strings.Index(managedFile, "  - id: left"):strings.Index(managedFile, "\n  - name: Right")], new: ""},
		{name: "remove nobody", edit: integration.Edit{Kind: integration.EditRemove, ID: "nobody"}, says: "FILE is written in a way that it can't be changed safely; change it by hand"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"config.yaml": managedFile, "secrets.yaml": "left: A # key\n", "right.txt": "C\n"}
			file := folder(t, files)
			err := edit(file, environment, tt.edit)
			if said := strings.ReplaceAll(tt.says, "FILE", file); tt.says != "" && (err == nil || err.Error() != said) || tt.says == "" && err != nil {
				t.Fatalf("%v\nwant %s", err, said)
			}
			files["config.yaml"] = strings.Replace(managedFile, tt.old, tt.new, 1)
			if tt.secrets != "" {
				files["secrets.yaml"] = tt.secrets
			}
			if got := contents(t, file); !maps.Equal(got, files) {
				t.Errorf("%s\n%s", got["config.yaml"], got["secrets.yaml"])
			}
		})
	}
}

// TestEditABrokenFile: nothing is made worse.
func TestEditABrokenFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "mqtt: {url: x}\n", "printers: [\n"} {
		file := folder(t, map[string]string{"config.yaml": text})
		for _, kind := range []integration.EditKind{integration.EditAdd, integration.EditEnrol, integration.EditRemove, integration.EditDisable} {
			if err := edit(file, environment, integration.Edit{Kind: kind, ID: "left", URL: "x", Key: "K"}); err == nil {
				t.Errorf("%q: %s succeeds", text, kind)
			}
		}
		if got := contents(t, file); len(got) != 1 || got["config.yaml"] != text {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// TestLifeOfAPrinter that is managed over MQTT alone.
func TestLifeOfAPrinter(t *testing.T) {
	t.Parallel()
	const before = "mqtt: {url: 'mqtt://x'}\nprinters: # mine\n"
	file := folder(t, map[string]string{"config.yaml": before})
	for _, step := range []struct {
		edit integration.Edit
		want string
	}{
		{integration.Edit{Kind: integration.EditAdd, ID: "a", URL: "a.local"}, "  - id: a\n    url: http://a.local\n    disabled: true\n"},
		{integration.Edit{Kind: integration.EditEnrol, ID: "a", Key: "K1"}, "  - id: a\n    url: http://a.local\n    api_key: !secret a\n"},
		{integration.Edit{Kind: integration.EditRename, ID: "a", Name: "A"}, "  - id: a\n    url: http://a.local\n    api_key: !secret a\n    name: A\n"},
		{integration.Edit{Kind: integration.EditDisable, ID: "a"}, "  - id: a\n    url: http://a.local\n    api_key: !secret a\n    name: A\n    disabled: true\n"},
		{integration.Edit{Kind: integration.EditDisable, ID: "a"}, "  - id: a\n    url: http://a.local\n    api_key: !secret a\n    name: A\n    disabled: true\n"},
		{integration.Edit{Kind: integration.EditEnable, ID: "a"}, "  - id: a\n    url: http://a.local\n    api_key: !secret a\n    name: A\n"},
		{integration.Edit{Kind: integration.EditRemove, ID: "a"}, ""},
	} {
		if err := edit(file, environment, step.edit); err != nil {
			t.Fatalf("%+v: %v", step.edit, err)
		}
		if got := readText(t, file); got != before+step.want {
			t.Errorf("%+v:\n%s", step.edit, got)
		}
	}
}

// FuzzEditPrinter: whatever the file, it changes as it should, or not at all.
func FuzzEditPrinter(f *testing.F) {
	f.Add(managedFile, "left", "New", true)
	f.Add("printers:\n- {id: a}\n", "a", "x", false)
	f.Fuzz(func(t *testing.T, text, id, name string, remove bool) {
		e := printerEdit{set: []entryField{{key: "name", value: name}}, unset: []string{"disabled"}}
		if remove {
			e = printerEdit{remove: true}
		}
		got, err := editPrinter([]byte(text), id, e)
		if err != nil {
			return
		}
		documents, err := decodeYAML(got)
		if err != nil || rootMapping(documents) == nil {
			t.Errorf("%q", got)
		}
	})
}
