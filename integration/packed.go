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
}

// packFrom is the length from which a payload is compressed. A printer's document,
// which changes often, is shorter.
const packFrom = 4096

// packLevel is the quickest that makes use of a dictionary.
const packLevel = 2

// packer packs and unpacks. What that takes is large, and of use for moments only.
type packer struct {
	compressors, expanders sync.Pool

	// dictionary is the first long payload. The documents of printers differ in
	// little more than the printers' names, so the others are kept as what makes
	// them different.
	dictionary []byte
	first      sync.Once
}

func (p *packer) pack(payload string) packed {
	if len(payload) < packFrom {
		return packed{text: payload}
	}
	p.first.Do(func() { p.dictionary = []byte(payload) })
	w, _ := p.compressors.Get().(*compressor)
	if w == nil {
		w = newCompressor(p.dictionary)
	}
	defer p.compressors.Put(w)
	return packed{text: w.compress(payload), length: uint32(len(payload))}
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
	err := r.(flate.Resetter).Reset(strings.NewReader(kept.text), p.dictionary)
	b := make([]byte, kept.length)
	if err == nil {
		_, err = io.ReadFull(r, b)
	}
	if err != nil {
		panic("integration: unpack what was packed here: " + err.Error())
	}
	return string(b)
}
