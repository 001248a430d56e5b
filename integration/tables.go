package integration

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"octoprint2mqtt/octoprint"
)

// maxTables bounds how many shapes are remembered: a server may tell of other
// permissions each time.
const maxTables = 256

// tables holds the tables of printers. Printers of one shape, as most of a farm
// are, share one: it is larger than all else that is kept of a printer.
type tables struct {
	mu    sync.Mutex
	known map[shape]*table
	lists map[string]any // by type and JSON
}

// table is what follows from a shape.
type table struct {
	rows    []printerRow
	missing *missing
}

// shape is everything that decides which rows a printer has.
type shape struct {
	access      Access
	limits      Limits
	camera      bool   // cameras are shown
	ownCamera   bool   // it is one of our own configuration
	heaters     string // separated by blanks
	reached     bool
	permissions string // separated by blanks
	permitted   bool   // everything: the server knows no permissions
	version     string // of OctoPrint
	inventory   string // as JSON
	arms        bool   // something needs arming
	plateCheck  bool
}

func (v *printerView) shape() shape {
	return shape{
		access: v.config.Access, limits: v.config.Limits,
		camera: v.config.Camera.Enabled, ownCamera: v.config.Camera.URL != nil, heaters: strings.Join(v.heaters(), " "),
		reached: v.reached(), permissions: strings.Join(v.info.Permissions, " "), permitted: v.info.Permissions == nil,
		version: v.info.Version, inventory: v.has.shape(), arms: len(v.config.Arm) > 0, plateCheck: v.config.PlateCheck,
	}
}

// view returns a view that has the shape and nothing else, so that no row can
// depend on what isn't part of it.
func (s shape) view() *printerView {
	v := &printerView{config: &PrinterConfig{Access: s.access, Limits: s.limits, PlateCheck: s.plateCheck, Camera: CameraConfig{Enabled: s.camera}}}
	if s.arms {
		v.config.Arm = []string{""} // which they are decides no row
	}
	if s.ownCamera {
		v.config.Camera.URL = new(url.URL)
	}
	if s.heaters != "" {
		v.info.Profile = &octoprint.Profile{Heaters: strings.Fields(s.heaters)}
	}
	if s.reached {
		v.info.Version = s.version
	}
	if !s.permitted {
		v.info.Permissions = strings.Fields(s.permissions)
	}
	if err := json.Unmarshal([]byte(s.inventory), &v.has); err != nil {
		panic(err) // it was made by Marshal
	}
	return v
}

// of returns what a printer has now. It is shared, and not to be changed.
func (t *tables) of(v *printerView) *table {
	s := v.shape()
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.known[s]
	if known == nil {
		view := s.view()
		known = &table{rows: shapedRows(view), missing: missingOf(view)}
		if t.known == nil || len(t.known) >= maxTables {
			t.known = make(map[shape]*table)
		}
		t.known[s] = known
	}
	return known
}

// share returns an inventory whose lists are those of others that say the same: most
// of a farm's printers have the same presets, commands and so on.
func (t *tables) share(i inventory) inventory {
	t.mu.Lock()
	defer t.mu.Unlock()
	i.Webcams, i.Commands, i.Presets = shareLocked(t, i.Webcams), shareLocked(t, i.Commands), shareLocked(t, i.Presets)
	i.Ports, i.Profiles = shareLocked(t, i.Ports), shareLocked(t, i.Profiles)
	return i
}

func shareLocked[T any](t *tables, list []T) []T {
	if list == nil {
		return nil
	}
	key := fmt.Sprintf("%T ", list) + mustMarshal(list)
	if known, ok := t.lists[key].([]T); ok {
		return known
	}
	if t.lists == nil || len(t.lists) >= maxTables {
		t.lists = make(map[string]any)
	}
	t.lists[key] = list
	return list
}
