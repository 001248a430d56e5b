package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// systemRows are buttons for the entries of OctoPrint's system menu, which has only
// what its owner has configured.
func systemRows(commands []octoprint.SystemCommand) []printerRow {
	var rows []printerRow
	keys := systemKeys(commands)
	for i, c := range commands {
		if keys[i] != "" {
			rows = append(rows, systemRow(keys[i], c))
		}
	}
	return rows
}

func systemRow(key string, c octoprint.SystemCommand) printerRow {
	component := discovery.Component{Platform: discovery.Button, Name: cmp.Or(clean(c.Name), c.Action), Category: discovery.CategoryConfig, Icon: "mdi:cog-play-outline"}
	about := "Runs this entry of OctoPrint's system menu, which its owner or a plugin has put there."
	switch key {
	case "restart_octoprint":
		component.Name, component.DeviceClass, component.Icon = "Restart OctoPrint", "restart", ""
		about = "Restarts OctoPrint; refused while a job runs."
	case "reboot":
		component.Name, component.Icon = "Reboot system", "mdi:restart-alert"
		about = "Restarts the computer that OctoPrint runs on; refused while a job runs."
	case "shutdown":
		component.Name, component.Icon = "Shut down system", "mdi:power"
		about = "Shuts down the computer that OctoPrint runs on; refused while a job runs."
	}
	return printerRow{
		key: key, about: about, component: component, access: AccessFull, permissions: []string{octoprint.PermissionSystem}, action: actionSystem,
		parameters: func(payload string) (json.RawMessage, *refusal) {
			if _, r := pressed(payload); r != nil {
				return nil, r
			}
			return encodeParameters(systemParameters{Source: c.Source, Action: c.Action}), nil
		},
	}
}

// systemKeys returns the row key of each command; empty for those that get no row,
// since their names leave nothing for a key, or more than one would have the same:
// nobody could tell which of them a button runs.
func systemKeys(commands []octoprint.SystemCommand) []string {
	keys := make([]string, len(commands))
	used := make(map[string]int)
	for i, c := range commands {
		keys[i] = systemKey(c)
		used[keys[i]]++
	}
	for i, key := range keys {
		if used[key] > 1 {
			keys[i] = ""
		}
	}
	return keys
}

func systemKey(c octoprint.SystemCommand) string {
	switch c.Source {
	case octoprint.SourceCore:
		return map[string]string{octoprint.ActionRestart: "restart_octoprint", octoprint.ActionReboot: "reboot", octoprint.ActionShutdown: "shutdown"}[c.Action]
	case octoprint.SourceCustom, octoprint.SourcePlugin:
		slug := discovery.Slug(c.Action)
		if !strings.ContainsFunc(strings.ToLower(c.Action), func(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }) {
			return ""
		}
		return "system_" + c.Source + "_" + strings.Trim(slug[:min(len(slug), maxSlug)], "_")
	}
	return ""
}

// warnOfCommandsLocked says which of the owner's commands get no button.
func (p *printer) warnOfCommandsLocked() {
	commands := p.view.has.Commands
	for i, key := range systemKeys(commands) {
		if key == "" && commands[i].Source != octoprint.SourceCore {
			p.log().Warn().Str("source", clean(commands[i].Source)).Str("action", clean(commands[i].Action)).
				Msg("this entry of OctoPrint's system menu gets no button: its name can't be told from another's in a topic; rename it in OctoPrint")
		}
	}
}

// commandsInquiry asks for the system menu.
func commandsInquiry() inquiry {
	return inquiry{
		name: "system commands", permission: octoprint.PermissionSystem, access: AccessFull,
		gives: []string{"restart_octoprint", "reboot", "shutdown", "system_…"},
		on:    []octoprint.EventType{octoprint.EventSettingsUpdated},
		ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
			list, err := c.SystemCommands(ctx)
			if err != nil {
				return nil, err
			}
			return func(v *printerView) { v.has.Commands = list }, nil
		},
	}
}
