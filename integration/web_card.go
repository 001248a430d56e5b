package integration

import "octoprint2mqtt/octoprint"

// card is what the page shows of a printer.
type card struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url"` // of OctoPrint
	// Group is what the farm counts the printer as, and State what it does, or
	// why that isn't known.
	Group string `json:"group"`
	State string `json:"state"`
	// Detail is why OctoPrint can't be reached or the printer has an error, and
	// what to do; Attention is why somebody has to look after it.
	Detail      string       `json:"detail,omitempty"`
	Attention   string       `json:"attention,omitempty"`
	Ready       bool         `json:"ready,omitempty"`
	Maintenance bool         `json:"maintenance,omitempty"`
	File        value        `json:"file"`
	Progress    value        `json:"progress"`  // percent
	Remaining   value        `json:"remaining"` // minutes
	Finish      value        `json:"finish"`
	Heaters     []cardHeater `json:"heaters,omitempty"`
	// Picture changes with the picture, empty if there is none. Of a camera, it is
	// always another one.
	Picture string `json:"picture,omitempty"`
	Live    bool   `json:"live,omitempty"`
}

type cardHeater struct {
	Name   string `json:"name"`
	Actual value  `json:"actual"`
	Target value  `json:"target"`
}

// card shows what the rows show, so that a page is as quiet as the topics.
func (p *printer) card() card {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, s := &p.view, p.summaryLocked()
	c := card{
		ID: p.id, Name: clean(p.view.config.Name), URL: publicURL(p.view.config.URL),
		Group: s.category.String(), State: string(v.connection), Detail: clean(v.detail), Attention: s.attention,
		Ready: s.ready, Maintenance: v.maintenance,
		File: p.device.get("file"), Progress: p.device.get("progress"),
		Remaining: p.device.get("remaining"), Finish: p.device.get("finish"),
	}
	image := p.imageLocked()
	c.Picture, c.Live = image.version, image.live
	if v.live() {
		c.State, c.Detail = string(v.state.Phase), ""
		switch {
		case v.state.Problem:
			c.Detail = clean(v.errorText())
		case v.state.Phase == octoprint.PhaseOffline:
			c.Detail = "OctoPrint is not connected to the printer."
		}
	}
	if c.Attention == c.Detail {
		c.Detail = "" // once is enough
	}
	for _, h := range v.heaters() {
		c.Heaters = append(c.Heaters, cardHeater{
			Name: heaterName(h, v.heaters()), Actual: p.device.get(h + "_temperature"), Target: p.device.get(h + "_target"),
		})
	}
	return c
}

// String returns the category as the farm's document has it.
func (c category) String() string {
	return [categories]string{
		categoryUnreachable: "unreachable", categoryDisabled: "disabled", categoryOffline: "offline", categoryError: "error",
		categoryPaused: "paused", categoryPrinting: "printing", categoryIdle: "idle",
	}[c]
}
