package integration

import (
	"slices"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// fault is something that goes wrong and is mended again.
type fault struct {
	name       string
	begin, end func(tr *ordeal)

	// named has the configuration name the user that the key belongs to.
	named bool
	// line says that bridge and broker lose each other, or that there is no bridge.
	line bool
	// lasts is how long it lasts when it happens alone, 30 s unless it is set.
	lasts time.Duration
	// noticed is how long it may take until what it does is seen.
	noticed time.Duration
	// back is how long it may take after the end until everything is right again;
	// not set, it is what every connection may take.
	back time.Duration
	// log is what the bridge says to all of it.
	log []string
}

// noticeTime is promise P5, and for how long a lost session may be hoped for.
const noticeTime = 25 * time.Second

// backTime is the longest pause between two attempts to connect, with one that is
// under way when the fault ends, and 5 s to tell everything.
const backTime = lastPause + brokerTimeout + 5*time.Second

func faults() []fault {
	return slices.Concat(brokerFaults(), octoprintFaults(), accountFaults(), homeFaults(), bridgeFaults())
}

var brokerLines = []string{"broker lost", "broker back"}

func brokerFaults() []fault {
	return []fault{
		{
			name: "broker killed", line: true, log: brokerLines,
			begin: (*ordeal).killBroker, end: func(tr *ordeal) { tr.restartBroker(true) },
		},
		{
			name: "broker killed and all that was retained lost", line: true, log: brokerLines,
			begin: (*ordeal).killBroker, end: func(tr *ordeal) { tr.restartBroker(false) },
		},
		{
			name: "broker killed and set back to what it had long before", line: true, log: brokerLines,
			begin: (*ordeal).killBroker, end: func(tr *ordeal) { tr.killBroker(); tr.broker.saved = tr.early; tr.restartBroker(true) },
		},
		{
			name: "broker restarted at once", line: true, lasts: time.Second, log: brokerLines,
			begin: func(tr *ordeal) { tr.killBroker(); tr.restartBroker(true) }, end: func(*ordeal) {},
		},
		{
			name: "broker stopped", line: true, noticed: noticeTime, log: brokerLines,
			begin: func(tr *ordeal) { tr.raise("broker stopped", func() { tr.broker.net.stall(true) }) },
			end:   func(tr *ordeal) { tr.lower("broker stopped", func() { tr.broker.net.stall(false) }) },
		},
		{
			name: "broker half open", line: true, noticed: noticeTime, log: brokerLines,
			begin: func(tr *ordeal) { tr.broker.net.silence() }, end: func(tr *ordeal) { tr.broker.net.cutSilent() },
		},
		{
			name: "broker unplugged", line: true, noticed: noticeTime, log: brokerLines,
			begin: func(tr *ordeal) { tr.broker.net.silence(); tr.broker.net.setMute(true) },
			end:   func(tr *ordeal) { tr.broker.net.cutSilent(); tr.broker.net.setMute(false) },
		},
		{
			name: "broker refuses the login", line: true, log: brokerLines,
			begin: func(tr *ordeal) { tr.broker.setPassword("another"); tr.broker.net.cut() },
			end:   func(tr *ordeal) { tr.broker.setPassword("") },
		},
	}
}

func (tr *ordeal) killBroker() {
	if !tr.broker.isCrashed() {
		tr.home.unlink()
		tr.broker.crash()
	}
}

// restartBroker starts the broker; Home Assistant finds it ten seconds later.
func (tr *ordeal) restartBroker(keep bool) {
	tr.killBroker()
	tr.broker.restart(keep)
	tr.in(10*time.Second, tr.home.link)
	tr.bear(11 * time.Second)
}

func lostLeft(as connection) []string { return []string{"left lost: " + string(as), "left back"} }

func octoprintFaults() []fault {
	return []fault{
		{
			name: "OctoPrint killed", noticed: grace + time.Second, log: lostLeft("unreachable"),
			begin: func(tr *ordeal) { tr.restartOctoPrint(); tr.unplugLeft() },
			end:   func(tr *ordeal) { tr.plugLeft(); tr.octoPrintIsUp() },
		},
		{
			name: "OctoPrint restarted", noticed: grace + time.Second, log: lostLeft("starting"),
			begin: (*ordeal).restartOctoPrint, end: (*ordeal).octoPrintIsUp,
		},
		{
			name: "OctoPrint restarted behind a proxy", noticed: grace + time.Second, log: lostLeft("starting"),
			begin: func(tr *ordeal) {
				tr.restartOctoPrint()
				tr.raise("proxy", func() { tr.sims["left"].SetProxyPage(502, "<html>Bad Gateway</html>") })
			},
			end: func(tr *ordeal) {
				tr.lower("proxy", func() { tr.sims["left"].SetProxyPage(0, "") })
				tr.octoPrintIsUp()
			},
		},
		{
			name: "OctoPrint out of reach", noticed: grace + time.Second, log: lostLeft("unreachable"),
			begin: (*ordeal).unplugLeft, end: (*ordeal).plugLeft,
		},
		{
			name: "OctoPrint half open", noticed: noticeTime + time.Second, log: lostLeft("unreachable"),
			begin: func(tr *ordeal) {
				tr.raise("held", func() { tr.sims["left"].HoldRequests(true); tr.sims["left"].StallSockets(true) })
			},
			end: func(tr *ordeal) {
				tr.lower("held", func() { tr.sims["left"].HoldRequests(false); tr.sims["left"].StallSockets(false) })
			},
		},
		{
			name: "session ended", lasts: time.Second,
			begin: func(tr *ordeal) { tr.sims["left"].StaleSessions(); tr.sims["left"].Logout("operator") }, end: func(*ordeal) {},
		},
		{
			name: "socket ended", lasts: time.Second,
			begin: func(tr *ordeal) { tr.sims["left"].DropSockets() }, end: func(*ordeal) {},
		},
		{
			name: "logins limited", noticed: grace + time.Second, log: lostLeft("unreachable"),
			begin: func(tr *ordeal) {
				tr.raise("limited", func() { tr.sims["left"].LimitLogins(true) })
				tr.sims["left"].DropSockets()
			},
			end: func(tr *ordeal) { tr.lower("limited", func() { tr.sims["left"].LimitLogins(false) }) },
		},
	}
}

func (tr *ordeal) unplugLeft() {
	tr.raise("unplugged", func() { tr.sims["left"].line.SetUp(false); tr.sims["left"].line.Cut() })
}

func (tr *ordeal) plugLeft() {
	tr.lower("unplugged", func() { tr.sims["left"].line.SetUp(true) })
}

// restartOctoPrint ends OctoPrint, and the print with it.
func (tr *ordeal) restartOctoPrint() {
	tr.restarts = append(tr.restarts, time.Now())
	tr.raised["starting"]++
	tr.sims["left"].SetStarting(true)
}

func (tr *ordeal) octoPrintIsUp() {
	tr.lower("starting", func() { tr.sims["left"].SetStarting(false) })
}

func accountFaults() []fault {
	const untilAsked = keyIntervalOfTheContract + 5*time.Second
	const untilAskedAgain = refusedPause + backTime
	return []fault{
		{
			name: "key given to another user", noticed: untilAsked, lasts: untilAsked, back: untilAsked,
			begin: func(tr *ordeal) { tr.raised["successor"]++; tr.settleKey() },
			end:   func(tr *ordeal) { tr.raised["successor"]--; tr.settleKey() },
		},
		{
			name: "key given to another user than configured", named: true, noticed: untilAsked, lasts: untilAsked, back: untilAskedAgain,
			begin: func(tr *ordeal) { tr.raised["successor"]++; tr.settleKey() },
			end:   func(tr *ordeal) { tr.raised["successor"]--; tr.settleKey() },
			log:   lostLeft("unauthorized"),
		},
		{
			name: "key revoked", noticed: untilAsked, lasts: untilAsked, back: untilAskedAgain,
			begin: func(tr *ordeal) { tr.raised["revoked"]++; tr.settleKey() },
			end:   func(tr *ordeal) { tr.raised["revoked"]--; tr.settleKey() },
			log:   lostLeft("unauthorized"),
		},
		{
			name: "permission to control taken", noticed: 5 * time.Second,
			begin: func(tr *ordeal) { tr.raised["no control"]++; tr.settlePermissions() },
			end:   func(tr *ordeal) { tr.raised["no control"]--; tr.settlePermissions() },
		},
		{
			name: "permission to see anything taken", noticed: 5 * time.Second, log: lostLeft("not_permitted"),
			begin: func(tr *ordeal) { tr.raised["no status"]++; tr.settlePermissions() },
			end:   func(tr *ordeal) { tr.raised["no status"]--; tr.settlePermissions() },
		},
	}
}

// keyIntervalOfTheContract: the key is checked again every few minutes.
const keyIntervalOfTheContract = 3 * time.Minute

// settleKey gives the bridge's key to whom it should belong.
func (tr *ordeal) settleKey() {
	s := tr.sims["left"]
	switch {
	case tr.raised["revoked"] > 0:
		s.RevokeKey("operator")
		if tr.raised["successor"] > 0 {
			s.RevokeKey("successor")
		}
	case tr.raised["successor"] > 0:
		s.GiveKey("successor", "operator-key")
	default:
		s.GiveKey("operator", "operator-key")
	}
}

// settlePermissions gives the operator the permissions that are left.
func (tr *ordeal) settlePermissions() {
	left := octoprinttest.DefaultPermissions("users")
	if tr.raised["no control"] > 0 {
		left = permittedWithout(left, "CONTROL", "PRINT")
	}
	if tr.raised["no status"] > 0 {
		left = permittedWithout(left, "STATUS")
	}
	tr.sims["left"].SetPermissions("operator", left...)
}

func homeFaults() []fault {
	return []fault{
		{
			name:  "Home Assistant restarted",
			begin: func(tr *ordeal) { tr.raise("no home", tr.home.stop) },
			end:   func(tr *ordeal) { tr.lower("no home", tr.startHome) },
			log:   []string{"home"},
		},
		{
			name: "Home Assistant reloaded", lasts: time.Second,
			begin: func(tr *ordeal) {
				if tr.raised["no home"] == 0 {
					tr.home.start()
					tr.bear(6 * time.Second)
				}
			},
			end: func(*ordeal) {},
			log: []string{"home"},
		},
	}
}

func bridgeFaults() []fault {
	starts := []string{"left back", "middle back", "right back", "broker back"}
	return []fault{
		{name: "bridge stopped", line: true, begin: (*ordeal).stopBridgeNow, end: (*ordeal).startBridge, log: starts},
		{name: "bridge killed", line: true, begin: (*ordeal).killBridge, end: (*ordeal).startBridge, log: starts},
		{
			name: "bridge killed and restarted at once", line: true, lasts: time.Second, log: starts,
			begin: func(tr *ordeal) { tr.killBridge(); tr.startBridge() }, end: func(*ordeal) {},
		},
	}
}

func (tr *ordeal) stopBridgeNow() {
	tr.raised["no bridge"]++
	if tr.running() {
		tr.stop()
	}
}

func (tr *ordeal) killBridge() {
	tr.raised["no bridge"]++
	if tr.running() {
		tr.kill()
	}
}

// startBridge starts the bridge; where it runs already it is killed before.
func (tr *ordeal) startBridge() {
	tr.raised["no bridge"]--
	if tr.running() {
		tr.kill()
	}
	tr.launch()
}
