package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// source is a configuration file with what its values may refer to: the
// environment, secrets.yaml and other files.
type source struct {
	path   string // as the user named it
	getenv func(string) (string, bool)
	report report
	files  []string          // that were read, as they are reached from here
	shapes map[string]*shape // of every key that was asked for, such as printers[].limits.bed
	// planned are files, by their paths, as they are going to be.
	planned map[string][]byte

	secrets       map[string]*yaml.Node // of secrets.yaml; nil until the first !secret
	secretsAt     string
	exposedWarned map[string]bool // files whose permissions have been warned of
}

func newSource(path string, getenv func(string) (string, bool)) *source {
	return &source{
		path: path, getenv: getenv, files: []string{path}, shapes: map[string]*shape{},
		secretsAt: filepath.Join(filepath.Dir(path), "secrets.yaml"), exposedWarned: map[string]bool{},
	}
}

// resolve returns what a scalar stands for: a line of secrets.yaml, or its own
// text with the environment put in. Only a value that is written out in the
// configuration is ever shown in messages.
func (s *source) resolve(at place, n *yaml.Node) (value, bool) {
	if n.Tag == secretTag {
		text, ok := s.secret(at, n.Value)
		return value{at, text, "the value of !secret " + shownKey(n.Value)}, ok
	}
	text, err := expand(n.Value, s.getenv)
	if err != nil {
		s.report.mistake(at, err.Error())
		return value{}, false
	}
	v := value{at, text, quote(text)}
	if strings.Contains(n.Value, "${") {
		v.shown = "the value with its environment variables put in"
	}
	return v, true
}

// quote shows a value in a message, at most 60 bytes of it.
func quote(text string) string {
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:60], "") + "…"
	}
	return strconv.Quote(text)
}

var variable = regexp.MustCompile(`\$?\$\{([A-Za-z_][A-Za-z0-9_]*\})?`)

// expand replaces each ${NAME} by the environment variable, and $${ by ${.
func expand(text string, getenv func(string) (string, bool)) (string, error) {
	var failure error
	expanded := variable.ReplaceAllStringFunc(text, func(match string) string {
		if rest, escaped := strings.CutPrefix(match, "$$"); escaped {
			return "$" + rest
		}
		name := strings.TrimSuffix(strings.TrimPrefix(match, "${"), "}")
		if name == "" {
			failure = errors.New("${ must be followed by the name of an environment variable and }; write $${ for the characters ${ themselves")
			return ""
		}
		content, ok := getenv(name)
		if !ok {
			failure = notSet(name)
		}
		return content
	})
	return expanded, failure
}

// notSet shows the name of a variable only if it looks like one: otherwise it
// may be part of a password that happens to contain ${.
func notSet(name string) error {
	shown := "the environment variable " + name
	if name != strings.ToUpper(name) {
		shown = "an environment variable in this value"
	}
	return errors.New(shown + " is not set; set it, or write $${ for the characters ${ themselves")
}

// secret looks up a name in secrets.yaml, whose values are taken as they are.
func (s *source) secret(at place, name string) (string, bool) {
	if name == "" {
		s.report.mistake(at, "!secret must be followed by a name that stands in secrets.yaml")
		return "", false
	}
	if s.secrets == nil {
		s.secrets = map[string]*yaml.Node{}
		s.readSecrets(at)
	}
	n, ok := s.secrets[name]
	switch {
	case len(s.secrets) == 0: // has been reported when it was read
		return "", false
	case !ok:
		s.report.mistake(at, fmt.Sprintf("there is no line for %s in %s; add one", shownKey(name), s.secretsAt))
		return "", false
	case n.Kind != yaml.ScalarNode || isNull(n) || unusable(n):
		s.report.mistake(place{file: s.secretsAt, line: n.Line, path: shownKey(name)},
			"must be a single value; put it in quotes if it contains anything but letters and digits")
		return "", false
	}
	return n.Value, true
}

// readSecrets reads secrets.yaml. at is where it is needed first.
func (s *source) readSecrets(at place) {
	s.files = append(s.files, s.secretsAt)
	text, err := s.content(s.secretsAt)
	if err != nil {
		s.report.mistake(at, fmt.Sprintf("%s cannot be read: %v", s.secretsAt, err))
		return
	}
	s.warnExposed(place{file: s.secretsAt}, s.secretsAt, "this file")
	n, ok := s.document(s.secretsAt, text)
	if !ok {
		return
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		s.report.mistake(place{file: s.secretsAt, line: n.Line}, "the file must consist of lines \"name: value\"")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, name := n.Content[i], n.Content[i].Value
		if first, double := s.secrets[name]; double {
			s.report.mistake(place{file: s.secretsAt, line: key.Line, path: shownKey(name)},
				fmt.Sprintf("is given twice, first in line %d; remove one of them", first.Line))
			continue
		}
		s.secrets[name] = n.Content[i+1]
	}
}

// file returns the content of the file that v names, relative to the
// configuration file.
func (s *source) file(v value) ([]byte, bool) {
	if v.text == "" {
		s.report.mistake(v.place, "is empty; write the path of a file or remove the line")
		return nil, false
	}
	s.files = append(s.files, s.resolvePath(v.text))
	content, err := s.content(s.resolvePath(v.text))
	if err != nil {
		s.report.mistake(v.place, fmt.Sprintf("%s cannot be read: %v", v.shown, err))
		return nil, false
	}
	return content, true
}

// content returns what is in a file, or is going to be.
func (s *source) content(path string) ([]byte, error) {
	if text, ok := s.planned[path]; ok {
		return text, nil
	}
	return readRegularFile(path)
}

func (s *source) resolvePath(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.path), path)
}

// secretFile returns the text of a file that holds one secret, without the
// newline at its end.
func (s *source) secretFile(v value) (value, bool) {
	content, ok := s.file(v)
	if !ok {
		return value{}, false
	}
	s.warnExposed(v.place, s.resolvePath(v.text), v.shown)
	text := strings.TrimRight(string(content), "\r\n")
	if !utf8.ValidString(text) {
		s.reject(v, "is not UTF-8 text; save the file with the encoding UTF-8")
		return value{}, false
	}
	return value{v.place, text, "the content of " + v.shown}, true
}

// warnExposed warns once of a file with secrets that every user of this
// machine may read; shown is how the message names it. Docker and Kubernetes
// mount secrets like this, inside the container only.
func (s *source) warnExposed(at place, path, shown string) {
	info, err := os.Stat(path)
	mounted := strings.HasPrefix(path, "/run/secrets/") || strings.HasPrefix(path, "/var/run/secrets/")
	if err != nil || info.Mode().Perm()&0o004 == 0 || mounted || runtime.GOOS == "windows" || s.exposedWarned[path] {
		return
	}
	s.exposedWarned[path] = true
	s.report.warn(at, "every user of this machine may read the secrets in "+shown+"; change that with chmod o-r")
}

// reject reports that a value cannot be used; complaint goes on where the
// value ends: "is not …".
func (s *source) reject(v value, complaint string) {
	s.report.mistake(v.place, v.shown+" "+complaint)
}

// readRegularFile returns the content of a file of at most 1 MiB. Its errors
// say why and leave out the path, which may come from a secret.
func readRegularFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, reason(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxConfigBytes+1))
	if err != nil {
		return nil, reason(err)
	}
	if len(content) > maxConfigBytes {
		return nil, errors.New("it is larger than 1 MiB")
	}
	return content, nil
}

// reason returns what an error of package os says without the path.
func reason(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("this program's user is not allowed to")
	}
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return failed.Err
	}
	return errors.New("reading failed")
}
