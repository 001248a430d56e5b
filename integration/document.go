package integration

import (
	"net/url"
	"sync"

	"octoprint2mqtt/octoprint"
)

// printerDoc is a printer's JSON document. It carries what the rows show, so it
// changes only when one of them does.
type printerDoc struct {
	ID               string               `json:"id"`
	Name             string               `json:"name"`
	State            value                `json:"state" schema:"string"`
	Connection       value                `json:"connection" schema:"string"`
	ConnectionDetail value                `json:"connection_detail" schema:"string"`
	Printing         value                `json:"printing" schema:"boolean"`
	Ready            value                `json:"ready" schema:"boolean"`
	Problem          value                `json:"problem" schema:"boolean"`
	Error            value                `json:"error" schema:"string"`
	Maintenance      bool                 `json:"maintenance"`
	Job              jobDoc               `json:"job"`
	LastJob          lastJobDoc           `json:"last_job"`
	Temperatures     map[string]heaterDoc `json:"temperatures"`
	OctoPrint        octoprintDoc         `json:"octoprint"`
	Plugins          map[string]any       `json:"plugins"`
}

type jobDoc struct {
	File           value                  `json:"file" schema:"string"`
	Path           value                  `json:"path" schema:"string"`
	Origin         value                  `json:"origin" schema:"string"`
	Size           value                  `json:"size" schema:"number"`
	User           value                  `json:"user" schema:"string"`
	Started        value                  `json:"started" schema:"time"`
	Elapsed        value                  `json:"elapsed_s" schema:"number"`
	Remaining      value                  `json:"remaining_s" schema:"number"`
	Finish         value                  `json:"finish" schema:"time"`
	Progress       value                  `json:"progress" schema:"number"`
	ProgressBytes  value                  `json:"progress_bytes" schema:"number"`
	EstimateOrigin value                  `json:"estimate_origin" schema:"string"`
	EstimatedTotal value                  `json:"estimated_total_s" schema:"number"`
	Filament       map[string]filamentDoc `json:"filament"`
	Z              value                  `json:"z_mm" schema:"number"`
	Layer          value                  `json:"layer" schema:"number"`
	Layers         value                  `json:"layers" schema:"number"`
}

type filamentDoc struct {
	Length value `json:"length_mm" schema:"number"`
	Volume value `json:"volume_cm3" schema:"number"`
}

type lastJobDoc struct {
	File     value `json:"file" schema:"string"`
	Path     value `json:"path" schema:"string"`
	Result   value `json:"result" schema:"string"`
	Reason   value `json:"reason" schema:"string"`
	Duration value `json:"duration_s" schema:"number"`
	Ended    value `json:"ended" schema:"time"`
}

type heaterDoc struct {
	Actual value `json:"actual" schema:"number"`
	Target value `json:"target" schema:"number"`
	Offset value `json:"offset" schema:"number"`
}

type octoprintDoc struct {
	Version value  `json:"version" schema:"string"`
	URL     string `json:"url"`
	User    value  `json:"user" schema:"string"`
}

// printerDocs are documents to be filled in: one is large, both for the stack of a
// session and as garbage.
var printerDocs = sync.Pool{New: func() any {
	doc := &printerDoc{Temperatures: make(map[string]heaterDoc), Plugins: make(map[string]any)}
	doc.Job.Filament = make(map[string]filamentDoc)
	return doc
}}

// giveBack lets the document be filled in once more, from the beginning.
func (doc *printerDoc) giveBack() {
	temperatures, filament, plugins := doc.Temperatures, doc.Job.Filament, doc.Plugins
	clear(temperatures)
	clear(filament)
	clear(plugins)
	*doc = printerDoc{}
	doc.Temperatures, doc.Job.Filament, doc.Plugins = temperatures, filament, plugins
	printerDocs.Put(doc)
}

// document renders the printer's document. Rows that count in minutes are given in
// seconds, as all documents count, without becoming more precise.
func (p *printer) document(d *device[*printerView], v *printerView) string {
	doc := printerDocs.Get().(*printerDoc)
	defer doc.giveBack()
	doc.ID, doc.Name, doc.Maintenance = v.config.ID, v.config.Name, v.maintenance
	doc.State = d.get("state")
	doc.Connection = d.get("connection")
	doc.ConnectionDetail = d.get("connection_detail")
	doc.Printing = d.get("printing")
	doc.Ready = d.get("ready")
	doc.Problem = d.get("problem")
	doc.Error = d.get("error")
	doc.Job.fill(d, v)
	doc.LastJob.fill(v)
	for _, h := range v.heaters() {
		doc.Temperatures[h] = heaterDoc{
			Actual: d.get(h + "_temperature"), Target: d.get(h + "_target"), Offset: reading(h, offset)(v),
		}
	}
	doc.OctoPrint.Version = text(v.info.Version)
	doc.OctoPrint.URL = publicURL(v.config.URL)
	doc.OctoPrint.User = text(v.info.User)
	for _, plugin := range p.bridge.plugins {
		if plugin.document != nil && plugin.isOn(v) {
			doc.Plugins[plugin.id] = plugin.document(d, v)
		}
	}
	return mustMarshal(doc)
}

// unshownChanged reports whether two states differ in what the document has,
// but no row that is there for everybody.
func unshownChanged(was, is *octoprint.State) bool {
	if was.Job.Path != is.Job.Path || was.Job.Origin != is.Job.Origin || was.Job.User != is.Job.User {
		return true
	}
	for name, h := range is.Heaters {
		if h.Offset != was.Heaters[name].Offset {
			return true
		}
	}
	return false
}

func (doc *jobDoc) fill(d *device[*printerView], v *printerView) {
	j := &v.state.Job
	doc.File = d.get("file")
	doc.Path = text(j.Path)
	doc.Origin = text(j.Origin)
	doc.Size = d.get("file_size")
	doc.User = text(j.User)
	doc.Started = d.get("started")
	doc.Elapsed = d.get("elapsed").seconds()
	doc.Remaining = d.get("remaining").seconds()
	doc.Finish = d.get("finish")
	doc.Progress = d.get("progress")
	doc.ProgressBytes = d.get("progress_bytes")
	doc.EstimateOrigin = d.get("estimate_origin")
	doc.EstimatedTotal = d.get("estimated_total").seconds()
	for tool, f := range j.Filament {
		doc.Filament[tool] = filamentDoc{Length: number(f.Length, 1), Volume: number(f.Volume, 2)}
	}
	doc.Z = d.get("z")
	doc.Layer = d.get("layer")
	doc.Layers = d.get("layers")
}

func (doc *lastJobDoc) fill(v *printerView) {
	l := &v.prints.last
	doc.File = text(l.file)
	doc.Path = text(l.path)
	doc.Result = text(l.result)
	doc.Reason = text(l.reason)
	doc.Duration = number(l.duration, 0)
	doc.Ended = instant(l.ended)
}

// publicURL is a printer's URL as anybody may see it.
func publicURL(u *url.URL) string {
	clean := *u
	clean.User, clean.RawQuery, clean.Fragment = nil, "", ""
	return clean.String()
}
