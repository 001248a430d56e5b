//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	baseTopic       = "octoprint2mqtt"
	discoveryPrefix = "homeassistant"
)

// printerIDs are the ids under which the tests configure the three servers.
var printerIDs = [...]string{"left", "middle", "right"}

// farm is a bridge with what lies at both of its ends.
type farm struct {
	t          *testing.T
	whole      *testing.T // the test that the farm lives as long as; t may be a part of it
	broker     *broker
	ha         *homeAssistant // nil: none looks on
	bridge     *process
	config     config
	file       string                // the configuration file
	octo       map[string]*octoPrint // by printer id
	lines      map[string]*line      // between the bridge and OctoPrint, by printer id
	brokerLine *line
	start      int      // position in the broker's stream before the bridge came
	haLogged   int64    // position in Home Assistant's log
	allowed    []string // parts of log lines that this test provokes
	secrets    []string // beside the API keys that are in the configuration
}

// newFarm starts a bridge for the named printers, each of them in its known
// state, on a broker without messages of earlier bridges. change may change
// the configuration before the start; without it each printer is reached by an
// operator's API key and access is `control`.
func newFarm(t *testing.T, change func(*farm), ids ...string) *farm {
	t.Helper()
	found := mustServers(t)
	printers := map[string]octoPrintServer{}
	for _, id := range ids {
		printers[id] = found.OctoPrint[slices.Index(printerIDs[:], id)]
	}
	return newFarmWith(t, newHomeAssistant(found), change, printers, ids...)
}

// newFarmWith is newFarm with any servers. Without Home Assistant nobody looks at what is announced.
func newFarmWith(t *testing.T, ha *homeAssistant, change func(*farm), printers map[string]octoPrintServer, ids ...string) *farm {
	t.Helper()
	found := anyServers(t)
	f := &farm{
		t: t, whole: t, ha: ha, broker: watchBroker(t, found.Broker.Host, found.Broker.Port),
		octo: map[string]*octoPrint{}, lines: map[string]*line{}, file: filepath.Join(t.TempDir(), "config.yaml"),
	}
	f.brokerLine = newLine(t, fmt.Sprintf("%s:%d", found.Broker.Host, found.Broker.Port))
	f.config.MQTT = map[string]any{"url": "mqtt://" + f.brokerLine.address}
	f.cleanBroker()
	for _, id := range ids {
		server := printers[id]
		f.secrets = append(f.secrets, server.Secrets...)
		f.octo[id] = newOctoPrint(server)
		f.octo[id].reset(t)
		f.lines[id] = newLine(t, strings.TrimPrefix(server.URL, "http://"))
		f.config.Printers = append(f.config.Printers, printerConfig{
			ID: id, Name: "Printer " + id, URL: "http://" + f.lines[id].address, APIKey: server.Keys["operator"],
		})
	}
	if change != nil {
		change(f)
	}
	f.start = f.broker.mark()
	if f.ha != nil {
		f.haLogged = f.ha.logMark(t)
	}
	f.startBridge()
	t.Cleanup(f.finish)
	return f
}

// left starts a bridge for the printer "left" and waits until it is shown.
func left(t *testing.T) *farm {
	t.Helper()
	f := newFarm(t, nil, "left")
	f.waitOnline("left")
	return f
}

// cleanBroker removes what earlier bridges left on the broker, and with that
// the devices in Home Assistant.
func (f *farm) cleanBroker() {
	f.t.Helper()
	f.broker.forgetRetained(f.t, baseTopic+"/", baseTopic, discoveryPrefix+"/")
	if f.ha == nil {
		return
	}
	eventually(f.t, "Home Assistant forgets the devices of earlier tests", soon, func() (bool, string) {
		rest := f.ha.entities(f.t)
		return len(rest) == 0, fmt.Sprint(len(rest), " entities")
	})
}

// startBridge starts the bridge with the configuration as it is now. It finds the state that an earlier one has left,
// as after any restart.
func (f *farm) startBridge() {
	f.t.Helper()
	f.config.writeTo(f.t, f.file)
	f.bridge = startProgram(f.whole, "run", "--config", f.file)
}

