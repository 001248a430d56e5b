package octoprinttest

import (
	"slices"
	"strconv"
	"strings"
)

type reading struct {
	Actual *float `json:"actual"`
	Target float  `json:"target"`
	Offset any    `json:"offset,omitempty"`
}

// readings are the current temperatures of the heaters whose names begin so. Until the printer has sent the first ones,
// there are only those that were given a target.
func (p *printer) readings(prefix string) object {
	o := object{}
	for _, h := range p.heaters {
		if strings.HasPrefix(h.name, prefix) && (h.measured || h.told) {
			var offset any = 0
			if p.release.showsOffsets() && p.offsets[h.name] != 0 {
				offset = p.offsets[h.name]
			}
			r := reading{Target: float(h.target), Offset: offset}
			if h.measured {
				r.Actual = new(h.reading())
			}
			o[h.name] = r
		}
	}
	return o
}

func (c *call) printer() response {
	p := c.s.printer
	if !p.state.isOperational() {
		return c.conflict(offlineText)
	}
	excluded := strings.Split(c.r.URL.Query().Get("exclude"), ",")
	o := object{}
	if !slices.Contains(excluded, "temperature") {
		o["temperature"] = c.temperatures("")
	}
	if !slices.Contains(excluded, "sd") {
		key := "sd"
		if c.new() {
			key = "storage"
		}
		o[key] = object{"ready": true}
	}
	if !slices.Contains(excluded, "state") {
		o["state"] = p.stateFrame()
	}
	return ok(o)
}

// temperatures are the current ones, with the past if it is asked for.
func (c *call) temperatures(prefix string) object {
	p, query := c.s.printer, c.r.URL.Query()
	o := p.readings(prefix)
	if history := query.Get("history"); history != "true" && history != "yes" && history != "1" {
		return o
	}
	past := p.samplesFrame(0)
	if limit, err := strconv.Atoi(query.Get("limit")); err == nil && limit >= 0 && limit < len(past) {
		past = past[len(past)-limit:]
	}
	o["history"] = past
	return o
}

func (c *call) tools() response { return c.part("tool") }
func (c *call) bed() response   { return c.part("bed") }

func (c *call) chamber() response { return c.part("chamber") }

func (c *call) part(prefix string) response {
	if !c.s.printer.state.isOperational() {
		return c.conflict(offlineText)
	}
	if missing := c.missing(prefix); missing != nil {
		return *missing
	}
	return ok(c.temperatures(prefix))
}

// missing is the answer for a part that the printer does not have.
func (c *call) missing(prefix string) *response {
	text := map[string]string{"bed": "Printer does not have a heated bed", "chamber": "Printer does not have a heated chamber"}[prefix]
	if text == "" || c.s.printer.heater(prefix) != nil {
		return nil
	}
	r := c.conflict(text)
	return &r
}

func (c *call) sd() response {
	return ok(object{"ready": c.s.printer.state.isOperational()})
}

func (c *call) printerError() response {
	if report := c.s.printer.report; report != nil {
		return ok(report)
	}
	return ok(object{"error": "", "reason": ""})
}

func (c *call) profiles() response {
	list := object{}
	for i, p := range c.s.profiles() {
		list[p.ID] = c.describeProfile(p, i == 0)
	}
	return ok(object{"profiles": list})
}

// profiles are all that there are, the one in use first.
func (s *Server) profiles() []Profile {
	return append([]Profile{s.options.Profile}, s.options.OtherProfiles...)
}

// useProfile makes another profile the one in use.
func (s *Server) useProfile(id string) {
	for i, p := range s.options.OtherProfiles {
		if p.ID == id {
			others := slices.Clone(s.options.OtherProfiles)
			others[i], s.options.Profile = s.options.Profile, p
			s.options.OtherProfiles = others
			s.printer.profile, s.printer.heaters = p, newHeaters(p)
		}
	}
}

func (c *call) profile() response {
	for i, p := range c.s.profiles() {
		if p.ID == c.tail {
			return ok(c.describeProfile(p, i == 0))
		}
	}
	return c.notFound()
}

func (c *call) describeProfile(p Profile, used bool) object {
	axis := func(speed int) object { return object{"speed": speed, "inverted": false} }
	offsets := make([][2]float, p.Extruders)
	return object{
		"id": p.ID, "name": p.Name, "model": p.Model, "color": "default", "current": used, "default": used,
		"resource":  c.url("/api/printerprofiles/" + p.ID),
		"heatedBed": p.HeatedBed, "heatedChamber": p.HeatedChamber,
		"axes": object{"x": axis(6000), "y": axis(6000), "z": axis(200), "e": axis(300)},
		"extruder": object{
			"count": p.Extruders, "sharedNozzle": p.SharedNozzle, "nozzleDiameter": 0.4, "offsets": offsets,
			"defaultExtrusionLength": 5,
		},
		"volume": object{
			"width": float(p.Volume.Width), "depth": float(p.Volume.Depth), "height": float(p.Volume.Height),
			"formFactor": "rectangular", "origin": "lowerleft", "custom_box": false,
		},
	}
}
