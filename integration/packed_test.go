package integration

import (
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

// TestOutboxKeepsLittle: a long payload takes little room while it waits, and is
// sent as it was put.
func TestOutboxKeepsLittle(t *testing.T) {
	t.Parallel()
	o := newOutbox()
	document := strings.Repeat("discovery ", 1000)
	o.Put("config", document, discoveryClass)
	if n := len(o.topics[keyOf("config")].payload.text); n > len(document)/10 {
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
