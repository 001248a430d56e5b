package integration

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// maxCameras bounds how many cameras of a printer are shown.
const maxCameras = 8

// source is where a picture is to be had. The zero source means that there is none.
// Sources are compared with ==, which is how it is noticed that another picture is
// to be shown.
type source struct {
	webcam    string   // address of a webcam, as OctoPrint has it
	at        *url.URL // address in our own configuration
	thumbnail string   // address of a file's picture, as OctoPrint has it
	changed   int64    // when that file came, in Unix seconds: it may have the name of another
	turn      turn
}

// open asks for the picture.
func (s *source) open(ctx context.Context, c *octoprint.Client) (io.ReadCloser, error) {
	switch {
	case s.at != nil:
		return c.SnapshotAt(ctx, s.at)
	case s.thumbnail != "":
		return c.Thumbnail(ctx, s.thumbnail)
	}
	return c.Snapshot(ctx, s.webcam)
}

// pictureRows are the cameras of a printer and the picture of its file.
func pictureRows(v *printerView) []printerRow {
	rows := cameraRows(v)
	if !v.thumbnails() {
		return rows
	}
	return append(rows, printerRow{
		key: "thumbnail", permissions: []string{octoprint.PermissionFilesList},
		about:       "The picture of the selected file that the slicer has made, or a grey one without; the attributes say what is wrong.",
		component:   discovery.Component{Platform: discovery.Image, Name: "Thumbnail", Icon: "mdi:cube-scan"},
		picture:     (*printerView).thumbnailSource,
		contentType: func(v *printerView) string { return cmp.Or(v.thumbnailType, typePNG) },
	})
}

// cameraRows are the webcams of the server, or the one camera that the configuration
// names instead of them. Where the user may not see what webcams there are it is
// supposed that there is one.
func cameraRows(v *printerView) []printerRow {
	switch {
	case !v.config.Camera.Enabled:
		return nil
	case v.config.Camera.URL != nil:
		return []printerRow{cameraRow(0, "Camera", func(v *printerView) source { return source{at: v.config.Camera.URL} })}
	}
	names := cameraNames(v.has.Webcams)
	if len(names) == 0 && !v.maySeeWebcams() {
		names = []string{"Camera"}
	}
	var rows []printerRow
	for i, name := range names {
		r := cameraRow(i, name, func(v *printerView) source { return v.webcamSource(i) })
		r.permissions = []string{octoprint.PermissionWebcam, octoprint.PermissionSettingsRead}
		rows = append(rows, r)
	}
	return rows
}

func (v *printerView) maySeeWebcams() bool {
	return v.info.May(octoprint.PermissionWebcam) && v.info.May(octoprint.PermissionSettingsRead)
}

// cameraNames are the names of webcams for people: without the server's own where
// there is one only.
func cameraNames(webcams []octoprint.Webcam) []string {
	if len(webcams) < 2 {
		return []string{"Camera"}[:len(webcams)]
	}
	var names []string
	for _, w := range webcams[:min(len(webcams), maxCameras)] {
		names = append(names, strings.TrimSpace("Camera "+w.Name))
	}
	return optionNames(names)
}

func cameraRow(i int, name string, picture func(*printerView) source) printerRow {
	key := "camera"
	if i > 0 {
		key += "_" + strconv.Itoa(i+1)
	}
	return printerRow{
		key: key, about: "The latest picture of the camera, or a grey one while there is none; the attributes say what is wrong.",
		component: discovery.Component{Platform: discovery.Camera, Name: name, Icon: "mdi:webcam"},
		picture:   picture,
	}
}

// webcamSource is the source of a webcam; another one may have taken its place, or
// none.
func (v *printerView) webcamSource(i int) source {
	if i >= len(v.has.Webcams) {
		return source{}
	}
	w := &v.has.Webcams[i]
	return source{webcam: w.Snapshot, turn: turn{FlipH: w.FlipH, FlipV: w.FlipV, Rotate90: w.Rotate90}}
}

// thumbnails reports whether the server makes pictures of files: with one of some
// plugins, or by itself since 2.0.
func (v *printerView) thumbnails() bool {
	major, _, _ := strings.Cut(v.info.Version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 2 || v.hasPlugin(pluginSlicerThumbnails) || v.hasPlugin(pluginUltimakerPackage)
}

// selectedFile is what is known of the selected or running file beside what the
// state has.
type selectedFile struct {
	origin, path string
	thumbnail    string
	date         time.Time
}

// thumbnailSource is the picture of the selected file, if it is that file's.
func (v *printerView) thumbnailSource() source {
	f := &v.now.file
	if f.thumbnail == "" || f.path != v.state.Job.Path || f.origin != v.state.Job.Origin {
		return source{}
	}
	return source{thumbnail: f.thumbnail, changed: f.date.Unix()}
}

// fileInquiry is the name of the inquiry for the selected file.
const fileInquiry = "selected file"

// selectedFileInquiry asks where the picture of the selected file is. It is made when
// another file is selected, too.
func selectedFileInquiry() inquiry {
	return inquiry{
		name: fileInquiry, permission: octoprint.PermissionFilesList, wanted: (*printerView).thumbnails,
		on: []octoprint.EventType{octoprint.EventFileAdded, octoprint.EventFilesUpdated, octoprint.EventFileAnalysed},
		ask: func(ctx context.Context, c *octoprint.Client, v printerView) (func(*printerView), error) {
			now := selectedFile{origin: v.state.Job.Origin, path: v.state.Job.Path}
			var err error
			if now.path != "" && now.origin != octoprint.OriginSD {
				var f octoprint.File
				if f, err = c.File(ctx, now.origin, now.path); err != nil && !errors.Is(err, octoprint.Refused) {
					return nil, err
				}
				now.thumbnail, now.date = f.Thumbnail, f.Date
			}
			return func(v *printerView) { v.now.file = now }, err
		},
	}
}
