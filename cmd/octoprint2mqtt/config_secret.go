package main

import (
	"errors"
	"strings"
)

// secret returns the secret under a key or in the file that its twin KEY_file
// names, as parse understands it; "" if there is neither.
func (s *section) secret(key string, parse func(string) (string, error)) string {
	return s.secretIf(key, parse, func(string) bool { return true })
}

// secretIf is secret for what isn't always one: it is if exposes says so. Messages
// never show it all the same.
func (s *section) secretIf(key string, parse func(string) (string, error), exposes func(string) bool) string {
	v, inline := s.value(key)
	named, inFile := s.value(key + "_file")
	if s.has(key) && s.has(key+"_file") {
		s.src.report.mistake(s.place(key+"_file"), key+" is given as well; remove one of them")
		return ""
	}
	switch {
	case inline:
		if literal := s.entries[key].value; literal.Tag != secretTag && !strings.Contains(literal.Value, "${") && exposes(v.text) {
			s.src.warnExposed(v.place, s.src.path, "this file")
		}
		v.shown = "the value"
	case inFile:
		named.shown = "the file named here" // the name may be the secret itself, put under the wrong key
		var ok bool
		if v, ok = s.src.secretFile(named); !ok {
			return ""
		}
	default:
		return ""
	}
	text, err := parse(v.text)
	if err != nil {
		s.src.reject(v, err.Error())
		return ""
	}
	return text
}

// has tells whether a key is there, with whatever value.
func (s *section) has(key string) bool {
	_, ok := s.entries[key]
	return ok
}

// maxPasswordBytes is how long MQTT lets a password be.
const maxPasswordBytes = 65535

// password accepts what MQTT does.
func password(text string) (string, error) {
	switch {
	case text == "":
		return "", errors.New("is empty; write the password or remove the line")
	case len(text) > maxPasswordBytes:
		return "", errors.New("is longer than MQTT allows")
	}
	return text, nil
}

// apiKey accepts what can stand in the header of an HTTP request.
func apiKey(text string) (string, error) {
	if text == "" {
		return "", errors.New("is empty; write the API key that OctoPrint shows")
	}
	if len(text) > 255 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("is not an API key, which is one word of letters and digits; copy it again from OctoPrint")
	}
	return text, nil
}
