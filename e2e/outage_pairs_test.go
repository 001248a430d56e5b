//go:build e2e

package e2e

import "time"

// allBack are the lines of a bridge that starts and finds all its neighbours.
func allBack(more ...string) []string {
	return append(more, "info: octoprint2mqtt starts", "info left: connected to OctoPrint", "info middle: connected to OctoPrint",
		"info right: connected to OctoPrint", brokerBack)
}

func outagesOfBridge() []outage {
	return []outage{
		{
			name: "bridge stopped",
			lose: func(f *farm) {
				f.bridge.stop(f.t)
				f.expectBridgeGone()
			},
			restore: (*farm).startBridge,
			log:     allBack(),
		},
		{
			name: "bridge killed",
			lose: func(f *farm) {
				f.bridge.kill(f.t)
				f.expectBridgeGone()
			},
			restore: (*farm).startBridge,
			log:     allBack(),
		},
	}
}

// pairsWithoutBridge lose two neighbours at once, which return in either order.
func pairsWithoutBridge() []outage {
	return []outage{
		{
			name: "broker and Home Assistant, the broker is back first",
			lose: func(f *farm) {
				f.stopHomeAssistant()
				f.loseBroker()
			},
			restore: func(f *farm) {
				runServers(f.t, "broker-up")
				f.broker.barrier(f.t)
				f.waitTruth(returned, printerIDs[:]...) // it isn't Home Assistant's start that brings it back
				f.startHomeAssistant()
			},
			log: []string{brokerLost, brokerBack},
		},
		{
			name: "broker and Home Assistant, Home Assistant is back first",
			lose: func(f *farm) {
				f.stopHomeAssistant()
				f.loseBroker()
			},
			restore: func(f *farm) {
				mark := f.broker.mark()
				wait := startServers(f.t, "homeassistant-again")
				f.waitHomeAssistantRuns()
				runServers(f.t, "broker-up")
				wait()
				f.waitBirth(mark)
			},
			log: []string{brokerLost, brokerBack},
		},
		{
			name: "broker and OctoPrint, the broker is back first",
			lose: func(f *farm) { f.loseBrokerAndMiddle() },
			restore: func(f *farm) {
				f.brokerUp("broker-up")
				f.octo["middle"].up(f.t)
			},
			log:     []string{brokerLost, "warn middle: No answer from", brokerBack, "info middle: connected to OctoPrint"},
			may:     reconnection("middle"),
			changed: true,
		},
		{
			name: "broker and OctoPrint, OctoPrint is back first",
			lose: func(f *farm) { f.loseBrokerAndMiddle() },
			restore: func(f *farm) {
				f.octo["middle"].up(f.t)
				f.brokerUp("broker-up")
			},
			log:     []string{brokerLost, "warn middle: No answer from", brokerBack, "info middle: connected to OctoPrint"},
			may:     reconnection("middle"),
			changed: true,
		},
	}
}

// pairsWithBridge lose a neighbour and the bridge itself.
func pairsWithBridge() []outage {
	return []outage{
		{
			name: "OctoPrint and bridge, the bridge is back first",
			lose: func(f *farm) { f.loseBridgeAndMiddle() },
			restore: func(f *farm) {
				f.startBridge()
				f.expectLost("middle", "unreachable")
				f.octo["middle"].up(f.t)
			},
			log:     allBack("warn middle: No answer from"),
			may:     reconnection("middle"),
			changed: true,
		},
		{
			name: "OctoPrint and bridge, OctoPrint is back first",
			lose: func(f *farm) { f.loseBridgeAndMiddle() },
			restore: func(f *farm) {
				f.octo["middle"].up(f.t)
				f.startBridge()
			},
			log:     allBack(),
			may:     reconnection("middle"),
			changed: true,
		},
		{
			name: "bridge and broker, the broker is back first",
			lose: func(f *farm) {
				f.bridge.kill(f.t)
				f.killBroker()
			},
			restore: func(f *farm) {
				f.brokerUp("broker-up")
				f.startBridge()
			},
			log: allBack(),
		},
		{
			name: "bridge and broker, the bridge is back first",
			lose: func(f *farm) {
				f.killBroker()
				f.bridge.kill(f.t)
			},
			restore: func(f *farm) {
				f.startBridge()
				f.bridge.waitLog(f.t, soon, 0, brokerLost)
				f.brokerUp("broker-up")
			},
			log: allBack(brokerLost),
		},
		{
			// As after a power cut: the broker still has us online, and nobody is there to tell our will. That we are
			// dead shows when we say nothing new for a minute and a half.
			name: "bridge and broker, with all that it had",
			lose: func(f *farm) {
				f.saveBroker()
				f.killBroker()
				f.bridge.kill(f.t)
			},
			restore: func(f *farm) {
				f.brokerUp("broker-again")
				f.expect("bridge/state", "online")
				f.restartBridgeWithin(3 * time.Minute)
			},
			log: allBack(),
		},
		{
			name: "Home Assistant and bridge, Home Assistant is back first",
			lose: func(f *farm) {
				f.stopHomeAssistant()
				f.bridge.kill(f.t)
			},
			restore: func(f *farm) {
				f.startHomeAssistant()
				f.startBridge()
			},
			log: allBack(),
		},
		{
			name: "Home Assistant and bridge, the bridge is back first",
			lose: func(f *farm) {
				f.stopHomeAssistant() // first: of an event entity that is unavailable it doesn't keep the last event
				f.bridge.stop(f.t)
			},
			restore: func(f *farm) {
				f.startBridge()
				f.waitOnline(printerIDs[:]...)
				f.startHomeAssistant()
			},
			log: allBack(haStarted),
		},
	}
}

// loseBroker kills the broker and waits until the bridge has noticed.
func (f *farm) loseBroker() {
	f.t.Helper()
	logged := f.bridge.logMark()
	f.killBroker()
	f.bridge.waitLog(f.t, soon, logged, brokerLost)
}

func (f *farm) loseBrokerAndMiddle() {
	f.t.Helper()
	logged := f.bridge.logMark()
	f.killBroker()
	f.octo["middle"].kill(f.t)
	f.t.Cleanup(func() { f.octo["middle"].up(f.t) })
	f.bridge.waitLog(f.t, soon, logged, brokerLost)
	f.bridge.waitLog(f.t, noticed, logged, "warn middle: ")
}

func (f *farm) loseBridgeAndMiddle() {
	f.t.Helper()
	f.bridge.kill(f.t)
	f.octo["middle"].kill(f.t)
	f.t.Cleanup(func() { f.octo["middle"].up(f.t) })
	f.expectBridgeGone()
}
