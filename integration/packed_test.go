package integration

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPacked: payloads come out as they went in, are compared as they are, and
// long ones take less room.
func TestPacked(t *testing.T) {
	t.Parallel()
	var packer packer
	pack := packer.pack
	document := strings.Repeat(`{"platform":"sensor","unique_id":"octoprint2mqtt_left_state"},`, 200)
	for _, payload := range []string{"", "None", strings.Repeat("x", packFrom-1), strings.Repeat("x", packFrom), document, document + "ü"} {
		p := pack(payload)
		if got := packer.unpack(p); got != payload {
			t.Errorf("%d bytes became %d", len(payload), len(got))
		}
		if p != pack(payload) || p == pack(payload+" ") {
			t.Errorf("%d bytes: equal payloads are packed differently, or different ones equally", len(payload))
		}
	}
	if n := len(pack(document).text); n > len(document)/10 {
		t.Errorf("%d bytes are kept of %d", n, len(document))
	}
}

// TestPackedAlike: what is like the first long payload takes next to nothing, even
// where there is nothing in itself to compress.
func TestPackedAlike(t *testing.T) {
	t.Parallel()
	var packer packer
	random := rand.New(rand.NewPCG(1, 2))
	for _, length := range []int{5000, 8000, packPart, 3*packPart - 100, 20 * packPart, 7000, 6 * packPart} {
		first := make([]byte, length)
		for i := range first {
			first[i] = byte(' ' + random.IntN(90))
		}
		other := strings.ReplaceAll(string(first), string(first[4000:4005]), "right") + "and more"
		for _, payload := range []string{string(first), other, string(first)} {
			p := packer.pack(payload)
			if len(p.text) > 200+length/80 && len(packer.examples) < maxExamples {
				t.Errorf("%d bytes are kept of %d", len(p.text), len(payload))
			}
			if packer.unpack(p) != payload || p != packer.pack(payload) {
				t.Error("it doesn't come out as it went in, or is packed in several ways")
			}
		}
	}
}

// TestOutboxKeepsLittle: a long payload takes little room while it waits, and is
// sent as it was put.
func TestOutboxKeepsLittle(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	document := strings.Repeat("discovery ", 1000)
	o.Put("config", document, discoveryClass)
	if n := len(o.topics.get("config").payload.text); n > len(document)/10 {
		t.Errorf("%d bytes are kept of %d", n, len(document))
	}
	if m, ok := o.Next(discoveryClass); !ok || m.payload != document {
		t.Errorf("%d bytes are sent, want %d", len(m.payload), len(document))
	} else {
		m.done()
	}
	if !o.Wants("config", document) || o.Wants("config", document+" ") {
		t.Error("the payload isn't recognised")
	}
	o.Put("config", document, discoveryClass)
	if _, ok := o.Next(discoveryClass); ok {
		t.Error("what is known to be there is sent again")
	}
}
