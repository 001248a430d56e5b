//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reality is what OctoPrint itself says of a printer, read by REST, in the words of the contract.
type reality struct {
	state       string
	file        string // "None" where there is none
	completion  float64
	elapsed     float64 // s
	heaters     map[string]heaterReality
	permissions []string // of the user that the bridge's key belongs to
}

type heaterReality struct{ Actual, Target float64 }

// reality asks OctoPrint.
func (f *farm) reality(id string) (reality, error) {
	var job struct {
		State string
		Job   struct{ File struct{ Display string } }

		Progress struct{ Completion, PrintTime float64 }
	}
	octo := f.octo[id]
	if err := octo.do(http.MethodGet, "/api/job", nil, &job); err != nil {
		return reality{}, err
	}
	r := reality{
		state: stateOf(job.State), file: orNone(job.Job.File.Display),
		completion: job.Progress.Completion, elapsed: job.Progress.PrintTime,
	}
	if r.state != "offline" && r.state != "error" {
		var printer struct{ Temperature map[string]heaterReality }
		if err := octo.do(http.MethodGet, "/api/printer?exclude=sd,state", nil, &printer); err != nil {
			return reality{}, err
		}
		r.heaters = printer.Temperature
	}
	var err error
	r.permissions, err = octo.permissionsOf(f.keyOf(id))
	return r, err
}

// keyOf returns the API key by which the bridge reaches a printer.
func (f *farm) keyOf(id string) string {
	i := slices.IndexFunc(f.config.Printers, func(p printerConfig) bool { return p.ID == id })
	return f.config.Printers[i].APIKey
}

func stateOf(text string) string {
	switch {
	case text == "Operational":
		return "idle"
	case text == "Closed":
		return "offline"
	case strings.HasPrefix(text, "Error"), text == "Offline after error":
		return "error"
	}
	return strings.ToLower(text)
}

func orNone(text string) string {
	if text == "" {
		return "None"
	}
	return text
}

// running tells whether a state is one of a job.
func running(state string) bool {
	return !slices.Contains([]string{"offline", "error", "idle", "connecting"}, state)
}

// temperatureNoise is by how many °C a temperature that is shown may be off: steps below half a degree are not told
// before they have lasted for 10 s.
const temperatureNoise = 0.7

// untruths tells where the retained values of a printer are not what OctoPrint says.
func (f *farm) untruths(id string) []string {
	f.t.Helper()
	r, err := f.reality(id)
	if err != nil {
		return []string{err.Error()}
	}
	on := map[bool]string{true: "ON", false: "OFF"}
	want := map[string]string{
		"availability": "online", "connection": "connected", "connection_detail": "None", "state": r.state, "file": r.file,
		"printing": on[running(r.state)], "connected": on[r.state != "offline" && r.state != "error"], "problem": on[r.state == "error"],
	}
	for heater, h := range r.heaters {
		want[heater+"_target"] = strconv.FormatFloat(h.Target, 'f', -1, 64)
	}
	if len(r.heaters) == 0 {
		want["tool0_target"], want["bed_temperature"] = "None", "None"
	}
	var found []string
	for _, row := range slices.Sorted(maps.Keys(want)) {
		if have := f.value(id + "/" + row); have != want[row] {
			found = append(found, fmt.Sprintf("%s/%s is %q, want %q", id, row, have, want[row]))
		}
	}
	found = append(found, f.inaccuracies(id, r)...)
	return append(found, f.untrueDocument(id, r)...)
}

// inaccuracies tells where what moves is off by more than it may be.
func (f *farm) inaccuracies(id string, r reality) []string {
	var found []string
	about := func(row string, want, tolerance float64) {
		text := f.value(id + "/" + row)
		have, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(have-want) > tolerance {
			found = append(found, fmt.Sprintf("%s/%s is %q, want %.2f ± %.1f", id, row, text, want, tolerance))
		}
	}
	for heater, h := range r.heaters {
		about(heater+"_temperature", h.Actual, temperatureNoise)
	}
	if r.state == "printing" {
		about("progress", r.completion, 5)
		about("elapsed", r.elapsed/60, 1.1)
	}
	return found
}

// untrueDocument tells where the printer's document isn't what OctoPrint says.
func (f *farm) untrueDocument(id string, r reality) []string {
	var document struct {
		State, Connection string
		Printing          bool
		Job               struct{ File *string }
		Temperatures      map[string]struct{ Target *float64 }
	}
	if err := json.Unmarshal([]byte(f.value(id)), &document); err != nil {
		return []string{fmt.Sprintf("document of %s: %v", id, err)}
	}
	file := "None"
	if document.Job.File != nil {
		file = *document.Job.File
	}
	var found []string
	if document.State != r.state || document.Connection != "connected" || document.Printing != running(r.state) || file != r.file {
		found = append(found, fmt.Sprintf("the document of %s is %s, want state %s, file %s", id, f.value(id), r.state, r.file))
	}
	for heater, h := range r.heaters {
		if target := document.Temperatures[heater].Target; target == nil || *target != h.Target {
			found = append(found, fmt.Sprintf("the document of %s has another target of %s than %v: %s", id, heater, h.Target, f.value(id)))
		}
	}
	return found
}

// untrueFarm tells where the farm's counts, and what the bridge says of itself and of permissions, are wrong.
func (f *farm) untrueFarm() []string {
	f.t.Helper()
	counts := map[string]int{"printers": len(f.octo), "printing": 0, "paused": 0, "idle": 0, "offline": 0, "error": 0, "unreachable": 0}
	permissions := map[string][]string{}
	for id := range f.octo {
		r, err := f.reality(id)
		if err != nil {
			return []string{err.Error()}
		}
		permissions[id] = r.permissions
		switch {
		case slices.Contains([]string{"idle", "offline", "error", "paused"}, r.state):
			counts[r.state]++
		default:
			counts["printing"]++
		}
	}
	var found []string
	for row, number := range counts {
		if have := f.value("farm/" + row); have != strconv.Itoa(number) {
			found = append(found, fmt.Sprintf("farm/%s is %q, want %d", row, have, number))
		}
	}
	if state := f.value("bridge/state"); state != "online" {
		found = append(found, "bridge/state is "+state)
	}
	var info struct {
		Printers []struct {
			ID          string
			Permissions []string
		}
	}
	if err := json.Unmarshal([]byte(f.value("bridge/info")), &info); err != nil {
		return append(found, fmt.Sprintf("bridge/info: %v", err))
	}
	for _, printer := range info.Printers {
		if !slices.Equal(printer.Permissions, permissions[printer.ID]) {
			found = append(found, fmt.Sprintf("bridge/info has permissions %v of %s, want %v", printer.Permissions, printer.ID, permissions[printer.ID]))
		}
	}
	return found
}

// waitTruth waits until what is retained is what OctoPrint says of these printers, and what the farm is made of that.
func (f *farm) waitTruth(limit time.Duration, ids ...string) {
	f.t.Helper()
	eventually(f.t, "the retained values are the truth", limit, func() (bool, string) {
		var found []string
		for _, id := range ids {
			found = append(found, f.untruths(id)...)
		}
		if len(ids) == len(f.octo) {
			found = append(found, f.untrueFarm()...)
		}
		return len(found) == 0, strings.Join(found, "\n")
	})
}
