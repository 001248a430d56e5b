package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"octoprint2mqtt/octoprint"
)

const (
	spoolmanID     = "Spoolman"
	spoolmanSelect = "spoolman_select" // of rows only
)

// spoolmanPlugin is the plugin that lends OctoPrint the spools of a Spoolman server.
// It keeps in its settings which spool is on which tool, and tells of changes by
// events that are called after its identifier, capital letter and all. What others
// change in Spoolman it doesn't tell.
func spoolmanPlugin() plugin {
	return plugin{
		id: spoolmanID, name: "Spoolman", verified: true,
		remark: "The spool on each tool; `-` is none. What is changed in Spoolman itself is seen within ten minutes. " +
			"Where SpoolManager is installed as well, Spoolman has these rows.",
		rows: func(v *printerView) []printerRow { return spoolRows(spoolmanID, spoolmanSelect, v) },
		actions: []action{{
			name: spoolmanSelect, about: "Says which spool is on a tool.",
			permissions: []string{octoprint.PermissionControl}, runsIn: octoprint.Phases(), rowOnly: true,
			prepare: choosesSpool(spoolmanID, selectSpoolmanSpool),
		}},
		inquiries: []inquiry{{
			name: spoolmanID, permission: octoprint.PermissionSettingsRead, every: 10 * time.Minute,
			on:  []octoprint.EventType{"plugin_Spoolman_spool_selected", "plugin_Spoolman_spool_usage_committed"},
			ask: askSpoolman,
		}},
		document: spoolDocument(spoolmanID),
	}
}

// askSpoolman asks for the spools and for which of them are selected. The plugin
// asks the Spoolman server for the former, and says 400 when that doesn't answer.
func askSpoolman(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
	settings, err := c.Settings(ctx)
	if err != nil {
		return nil, err
	}
	own, _ := decodeMessage[struct {
		SelectedSpoolIDs map[string]struct{ SpoolID loose } `json:"selectedSpoolIds"`
	}](settings.Plugins[spoolmanID])
	page, err := c.PluginPage(ctx, "/plugin/Spoolman/spoolman/spools")
	if err != nil {
		return nil, err
	}
	loaded := make(map[string]string)
	for tool, s := range own.SelectedSpoolIDs {
		loaded["tool"+tool] = string(s.SpoolID)
	}
	s := newSpools(spoolmanSpools(page), loaded)
	return func(v *printerView) { v.withSpools(spoolmanID, s) }, nil
}

func spoolmanSpools(page json.RawMessage) []spool {
	answer, _ := decodeMessage[struct {
		Data struct {
			Spools []struct {
				ID        loose
				Archived  bool
				Remaining loose `json:"remaining_weight"`
				Filament  struct {
					Name, Material string
					Vendor         struct{ Name string }
					Color          string `json:"color_hex"`
					Colors         string `json:"multi_color_hexes"`
				}
			}
		}
	}](page)
	var all []spool
	for _, w := range answer.Data.Spools {
		if w.Archived || w.ID == "" {
			continue
		}
		f := w.Filament
		all = append(all, spool{
			id: string(w.ID), name: strings.TrimSpace(f.Vendor.Name + " " + f.Name),
			material: f.Material, color: hexColors(f.Color + "," + f.Colors), remaining: w.Remaining.number(),
		})
	}
	return all
}

// hexColors writes colors as people do, given RRGGBB separated by commas.
func hexColors(list string) string {
	var colors []string
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.Trim(strings.TrimSpace(one), "#"); one != "" {
			colors = append(colors, "#"+strings.ToUpper(one))
		}
	}
	return strings.Join(colors, ",")
}

func selectSpoolmanSpool(ctx context.Context, c *octoprint.Client, tool int, id string) error {
	body := map[string]any{"toolIdx": tool, "spoolId": nil}
	if id != "" {
		body["spoolId"] = id
	}
	return c.PluginRequest(ctx, http.MethodPost, "/plugin/Spoolman/self/spool", body, nil)
}
