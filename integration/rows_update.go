package integration

import (
	"context"
	"encoding/json"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// installPayload is the only payload that an update takes.
const installPayload = "install"

// updatesEvery is how often newer versions are asked for. OctoPrint itself looks for
// them once a day.
const updatesEvery = 6 * time.Hour

// updates is what is known of newer versions, with what the rows show of it. It
// never changes.
type updates struct {
	known octoprint.Updates
	// octoprint is what Home Assistant's update is told, and plugins the names, as
	// JSON.
	octoprint, plugins string
}

// updateDoc are the versions in one message: Home Assistant compares them, and would
// see an update that isn't there between two messages.
type updateDoc struct {
	Installed string `json:"installed_version"`
	Latest    string `json:"latest_version"`
}

func newUpdates(u octoprint.Updates, version string) *updates {
	doc := updateDoc{Installed: clean(u.Installed), Latest: clean(u.Latest)}
	if doc.Installed == "" {
		doc.Installed = clean(version)
	}
	if doc.Latest == "" {
		doc.Latest = doc.Installed
	}
	names := []string{}
	for _, name := range u.Plugins {
		names = append(names, clean(name))
	}
	return &updates{known: u, octoprint: mustMarshal(doc), plugins: namesDoc(names)}
}

func namesDoc(names []string) string { return mustMarshal(map[string][]string{"names": names}) }

// updateRows show and install newer versions.
func updateRows() []printerRow {
	check := []string{octoprint.PermissionUpdateCheck}
	return []printerRow{
		{
			key: "octoprint_update", permissions: check,
			about: "The installed version of OctoPrint, with the newest one in the attributes; `install` installs that, which needs `access: full` and the permission PLUGIN_SOFTWAREUPDATE_UPDATE.",
			component: discovery.Component{
				Platform: discovery.Update, Name: "OctoPrint update", Title: "OctoPrint", PayloadInstall: installPayload,
				ReleaseURL: "https://github.com/OctoPrint/OctoPrint/releases",
			},
			value: whileLive(func(v *printerView) value { return text(v.info.Version) }),
			topic: func(t discovery.Topics, device string) string { return t.Attributes(device, "octoprint_update") },
			attributed: func(v *printerView) string {
				if !v.live() || v.now.updates == nil {
					return "{}"
				}
				return v.now.updates.octoprint
			},
			action: actionUpdate,
			parameters: func(payload string) (json.RawMessage, *refusal) {
				if payload != installPayload {
					return nil, refuse(CodeInvalid, "an update takes exactly %s, not %s", installPayload, quote(payload))
				}
				return json.RawMessage("{}"), nil
			},
		},
		{
			key: "plugin_updates", permissions: check,
			about:     "How many of OctoPrint's plugins have a newer version; the attributes name them.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Plugin updates", StateClass: "measurement", Precision: new(0), Category: discovery.CategoryDiagnostic, Icon: "mdi:puzzle-plus-outline"},
			value: whileLive(func(v *printerView) value {
				if v.now.updates == nil {
					return unknown
				}
				return count(len(v.now.updates.known.Plugins))
			}),
			attributed: func(v *printerView) string {
				if !v.live() || v.now.updates == nil {
					return `{"names":[]}`
				}
				return v.now.updates.plugins
			},
		},
	}
}

// updatesInquiry asks for newer versions.
func updatesInquiry() inquiry {
	return inquiry{
		name: "updates", permission: octoprint.PermissionUpdateCheck, every: updatesEvery,
		on: []octoprint.EventType{octoprint.EventUpdated, octoprint.EventUpdateFailed},
		ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
			u, err := c.Updates(ctx)
			if err != nil {
				return nil, err
			}
			return func(v *printerView) { v.now.updates = newUpdates(u, v.info.Version) }, nil
		},
	}
}

// prepareUpdate updates OctoPrint itself, if there is something to update to.
func prepareUpdate(parameters json.RawMessage, v *printerView) (call, *refusal) {
	c, r := plain((*octoprint.Client).UpdateOctoPrint)(parameters, v)
	if r == nil && v.now.updates != nil && v.now.updates.known.Latest == "" {
		r = refuse(CodeWrongState, "OctoPrint knows of no newer version of itself")
	}
	return c, r
}
