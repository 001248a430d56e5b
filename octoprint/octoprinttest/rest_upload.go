package octoprinttest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// form is a multipart upload.
type form struct {
	name     string
	contents []byte
	fields   map[string]string
}

func (c *call) form() (form, error) {
	f := form{fields: map[string]string{}}
	_, parameters, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || parameters["boundary"] == "" {
		return f, errors.New("no multipart form")
	}
	parts := multipart.NewReader(strings.NewReader(string(c.body)), parameters["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return f, err
		}
		if part.FormName() == "file" {
			f.name, f.contents = part.FileName(), data
		} else {
			f.fields[part.FormName()] = string(data)
		}
	}
}

func (c *call) upload() response {
	f, err := c.form()
	if err != nil || f.name == "" && f.fields["foldername"] == "" {
		return c.bad("No file to upload and no folder to create")
	}
	if f.name == "" {
		return c.makeFolder(path.Join(f.fields["path"], f.fields["foldername"]))
	}
	if ext := path.Ext(f.name); ext != ".gcode" && ext != ".gco" && ext != ".g" {
		status := http.StatusBadRequest
		if c.s.release.hasSubscriptions() {
			status = http.StatusUnsupportedMediaType
		}
		return c.fail(status, "Could not upload file, invalid type")
	}
	where := path.Join(strings.Trim(f.fields["path"], "/"), strings.ReplaceAll(f.name, "&", ""))
	p := c.s.printer
	if old := c.s.files.entries[where]; old != nil {
		if p.job.file == old && p.state.hasJob() {
			return c.conflict("Trying to overwrite file that is currently being printed")
		}
		if !c.may("FILES_DELETE") {
			return c.forbidden()
		}
	}
	e := c.s.files.add(analyse(File{Path: where, Contents: f.contents}), p.now(), c.user.Name)
	return c.afterUpload(e, f)
}

// afterUpload tells of the new file, and selects or prints it if that is wanted and possible.
func (c *call) afterUpload(e *entry, f form) response {
	p := c.s.printer
	wantPrint, wantSelect := f.fields["print"] == "true", f.fields["select"] == "true"
	free := p.state == operational && c.may("FILES_SELECT")
	canPrint := wantPrint && free && c.may("PRINT")
	canSelect := wantSelect && free
	c.s.emit("FileAdded", c.s.fileEvent(e, "add"))
	c.s.emitUpdatedFiles()
	if canPrint {
		_ = p.print(e, c.user.Name)
	} else if canSelect {
		p.selectFile(e, c.user.Name)
	}
	event := object{
		"name": e.base(), "path": e.Path, "target": "local", "select": wantSelect, "print": wantPrint,
		"effective_select": canSelect, "effective_print": canPrint,
	}
	var data any
	if json.Unmarshal([]byte(f.fields["userdata"]), &data) == nil {
		event["userdata"] = data
	}
	c.s.emit("Upload", event)
	c.s.emit("MetadataAnalysisStarted", object{"name": e.base(), "path": e.Path, "origin": "local", "type": "gcode"})
	c.s.emit("MetadataAnalysisFinished", object{
		"name": e.base(), "path": e.Path, "origin": "local", "result": e.analysis(c.s.release),
	})
	o := object{"done": true}
	if c.new() {
		o["file"] = c.uploaded(e)
	} else {
		o["files"] = object{"local": c.uploaded(e)}
	}
	if c.s.release.hasSubscriptions() {
		o["effectiveSelect"], o["effectivePrint"] = canSelect, canPrint
	}
	if c.s.release.isTwo() {
		o["folder"] = nil
	}
	return asJSON(http.StatusCreated, o).at(c.url("/api/files/local/" + (&url.URL{Path: e.Path}).EscapedPath()))
}

func (c *call) makeFolder(where string) response {
	where = strings.Trim(where, "/")
	c.s.files.folders[where] = true
	c.s.emit("FolderAdded", object{"storage": "local", "path": where, "name": path.Base(where)})
	c.s.emitUpdatedFiles()
	return asJSON(http.StatusCreated, object{"done": true, "folder": c.place(where, path.Base(where))}).
		at(c.url("/api/files/local/" + where))
}
