package integration

import (
	"bytes"
	"encoding/json"
	"sync"
)

// encoders are shared by all that is encoded: documents are what is made most of all,
// and each would leave twice its size behind.
var encoders = sync.Pool{New: func() any { return newEncoder() }}

// keptDocument is how large a document may be, in bytes, for the room that it took to
// be kept for the next one.
const keptDocument = 64 << 10

// encoder encodes values as JSON that is also nice to read for people: < and > stay
// what they are.
type encoder struct {
	text bytes.Buffer
	json *json.Encoder
}

func newEncoder() *encoder {
	e := new(encoder)
	e.json = json.NewEncoder(&e.text)
	e.json.SetEscapeHTML(false)
	return e
}

// mustMarshal encodes a value of our own making, which can't fail.
func mustMarshal(v any) string {
	e := encoders.Get().(*encoder)
	e.text.Reset()
	if err := e.json.Encode(v); err != nil {
		panic("integration: encode a document: " + err.Error())
	}
	text := string(bytes.TrimSuffix(e.text.Bytes(), []byte("\n")))
	if e.text.Cap() <= keptDocument {
		encoders.Put(e)
	}
	return text
}
