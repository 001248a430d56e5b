package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"octoprint2mqtt/integration"
)

// newPrinter is a printer that is to be written into the configuration.
type newPrinter struct {
	id, name, user string
	url            *url.URL
	access         integration.Access
	key            string // goes to secrets.yaml
	certificate    []byte // PEM, the only one that is trusted; nil: as the system does
	disabled       bool
}

// configFile is a configuration file with what it says.
type configFile struct {
	path   string
	getenv func(string) (string, bool)
	text   []byte // nil: there is none yet
	begun  bool   // it says something
	config Config
}

// openConfig reads a configuration file, if there is one.
func openConfig(path string, getenv func(string) (string, bool)) (*configFile, error) {
	f := &configFile{path: path, getenv: getenv}
	text, err := readConfigFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	f.text, f.begun = text, len(bytes.TrimSpace(text)) > 0
	if !f.begun {
		return f, nil
	}
	f.config, err = parseConfig(path, text, getenv)
	return f, err
}

// writable tries whether the file's folder can be written to, so that nobody is asked
// for anything in vain.
func (f *configFile) writable() error {
	dir := filepath.Dir(f.path)
	if behind, err := filepath.EvalSymlinks(f.path); err == nil {
		dir = filepath.Dir(behind)
	}
	file, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return fmt.Errorf("%s can't be changed: in its folder %s no file can be made (%w)", f.path, dir, reason(err))
	}
	file.Close()
	return os.Remove(file.Name())
}

// taken reports whether a printer has an id.
func (f *configFile) taken(id string) bool {
	return slices.ContainsFunc(f.config.Bridge.Printers, func(p integration.PrinterConfig) bool { return p.ID == id })
}

// begin gives a file that isn't there yet its first lines, and returns the secrets that
// these refer to.
func (f *configFile) begin(broker brokerLogin) (text string, secrets []entryField) {
	text = "# octoprint2mqtt; config.example.yaml explains all that can be set here.\n" +
		"mqtt:\n  url: " + scalar(literal(broker.url)) + "\n"
	if broker.username != "" {
		text += "  username: " + scalar(literal(broker.username)) + "\n"
	}
	if broker.password != "" {
		text += "  password: " + secretTag + " mqtt\n"
		secrets = append(secrets, entryField{key: "mqtt", value: broker.password})
	}
	return text, secrets
}

// brokerLogin is what a new file needs beside printers.
type brokerLogin struct{ url, username, password string }

// add writes a printer into the file: its key into secrets.yaml, its certificate into a
// file of its own. Nothing is changed unless the whole configuration is valid then.
func (f *configFile) add(p newPrinter, broker brokerLogin) error {
	before, secrets := f.text, []entryField(nil)
	text := string(before)
	if !f.begun {
		text, secrets = f.begin(broker)
	}
	entry := p.entry()
	var changes []fileChange
	src := newSource(f.path, f.getenv)
	if p.certificate != nil {
		name := f.unusedFile(p.id+"-certificate", ".pem")
		entry = append(entry, entryField{key: "ca_file", value: literal(name)})
		changes = append(changes, fileChange{path: src.resolvePath(name), after: p.certificate})
	}
	if p.key != "" {
		store, err := openSecrets(src.secretsAt, p.id)
		if err != nil {
			return err
		}
		entry = append(entry, entryField{key: "api_key", value: store.name, secret: true})
		changes = append(changes, store.with(append(secrets, entryField{key: store.name, value: p.key})))
	}
	after, err := insertPrinter([]byte(text), entry)
	if err != nil {
		return fmt.Errorf("%s was not changed: %w; put these lines into it yourself, below printers:, and the key into secrets.yaml\n%s",
			f.path, err, strings.Join(blockItem(entry, 2), "\n"))
	}
	return f.save(append(changes, fileChange{path: f.path, before: before, after: after}))
}

// entry is the printer as it stands in the file, without its key.
func (p *newPrinter) entry() []entryField {
	entry := []entryField{{key: "id", value: p.id}}
	if p.name != "" && p.name != p.id {
		entry = append(entry, entryField{key: "name", value: literal(p.name)})
	}
	entry = append(entry, entryField{key: "url", value: literal(p.url.String())})
	if p.user != "" {
		entry = append(entry, entryField{key: "user", value: literal(p.user)})
	}
	if p.access != "" && p.access != integration.AccessControl {
		entry = append(entry, entryField{key: "access", value: string(p.access)})
	}
	if p.disabled {
		entry = append(entry, entryField{key: "disabled", value: "true", bare: true})
	}
	return entry
}

// unusedFile returns a name beside the configuration that no file has.
func (f *configFile) unusedFile(stem, ending string) string {
	name := stem + ending
	for n := 2; ; n++ {
		if _, err := os.Lstat(filepath.Join(filepath.Dir(f.path), name)); errors.Is(err, fs.ErrNotExist) || n > 1000 {
			return name
		}
		name = fmt.Sprintf("%s-%d%s", stem, n, ending)
	}
}

// secretStore is secrets.yaml.
type secretStore struct {
	path string
	text []byte // nil: there is none
	name string // for a new secret, that no other has
}

// openSecrets reads secrets.yaml, if there is one.
func openSecrets(path, name string) (*secretStore, error) {
	s := &secretStore{path: path, name: name}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, reason(err))
	}
	s.text = text
	documents, err := decodeYAML(text)
	root := rootMapping(documents)
	switch {
	case err == nil && len(documents) == 0: // comments at most
		return s, nil
	case err != nil || root == nil || root.Style&yaml.FlowStyle != 0:
		return nil, fmt.Errorf("nothing was changed: %s does not consist of lines \"name: value\", so that nothing can be added to it", path)
	}
	for n := 2; find(root, s.name) != nil; n++ {
		s.name = fmt.Sprintf("%s-%d", name, n)
	}
	return s, nil
}

// with returns the change that adds secrets.
func (s *secretStore) with(secrets []entryField) fileChange {
	f := newLines(s.text)
	var more []string
	for _, secret := range secrets {
		more = append(more, scalar(secret.key)+": "+quoted(secret.value))
	}
	f.put(len(f.list), more)
	return fileChange{path: s.path, before: s.text, after: f.bytes(), secret: true}
}

// proposeID makes an id of a name.
func proposeID(name string, taken func(string) bool) string {
	id := slug(name)
	if id == "" || id == "bridge" || id == "farm" {
		id = "printer"
	}
	proposal := id
	for n := 2; taken(proposal); n++ {
		ending := fmt.Sprintf("-%d", n)
		proposal = strings.TrimRight(id[:min(len(id), 32-len(ending))], "-") + ending
	}
	return proposal
}

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

// slug is the part of a text that can be an id; empty if there is none.
func slug(text string) string {
	replaced := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss").Replace(strings.ToLower(text))
	id := strings.Trim(notInID.ReplaceAllString(replaced, "-"), "-")
	return strings.TrimRight(id[:min(len(id), 32)], "-")
}
