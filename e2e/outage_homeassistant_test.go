//go:build e2e

package e2e

import "testing"

// stopHomeAssistant ends it as its own restart would.
func (f *farm) stopHomeAssistant() {
	f.t.Helper()
	mark := f.broker.mark()
	runServers(f.t, "homeassistant-down")
	if !f.broker.wait(soon, func() bool { return f.broker.seen(mark, discoveryPrefix+"/status") != nil }) {
		f.t.Error("Home Assistant did not say that it goes")
	}
}

// startHomeAssistant starts it with all that it knew, and waits for its birth message.
func (f *farm) startHomeAssistant() {
	f.t.Helper()
	mark := f.broker.mark()
	runServers(f.t, "homeassistant-again")
	f.waitBirth(mark)
}

// reloadHomeAssistant makes Home Assistant forget and read again everything
// about MQTT, and waits for its birth message.
func (f *farm) reloadHomeAssistant() {
	f.t.Helper()
	mark := f.broker.mark()
	f.ha.reloadMQTT(f.t)
	if !f.broker.wait(patient, func() bool { return f.broker.seen(mark, discoveryPrefix+"/status") != nil }) {
		f.t.Fatal("Home Assistant sent no birth message")
	}
}

func outagesOfHomeAssistant() []outage {
	return []outage{
		{
			name:    "Home Assistant restarted",
			lose:    (*farm).stopHomeAssistant,
			restore: (*farm).startHomeAssistant,
			log:     []string{haStarted},
		},
		{
			name:    "Home Assistant's MQTT reloaded",
			lose:    (*farm).reloadHomeAssistant,
			restore: func(*farm) {},
			log:     []string{haStarted},
		},
	}
}

// waitHomeAssistantRuns waits until it is up, with or without the broker.
func (f *farm) waitHomeAssistantRuns() {
	f.t.Helper()
	eventually(f.t, "Home Assistant runs", patient, func() (bool, string) {
		var config struct{ State string }
		err := f.ha.do("GET", "/api/config", nil, &config)
		return config.State == "RUNNING", config.State + " " + text(err)
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestHomeAssistantStartedAfterUs: it has never heard of us when it starts, and finds everything.
func TestHomeAssistantStartedAfterUs(t *testing.T) {
	f := newFarm(t, func(f *farm) {
		f.stopHomeAssistant()
		t.Cleanup(func() { runServers(t, "homeassistant-again") })
	}, "left", "middle")
	f.waitOnline("left", "middle")
	f.startHomeAssistant()
	f.compareWithHomeAssistant()
	f.bridge.wantLog(t, 0, []string{
		"info: octoprint2mqtt starts", "info left: connected to OctoPrint", "info middle: connected to OctoPrint", brokerBack, haStarted,
	}, nil)
}
