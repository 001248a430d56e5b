package integration

import (
	"encoding/json"
	"slices"
	"strings"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// What the documentation is made of, beside the tables themselves: the topics that
// are no row's, and tables of a printer that has everything there is. What a printer's
// owner names stands in braces in it.

// documentedPrinter stands for a printer's id.
const documentedPrinter = "{printer}"

// bracedNames says what stands in braces.
func bracedNames() map[string]string {
	const label = ", in small letters and digits, with _ for all else"
	return map[string]string{
		"printer": "The printer's id, as in the configuration.",
		"number":  "2 and so on, for each further camera.",
		"source":  "Whose entry it is: custom or plugin.",
		"action":  "The entry's action" + label + ".",
		"plug":    "The plug's label in the plugin's settings" + label + ".",
		"sensor":  "The sensor's label in Enclosure's settings" + label + ".",
		"output":  "The output's label in Enclosure's settings" + label + ".",
		"dimmer":  "The label in Enclosure's settings of an output of the type pwm" + label + ".",
		"name":    "The plugin's identifier, or the event's name.",
	}
}

// topicKind is a topic that is no row's.
type topicKind struct {
	address, about string
	contentType    string
	payload        schema
	retained       bool
}

// topicKinds are all of them but those of commands and their answers.
func topicKinds(t discovery.Topics) []topicKind {
	const printer = documentedPrinter
	state := schema{"type": "string", "enum": []string{online, offline}}
	return []topicKind{
		{t.BridgeState(), "Whether the bridge is at work; the broker says `offline` for it when it is gone (last will).", plainContent, state, true},
		{t.BridgeInfo(), "What the bridge is, and which printers it has with which access, user and permissions.", jsonContent, schemaOf[infoDoc](), true},
		{t.BridgeHealth(), "Counters of the bridge and of its sessions, each minute.", jsonContent, schemaOf[healthDoc](), true},
		{t.BridgeEvent(), "Sessions and printers that come and go, the configuration read again, how asking for a key goes on, commands and what became of them.", jsonContent, schemaOf[lifecycleDoc](), false},
		{t.Document(discovery.Farm), "The farm's document.", jsonContent, schemaOf[farmDoc](), true},
		{t.Event(discovery.Farm), "Every event of every printer.", jsonContent, schemaOf[event](), false},
		{t.Document(printer), "The printer's document.", jsonContent, schemaOf[printerDoc](), true},
		{t.Availability(printer), "Whether the bridge can talk to the printer's OctoPrint.", plainContent, state, true},
		{t.Event(printer), "Every event of the printer.", jsonContent, schemaOf[event](), false},
		{t.Raw(printer, "plugin/{name}"), "A plugin's message as OctoPrint sends it, where `raw` in the configuration lists the plugin.", jsonContent, schema{}, false},
		{t.Raw(printer, "event/{name}"), "An event as OctoPrint sends it, where `raw` in the configuration lists it.", jsonContent, schema{}, false},
	}
}

// documentedView is of a printer that has everything but plugins that must be
// installed.
func documentedView() *printerView {
	v := everything()
	v.has = inventory{Webcams: []octoprint.Webcam{{}}, Connector: octoprint.SerialConnector}
	for _, name := range []string{octoprint.ActionRestart, octoprint.ActionReboot, octoprint.ActionShutdown} {
		v.has.Commands = append(v.has.Commands, octoprint.SystemCommand{Source: octoprint.SourceCore, Action: name})
	}
	v.config.Camera.Enabled = true
	v.info = octoprint.Info{
		Version: "2.0.0", // it makes thumbnails by itself
		Profile: &octoprint.Profile{Heaters: []string{"tool0", "bed", "chamber"}},
	}
	return v
}

// documentedRows are those of such a printer.
func documentedRows() []printerRow {
	rows := printerRows(documentedView())
	entry := octoprint.SystemCommand{Source: octoprint.SourceCustom, Action: "{action}", Name: "The entry's name"}
	camera := cameraRow(1, "Camera and its name", func(*printerView) source { return source{} })
	camera.key = "camera_{number}"
	return append(rows, toolRow([]string{"tool0", "tool1"}), systemRow("system_{source}_{action}", entry), camera)
}

// documentedRows are those that the plugin gives, if it isn't bundled: then they are
// among all printers'.
func (p *plugin) documentedRows() []printerRow {
	if p.rows == nil || p.bundled {
		return nil
	}
	v := documentedView()
	v.has = v.has.withPlugin(p.id, p.example)
	return p.rows(v)
}

// runs says in words while what an action runs.
func (a *action) runs() string {
	for _, words := range []struct {
		phases []octoprint.Phase
		text   string
	}{
		{nil, "always"},
		{octoprint.Phases(), "OctoPrint can be reached"},
		{connectedPhases(), "OctoPrint has a connection to the printer"},
		{jobless(), "no job runs"},
	} {
		if sameSet(a.runsIn, words.phases) {
			return words.text
		}
	}
	var names []string
	for _, p := range octoprint.Phases() {
		if slices.Contains(a.runsIn, p) {
			names = append(names, string(p))
		}
	}
	return strings.Join(names, ", ")
}

func sameSet(a, b []octoprint.Phase) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(p octoprint.Phase) bool { return !slices.Contains(b, p) })
}

// exampleParts are the settings of a plugin with something of each kind that it can
// have, for the documentation.
func exampleParts[T any](parts ...T) json.RawMessage { return encodeParameters(parts) }
