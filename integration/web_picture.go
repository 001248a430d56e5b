package integration

import (
	"net/http"
	"slices"
)

// picture is what a printer looks like, or what it prints. Its bytes are never
// changed.
type webPicture struct {
	bytes     []byte
	mediaType string
	version   string // tells this picture from those before; empty: there is none
}

// pictureLocked is where the page has a printer's picture from.
func (p *printer) pictureLocked() webPicture { return webPicture{} }

// pictureTypes are those that a browser shows and doesn't run.
func pictureTypes() []string { return []string{"image/jpeg", "image/png", "image/webp", "image/gif"} }

// servePicture answers with the picture of a printer. Its version is in the
// address, so a browser may keep it.
func (w *web) servePicture(rw http.ResponseWriter, r *http.Request) {
	p := w.bridge.printer(r.PathValue("id"))
	if p == nil {
		http.NotFound(rw, r)
		return
	}
	p.mu.Lock()
	shown := p.pictureLocked()
	p.mu.Unlock()
	if shown.version == "" || !slices.Contains(pictureTypes(), shown.mediaType) {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", shown.mediaType)
	rw.Header().Set("Cache-Control", "private, max-age=60")
	_, _ = rw.Write(shown.bytes) // whoever asked may be gone
}
