package integration

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// studio counts how often its pictures are taken.
type studio struct {
	mu              sync.Mutex
	taken, now, max int
	size            int
	mediaType       string
	err             error
}

func (s *studio) image(version string, live bool) pageImage {
	return pageImage{version: version, live: live, load: func(ctx context.Context) ([]byte, string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken++
		s.now++
		s.max = max(s.max, s.now)
		n := s.taken
		s.mu.Unlock()
		ok := wait(ctx, time.Second)
		s.mu.Lock()
		s.now--
		if !ok {
			return nil, "", ctx.Err()
		}
		return fmt.Appendf(make([]byte, s.size), "picture %d", n)[s.size/2:], s.mediaType, s.err
	}}
}

// TestImagesAreTakenOnce: however many pages show a picture.
func TestImagesAreTakenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i, s := newImages(), &studio{mediaType: "image/png"}
		get := func(version string, live bool) string {
			content, _, _ := i.get(t.Context(), "left", s.image(version, live))
			return string(content)
		}
		var pages sync.WaitGroup
		for range 20 {
			pages.Go(func() {
				if got := get("camera", true); got != "picture 1" {
					t.Errorf("a page shows %q", got)
				}
			})
		}
		pages.Wait()
		time.Sleep(imageAge)
		for _, tt := range []struct{ version, live, want string }{
			{"camera", "live", "picture 2"},
			{"camera", "live", "picture 2"},
			{"a.gcode", "", "picture 3"},
			{"b.gcode", "", "picture 4"},
		} {
			if got := get(tt.version, tt.live != ""); got != tt.want {
				t.Errorf("%+v: %q", tt, got)
			}
		}
		time.Sleep(time.Hour)
		if got := get("b.gcode", false); got != "picture 4" {
			t.Errorf("the same file again: %q", got)
		}
	})
}

// TestImagesThatFail are tried again, but not at once; and what isn't a picture
// isn't shown.
func TestImagesThatFail(t *testing.T) {
	t.Parallel()
	for _, s := range []*studio{
		{err: errors.New("no camera"), mediaType: "image/png"},
		{mediaType: "text/html"},
		{mediaType: "image/svg+xml"},
	} {
		synctest.Test(t, func(t *testing.T) {
			i := newImages()
			for range 3 {
				if _, _, ok := i.get(t.Context(), "left", s.image("a", false)); ok {
					t.Errorf("%+v is shown", s)
				}
			}
			if s.taken != 1 {
				t.Errorf("%d attempts at once", s.taken)
			}
			s.err, s.mediaType = nil, "image/jpeg"
			time.Sleep(imageAge)
			if _, kind, ok := i.get(t.Context(), "left", s.image("a", false)); !ok || kind != "image/jpeg" {
				t.Error("it isn't tried again")
			}
			if _, _, ok := i.get(t.Context(), "left", pageImage{}); ok {
				t.Error("no picture is shown")
			}
		})
	}
}

// TestImagesAreBounded: in number, in size, and in how many are got at a time.
func TestImagesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i, s := newImages(), &studio{mediaType: "image/png", size: 2 << 20}
		var pages sync.WaitGroup
		for n := range 100 {
			pages.Go(func() { i.get(t.Context(), strconv.Itoa(n), s.image("a", true)) })
		}
		pages.Wait()
		size := 0
		for _, k := range i.kept {
			size += len(k.content)
		}
		if len(i.kept) > maxImages || size > maxImageBytes || size == 0 || s.max != imageLoads {
			t.Errorf("%d kept with %d bytes; %d at a time", len(i.kept), size, s.max)
		}
	})
}

// TestPageShowsTheCamera, and nothing where its picture can't be had.
func TestPageShowsTheCamera(t *testing.T) {
	t.Parallel()
	l := new(lens)
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(15 * time.Second)
		p := w.bridge.printer("left")
		p.mu.Lock()
		image := p.imageLocked()
		p.mu.Unlock()
		content, kind, ok := newImages().get(w.t.Context(), p.id, image)
		if grey := w.greyOf(string(content)); !ok || !image.live || kind != typeJPEG || grey == "placeholder" || grey == "nothing" {
			t.Errorf("%v of type %q, live: %v, %v", grey, kind, image.live, ok)
		}
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(30 * time.Second)
		p.mu.Lock()
		defer p.mu.Unlock()
		if image := p.imageLocked(); image.version != "" {
			t.Errorf("without OctoPrint the page shows %s", image.version)
		}
	}, l.filming("left"))
}
