package octoprint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type wireProfile struct {
	ID       string
	Name     string
	Model    string
	Current  bool
	Default  bool
	Extruder struct {
		Count        int
		SharedNozzle bool
	}
	HeatedBed     bool
	HeatedChamber bool
	Volume        wireVolume
}

// wireVolume is the printer's build volume. A custom box is where the head can go,
// where that is more.
type wireVolume struct {
	Width, Depth, Height number
	FormFactor           string // rectangular or circular; a circle's width is its diameter
	Origin               string // lowerleft or center
	// CustomBox is false where there is none, which leaves it empty.
	CustomBox box `json:"custom_box"`
}

type box struct{ XMin, XMax, YMin, YMax, ZMin, ZMax number }

// UnmarshalJSON takes objects and passes over everything else.
func (b *box) UnmarshalJSON(text []byte) error {
	var w struct {
		XMin number `json:"x_min"`
		XMax number `json:"x_max"`
		YMin number `json:"y_min"`
		YMax number `json:"y_max"`
		ZMin number `json:"z_min"`
		ZMax number `json:"z_max"`
	}
	if len(text) > 0 && text[0] == '{' && json.Unmarshal(text, &w) == nil {
		*b = box(w)
	}
	return nil
}

// ranges returns where the print head can go on each axis.
func (v *wireVolume) ranges() (x, y, z Range) {
	depth := v.Depth
	if v.FormFactor == "circular" {
		depth = v.Width
	}
	if !(v.Width.value > 0 && depth.value > 0 && v.Height.value > 0) {
		return Range{}, Range{}, Range{}
	}
	x, y, z = Range{Max: v.Width.value}, Range{Max: depth.value}, Range{Max: v.Height.value}
	if v.Origin == "center" {
		x, y = Range{-x.Max / 2, x.Max / 2}, Range{-y.Max / 2, y.Max / 2}
	}
	b := &v.CustomBox
	return x.widened(b.XMin, b.XMax), y.widened(b.YMin, b.YMax), z.widened(b.ZMin, b.ZMax)
}

func (r Range) widened(low, high number) Range {
	if low.known {
		r.Min = min(r.Min, low.value)
	}
	if high.known {
		r.Max = max(r.Max, high.value)
	}
	return r
}

// maxTools bounds what a profile may claim; OctoPrint itself asks for less.
const maxTools = 32

// profile returns the printer profile in use, or nil where it can't be known.
func (c *Client) profile(ctx context.Context, i Info) (*Profile, error) {
	if i.May(PermissionConnection) {
		return c.profileInUse(ctx)
	}
	return c.profileFromPrinter(ctx)
}

func (c *Client) profileInUse(ctx context.Context) (*Profile, error) {
	var list struct{ Profiles map[string]*wireProfile }
	if err := c.get(ctx, "/api/printerprofiles", &list); err != nil {
		return nil, err
	}
	var found *wireProfile
	for _, id := range slices.Sorted(maps.Keys(list.Profiles)) { // always the same of several
		p := list.Profiles[id]
		if p != nil && (p.Current || found == nil && p.Default) {
			found = p
		}
		if p != nil && p.Current {
			break
		}
	}
	if found == nil {
		return nil, nil //nolint:nilnil // a profile that can't be known is no error
	}
	return found.profile(), nil
}

func (w *wireProfile) profile() *Profile {
	p := &Profile{ID: w.ID, Name: w.Name, Model: w.Model}
	p.X, p.Y, p.Z = w.Volume.ranges()
	tools := min(max(w.Extruder.Count, 1), maxTools)
	if w.Extruder.SharedNozzle {
		tools = 1
	}
	for n := range tools {
		p.Heaters = append(p.Heaters, fmt.Sprintf("tool%d", n))
	}
	if w.HeatedBed {
		p.Heaters = append(p.Heaters, "bed")
	}
	if w.HeatedChamber {
		p.Heaters = append(p.Heaters, "chamber")
	}
	return p
}

// profileFromPrinter reads the heaters off the temperatures, which OctoPrint
// filters by the profile. It is for users who may not read profiles. A heater that
// has a target and no temperature was set before the printer told of any: the
// others, of which nothing is known yet, would be missing.
func (c *Client) profileFromPrinter(ctx context.Context) (*Profile, error) {
	var printer struct {
		Temperature map[string]struct{ Actual number }
	}
	err := c.get(ctx, "/api/printer?exclude=sd,state", &printer)
	if errors.Is(err, Conflict) {
		return nil, nil //nolint:nilnil // the printer is off: nothing to be known
	}
	if err != nil {
		return nil, err
	}
	p := &Profile{}
	for name, heater := range printer.Temperature {
		if IsHeater(name) && heater.Actual.known {
			p.Heaters = append(p.Heaters, name)
		}
	}
	if len(p.Heaters) == 0 {
		return nil, nil //nolint:nilnil // just connected: the temperatures are not there yet
	}
	slices.SortFunc(p.Heaters, compareHeaters)
	return p, nil
}

// IsHeater reports whether name is one that OctoPrint gives to heaters: tool0
// to tool31, bed or chamber. Temperatures may hold other sensors too.
func IsHeater(name string) bool {
	if name == "bed" || name == "chamber" {
		return true
	}
	n, ok := toolNumber(name)
	return ok && n < maxTools
}

func toolNumber(name string) (int, bool) {
	rest, ok := strings.CutPrefix(name, "tool")
	if !ok || rest == "" || len(rest) > 2 || digits(rest) != rest || len(rest) > 1 && rest[0] == '0' {
		return 0, false
	}
	n := 0
	for _, d := range rest {
		n = n*10 + int(d-'0')
	}
	return n, true
}

// compareHeaters orders tools by number, then the bed, then the chamber.
func compareHeaters(a, b string) int {
	rank := func(s string) int {
		if n, ok := toolNumber(s); ok {
			return n
		}
		if s == "bed" {
			return maxTools
		}
		return maxTools + 1
	}
	return rank(a) - rank(b)
}
