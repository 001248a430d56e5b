package octoprint

import (
	"context"
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
// filters by the profile. It is for users who may not read profiles.
func (c *Client) profileFromPrinter(ctx context.Context) (*Profile, error) {
	var printer struct{ Temperature map[string]any }
	err := c.get(ctx, "/api/printer?exclude=sd,state", &printer)
	if errors.Is(err, Conflict) {
		return nil, nil //nolint:nilnil // the printer is off: nothing to be known
	}
	if err != nil {
		return nil, err
	}
	p := &Profile{}
	for name := range printer.Temperature {
		if IsHeater(name) {
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
