package octoprint

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
)

// PluginData asks one of OctoPrint's plugins for what it tells at
// /api/plugin/PLUGIN, in a format of its own. It fails with Refused and status 404
// where the plugin isn't there or tells nothing.
func (c *Client) PluginData(ctx context.Context, plugin string) (json.RawMessage, error) {
	return c.PluginPage(ctx, "/api/plugin/"+url.PathEscape(plugin))
}

// PluginPage asks for JSON at a path that a plugin serves, below /plugin/ or
// /api/plugin/, where plugins don't keep to the one of PluginData.
func (c *Client) PluginPage(ctx context.Context, path string) (json.RawMessage, error) {
	var answer json.RawMessage
	err := c.get(ctx, path, &answer)
	return answer, err
}

// PluginCommand has one of OctoPrint's plugins carry out a command of its own;
// arguments are encoded as JSON beside its name. answer may be nil.
func (c *Client) PluginCommand(ctx context.Context, plugin, command string, arguments map[string]any, answer any) error {
	body := map[string]any{"command": command}
	maps.Copy(body, arguments)
	return c.post(ctx, "/api/plugin/"+url.PathEscape(plugin), body, answer)
}

// PluginRequest sends JSON to a path that a plugin serves, for those that don't
// keep to commands. answer may be nil.
func (c *Client) PluginRequest(ctx context.Context, method, path string, body, answer any) error {
	return c.doHeader(ctx, request{method: method, path: path, in: body, header: http.Header{}}, answer)
}
