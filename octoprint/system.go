package octoprint

import (
	"context"
	"net/url"
)

// SystemCommand is an entry of OctoPrint's system menu.
type SystemCommand struct {
	Source string // core, plugin or custom
	Action string // unique among those of a source
	Name   string // for people
}

// SystemCommands returns what the server's system menu has: only what its owner has
// configured. It needs the permission SYSTEM.
func (c *Client) SystemCommands(ctx context.Context) ([]SystemCommand, error) {
	type wire struct{ Action, Source, Name string }
	var answer struct{ Core, Plugin, Custom []wire }
	if err := c.get(ctx, "/api/system/commands", &answer); err != nil {
		return nil, err
	}
	var list []SystemCommand
	for _, group := range [][]wire{answer.Core, answer.Plugin, answer.Custom} {
		for _, w := range group {
			if w.Name != "" && w.Action != "" && w.Source != "" { // without a name it is a divider
				list = append(list, SystemCommand{Source: w.Source, Action: w.Action, Name: w.Name})
			}
		}
	}
	return list, nil
}

// RunSystemCommand runs an entry of the system menu. A command that isn't made to
// run by itself keeps the server waiting until it has ended; one that fails makes
// this fail with ServerFailed, with what it has printed.
func (c *Client) RunSystemCommand(ctx context.Context, source, action string) error {
	return c.post(ctx, "/api/system/commands/"+url.PathEscape(source)+"/"+url.PathEscape(action), struct{}{}, nil)
}