// waitOnline waits until the bridge and these printers say that they are there.
func (f *farm) waitOnline(ids ...string) {
	f.t.Helper()
	f.expect("bridge/state", "online")
	for _, id := range ids {
		f.expect(id+"/availability", "online")
		f.expect(id+"/connection", "connected")
	}
}

// finish stops the bridge and checks what holds for every test.
func (f *farm) finish() {
	f.t.Helper()
	if f.bridge.running() {
		if code, _ := f.bridge.stop(f.t); code != 0 {
			f.t.Errorf("the bridge ended with exit code %d", code)
		}
	}
	f.broker.barrier(f.t)
	if f.ha != nil {
		f.checkHomeAssistant()
	}
	f.checkSecrets()
	if f.t.Failed() {
		f.t.Logf("the bridge's last lines:\n%s", f.bridge.lastLines(40))
	}
}

// checkHomeAssistant wants that Home Assistant had nothing to complain of.
func (f *farm) checkHomeAssistant() {
	f.t.Helper()
	isDiscovery := func(topic string) bool {
		return strings.HasPrefix(topic, discoveryPrefix+"/") && topic != discoveryPrefix+"/status"
	}
	validateDiscovery(f.t, f.ha, f.broker.after(f.start, isDiscovery))
	complaints := f.ha.complaints(f.t, f.haLogged, append(printerIDs[:], baseTopic)...)
	complaints = slices.DeleteFunc(complaints, func(line string) bool {
		return slices.ContainsFunc(f.allowed, func(part string) bool { return strings.Contains(line, part) })
	})
	if len(complaints) > 0 {
		f.t.Errorf("Home Assistant has %d complaints, such as\n%s", len(complaints), strings.Join(complaints[:min(5, len(complaints))], "\n"))
	}
}

// allowComplaint names log lines of Home Assistant that the test provokes.
func (f *farm) allowComplaint(parts ...string) { f.allowed = append(f.allowed, parts...) }

// checkSecrets looks for API keys where they must never be.
func (f *farm) checkSecrets() {
	f.t.Helper()
	secrets := f.secrets
	for _, printer := range f.config.Printers {
		secrets = append(secrets, printer.APIKey)
	}
	for _, secret := range secrets {
		if strings.Contains(f.bridge.text(), secret) {
			f.t.Errorf("an API key is in the log:\n%s", f.bridge.text())
		}
		for _, m := range f.broker.after(f.start, func(string) bool { return true }) {
			if strings.Contains(m.Payload, secret) {
				f.t.Errorf("an API key was published on %s", m.Topic)
			}
		}
	}
}

// expect waits until a topic below the base holds this retained value.
func (f *farm) expect(topic, value string) {
	f.t.Helper()
	f.expectThat(topic, fmt.Sprintf("%q", value), func(payload string) bool { return payload == value })
}

// expectThat waits until a retained value below the base passes a check and
// returns it.
func (f *farm) expectThat(topic, what string, check func(payload string) bool) string {
	f.t.Helper()
	return f.expectWithin(soon, topic, what, check)
}

func (f *farm) expectWithin(limit time.Duration, topic, what string, check func(payload string) bool) string {
	f.t.Helper()
	full, seen, found := baseTopic+"/"+topic, "", false
	done := f.broker.wait(limit, func() bool {
		seen, found = f.broker.retained[full]
		return found && check(seen)
	})
	if !done {
		f.t.Fatalf("%s: want %s within %v, have %q (there: %v)", topic, what, limit, seen, found)
	}
	return seen
}

// value returns what a topic below the base holds now; "" when there is none.
func (f *farm) value(topic string) string {
	return f.broker.tree()[baseTopic+"/"+topic]
}

// history returns the payloads published on a topic below the base since a
// mark, in order.
func (f *farm) history(mark int, topic string) []string {
	f.t.Helper()
	f.broker.barrier(f.t)
	var payloads []string
	for _, m := range f.broker.after(mark, func(t string) bool { return t == baseTopic+"/"+topic }) {
		payloads = append(payloads, m.Payload)
	}
	return payloads
}
