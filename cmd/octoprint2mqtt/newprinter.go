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

// ready tries whether a printer could be added, so that nobody is asked for anything in
// vain.
func (f *configFile) ready() error {
	if err := f.writable(); err != nil || !f.begun {
		return err
	}
	if _, err := insertPrinter(f.text, []entryField{{key: "id", value: "x"}}); err != nil {
		return fmt.Errorf("%s was not changed: %w; write each printer below printers:, in lines that begin with - id:, as config.example.yaml does", f.path, err)
	}
	return nil
}

// writable tries whether the file and secrets.yaml can be replaced.
func (f *configFile) writable() error {
	src := newSource(f.path, f.getenv)
	for _, path := range []string{f.path, src.secretsAt} {
		change := fileChange{path: path}
		behind, info, err := change.target()
		if err != nil {
			return fmt.Errorf("%s can't be changed: %w", path, err)
		}
		if info != nil && info.Mode().Perm()&0o200 == 0 {
			return fmt.Errorf("%s can't be changed: it is read-only; make it writable first, with chmod u+w", path)
		}
		if err := tryFolder(filepath.Dir(behind)); err != nil {
			return fmt.Errorf("%s can't be changed: in its folder %s no file can be made (%w)", path, filepath.Dir(behind), reason(err))
		}
	}
	_, err := openSecrets(src.secretsAt)
	return err
}

func tryFolder(dir string) error {
	file, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	file.Close()
	return os.Remove(file.Name())
}

// taken reports whether a printer has an id.
func (f *configFile) taken(id string) bool {
	return slices.ContainsFunc(f.config.Bridge.Printers, func(p integration.PrinterConfig) bool { return p.ID == id })
}

// begin is how a file starts that isn't there yet. A password goes among the secrets.
func begin(broker brokerLogin, store *secretStore) string {
	text := "# octoprint2mqtt; config.example.yaml explains all that can be set here.\n" +
		"mqtt:\n  url: " + scalar(literal(broker.url)) + "\n"
	if broker.username != "" {
		text += "  username: " + scalar(literal(broker.username)) + "\n"
	}
	if broker.password != "" {
		text += "  password: " + secretTag + " " + store.add("mqtt", broker.password) + "\n"
	}
	return text
}

// add writes a printer into the file: its key into secrets.yaml, its certificate into a
// file of its own. Nothing is changed unless the whole configuration is valid then.
func (f *configFile) add(p newPrinter, broker brokerLogin) error {
	src := newSource(f.path, f.getenv)
	store, err := openSecrets(src.secretsAt)
	if err != nil {
		return err
	}
	before, text := f.text, string(f.text)
	if !f.begun {
		text = begin(broker, store)
	}
	entry := p.entry()
	var changes []fileChange
	if p.certificate != nil {
		name := f.unusedFile(p.id+"-certificate", ".pem")
		entry = append(entry, entryField{key: "ca_file", value: literal(name)})
		changes = append(changes, fileChange{path: src.resolvePath(name), after: p.certificate})
	}
	if p.key != "" {
		entry = append(entry, entryField{key: "api_key", value: store.add(p.id, p.key), secret: true})
		changes = append(changes, store.change())
	}
	after, err := insertPrinter([]byte(text), entry)
	if err != nil {
		return fmt.Errorf("%s was not changed: %w", f.path, err)
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

// secretStore is secrets.yaml with what is to be added to it.
type secretStore struct {
	path  string
	text  []byte          // nil: there is none
	names map[string]bool // that are taken
	more  []entryField
}

// openSecrets reads secrets.yaml, if there is one.
func openSecrets(path string) (*secretStore, error) {
	s := &secretStore{path: path, names: map[string]bool{}}
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
		return nil, fmt.Errorf("%s was not changed: it does not consist of lines \"name: value\", so that nothing can be added to it", path)
	}
	for i := 0; i < len(root.Content); i += 2 {
		s.names[root.Content[i].Value] = true
	}
	return s, nil
}

// add notes a secret to be added, and returns the name that it gets, which no other has.
func (s *secretStore) add(name, value string) string {
	unused := name
	for n := 2; s.names[unused]; n++ {
		unused = fmt.Sprintf("%s-%d", name, n)
	}
	s.names[unused] = true
	s.more = append(s.more, entryField{key: unused, value: value})
	return unused
}

// change is the change of the file that adds them.
func (s *secretStore) change() fileChange {
	f := newLines(s.text)
	var more []string
	for _, secret := range s.more {
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
