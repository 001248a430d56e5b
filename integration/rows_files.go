package integration

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// maxFileOptions is how many files the select offers, the newest.
const maxFileOptions = 50

// noOption stands in for the options of a select that has none: Home Assistant
// takes no select without.
const noOption = "-"

// fileChoiceRows select a file for the next print.
func fileChoiceRows() []printerRow {
	return []printerRow{{
		key: "selected_file", access: AccessControl, permissions: []string{octoprint.PermissionSelect, octoprint.PermissionFilesList},
		about:     "Selects a file for the next print: it offers the 50 newest printable files as `ORIGIN/PATH`, and shows the selected one.",
		component: discovery.Component{Platform: discovery.Select, Name: "Selected file", Disabled: true, Icon: "mdi:file-check-outline"},
		value: func(v *printerView) value {
			if v.state.Job.Path == "" {
				return unknown
			}
			return text(v.selected)
		},
		options:    func(v *printerView) []string { return orNoOption(v.has.Files) },
		action:     actionSelect,
		parameters: selecting,
	}}
}

func orNoOption(options []string) []string {
	if len(options) == 0 {
		return []string{noOption}
	}
	return options
}

// fileOption is a file as a select has it: ORIGIN/PATH.
func fileOption(origin, path string) string { return originNamed(origin) + "/" + path }

// selecting translates an option back.
func selecting(payload string) (json.RawMessage, *refusal) {
	origin, path, ok := strings.Cut(payload, "/")
	if !ok {
		return nil, refuse(CodeInvalid, "%s is no file such as local/parts/bracket.gcode", quote(payload))
	}
	return encodeParameters(fileParameters{Path: path, Origin: origin}), nil
}

// fileOptions are the newest of the files. Those whose names don't fit into a state
// can be selected by a request only.
func fileOptions(files []octoprint.File) []string {
	var options []string
	for _, f := range files {
		if len(options) == maxFileOptions {
			break
		}
		if o := fileOption(f.Origin, f.Path); isClean(o) && !slices.Contains(options, o) {
			options = append(options, o)
		}
	}
	return options
}

// filesInquiry asks for what can be printed.
func filesInquiry() inquiry {
	return inquiry{
		name: "files", permission: octoprint.PermissionFilesList, access: AccessControl,
		wanted: func(v *printerView) bool { return v.info.May(octoprint.PermissionSelect) },
		on:     []octoprint.EventType{octoprint.EventFilesUpdated, octoprint.EventFileAdded, octoprint.EventFileRemoved},
		ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
			files, err := c.Files(ctx)
			if err != nil {
				return nil, err
			}
			options := fileOptions(files)
			return func(v *printerView) { v.has.Files = options }, nil
		},
	}
}
