package octoprinttest

import (
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
)

const totalSpace, freeSpace = 270_553_174_016, 81_214_550_016

func (c *call) listFiles() response {
	recursive := c.r.URL.Query().Get("recursive") == "true"
	list := c.folder("", recursive)
	if c.new() {
		return ok(object{"local": object{
			"key": "local", "name": "Local", "files": list,
			"usage": object{"free": freeSpace, "total": totalSpace},
		}})
	}
	return ok(object{"files": list, "free": freeSpace, "total": totalSpace})
}

// card is the printer's own storage, in which there is never anything.
func (c *call) card() response {
	switch {
	case !c.s.release.isTwo():
		return ok(object{"files": []object{}})
	case !c.s.printer.state.isOperational():
		return c.notFound()
	}
	return ok(object{"files": []object{}, "free": nil, "total": nil})
}

// folder describes what lies in a folder.
func (c *call) folder(dir string, recursive bool) []object {
	list := []object{}
	for _, p := range c.s.files.paths(dir) {
		if e := c.s.files.entries[p]; e != nil {
			list = append(list, c.describeFile(e))
			continue
		}
		o := c.place(p, path.Base(p))
		o["display"], o["type"], o["typePath"] = path.Base(p), "folder", []string{"folder"}
		if recursive {
			o["children"] = c.folder(p, true)
		}
		list = append(list, o)
	}
	return list
}

// place is what all mentions of a file or folder have.
func (c *call) place(p, name string) object {
	escaped := (&url.URL{Path: p}).EscapedPath()
	return object{
		"name": name, "origin": "local", "path": p,
		"refs": object{"resource": c.url("/api/files/local/" + escaped)},
	}
}

func (c *call) uploaded(e *entry) object {
	o := c.place(e.Path, e.base())
	o["refs"].(object)["download"] = c.url("/downloads/files/local/" + (&url.URL{Path: e.Path}).EscapedPath())
	return o
}

func (c *call) describeFile(e *entry) object {
	o := c.uploaded(e)
	o["display"], o["size"], o["date"] = e.Name, e.Size, e.Date.Unix()
	o["type"], o["typePath"] = "machinecode", []string{"machinecode", "gcode"}
	if !c.s.release.isTwo() {
		sum := sha1.Sum([]byte(e.Path))
		o["hash"] = hex.EncodeToString(sum[:])
	}
	if c.s.release.atLeast(11) {
		o["user"] = e.User
	}
	c.thumbnails(e, o)
	if e.Estimate > 0 {
		o["gcodeAnalysis"] = e.analysis(c.s.release)
	}
	if e.last != nil {
		o["prints"] = object{"success": e.success, "failure": e.failure, "last": e.last}
		statistics := object{"averagePrintTime": object{}, "lastPrintTime": object{}}
		if n, profile := len(e.times), c.s.options.Profile.ID; n > 0 {
			statistics["averagePrintTime"] = object{profile: seconds(e.average())}
			statistics["lastPrintTime"] = object{profile: seconds(e.times[n-1])}
		}
		o["statistics"] = statistics
	}
	return o
}

func (e *entry) analysis(r release) object {
	area := object{"minX": 0.0, "minY": 0.0, "minZ": 0.0, "maxX": 109.0, "maxY": 109.0, "maxZ": e.Height}
	size := object{"width": 109.0, "depth": 109.0, "height": e.Height}
	return object{
		"estimatedPrintTime": seconds(e.Estimate), "filament": e.filament(r),
		"printingArea": area, "dimensions": size, "travelArea": area, "travelDimensions": size,
	}
}

func (c *call) file() response {
	e := c.s.files.entries[c.tail]
	switch {
	case e != nil:
		return ok(c.describeFile(e))
	case c.s.files.folders[c.tail]:
		o := c.place(c.tail, path.Base(c.tail))
		o["display"], o["type"], o["typePath"] = path.Base(c.tail), "folder", []string{"folder"}
		o["children"] = c.folder(c.tail, c.r.URL.Query().Get("recursive") == "true")
		return ok(o)
	}
	return c.notFound()
}

func (c *call) download() response {
	e := c.s.files.entries[c.tail]
	if e == nil {
		return pageOf(http.StatusNotFound, "404 Not Found", notFoundText)
	}
	return response{status: http.StatusOK, kind: "application/octet-stream", body: e.Contents}
}

// postFile selects or unselects a file.
func (c *call) postFile() response {
	commands := map[string][]string{"select": nil}
	if c.s.release.hasUnselect() {
		commands["unselect"] = nil
	}
	name, problem := c.command(commands)
	if problem != nil {
		return *problem
	}
	if !c.may("FILES_SELECT") {
		return c.forbidden()
	}
	p := c.s.printer
	if name == "unselect" {
		return c.unselect()
	}
	e := c.s.files.entries[c.tail]
	toPrint := truth(c.input["print"])
	switch {
	case e == nil:
		return c.notFound()
	case p.state == paused && !c.s.release.atLeast(8):
		return done() // accepted, whatever becomes of it
	case p.state.hasJob():
		return c.conflict(alreadyBusyText)
	case toPrint && !c.may("PRINT"):
		return c.forbidden()
	case toPrint && !p.state.isOperational():
		return c.conflict("Printer is not operational, cannot directly start printing")
	}
	if toPrint {
		_ = p.print(e, c.user.Name)
	} else {
		p.selectFile(e, c.user.Name)
	}
	return done()
}

func (c *call) unselect() response {
	p := c.s.printer
	plain := func(status int, text string) response {
		return response{status: status, kind: "text/html; charset=utf-8", body: []byte(text)}
	}
	switch {
	case p.job.file == nil:
		return plain(http.StatusConflict, "Cannot unselect current file when there is no file selected")
	case c.tail != "current" && c.tail != p.job.file.Path:
		return plain(http.StatusBadRequest, "Only the currently selected file can be unselected")
	case p.state.hasJob():
		return plain(http.StatusConflict, "Cannot unselect current file while it is being printed")
	}
	p.deselect()
	return done()
}

func (c *call) deleteFile() response {
	e := c.s.files.entries[c.tail]
	if e == nil {
		return c.notFound()
	}
	p := c.s.printer
	if p.job.file == e {
		if p.state.hasJob() {
			return c.conflict("Trying to delete a file that is currently in use")
		}
		p.deselect()
	}
	delete(c.s.files.entries, c.tail)
	c.s.emit("FileRemoved", c.s.fileEvent(e, "remove"))
	c.s.emitUpdatedFiles()
	return done()
}
