//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// TestBrokerHomeAssistantAndBridgeLostAndBack has the same farm live through losses of each of them, alone and in pairs,
// one after the other. Every second one takes the bridge with it: one that starts anew tries again after short pauses.
func TestBrokerHomeAssistantAndBridgeLostAndBack(t *testing.T) {
	f := farmInManyStates(t)
	f.allowBrokerLoss()
	// When MQTT is reloaded, Home Assistant says this of the triggers of every device that was removed since its start.
	f.allowComplaint("Unable to remove unknown dispatcher", "mqtt.device_trigger is logging too frequently")
	t.Cleanup(func() { runServers(t, "broker-up") })
	f.each(t, interleaved(
		slices.Concat(outagesOfBroker(t), outagesOfHomeAssistant(), pairsWithoutBridge()),
		slices.Concat(outagesOfBridge(), pairsWithBridge()),
	))
}

// interleaved takes from two lists in turn.
func interleaved(a, b []outage) []outage {
	var list []outage
	for i := range max(len(a), len(b)) {
		if i < len(a) {
			list = append(list, a[i])
		}
		if i < len(b) {
			list = append(list, b[i])
		}
	}
	return list
}

// allowBrokerLoss allows Home Assistant to say that it lost the broker.
func (f *farm) allowBrokerLoss() {
	f.allowComplaint("Disconnected from MQTT server", "Failed to connect to MQTT server", "Error returned from MQTT server",
		"[paho.mqtt.client] failed to receive on socket")
}

// The two lines about the broker.
const (
	brokerLost = "warn: no connection to the MQTT broker"
	brokerBack = "info: connected to the MQTT broker"
	haStarted  = "info: Home Assistant has started"
)

// killBroker ends the broker as a crash would.
func (f *farm) killBroker() {
	f.t.Helper()
	brokerServer(f.t).send(f.t, syscall.SIGKILL)
	f.broker.forget()
}

// brokerUp starts the broker, by default without anything that it had, and waits for Home Assistant's return.
func (f *farm) brokerUp(how string) {
	f.t.Helper()
	mark := f.broker.mark()
	runServers(f.t, how)
	f.broker.barrier(f.t)
	f.waitBirth(mark)
}

// waitBirth waits until Home Assistant says that it is there.
func (f *farm) waitBirth(mark int) {
	f.t.Helper()
	if !f.broker.wait(patient, func() bool { return f.broker.told(mark, discoveryPrefix+"/status", "online") }) {
		f.t.Fatal("Home Assistant sent no birth message")
	}
}

// saveBroker has the broker store what it retains.
func (f *farm) saveBroker() {
	f.t.Helper()
	file := inCache(f.t, "run", "mosquitto", "mosquitto.db")
	_ = os.Remove(file) // there may be none yet
	brokerServer(f.t).send(f.t, syscall.SIGUSR1)
	eventually(f.t, "the broker has saved", soon, func() (bool, string) {
		_, err := os.Stat(file)
		return err == nil, file
	})
}

func outagesOfBroker(t *testing.T) []outage {
	t.Helper()
	guard := newGuardedBroker(t)
	return []outage{
		{
			name: "broker killed, back with old messages",
			lose: func(f *farm) {
				f.saveBroker()
				f.octo["middle"].post(f.t, "/api/printer/bed", map[string]any{"command": "target", "target": 47})
				f.expect("middle/bed_target", "47")
				logged := f.bridge.logMark()
				f.killBroker()
				f.brokerLine.drop()
				f.bridge.waitLog(f.t, soon, logged, brokerLost)
			},
			restore: func(f *farm) {
				f.brokerUp("broker-again")
				f.expect("middle/bed_target", "45")
				f.brokerLine.raise()
			},
			log: []string{brokerLost, brokerBack},
		},
		{
			name: "broker killed, back without messages",
			lose: func(f *farm) {
				logged := f.bridge.logMark()
				f.killBroker()
				f.bridge.waitLog(f.t, soon, logged, brokerLost)
			},
			restore: func(f *farm) { f.brokerUp("broker-up") },
			log:     []string{brokerLost, brokerBack},
		},
		{
			name: "broker stands still",
			lose: func(f *farm) {
				logged := f.bridge.logMark()
				goOn := brokerServer(f.t).hold(f.t)
				f.bridge.waitLog(f.t, noticed, logged, brokerLost)
				goOn()
			},
			restore: func(f *farm) { f.broker.barrier(f.t) },
			log:     []string{brokerLost, brokerBack},
		},
		{
			name: "broker half open",
			lose: func(f *farm) {
				logged := f.bridge.logMark()
				f.brokerLine.stall()
				f.bridge.waitLog(f.t, noticed, logged, brokerLost)
				f.expectBridgeGone()
			},
			restore: func(f *farm) { f.brokerLine.flow() },
			log:     []string{brokerLost, brokerBack},
		},
		{
			name: "broker refuses the login",
			lose: func(f *farm) {
				logged := f.bridge.logMark()
				f.brokerLine.lead(guard)
				f.bridge.waitLog(f.t, noticed, logged, "warn: ")
				f.expectBridgeGone()
			},
			restore: func(f *farm) { f.brokerLine.lead("127.0.0.1:" + strconv.Itoa(f.broker.port)) },
			log:     []string{brokerLost, brokerBack},
		},
	}
}

// expectBridgeGone waits until the will has told that the bridge is gone, and Home Assistant shows that.
func (f *farm) expectBridgeGone() {
	f.t.Helper()
	f.expectWithin(noticed, "bridge/state", "offline", func(text string) bool { return text == "offline" })
	f.ha.waitState(f.t, entityID("sensor", "left", "state"), "unavailable")
	f.ha.waitState(f.t, entityID("binary_sensor", "bridge", "state"), "off")
}

// newGuardedBroker starts a broker that lets nobody in without a password, and returns its address.
func newGuardedBroker(t *testing.T) string {
	t.Helper()
	folder, port := t.TempDir(), strconv.Itoa(mustServers(t).SparePort+3)
	passwords, settings := filepath.Join(folder, "passwords"), filepath.Join(folder, "mosquitto.conf")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", passwords, "somebody", "secret").CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v\n%s", err, out)
	}
	must(t, os.WriteFile(settings, []byte("listener "+port+" 127.0.0.1\nallow_anonymous false\nuser root\npassword_file "+passwords+"\n"), 0o600))
	cmd := exec.Command("mosquitto", "-c", settings)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // the error only says that it was killed
	})
	eventually(t, "the guarded broker answers", soon, func() (bool, string) {
		out, err := exec.Command("mosquitto_pub", "-p", port, "-u", "somebody", "-P", "secret", "-t", "up", "-m", "1").CombinedOutput()
		return err == nil, string(out)
	})
	return "127.0.0.1:" + port
}
