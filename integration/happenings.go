package integration

import (
	"cmp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// maxHappenings is how many happenings are remembered.
const maxHappenings = 200

// tone says how a happening is to be taken.
type tone string

const (
	toneNeutral tone = ""
	toneGood    tone = "good"
	toneBad     tone = "bad"
)

// happening is something that happened to a printer or the bridge, in words for
// people.
type happening struct {
	Number  uint64 `json:"n"` // counts up
	Time    value  `json:"time"`
	Printer string `json:"printer,omitempty"` // id; empty: the bridge
	Text    string `json:"text"`
	Tone    tone   `json:"tone,omitempty"`
}

// happenings remembers the last that happened.
type happenings struct {
	mu   sync.Mutex
	last uint64
	list []happening // a ring: number n is at (n-1) modulo its bound
}

// add remembers a happening; its number is set here.
func (h *happenings) add(e happening) {
	e.Text = clean(e.Text)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.Number = h.last
	if len(h.list) < maxHappenings {
		h.list = append(h.list, e)
		return
	}
	h.list[(h.last-1)%maxHappenings] = e
}

// since returns what is remembered of the happenings after a number, in order,
// and the number of the last.
func (h *happenings) since(n uint64) ([]happening, uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if oldest := h.last - uint64(len(h.list)); n < oldest {
		n = oldest
	}
	var list []happening
	for ; n < h.last; n++ {
		list = append(list, h.list[n%maxHappenings])
	}
	return list, h.last
}

// eventHappening tells an event of a printer in words.
func eventHappening(e event) happening {
	words := sentence(string(e.Type))
	if e.File != "" {
		words += ": " + e.File
	}
	if why := cmp.Or(e.Error, e.Reason); why != "" {
		words += " (" + why + ")"
	}
	h := happening{Time: instant(e.Time), Printer: e.Printer, Text: words}
	switch e.Type {
	case EventPrintFailed, EventPrinterError:
		h.Tone = toneBad
	case EventPrintFinished:
		h.Tone = toneGood
	}
	return h
}

// lifecycleHappening tells in words what is published on bridge/event.
func lifecycleHappening(typ, device, detail string, now time.Time) happening {
	h := happening{Time: instant(now), Printer: device, Text: sentence(typ)}
	switch typ {
	case "command":
		h.Text += " " + detail
		return h
	case "session_up":
		h.Text, h.Tone = "Connected to OctoPrint", toneGood
	case "session_lost":
		h.Text, h.Tone = "Lost OctoPrint", toneBad
	case "enroll":
		return enrolHappening(h, detail)
	case "config_rejected":
		h.Text, h.Tone = "The changed configuration is not used", toneBad
	case "config_reloaded":
		h.Text = "The configuration was read again"
	}
	if detail != "" {
		h.Text += ": " + detail
	}
	return h
}

// enrolHappening tells what comes of asking for a key. Where to click is left out:
// with that address anybody could fetch the key.
func enrolHappening(h happening, detail string) happening {
	switch {
	case strings.HasPrefix(detail, "granted"):
		h.Text, h.Tone = "Application key "+detail, toneGood
	case strings.HasPrefix(detail, "failed"):
		h.Text, h.Tone = "Application key "+detail, toneBad
	default:
		h.Text = "Application key: waiting for a click on Allow in OctoPrint"
	}
	return h
}

// sentence makes words of a name such as print_started.
func sentence(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	_, n := utf8.DecodeRuneInString(words)
	return strings.ToUpper(words[:n]) + words[n:]
}
