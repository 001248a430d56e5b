package octoprinttest

import (
	"bytes"
	"image"
	"image/jpeg"
	"net/http"
	"net/url"
	"strings"
)

// Webcam is a camera in the settings.
type Webcam struct {
	// Name is unique; DisplayName is for people.
	Name, DisplayName string
	// Snapshot is where single pictures are to be had, as the owner wrote it; empty for nowhere.
	Snapshot               string
	FlipH, FlipV, Rotate90 bool
}

// webcams are those of the settings.
func (o Options) webcams() []Webcam {
	if o.Webcams != nil {
		return o.Webcams
	}
	return []Webcam{{Name: "classic", DisplayName: "Classic Webcam", Snapshot: o.SnapshotURL}}
}

// SetWebcams replaces the webcams and tells clients that the settings have changed.
func (s *Server) SetWebcams(webcams ...Webcam) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Webcams = append([]Webcam{}, webcams...)
	s.settingsChanged()
}

// serveCamera answers for the program that serves the camera: on a port of its own, or below /webcam/ behind the same
// proxy as OctoPrint, whatever prefix that has. It knows nothing of OctoPrint's users.
func (s *Server) serveCamera(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, "/webcam/") && r.URL.Query().Get("action") != "snapshot" {
		return false
	}
	s.note(r, r.URL.Path, nil)
	if s.options.Camera != nil {
		s.options.Camera(w, r)
		return true
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(s.snapshot()) // the client may be gone
	return true
}

// snapshot is what the camera sees: the part of the print that is done, on the bed.
func (s *Server) snapshot() []byte {
	s.mu.Lock()
	done := 0.0
	if j := s.printer.job; j.file != nil {
		done = min(1, j.moved.Seconds()/j.file.PrintTime.Seconds())
	}
	s.mu.Unlock()
	return Snapshot(done)
}

// Snapshot is a picture of a print of which a share, from 0 to 1, is done.
func Snapshot(done float64) []byte {
	const width, height, bed = 320, 240, 200
	m := image.NewGray(image.Rect(0, 0, width, height))
	top := bed - int(done*(bed-40))
	for i := range m.Pix {
		x, y := i%width, i/width
		switch {
		case y >= bed:
			m.Pix[i] = 60
		case y >= top && x >= 110 && x < 210:
			m.Pix[i] = 230
		default:
			m.Pix[i] = 140
		}
	}
	return pack(m)
}

// Picture is a JPEG of a size in one grey, from 0 to 255.
func Picture(width, height int, grey uint8) []byte {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = grey
	}
	return pack(m)
}

func pack(m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err) // only a Buffer's size could be in the way
	}
	return b.Bytes()
}

// thumbnailPlugin makes thumbnails out of what slicers write into files, before 2.0.
const thumbnailPlugin = "prusaslicerthumbnails"

// thumbnails adds to the description of a file where its picture is.
func (c *call) thumbnails(e *entry, o object) {
	if len(e.Thumbnail) == 0 {
		return
	}
	if c.s.release.isTwo() {
		o["refs"].(object)["thumbnail"] = c.url("/downloads/thumbs/local/" + (&url.URL{Path: e.Path}).EscapedPath())
		return
	}
	if _, ok := c.s.options.Plugins[thumbnailPlugin]; ok {
		o["thumbnail"] = "plugin/" + thumbnailPlugin + "/thumbnail/" + strings.TrimSuffix(e.Path, ".gcode") + ".png?" + e.Date.UTC().Format("20060102150405")
		o["thumbnail_src"] = thumbnailPlugin
	}
}

// thumbnail serves the picture of a file.
func (c *call) thumbnail() response {
	e := c.s.files.entries[c.tail]
	if e == nil {
		e = c.s.files.entries[strings.TrimSuffix(c.tail, ".png")+".gcode"]
	}
	if e == nil || len(e.Thumbnail) == 0 {
		return pageOf(http.StatusNotFound, "404 Not Found", notFoundText)
	}
	return response{status: http.StatusOK, kind: http.DetectContentType(e.Thumbnail), body: e.Thumbnail}
}
