package octoprint

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
)

// Settings is the part of OctoPrint's settings that says what a server has.
type Settings struct {
	Name    string // that its owner gave the server; empty: none
	Presets []Preset
	Webcams []Webcam // the first is the one that OctoPrint takes snapshots with
	// Plugins has the settings of each plugin that has any, by its identifier. Most
	// do, and those that are disabled are not there. They may hold secrets.
	Plugins map[string]json.RawMessage
}

// Preset is a named set of target temperatures in °C; nil leaves a heater alone.
type Preset struct {
	Name    string
	Tool    *float64 // of every tool
	Bed     *float64
	Chamber *float64
}

// Webcam is a camera that OctoPrint shows.
type Webcam struct {
	ID   string // unique on its server
	Name string // for people
	// Snapshot is where a single picture can be had, as the owner wrote it: often
	// seen from the server itself. Empty: there are none.
	Snapshot string
	// A picture is flipped first, left to right and top to bottom, and turned by 90°
	// against the clock then.
	Rotate90, FlipH, FlipV bool
}

// wireSettings has the members that are looked at. Users without administrator
// rights get null in many places.
type wireSettings struct {
	Appearance  struct{ Name string }
	Temperature struct{ Profiles []wirePreset }
	Webcam      wireWebcams
	Plugins     map[string]json.RawMessage
}

type wirePreset struct {
	Name                   string
	Extruder, Bed, Chamber number
}

// wireWebcams has the only webcam of servers before 1.9 in its own members. Later
// ones keep a copy of one there.
type wireWebcams struct {
	WebcamEnabled          *bool
	SnapshotURL            string `json:"snapshotUrl"`
	FlipH, FlipV, Rotate90 bool
	DefaultWebcam          string
	SnapshotWebcam         string
	Webcams                []wireWebcam
}

type wireWebcam struct {
	Name, DisplayName      string
	CanSnapshot            bool
	FlipH, FlipV, Rotate90 bool
	Compat                 struct{ Snapshot string }
}

// Settings returns the server's settings. It needs the permission SETTINGS_READ,
// and WEBCAM for the webcams.
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	var w wireSettings
	if err := c.get(ctx, "/api/settings", &w); err != nil {
		return Settings{}, err
	}
	s := Settings{Name: w.Appearance.Name, Webcams: w.Webcam.list(), Plugins: w.Plugins}
	for _, p := range w.Temperature.Profiles {
		if p.Name != "" {
			s.Presets = append(s.Presets, Preset{Name: p.Name, Tool: p.Extruder.pointer(nil), Bed: p.Bed.pointer(nil), Chamber: p.Chamber.pointer(nil)})
		}
	}
	return s, nil
}

func (w *wireWebcams) list() []Webcam {
	if w.WebcamEnabled != nil && !*w.WebcamEnabled {
		return nil
	}
	if len(w.Webcams) == 0 {
		if w.SnapshotURL == "" {
			return nil
		}
		return []Webcam{{ID: "classic", Name: "Webcam", Snapshot: w.SnapshotURL, Rotate90: w.Rotate90, FlipH: w.FlipH, FlipV: w.FlipV}}
	}
	var list []Webcam
	for _, cam := range w.Webcams {
		if cam.Compat.Snapshot == "" || cam.Name == "" || slices.ContainsFunc(list, func(other Webcam) bool { return other.ID == cam.Name }) {
			continue
		}
		list = append(list, Webcam{
			ID: cam.Name, Name: cmp.Or(cam.DisplayName, cam.Name), Snapshot: cam.Compat.Snapshot,
			Rotate90: cam.Rotate90, FlipH: cam.FlipH, FlipV: cam.FlipV,
		})
	}
	first := cmp.Or(w.SnapshotWebcam, w.DefaultWebcam)
	slices.SortStableFunc(list, func(a, b Webcam) int { return rank(a.ID != first) - rank(b.ID != first) })
	return list
}

// rank sorts what is true behind what isn't.
func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}
