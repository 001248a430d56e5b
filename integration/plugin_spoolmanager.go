package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"octoprint2mqtt/octoprint"
)

const (
	spoolManagerID     = "SpoolManager"
	spoolManagerSelect = "spoolmanager_select" // of rows only

	// spoolManagerSpools asks for all spools: the plugin wants all of that said.
	spoolManagerSpools = "/plugin/SpoolManager/loadSpoolsByQuery?selectedPageSize=all&sortColumn=displayName&sortOrder=asc&filterName=all&from=0&to=1"
)

// spoolManagerPlugin is the plugin that has spools in a database of its own. Its
// events have another name than OctoPrint knows them by and so never reach a push
// session: what somebody selects in OctoPrint is noticed within minutes. Being asked
// makes it tell OctoPrint that the spools were selected, so that must not make it be
// asked again.
//
// Where a server has Spoolman as well, that has the rows.
func spoolManagerPlugin() plugin {
	document := spoolDocument(spoolManagerID)
	return plugin{
		id: spoolManagerID, name: "SpoolManager", verified: true,
		remark: "The spool on each tool; `-` is none. The plugin doesn't tell what is selected in OctoPrint: it is seen within " +
			"five minutes, and after each print. While a print runs and isn't paused it changes no spools. Without these rows " +
			"where Spoolman is installed as well.",
		rows: func(v *printerView) []printerRow {
			if v.hasPlugin(spoolmanID) {
				return nil
			}
			return spoolRows(spoolManagerID, spoolManagerSelect, v)
		},
		actions: []action{{
			name: spoolManagerSelect, about: "Says which spool is on a tool.",
			permissions: []string{octoprint.PermissionControl}, runsIn: octoprint.Phases(), rowOnly: true,
			prepare: choosesSpool(spoolManagerID, selectSpoolManagerSpool),
		}},
		inquiries: []inquiry{{
			name: spoolManagerID, every: 5 * time.Minute, ask: askSpoolManager,
			wanted: func(v *printerView) bool { return !v.hasPlugin(spoolmanID) },
			// These are when it books what was used.
			on: []octoprint.EventType{
				octoprint.EventPrintPaused, octoprint.EventPrintDone, octoprint.EventPrintCancelled, octoprint.EventPrintFailed,
			},
		}},
		document: func(d *device[*printerView], v *printerView) any {
			if v.hasPlugin(spoolmanID) {
				return nil
			}
			return document(d, v)
		},
	}
}

// spoolManagerSpool is a spool as the plugin lists it, figures as texts.
type spoolManagerSpool struct {
	ID              loose `json:"databaseId"`
	DisplayName     string
	Vendor          string
	Material        string
	Color           string
	ColorName       string
	RemainingWeight loose
	IsActive        *bool
	IsTemplate      bool
}

func askSpoolManager(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
	page, err := c.PluginPage(ctx, spoolManagerSpools)
	if err != nil {
		return nil, err
	}
	s := spoolManagerState(page)
	return func(v *printerView) { v.withSpools(spoolManagerID, s) }, nil
}

func spoolManagerState(page json.RawMessage) *spools {
	answer, _ := decodeMessage[struct {
		AllSpools      []spoolManagerSpool
		SelectedSpools []*spoolManagerSpool
	}](page)
	var all []spool
	for _, w := range answer.AllSpools {
		if w.ID == "" || w.IsTemplate || w.IsActive != nil && !*w.IsActive {
			continue
		}
		all = append(all, spool{
			id: string(w.ID), name: w.DisplayName, material: w.Material, color: cmp.Or(hexColors(w.Color), w.ColorName), remaining: w.RemainingWeight.number(),
		})
	}
	loaded := make(map[string]string)
	for tool, w := range answer.SelectedSpools {
		if w != nil {
			loaded["tool"+strconv.Itoa(tool)] = string(w.ID)
		}
	}
	return newSpools(all, loaded)
}

// selectSpoolManagerSpool never says whether what was used so far is to be booked on
// the old spool: while it prints the plugin refuses without.
func selectSpoolManagerSpool(ctx context.Context, c *octoprint.Client, tool int, id string) error {
	number := -1
	if id != "" {
		var err error
		if number, err = strconv.Atoi(id); err != nil {
			return refuse(CodeInvalid, "%s is no spool of SpoolManager", quote(id))
		}
	}
	err := c.PluginRequest(ctx, http.MethodPut, "/plugin/SpoolManager/selectSpool", map[string]any{"toolIndex": tool, "databaseId": number}, nil)
	if errors.Is(err, octoprint.Conflict) {
		return refuse(CodeWrongState, "SpoolManager doesn't change spools in the middle of a print: pause it, or select the spool in OctoPrint")
	}
	return err
}
