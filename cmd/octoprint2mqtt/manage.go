package main

import (
	"errors"
	"fmt"

	"octoprint2mqtt/integration"
)

// edit changes one printer in the configuration file, as was asked for over MQTT or on
// the page. What it can't do changes nothing.
func edit(path string, getenv func(string) (string, bool), e integration.Edit) error {
	file, err := openConfig(path, getenv)
	if err != nil {
		return err
	}
	//exhaustive:enforce
	switch e.Kind {
	case integration.EditAdd:
		return file.addDisabled(e)
	case integration.EditEnrol:
		return file.enrol(e.ID, e.Key)
	case integration.EditRemove:
		return file.edit(e.ID, printerEdit{remove: true}, nil)
	case integration.EditRename:
		name, err := plainText(100)(e.Name)
		if err != nil {
			return errors.New("the name " + err.Error())
		}
		return file.edit(e.ID, printerEdit{set: []entryField{{key: "name", value: literal(name)}}}, nil)
	case integration.EditEnable:
		return file.edit(e.ID, printerEdit{unset: []string{"disabled"}}, nil)
	case integration.EditDisable:
		return file.edit(e.ID, printerEdit{set: []entryField{{key: "disabled", value: "true", bare: true}}}, nil)
	}
	return fmt.Errorf("there is no change %q", e.Kind)
}

// addDisabled adds a printer that has no key yet.
func (f *configFile) addDisabled(e integration.Edit) error {
	addresses, err := typedAddress(e.URL)
	if err != nil {
		return err
	}
	if e.Name != "" {
		if _, err := plainText(100)(e.Name); err != nil {
			return errors.New("the name " + err.Error())
		}
	}
	return f.add(newPrinter{id: e.ID, name: e.Name, url: addresses[0], disabled: true}, brokerLogin{})
}

// enrol gives a printer a key, and enables it. A key that it has in secrets.yaml is
// replaced there.
func (f *configFile) enrol(id, key string) error {
	store, err := openSecrets(newSource(f.path, f.getenv).secretsAt)
	if err != nil {
		return err
	}
	if name := f.secretOf(id); name != "" && store.text != nil {
		text, err := setSecret(store.text, name, key)
		if err != nil {
			return fmt.Errorf("%s was not changed: the line of %s can't be replaced", store.path, name)
		}
		return f.edit(id, keyEdit(name), []fileChange{{path: store.path, before: store.text, after: text, secret: true}})
	}
	name := store.add(id, key)
	return f.edit(id, keyEdit(name), []fileChange{store.change()})
}

// keyEdit gives a printer the key that secrets.yaml has under a name.
func keyEdit(name string) printerEdit {
	return printerEdit{set: []entryField{{key: "api_key", value: name, secret: true}}, unset: []string{"api_key_file", "disabled"}}
}

// secretOf is the name in secrets.yaml under which a printer, and no other one, has its
// key; empty if there is none.
func (f *configFile) secretOf(id string) string {
	documents, err := decodeYAML(f.text)
	root := rootMapping(documents)
	if err != nil || root == nil || find(root, "printers") == nil {
		return ""
	}
	name, uses := "", map[string]int{}
	for _, item := range find(root, "printers").Content {
		key, own := find(item, "api_key"), find(item, "id")
		if key == nil || key.Tag != secretTag {
			continue
		}
		uses[key.Value]++
		if own != nil && own.Value == id {
			name = key.Value
		}
	}
	if uses[name] != 1 {
		return ""
	}
	return name
}

// edit changes one printer, together with other files. Nothing is changed unless the
// whole configuration is valid then.
func (f *configFile) edit(id string, e printerEdit, others []fileChange) error {
	after, err := editPrinter(f.text, id, e)
	if err != nil {
		return f.unsafe()
	}
	return f.save(append(others, fileChange{path: f.path, before: f.text, after: after}))
}

func (f *configFile) unsafe() error {
	return fmt.Errorf("%s is written in a way that it can't be changed safely; change it by hand", f.path)
}

// save writes files if the configuration, which is the last one, is valid then.
func (f *configFile) save(changes []fileChange) error {
	src := newSource(f.path, f.getenv)
	src.planned = map[string][]byte{}
	for _, c := range changes {
		src.planned[c.path] = c.after
	}
	if _, err := src.parse(changes[len(changes)-1].after); err != nil {
		return fmt.Errorf("%s was not changed, since that would make it wrong:\n%w", f.path, err)
	}
	return replaceFiles(changes)
}
