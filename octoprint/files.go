package octoprint

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The origins of files.
const (
	OriginLocal   = "local"
	OriginSD      = "sdcard"
	OriginPrinter = "printer" // what 2.0 calls the storage of the printer itself
)

// File is a printable file of a server.
type File struct {
	Origin  string // OriginLocal, OriginSD or OriginPrinter
	Path    string // with its folders; with the origin it names the file
	Display string // for people
	Size    int64  // bytes; 0 if it isn't known
	// Date is when the file came; zero if it isn't known, as on SD cards.
	Date time.Time
	// Thumbnail is where a picture of the object lies, relative to the server or as
	// a full URL; empty without one.
	Thumbnail string
}

// maxDepth bounds how deep folders may lie within each other.
const maxDepth = 32

// wireFile is a file or a folder as the server lists it.
type wireFile struct {
	Name, Display, Path, Origin, Type string
	Size, Date                        number
	Thumbnail                         string // of slicer thumbnail plugins
	Refs                              struct{ Thumbnail string }
	Children                          []wireFile
}

// Files returns all printable files of the server and of the printer's SD card,
// the newest first. It needs the permission FILES_LIST.
func (c *Client) Files(ctx context.Context) ([]File, error) {
	var answer struct{ Files []wireFile }
	if err := c.get(ctx, "/api/files?recursive=true", &answer); err != nil {
		return nil, err
	}
	list := collect(nil, answer.Files, maxDepth)
	slices.SortStableFunc(list, func(a, b File) int {
		return cmp.Or(b.Date.Compare(a.Date), cmp.Compare(a.Origin, b.Origin), cmp.Compare(a.Path, b.Path))
	})
	return list, nil
}

// File returns a printable file. It fails with Refused and status 404 where there is
// none. It needs the permission FILES_LIST.
func (c *Client) File(ctx context.Context, origin, path string) (File, error) {
	var w wireFile
	if err := c.get(ctx, filePath(origin, path), &w); err != nil {
		return File{}, err
	}
	if w.Type != "machinecode" || w.Path == "" {
		return File{}, &Error{Op: "GET " + filePath(origin, path), Failure: Refused, Message: "this is no printable file"}
	}
	return w.file(), nil
}

// collect appends the printable files among files and in folders.
func collect(list []File, files []wireFile, depth int) []File {
	for _, w := range files {
		switch {
		case w.Type == "folder" && depth > 0:
			list = collect(list, w.Children, depth-1)
		case w.Type == "machinecode" && w.Path != "":
			list = append(list, w.file())
		}
	}
	return list
}

func (w *wireFile) file() File {
	f := File{Origin: cmp.Or(w.Origin, OriginLocal), Path: w.Path, Display: cmp.Or(w.Display, w.Name), Thumbnail: cmp.Or(w.Refs.Thumbnail, w.Thumbnail)}
	if w.Size.known && w.Size.value > 0 && w.Size.value < 1<<53 {
		f.Size = int64(w.Size.value)
	}
	if w.Date.known && w.Date.value > 0 && w.Date.value <= lastSecond {
		f.Date = time.Unix(int64(w.Date.value), 0)
	}
	return f
}

// filePath is the address of a file.
func filePath(origin, path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return "/api/files/" + url.PathEscape(origin) + "/" + strings.Join(segments, "/")
}

// Select selects a file for the next print. It needs FILES_SELECT.
func (c *Client) Select(ctx context.Context, origin, path string) error {
	return c.post(ctx, filePath(origin, path), map[string]any{"command": "select"}, nil)
}

// Print selects a file and prints it. It needs FILES_SELECT and PRINT.
func (c *Client) Print(ctx context.Context, origin, path string) error {
	return c.post(ctx, filePath(origin, path), map[string]any{"command": "select", "print": true}, nil)
}

// Delete removes a local file. OctoPrint refuses with Conflict to remove one that
// is in use. It needs FILES_DELETE.
func (c *Client) Delete(ctx context.Context, path string) error {
	return c.do(ctx, http.MethodDelete, filePath(OriginLocal, path), nil, nil)
}

// Upload stores a local file and returns the path that it has got, since OctoPrint
// drops some characters of names. With start it is printed at once, if the user may
// do that: printing says whether OctoPrint means to. It needs FILES_UPLOAD, and
// FILES_DELETE to replace a file.
func (c *Client) Upload(ctx context.Context, name string, content []byte, start bool) (path string, printing bool, err error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if start {
		err = errors.Join(err, form.WriteField("select", "true"), form.WriteField("print", "true"))
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return "", false, &Error{Op: "POST /api/files/local", Failure: Refused, Err: err}
	}
	var answer struct {
		EffectivePrint bool
		Files          struct{ Local struct{ Path string } }
	}
	r := request{method: http.MethodPost, path: "/api/files/local", raw: body.Bytes(), kind: form.FormDataContentType()}
	if err := c.doHeader(ctx, r, &answer); err != nil {
		return "", false, err
	}
	return answer.Files.Local.Path, answer.EffectivePrint, nil
}
