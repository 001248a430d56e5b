package integration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"octoprint2mqtt/octoprint"
)

const (
	// maxUpload bounds a file that comes over MQTT, in bytes, and maxUploadPayload
	// the request that it comes in.
	maxUpload        = 4 << 20
	maxUploadPayload = 6 << 20
	// maxListed bounds how many files are listed in one answer.
	maxListed = 1000
	// maxPath bounds the path of a file in bytes.
	maxPath = 255
	// maxFileName bounds the name of an uploaded one in bytes.
	maxFileName = 128
)

// fileActions deal with the files of a printer.
func fileActions() []action {
	idle := []octoprint.Phase{octoprint.PhaseIdle}
	list, choose := octoprint.PermissionFilesList, octoprint.PermissionSelect
	file := []parameter{
		needs("path", lineSchema(maxPath), "The file's path, such as `parts/bracket.gcode`."),
		takes("origin", choiceSchema(octoprint.OriginLocal, octoprint.OriginSD), "Where it is; `local` if left out."),
	}
	return []action{
		{
			name: actionFiles, about: "Lists the printable files: `data` has `files`, the newest first, a thousand at most, each with `origin`, `path`, `name`, `size` in bytes and `date`.",
			parameters:  []parameter{takes("path", textSchema(), "A folder to list; all files if left out.")},
			permissions: []string{list}, runsIn: octoprint.Phases(), prepare: prepareFiles,
		},
		{
			name: actionSelect, about: "Selects a file for the next print; refused if it is none that `files` lists.",
			parameters:  file,
			permissions: []string{list, choose}, runsIn: idle, prepare: prepareSelect(false),
		},
		{
			name: actionPrint, about: "Selects a file and prints it; refused if it is none that `files` lists, and before the plate is cleared where `plate_check` is on.",
			parameters:  file,
			permissions: []string{list, choose, octoprint.PermissionPrint}, runsIn: idle, distinct: time.Second, prepare: prepareSelect(true),
		},
	}
}

// fileDoc is a file as it is told.
type fileDoc struct {
	Origin string `json:"origin"`
	Path   string `json:"path"`
	Name   string `json:"name"`
	Size   value  `json:"size"`
	Date   value  `json:"date"`
}

