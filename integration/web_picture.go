package integration

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// pageImage is what the page shows of a printer: what its camera sees, or what it
// prints. The zero pageImage is none.
type pageImage struct {
	version string // another one is another picture; empty: there is none
	live    bool   // it is always another one
	// load gets the picture, which takes a while, and its media type.
	load func(context.Context) (content []byte, mediaType string, err error)
}

// imageLocked is where the page has a printer's picture from: the first of those that
// are published and could be had last time. It is got anew for the page, since the
// bridge keeps none.
func (p *printer) imageLocked() pageImage {
	for _, pic := range p.album {
		if pic.source == (source{}) || !pic.proven {
			continue
		}
		client, from, gallery := p.client, pic.source, p.bridge.gallery
		return pageImage{
			version: pic.key + "-" + from.version(), live: pic.camera,
			load: func(ctx context.Context) ([]byte, string, error) {
				large := &room{of: gallery.large}
				defer large.leave()
				picture, kind, err := gallery.get(ctx, client, &from, large)
				return []byte(picture), kind, err
			},
		}
	}
	return pageImage{}
}

// version tells a source from others, without showing what may be secret in it.
func (s *source) version() string {
	h := fnv.New64a()
	fmt.Fprint(h, s.webcam, s.at, s.thumbnail, s.changed, s.turn) // a hash never fails
	return strconv.FormatUint(h.Sum64(), 36)
}

const (
	// imageAge is how old a picture of a camera may be that is shown again.
	imageAge = 10 * time.Second
	// imageTimeout is how long a page waits for a picture.
	imageTimeout = 10 * time.Second
	// imageLoads is how many pictures are got at a time.
	imageLoads = 8
	// maxImages and maxImageBytes bound what is kept of pictures.
	maxImages     = 64
	maxImageBytes = 16 << 20
)

// imageTypes are those that a browser shows and doesn't run.
func imageTypes() []string { return []string{"image/jpeg", "image/png", "image/webp", "image/gif"} }

// images are the pictures that pages have asked for last: each is got once,
// however many pages show it.
type images struct {
	loads chan struct{} // an element for each that is being got

	mu   sync.Mutex
	kept []*keptImage // the one asked for last is the last
}

type keptImage struct {
	printer, version string

	turn      chan struct{} // holds an element while somebody gets it or looks at it
	at        time.Time     // when it was got
	content   []byte
	mediaType string
	failed    bool
}

func newImages() *images { return &images{loads: make(chan struct{}, imageLoads)} }

// get returns the picture of a printer, false if there is none now.
func (i *images) get(ctx context.Context, printer string, from pageImage) (content []byte, mediaType string, ok bool) {
	if from.version == "" {
		return nil, "", false
	}
	k := i.keep(printer, from.version)
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, "", false
	}
	defer func() { <-k.turn }()
	if k.at.IsZero() || (from.live || k.failed) && time.Since(k.at) >= imageAge {
		if !i.load(ctx, k, from) {
			return nil, "", false
		}
	}
	return k.content, k.mediaType, !k.failed
}

// load gets a picture when there is room; it is false if nobody waits any more.
func (i *images) load(ctx context.Context, k *keptImage, from pageImage) bool {
	ctx, cancel := context.WithTimeout(ctx, imageTimeout)
	defer cancel()
	select {
	case i.loads <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-i.loads }()
	content, mediaType, err := from.load(ctx)
	if ctx.Err() != nil {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	k.at, k.content, k.mediaType = time.Now(), content, mediaType
	k.failed = err != nil || !slices.Contains(imageTypes(), mediaType)
	if k.failed {
		k.content = nil
	}
	i.makeRoomLocked()
	return true
}

// keep returns what is kept of a picture, and drops what was kept of the printer's
// others.
func (i *images) keep(printer, version string) *keptImage {
	i.mu.Lock()
	defer i.mu.Unlock()
	k := &keptImage{printer: printer, version: version, turn: make(chan struct{}, 1)}
	i.kept = slices.DeleteFunc(i.kept, func(other *keptImage) bool {
		if other.printer == printer && other.version == version {
			k = other
		}
		return other.printer == printer
	})
	i.kept = append(i.kept, k)
	i.makeRoomLocked()
	return k
}

func (i *images) makeRoomLocked() {
	size := 0
	for _, k := range i.kept {
		size += len(k.content)
	}
	for len(i.kept) > maxImages || size > maxImageBytes {
		size -= len(i.kept[0].content)
		i.kept = slices.Delete(i.kept, 0, 1)
	}
}

// servePicture answers with the picture of a printer.
func (w *web) servePicture(rw http.ResponseWriter, r *http.Request) {
	p := w.bridge.printer(r.PathValue("id"))
	if p == nil {
		http.NotFound(rw, r)
		return
	}
	p.mu.Lock()
	from := p.imageLocked()
	p.mu.Unlock()
	content, mediaType, ok := w.images.get(r.Context(), p.id, from)
	if !ok {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", mediaType)
	_, _ = rw.Write(content) // whoever asked may be gone
}
