package integration

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

var updateDocs = flag.Bool("update-docs", false, "write docs/entities.md anew")

// TestEntitiesPage holds docs/entities.md against the tables.
func TestEntitiesPage(t *testing.T) {
	const file = "../docs/entities.md"
	want := entitiesPage()
	if *updateDocs {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s does not say what the tables say; write it anew with -update-docs", file)
	}
}

func entitiesPage() string {
	config := PrinterConfig{
		Access: AccessFull, Camera: CameraConfig{Enabled: true}, Limits: DefaultLimits, ReadyBelow: DefaultReadyBelow, Arm: []string{actionCancel}, PlateCheck: true,
	}
	view := &printerView{config: &config, prints: &tracker{}}
	view.has.Commands, view.has.Connector = coreCommands()[:3], octoprint.SerialConnector
	view.info.Profile = &octoprint.Profile{Heaters: []string{"tool0", "bed", "chamber"}}
	view.info.Version = "2.0.0" // which makes thumbnails by itself
	view.has.Webcams = []octoprint.Webcam{{ID: "classic"}}
	var b strings.Builder
	b.WriteString(`# Entities

This page is made from the tables of the program. Each row is the plain topic ` + "`octoprint2mqtt/DEVICE/KEY`" + ` and, in Home
Assistant, an entity. [topics.md](topics.md) says how values look and how to send commands.

- *access*: the level of ` + "`access`" + ` in the configuration from which on the row is there
- *permission*: the permission of OctoPrint without which it isn't
- *off*: disabled in Home Assistant until you enable it
- *bridge*: holds also while OctoPrint can't be reached
- ` + "*`mqtt.admin`*" + `: only where that is on

## A printer

The heaters are those of OctoPrint's printer profile. With several tools there are ` + "`tool1_…`" + ` and so on, and ` + "`tool`" + ` is
only there then. ` + "`plate_clear` is only there with `plate_check`, `arm` only where the configuration lists something under it." + ` The buttons
` + "`restart_octoprint`, `reboot` and `shutdown`" + ` are there where OctoPrint's settings have a command for them, and further
entries of its system menu are ` + "`system_custom_…` and `system_plugin_…`" + `, with their actions as names. A port can be chosen where OctoPrint
connects by a serial port. With several
cameras there are ` + "`camera_2`" + ` and so on, and there is a thumbnail where OctoPrint makes some: since 2.0, or with one of the
plugins ` + "`prusaslicerthumbnails` and `UltimakerFormatPackage`" + `.

`)
	writeTable(&b, append(printerRows(view), toolRow([]string{"tool0", "tool1"})))
	b.WriteString(`
## Plugins

A printer has these rows where its OctoPrint has the plugin. That is known from OctoPrint's settings, for which the API
key's user needs the permission SETTINGS_READ, unless the plugin is bundled with OctoPrint. *Unverified*: written after
the plugin's code, and not yet seen with a running one.

`)
	for _, p := range plugins() {
		writePlugin(&b, p, view)
	}
	b.WriteString("\n## The farm\n\n")
	writeTable(&b, farmRows(true))
	b.WriteString("\n## The bridge\n\n")
	writeTable(&b, bridgeRows(true))
	return b.String()
}

func writePlugin(b *strings.Builder, p plugin, view *printerView) {
	fmt.Fprintf(b, "### %s\n\n`%s`", p.name, p.id)
	if !p.verified {
		b.WriteString(", unverified")
	}
	b.WriteString(". " + p.remark + "\n\n")
	if p.rows == nil || p.bundled { // these are above
		return
	}
	v := *view
	if v.takeSettings(map[string]json.RawMessage{p.id: json.RawMessage(exampleSettings(p.id))}); !v.hasPlugin(p.id) {
		v.has = v.has.withPlugin(p.id, nil)
	}
	exampleMessage(p, &v)
	writeTable(b, p.rows(&v))
	b.WriteString("\n")
}

func modes(c discovery.Component) []string {
	if c.Heat == nil {
		return nil
	}
	return c.Heat.Modes
}

func writeTable[V any](b *strings.Builder, rows []row[V]) {
	b.WriteString("| key | name | platform | class, unit, values | access | permission | remarks |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		c := r.component
		var class []string
		for _, s := range []string{c.DeviceClass, c.Unit} {
			if s != "" {
				class = append(class, s)
			}
		}
		if c.Min != nil && c.Max != nil {
			class = append(class, fmt.Sprintf("%v … %v", *c.Min, *c.Max))
		}
		if values := slices.Concat(c.Options, c.EventTypes, modes(c)); len(values) > 0 {
			class = append(class, "`"+strings.Join(values, " ")+"`")
		}
		var remarks []string
		if c.Category != "" {
			remarks = append(remarks, c.Category)
		}
		if c.Disabled {
			remarks = append(remarks, "off")
		}
		if r.bridged {
			remarks = append(remarks, "bridge")
		}
		if r.admin {
			remarks = append(remarks, "`mqtt.admin`")
		}
		access := string(AccessRead)
		if r.access != "" {
			access = string(r.access)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", r.key, c.Name, c.Platform,
			strings.Join(class, ", "), access, strings.Join(r.permissions, " "), strings.Join(remarks, ", "))
	}
}