// prepareFiles lists all printable files, or those in a folder, the newest first.
func prepareFiles(parameters json.RawMessage, _ *printerView) (call, *refusal) {
	var p struct {
		Path string `json:"path"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	folder := strings.Trim(p.Path, "/")
	return call{send: func(ctx context.Context, c *octoprint.Client) (any, error) {
		files, err := c.Files(ctx)
		if err != nil {
			return nil, err
		}
		list := []fileDoc{}
		for _, f := range files {
			if folder != "" && !strings.HasPrefix(f.Path, folder+"/") || len(list) >= maxListed {
				continue
			}
			doc := fileDoc{Origin: originOf(f), Path: f.Path, Name: clean(f.Display), Date: instant(f.Date)}
			if f.Size > 0 {
				size := float64(f.Size)
				doc.Size = number(&size, 0)
			}
			list = append(list, doc)
		}
		return map[string]any{"files": list}, nil
	}}, nil
}

// originOf is a file's origin by the name that the MQTT contract has for it: 2.0
// calls the printer's own storage otherwise.
func originOf(f octoprint.File) string { return originNamed(f.Origin) }

func originNamed(origin string) string {
	if origin == octoprint.OriginPrinter {
		return octoprint.OriginSD
	}
	return origin
}

// fileParameters name a file.
type fileParameters struct {
	Path   string `json:"path"`
	Origin string `json:"origin"`
}

func (p *fileParameters) check() *refusal {
	switch {
	case p.Path == "" || len(p.Path) > maxPath || hasControl(p.Path) || !utf8.ValidString(p.Path):
		return refuse(CodeInvalid, "path must be a file's path, such as \"parts/bracket.gcode\"")
	case p.Origin == "":
		p.Origin = octoprint.OriginLocal
	case p.Origin != octoprint.OriginLocal && p.Origin != octoprint.OriginSD:
		return refuse(CodeInvalid, "origin is local or sdcard, not %s", quote(p.Origin))
	}
	return nil
}

// find returns the file among those that the printer has, so that nothing is sent
// to OctoPrint that it didn't name itself.
func (p *fileParameters) find(ctx context.Context, c *octoprint.Client) (octoprint.File, error) {
	files, err := c.Files(ctx)
	if err != nil {
		return octoprint.File{}, err
	}
	i := slices.IndexFunc(files, func(f octoprint.File) bool { return f.Path == p.Path && originOf(f) == p.Origin })
	if i < 0 {
		return octoprint.File{}, refuse(CodeInvalid, "the printer has no printable file %s on %s; the action files tells what it has", quote(p.Path), p.Origin)
	}
	return files[i], nil
}

// prepareSelect selects a file, and prints it.
func prepareSelect(start bool) func(json.RawMessage, *printerView) (call, *refusal) {
	return func(parameters json.RawMessage, v *printerView) (call, *refusal) {
		var p fileParameters
		if r := decodeParameters(parameters, &p); r != nil {
			return call{}, r
		}
		r := p.check()
		if r == nil && start {
			r = v.printable()
		}
		if r != nil {
			return call{}, r
		}
		return sending(func(ctx context.Context, c *octoprint.Client) error {
			f, err := p.find(ctx, c)
			switch {
			case err != nil:
				return err
			case start:
				return c.Print(ctx, f.Origin, f.Path)
			}
			return c.Select(ctx, f.Origin, f.Path)
		}), nil
	}
}

// prepareDelete deletes a local file, but not the one that is printed.
func prepareDelete(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		Path string `json:"path"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	file := fileParameters{Path: p.Path}
	if r := file.check(); r != nil {
		return call{}, r
	}
	if v.running() && v.state.Job.Path == p.Path && v.state.Job.Origin == octoprint.OriginLocal {
		return call{}, refuse(CodeWrongState, "the file is being printed")
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error {
		f, err := file.find(ctx, c)
		if err != nil {
			return err
		}
		return c.Delete(ctx, f.Path)
	}), nil
}

// prepareUpload stores a file, and prints it.
func prepareUpload(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		Name   string `json:"name"`
		Base64 string `json:"base64"`
		Print  bool   `json:"print"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	if !uploadable(p.Name) {
		return call{}, refuse(CodeInvalid, "name must be that of a G-code file without folders, such as \"bracket.gcode\"")
	}
	content, err := base64.StdEncoding.DecodeString(p.Base64)
	switch {
	case err != nil || len(content) == 0:
		return call{}, refuse(CodeInvalid, "base64 must be the file's content in base64")
	case len(content) > maxUpload:
		return call{}, refuse(CodeTooLarge, "the file has %d bytes, more than %d", len(content), maxUpload)
	case p.Print && v.live() && v.state.Phase != octoprint.PhaseIdle:
		return call{}, refuse(CodeWrongState, "the printer is %s and can't print the file now", v.state.Phase)
	case p.Print && v.printable() != nil:
		return call{}, v.printable()
	}
	return call{send: func(ctx context.Context, c *octoprint.Client) (any, error) {
		path, printing, err := c.Upload(ctx, p.Name, content, p.Print)
		if err != nil {
			return nil, err
		}
		return map[string]any{"path": path, "printing": printing}, nil
	}}, nil
}

func uploadable(name string) bool {
	lower := strings.ToLower(name)
	printable := strings.HasSuffix(lower, ".gcode") || strings.HasSuffix(lower, ".gco") || strings.HasSuffix(lower, ".g")
	return printable && len(name) <= maxFileName && utf8.ValidString(name) && !hasControl(name) && !strings.ContainsAny(name, `/\`) && !strings.HasPrefix(name, ".")
}
