package integration

import (
	"bufio"
	"bytes"
	"compress/flate"
	"io"
	"strings"
	"sync"
)

// packed is a payload as the outbox keeps it: compressed if it is long, as
// discovery documents are, which are read only when they are sent. Equal payloads
// are packed equally, so they can be compared with ==.
type packed struct {
	text   string // the payload, or what was made of it
	length uint32 // of the payload if it is compressed; 0: it is not
	by     uint8  // which example it is held against, if it is compressed
}

// packFrom is the length from which a payload is compressed. A printer's document,
// which changes often, is shorter.
const packFrom = 4096

// packLevel is the quickest that makes use of a dictionary.
const packLevel = 2

// packPart is how much of a payload is compressed at a time, against the same part of
// the example: what is alike lies this far back then, and flate looks back 32 KiB.
const packPart = 28 << 10

// maxExamples bounds how many there are.
const maxExamples = 4

// packer packs and unpacks. What that takes is large, and of use for moments only.
//
// The documents of printers differ in little more than the printers' names, so most
// are kept as what makes them different from the first one of about their length.
type packer struct {
	expanders sync.Pool

	mu       sync.Mutex
	examples []*example
}

// example is a payload that others are held against.
type example struct {
	text        string
	compressors []sync.Pool // one for each part
}

// exampleFor returns the first example that is about as long as a payload, or makes
// one of it. That is always the same one, so that equal payloads are packed equally.
func (p *packer) exampleFor(payload string) uint8 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range p.examples {
		if d := len(payload) - len(e.text); d < len(e.text)/8 && d > -len(e.text)/8 {
			return uint8(i)
		}
	}
	if len(p.examples) >= maxExamples {
		return maxExamples - 1
	}
	p.examples = append(p.examples, &example{text: payload, compressors: make([]sync.Pool, parts(len(payload)))})
	return uint8(len(p.examples) - 1)
}

func (p *packer) example(i uint8) *example {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.examples[i]
}

func parts(length int) int { return (length + packPart - 1) / packPart }

// part returns a part of a text, empty if it has fewer.
func part(text string, i int) string {
	from := min(i*packPart, len(text))
	return text[from:min(from+packPart, len(text))]
}

func (p *packer) pack(payload string) packed {
	if len(payload) < packFrom {
		return packed{text: payload}
	}
	by := p.exampleFor(payload)
	e := p.example(by)
	var b strings.Builder
	for i := range parts(len(payload)) {
		b.WriteString(e.compress(part(payload, i), min(i, len(e.compressors)-1)))
	}
	return packed{text: strings.Clone(b.String()), length: uint32(len(payload)), by: by}
}

// compress compresses a text against a part of the example.
func (e *example) compress(text string, i int) string {
	w, _ := e.compressors[i].Get().(*compressor)
	if w == nil {
		w = newCompressor([]byte(part(e.text, i)))
	}
	defer e.compressors[i].Put(w)
	return w.compress(text)
}

// compressor compresses one text after the other.
type compressor struct {
	in  *bufio.Writer // spares a copy of the text
	by  *flate.Writer
	out bytes.Buffer // takes everything
}

func newCompressor(dictionary []byte) *compressor {
	c := new(compressor)
	c.by, _ = flate.NewWriterDict(&c.out, packLevel, dictionary) // fails for levels that there aren't
	c.in = bufio.NewWriter(c.by)
	return c
}

func (c *compressor) compress(text string) string {
	c.out.Reset()
	c.by.Reset(&c.out)
	_, _ = c.in.WriteString(text)
	_ = c.in.Flush()
	_ = c.by.Close()
	return c.out.String()
}

func (p *packer) unpack(kept packed) string {
	if kept.length == 0 {
		return kept.text
	}
	r, _ := p.expanders.Get().(io.Reader)
	if r == nil {
		r = flate.NewReader(nil)
	}
	defer p.expanders.Put(r)
	e, from := p.example(kept.by), strings.NewReader(kept.text)
	b := make([]byte, kept.length)
	for i := range parts(len(b)) {
		err := r.(flate.Resetter).Reset(from, []byte(part(e.text, min(i, len(e.compressors)-1))))
		if err == nil {
			_, err = io.ReadFull(r, b[i*packPart:min((i+1)*packPart, len(b))])
		}
		if err == nil {
			_, err = io.Copy(io.Discard, r) // it has to see the end of this part before the next
		}
		if err != nil {
			panic("integration: unpack what was packed here: " + err.Error())
		}
	}
	return string(b)
}
