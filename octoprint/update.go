package octoprint

import (
	"context"
	"net/http"
	"slices"
)

// Updates is what OctoPrint's software update plugin knows of newer versions.
type Updates struct {
	// Installed is OctoPrint's own version; empty if the plugin doesn't say. Latest is
	// the one that there is to update to; empty: none that is known of.
	Installed, Latest string
	// Plugins are the names of the plugins of which there are newer versions, sorted.
	Plugins []string
}

// The events of the software update plugin.
const (
	EventUpdated      EventType = "plugin_softwareupdate_update_succeeded"
	EventUpdateFailed EventType = "plugin_softwareupdate_update_failed"
)

// octoprintTarget is what the plugin calls OctoPrint itself.
const octoprintTarget = "octoprint"

type wireUpdate struct {
	DisplayName, DisplayVersion string
	UpdateAvailable             bool
	Disabled                    bool
	Information                 struct {
		Local, Remote struct{ Name, Value string }
	}
}

// Updates asks for newer versions of OctoPrint and of its plugins. The server answers
// from what it has found out before, unless that is a day old. It needs the
// permission PLUGIN_SOFTWAREUPDATE_CHECK.
func (c *Client) Updates(ctx context.Context) (Updates, error) {
	var answer struct{ Information map[string]wireUpdate }
	if err := c.get(ctx, "/plugin/softwareupdate/check", &answer); err != nil {
		return Updates{}, err
	}
	var u Updates
	for id, w := range answer.Information {
		newer := w.UpdateAvailable && !w.Disabled
		switch {
		case id == octoprintTarget:
			u.Installed = firstVersion(w.Information.Local.Value, w.DisplayVersion)
			if newer {
				u.Latest = firstVersion(w.Information.Remote.Value, w.Information.Remote.Name)
			}
		case newer && w.DisplayName != "":
			u.Plugins = append(u.Plugins, w.DisplayName)
		case newer:
			u.Plugins = append(u.Plugins, id)
		}
	}
	slices.Sort(u.Plugins)
	return u, nil
}

// firstVersion returns the first that is one: the plugin writes ? for what it doesn't
// know.
func firstVersion(versions ...string) string {
	for _, v := range versions {
		if v != "" && v != "?" {
			return v
		}
	}
	return ""
}

// UpdateOctoPrint has OctoPrint update itself, and restart. While a print runs
// OctoPrint would put the update off to its end: that is taken back, and this fails
// with Conflict. It needs PLUGIN_SOFTWAREUPDATE_UPDATE.
func (c *Client) UpdateOctoPrint(ctx context.Context) error {
	const path = "/plugin/softwareupdate/update"
	var answer struct {
		Order  []string
		Queued []string
	}
	targets := []string{octoprintTarget}
	if err := c.post(ctx, path, map[string]any{"targets": targets}, &answer); err != nil {
		return err
	}
	switch {
	case slices.Contains(answer.Order, octoprintTarget):
		return nil
	case slices.Contains(answer.Queued, octoprintTarget):
		if err := c.post(ctx, path+"/queued", map[string]any{"command": "cancel", "targets": targets}, nil); err != nil {
			return err
		}
		return &Error{Op: "POST " + path, Failure: Conflict, Message: "a print is running"}
	}
	return &Error{Op: "POST " + path, Failure: Refused, Status: http.StatusOK, Message: "OctoPrint can't update itself: it may be short of disk space, or installed in a way that it can't change"}
}
