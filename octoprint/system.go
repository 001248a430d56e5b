package octoprint

import (
	"context"
	"net/url"
)

// Where entries of the system menu come from, and the actions of its core, which
// are there where the owner has configured the commands for them.
const (
	SourceCore     = "core"
	SourceCustom   = "custom"
	SourcePlugin   = "plugin"
	ActionRestart  = "restart"
	ActionReboot   = "reboot"
	ActionShutdown = "shutdown"
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

// Firmware returns the name that the printer's firmware has given itself; empty if
// there is no connection to it, or it hasn't told. It needs the permission SYSTEM.
func (c *Client) Firmware(ctx context.Context) (string, error) {
	var answer struct {
		SystemInfo struct {
			Firmware string `json:"printer.firmware"`
		}
	}
	err := c.get(ctx, "/api/system/info", &answer)
	return answer.SystemInfo.Firmware, err
}

// SafeMode returns why the server runs without the plugins of others: "settings",
// "flag" or "incomplete_startup"; empty if it doesn't. Servers before 1.5 don't tell:
// Refused. It needs the permission STATUS.
func (c *Client) SafeMode(ctx context.Context) (string, error) {
	var answer struct{ SafeMode string }
	err := c.get(ctx, "/api/server", &answer)
	return answer.SafeMode, err
}

// DiskFree returns how much room there is for further files, in bytes; nil if the
// server doesn't know. It needs the permission SYSTEM.
func (c *Client) DiskFree(ctx context.Context) (*float64, error) {
	type place struct{ Free number }
	var answer struct{ Usage struct{ Uploads, Data place } }
	err := c.get(ctx, "/api/system/usage", &answer)
	free := answer.Usage.Uploads.Free
	if !free.known {
		free = answer.Usage.Data.Free
	}
	return free.pointer(nil), err
}

// FilesFree is DiskFree for users who may list files: it needs FILES_LIST.
func (c *Client) FilesFree(ctx context.Context) (*float64, error) {
	// Not /api/files/local: there 2.0 counts reserved blocks as free.
	var answer struct{ Free number }
	err := c.get(ctx, "/api/files", &answer)
	return answer.Free.pointer(nil), err
}
