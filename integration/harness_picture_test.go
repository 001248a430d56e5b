package integration

import (
	"image"
	"net/http"
	"strings"
	"sync"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// lens is a camera of which a test says what it does.
type lens struct {
	mu      sync.Mutex
	act     http.HandlerFunc // nil: it sends a picture, each time another
	taken   []time.Time
	headers []http.Header
	hosts   []string
}

// ServeHTTP implements http.Handler.
func (l *lens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.taken = append(l.taken, time.Now())
	l.headers = append(l.headers, r.Header.Clone())
	l.hosts = append(l.hosts, r.Host)
	act, n := l.act, len(l.taken)
	l.mu.Unlock()
	if act != nil {
		act(w, r)
		return
	}
	_, _ = w.Write(octoprinttest.Picture(64, 48, uint8(n)))
}

// do says what the camera does from now on.
func (l *lens) do(act http.HandlerFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.act = act
}

// count is how many pictures were asked for.
func (l *lens) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.taken)
}

const snapshotURL = "http://127.0.0.1:8080/?action=snapshot"

// filming sets a printer up with a camera that OctoPrint knows.
func (l *lens) filming(id string) setup {
	return setup{
		id: id, options: octoprinttest.Options{SnapshotURL: snapshotURL, Camera: l.ServeHTTP}, prepare: withBenchy,
		config: func(c *PrinterConfig) { c.Camera = CameraConfig{Enabled: true, Interval: 10 * time.Second} },
	}
}

// shown tells what is retained of a picture: "placeholder", "nothing", or the grey of
// the picture's middle.
func (w *world) shown(device, key string) any {
	return w.greyOf(w.value(device, key))
}

func (w *world) greyOf(picture string) any {
	switch {
	case picture == "":
		return "nothing"
	case picture == w.bridge.placeholders()[typeJPEG], picture == w.bridge.placeholders()[typePNG]:
		return "placeholder"
	}
	m, _, err := image.Decode(strings.NewReader(picture))
	if err != nil {
		return err.Error()
	}
	c, _, _, _ := m.At(m.Bounds().Dx()/2, m.Bounds().Dy()/2).RGBA()
	return int(c >> 8)
}

// problem is what is said beside a picture.
func (w *world) problem(device, key string) string {
	return w.retained(w.topics.Attributes(device, key))
}

// wantShown fails unless a picture shows something.
func (w *world) wantShown(device, key string, want any) {
	w.t.Helper()
	if got := w.shown(device, key); got != want {
		w.t.Errorf("%s/%s shows %v, want %v", device, key, got, want)
	}
}
