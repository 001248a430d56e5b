package integration

import (
	"net/http"
	"time"
)

// streamSilence is how long a stream may be silent. What keeps it from being so
// finds out that nobody is there any more.
const streamSilence = 15 * time.Second

// serveStream sends updates as server-sent events until the page is closed.
func (w *web) serveStream(rw http.ResponseWriter, r *http.Request) {
	page, err := w.hub.join()
	if err != nil {
		rw.Header().Set("Retry-After", "30")
		http.Error(rw, "Too many pages are open: close some of them.", http.StatusServiceUnavailable)
		return
	}
	defer w.hub.leave(page)
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("X-Accel-Buffering", "no") // of proxies, which would hold updates back
	stream := http.NewResponseController(rw)
	send := func(parts ...string) bool {
		_ = stream.SetWriteDeadline(time.Now().Add(webWriteTimeout))
		for _, part := range parts {
			if _, err := rw.Write([]byte(part)); err != nil {
				return false
			}
		}
		return stream.Flush() == nil
	}
	silence := time.NewTicker(streamSilence)
	defer silence.Stop()
	for {
		var going bool
		select {
		case <-r.Context().Done():
			return
		case <-silence.C:
			going = send(":\n\n")
		case u, ok := <-page.updates:
			going = ok && send("data: ", string(u), "\n\n") // JSON has no line breaks
			silence.Reset(streamSilence)
		}
		if !going {
			return
		}
	}
}
