package octoprint

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// scanner goes through one JSON text value by value, and remembers the first
// error. Each method takes one value, whatever it is: what is not of the type
// asked for counts as its zero value.
type scanner struct {
	tokens jsontext.Decoder
	err    error
	name   []byte
}

// begin goes to the beginning of a text.
func (s *scanner) begin(text *bytes.Buffer) {
	s.err = nil
	// What a server gets wrong in a string is replaced, as browsers do.
	s.tokens.Reset(text, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}

// end returns the first error. A text has one value and nothing after it.
func (s *scanner) end() error {
	if s.err != nil {
		return s.err
	}
	switch _, err := s.tokens.ReadToken(); {
	case err == nil:
		return errors.New("there is more than one value")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// kind tells what the next value is; 0 after an error.
func (s *scanner) kind() jsontext.Kind {
	if s.err != nil {
		return 0
	}
	return s.tokens.PeekKind()
}

// token takes the next token; it is of no kind after an error.
func (s *scanner) token() jsontext.Token {
	if s.err != nil {
		return jsontext.Token{}
	}
	t, err := s.tokens.ReadToken()
	if err != nil {
		s.fail(err)
	}
	return t
}

// skip takes a value that nobody wants to know.
func (s *scanner) skip() {
	if s.err != nil {
		return
	}
	if _, err := s.tokens.ReadValue(); err != nil {
		s.fail(err)
	}
}

// skipFrom takes the next value if none was taken since the scanner was there.
func (s *scanner) skipFrom(offset int64) {
	if s.tokens.InputOffset() == offset {
		s.skip()
	}
}

// leave takes the rest of what t has begun, if anything.
func (s *scanner) leave(t jsontext.Token) {
	if k := t.Kind(); k != '{' && k != '[' {
		return
	}
	for depth := s.tokens.StackDepth(); s.err == nil && s.tokens.StackDepth() >= depth; {
		s.token()
	}
}

// object calls member with the name of each member of an object. What it doesn't
// take is passed over. It reports whether there was an object.
func (s *scanner) object(member func(name []byte)) bool {
	t := s.token()
	if t.Kind() != '{' {
		s.leave(t)
		return false
	}
	for t = s.token(); t.Kind() == '"'; t = s.token() {
		s.name = append(s.name[:0], t.String()...)
		before := s.tokens.InputOffset()
		member(s.name)
		s.skipFrom(before)
	}
	return true
}

// array calls element for each element of an array, like object.
func (s *scanner) array(element func()) {
	t := s.token()
	if t.Kind() != '[' {
		s.leave(t)
		return
	}
	for s.kind() != ']' && s.err == nil {
		before := s.tokens.InputOffset()
		element()
		s.skipFrom(before)
	}
	s.token()
}

func (s *scanner) flag() bool {
	t := s.token()
	s.leave(t)
	return t.Kind() == 't'
}

func (s *scanner) number() number {
	t := s.token()
	if t.Kind() != '0' {
		s.leave(t)
		return number{}
	}
	return parseNumber(t.String())
}

// text returns a string, as the same one as before if it says the same.
func (s *scanner) text(before string) string {
	t := s.token()
	if t.Kind() != '"' {
		s.leave(t)
		return ""
	}
	if t.String() == before {
		return before
	}
	return t.String()
}

// number is a JSON number. Null, another type and what no float64 can hold leave
// it unknown.
type number struct {
	value float64 // 0 unless known
	known bool
}

// UnmarshalJSON takes whatever comes.
func (n *number) UnmarshalJSON(b []byte) error {
	*n = parseNumber(string(b))
	return nil
}

func parseNumber(text string) number {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return number{}
	}
	return number{value, true}
}
