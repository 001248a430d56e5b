//go:build e2e

package e2e

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStopSaysOfflineWithinFiveSeconds(t *testing.T) {
	f := left(t)
	code, took := f.bridge.stop(t)
	if code != 0 || took > 5*time.Second {
		t.Errorf("exit code %d after %v, want 0 within 5s", code, took)
	}
	f.broker.barrier(t)
	if state := f.value("bridge/state"); state != "offline" {
		t.Errorf("bridge/state is %q after the end", state)
	}
	if availability := f.value("left/availability"); availability != "online" {
		t.Errorf("left/availability is %q: a stop says nothing about OctoPrint", availability)
	}
}

func TestCrashIsAnnouncedByTheWill(t *testing.T) {
	f := left(t)
	f.bridge.kill(t)
	f.expect("bridge/state", "offline")
	f.ha.waitState(t, entityID("sensor", "left", "state"), "unavailable")
	f.startBridge()
	f.waitOnline("left")
	f.ha.waitState(t, entityID("sensor", "left", "state"), "idle")
}

func TestStopDuringAPrintLeavesThePrintAlone(t *testing.T) {
	f := left(t)
	f.startPrint("left", "undisturbed.gcode", 120)
	f.bridge.stop(t)
	f.startBridge()
	f.waitOnline("left")
	f.expect("left/state", "printing")
	if state := f.octo["left"].state(); state != "Printing" {
		t.Errorf("OctoPrint is %s", state)
	}
	f.expectNoChanges()
}

func TestOctoPrintStoppedAndStarted(t *testing.T) {
	f := left(t)
	mark := f.broker.mark()
	port := f.octo["left"].server.Port
	servers := func(command string) {
		t.Helper()
		if out, err := exec.Command("./servers.sh", command, strconv.Itoa(port)).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	servers("octoprint-down")
	t.Cleanup(func() { servers("octoprint-up") })
	f.expect("left/connection", "unreachable")
	f.expect("left/availability", "offline")
	f.expect("left/state", "None")
	f.expect("left/tool0_temperature", "None")
	f.expect("farm/unreachable", "1")
	f.ha.waitState(t, entityID("sensor", "left", "state"), "unavailable")
	f.ha.waitState(t, entityID("sensor", "left", "connection"), "unreachable")
	f.request("left", "pause", "{}").mustFail(t, "octoprint_unreachable")
	servers("octoprint-up")
	f.expectWithin(2*patient, "left/connection", "connected", func(text string) bool { return text == "connected" })
	f.expect("left/state", "idle")
	f.expect("left/availability", "online")
	f.compareWithHomeAssistant()
	f.settle()
	for _, kind := range typesOf(f.events(mark, "left/event")) {
		if strings.HasPrefix(kind, "print_") {
			t.Errorf("event %s without a print", kind)
		}
	}
}

func TestHomeAssistantReloadBringsEverythingBack(t *testing.T) {
	f := left(t)
	f.compareWithHomeAssistant()
	mark := f.broker.mark()
	f.reloadHomeAssistant()
	announced := f.broker.wait(soon, func() bool {
		return f.broker.seen(mark, discoveryPrefix+"/device/"+baseTopic+"_left/config") != nil
	})
	if !announced {
		t.Error("the printer isn't announced again")
	}
	f.compareWithHomeAssistant()
}

// reloadHomeAssistant makes Home Assistant forget and read again everything
// about MQTT, and waits for its birth message.
func (f *farm) reloadHomeAssistant() {
	f.t.Helper()
	// It says this of the triggers of every device that was removed since its start, by earlier tests.
	f.allowComplaint("Unable to remove unknown dispatcher", "mqtt.device_trigger is logging too frequently")
	mark := f.broker.mark()
	f.ha.reloadMQTT(f.t)
	if !f.broker.wait(patient, func() bool { return f.broker.seen(mark, discoveryPrefix+"/status") != nil }) {
		f.t.Fatal("Home Assistant sent no birth message")
	}
}

func TestBrokerThatForgetsEverything(t *testing.T) {
	f := left(t)
	f.allowComplaint("Disconnected from MQTT server", "Failed to connect to MQTT server", "Error returned from MQTT server",
		"[paho.mqtt.client] failed to receive on socket")
	before := f.broker.tree()
	for _, command := range []string{"broker-down", "broker-up"} {
		if out, err := exec.Command("./servers.sh", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		f.broker.forget()
	}
	f.broker.barrier(t)
	f.waitOnline("left")
	f.broker.wait(patient, func() bool { return len(missingFrom(keysOf(f.broker.retained), keysOf(before))) == 0 })
	if missing := missingFrom(keysOf(f.broker.tree()), keysOf(before)); len(missing) > 0 {
		t.Errorf("not published again: %v", missing)
	}
	eventually(t, "Home Assistant is connected again", 2*patient, func() (bool, string) {
		state := f.ha.states(t)[entityID("sensor", "left", "state")].State
		return state == "idle", state
	})
	f.compareWithHomeAssistant()
}
