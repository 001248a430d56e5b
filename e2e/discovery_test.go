//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestDeviceDeletedInHomeAssistantStaysDeletedUntilARestart(t *testing.T) {
	// Home Assistant can't delete a device once its triggers were removed by discovery, as happens between tests: so a new id.
	id := fmt.Sprintf("new%d", time.Now().Unix())
	f := newFarm(t, func(f *farm) { f.config.Printers[0].ID = id }, "left")
	f.waitOnline(id)
	// It clears the topic once for every component of the device, and complains of all but the first.
	f.allowComplaint("No device components to cleanup")
	f.compareWithHomeAssistant()
	device := baseTopic + "_" + id
	topic := discoveryPrefix + "/device/" + device + "/config"
	if out, err := exec.Command("python3", "homeassistant/hactl.py", "remove", device).CombinedOutput(); err != nil {
		t.Fatalf("removing the device: %v\n%s", err, out)
	}
	if !f.broker.wait(soon, func() bool { return f.broker.retained[topic] == "" }) {
		t.Fatal("Home Assistant didn't clear the discovery topic")
	}
	f.octo["left"].disconnect(t)
	f.expect(id+"/state", "offline") // plain topics are not Home Assistant's alone
	f.octo["left"].connect(t)
	f.expect(id+"/state", "idle")
	f.settle()
	if f.broker.tree()[topic] != "" {
		t.Error("the device is announced again, although the user has deleted it")
	}
	f.bridge.stop(t)
	f.startBridge()
	f.waitOnline(id)
	if !f.broker.wait(soon, func() bool { return f.broker.retained[topic] != "" }) {
		t.Error("the device isn't announced after a restart")
	}
	f.compareWithHomeAssistant()
}

func TestDiscoverySwitchedOff(t *testing.T) {
	f := newFarm(t, func(f *farm) { f.config.MQTT["discovery_prefix"] = "" }, "left")
	f.waitOnline("left")
	f.expect("left/state", "idle")
	f.settle()
	for _, m := range f.broker.after(f.start, func(topic string) bool { return strings.HasPrefix(topic, discoveryPrefix+"/device/") }) {
		t.Errorf("published %s", m.Topic)
	}
}

func TestPrintersHangOnTheFarmAndTheFarmOnTheBridge(t *testing.T) {
	f := left(t)
	want := map[string]any{"left": baseTopic + "_farm", "farm": baseTopic + "_bridge", "bridge": nil}
	for id, parent := range want {
		payload := f.broker.tree()[discoveryPrefix+"/device/"+baseTopic+"_"+id+"/config"]
		list := componentsOf(t, payload)
		if len(list) == 0 {
			t.Errorf("%s isn't announced", id)
			continue
		}
		device, _ := list[0].document["device"].(map[string]any)
		if device["via_device"] != parent {
			t.Errorf("%s hangs on %v, want %v", id, device["via_device"], parent)
		}
		for _, c := range list {
			if qos := c.value("qos"); c.text("command_topic") != "" && qos != 0.0 {
				t.Errorf("%s of %s has qos %v: Home Assistant would send a command again after a reconnection", c.Key, id, qos)
			}
		}
	}
}
