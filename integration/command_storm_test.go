package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestP4CommandsInAStorm sends commands of all kinds to several printers while all
// that can go wrong does: lines break, stand still and become slow, what comes out
// of them is repeated, delayed and reordered, servers hang, the bridge is restarted
// and killed. What OctoPrint was asked for is held against what reached the bridge,
// and against the contract.
func TestP4CommandsInAStorm(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		if raceDetector && !*thorough && seed%8 != 0 {
			continue
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				s := newStorm(w, seed)
				for range 90 {
					s.step()
				}
				s.pass()
				s.judge()
				if t.Failed() {
					t.Logf("what was done:\n%s", strings.Join(s.done, "\n"))
				}
				w.end()
				w.sleep(10 * time.Second) // what was still to be delivered
			}, setup{prepare: withBenchy}, setup{id: "right", prepare: withBenchy}, setup{id: "middle", prepare: withBenchy})
		})
	}
}

// storm is what happens in one run.
type storm struct {
	*world
	random  *rand.Rand
	meddler *meddler
	done    []string
	number  int            // of commands so far
	held    map[string]int // how often a printer was made to hang, or to go on
	away    map[string]int // how often a proxy was put in its place, or taken away
	moments map[string][]moment
	runs    []run
}

// moment is how a printer was at a time.
type moment struct {
	at      time.Time
	state   string // in OctoPrint's words
	session bool
	hidden  bool // the bridge may not see it
}

// run is one life of the bridge: it knows nothing of the commands before.
type run struct{ from, to time.Time }

func newStorm(w *world, seed uint64) *storm {
	w.t.Helper()
	s := &storm{world: w, random: rand.New(rand.NewPCG(seed, 7)), held: make(map[string]int), away: make(map[string]int), moments: make(map[string][]moment)}
	s.meddler = newMeddler(w.broker.net.Dial, rand.New(rand.NewPCG(seed, 8)))
	w.config.MQTT.Dial = s.meddler.Dial
	restartable(w)
	s.launch()
	s.runs = []run{{from: time.Now()}}
	s.wait(5 * time.Second)
	return s
}

func (s *storm) say(format string, args ...any) {
	s.done = append(s.done, time.Now().UTC().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

// wait lets time pass, and takes down how the printers are.
func (s *storm) wait(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		s.sleep(min(50*time.Millisecond, time.Until(end)))
		for id, p := range s.sims {
			s.moments[id] = append(s.moments[id], moment{
				at: time.Now(), state: phaseOfText(p.State()), session: p.Sockets() > 0, hidden: s.held[id]%2 == 1,
			})
		}
	}
}

func (s *storm) some() (string, *sim) {
	id := []string{"left", "right", "middle"}[s.random.IntN(3)]
	return id, s.sims[id]
}

func (s *storm) step() {
	switch n := s.random.IntN(40); {
	case n < 24:
		id, _ := s.some()
		s.command(id)
	case n < 26: // more than a server that hangs takes in ten seconds
		id, _ := s.some()
		for range 5 {
			s.command(id)
		}
	case n < 30:
		s.person()
	case n < 33:
		s.disturbBroker()
	case n < 37:
		s.disturbOctoPrint()
	case n == 37:
		s.say("the bridge is restarted")
		s.relaunch(s.stop)
	case n == 38:
		s.say("the bridge is killed and started again")
		s.relaunch(s.kill)
	}
	s.wait(time.Duration(s.random.IntN(1500)) * time.Millisecond)
}

func (s *storm) relaunch(end func()) {
	s.runs[len(s.runs)-1].to = time.Now()
	end()
	s.launch()
	s.runs = append(s.runs, run{from: time.Now()})
}

// command publishes a command. Targets differ, so that those can be told apart.
func (s *storm) command(id string) {
	s.number++
	transaction := fmt.Sprintf(`"transaction":"t%d"`, s.number)
	request := func(action, parameters string) {
		s.publish(s.topics.Request(id, action), "{"+transaction+parameters+"}")
	}
	switch n := s.random.IntN(22); {
	case n < 6:
		request("set_temperature", fmt.Sprintf(`,"heater":"bed","target":%d.%d`, 20+s.number/10, s.number%10))
	case n < 8:
		s.publish(s.topics.Set(id, "tool0_setpoint"), fmt.Sprintf("%d.%d", 20+s.number/10, s.number%10))
	case n < 10:
		s.publish(s.topics.Set(id, "bed_setpoint"), "0")
	case n < 11:
		request("set_temperature", `,"heater":"tool0","target":0`)
	case n < 12:
		request("emergency_stop", "")
	case n < 13:
		s.publish(s.topics.Set(id, "emergency_stop"), "PRESS")
	case n < 15:
		request("home", `,"axes":["`+[]string{"x", "y", "z"}[s.random.IntN(3)]+`"]`)
	case n < 21:
		action := []string{"pause", "resume", "cancel", "start", "connect", "disconnect"}[n-15]
		if s.random.IntN(2) == 0 {
			request(action, "")
		} else {
			s.publish(s.topics.Set(id, action), "PRESS")
		}
	default:
		s.publish(s.topics.Request(id, "set_temperature"), []string{"", "x", "{}", `{"heater":"bed","target":999}`}[s.random.IntN(4)])
	}
}

// publish sends a command in one of the ways in which senders do.
func (s *storm) publish(topic, payload string) {
	switch n := s.random.IntN(12); {
	case n == 0 && payload != "":
		s.say("%s %s, retained", topic, payload)
		s.broker.publish(topic, payload, true)
	case n < 3:
		s.say("%s %s, twice", topic, payload)
		s.broker.publish(topic, payload, false)
		s.broker.publish(topic, payload, false)
	default:
		s.say("%s %s", topic, payload)
		s.broker.publish(topic, payload, false)
	}
}

// person does something at a printer.
func (s *storm) person() {
	id, p := s.some()
	s.say("a person does something at %s, which is %s", id, p.State())
	switch phaseOfText(p.State()) {
	case "idle":
		_ = p.Print(benchy().Path)
	case "printing":
		_ = p.Pause()
	case "paused":
		_ = p.Resume()
	case "offline", "error":
		_ = p.Connect()
	}
}

func (s *storm) disturbBroker() {
	net := s.broker.net
	switch s.random.IntN(5) {
	case 0:
		s.say("the line to the broker breaks")
		net.cut()
	case 1:
		keep := s.random.IntN(2) == 0
		s.say("the broker is restarted, with what it had retained: %v", keep)
		s.broker.crash()
		s.broker.restart(keep)
	case 2:
		d := time.Duration(s.random.IntN(14)) * time.Second
		s.say("the line to the broker stands still for %v", d)
		net.stall(true)
		s.wait(d)
		net.stall(false)
	case 3:
		net.silence()
		s.say("the line to the broker is half open")
	case 4:
		d := time.Duration(s.random.IntN(2)) * 400 * time.Millisecond
		s.say("the line to the broker takes %v", d)
		net.setLatency(d)
	}
}

func (s *storm) disturbOctoPrint() {
	id, p := s.some()
	switch s.random.IntN(4) {
	case 0, 1:
		s.held[id]++
		s.say("%s hangs: %v", id, s.held[id]%2 == 1)
		p.HoldRequests(s.held[id]%2 == 1)
		p.StallSockets(s.held[id]%2 == 1)
	case 2:
		s.say("%s drops the session", id)
		p.DropSockets()
	case 3:
		s.away[id]++
		s.say("a proxy answers for %s: %v", id, s.away[id]%2 == 1)
		p.SetProxyPage(502*(s.away[id]%2), "<html>")
		p.DropSockets()
	}
}

// pass lets the storm pass.
func (s *storm) pass() {
	s.broker.net.setLatency(0)
	for id, p := range s.sims {
		s.held[id] = 0
		p.HoldRequests(false)
		p.StallSockets(false)
		p.SetProxyPage(0, "")
	}
	s.wait(2 * time.Minute)
	s.runs[len(s.runs)-1].to = time.Now()
}

// claim is a command that reached the bridge, as the contract takes it.
type claim struct {
	*delivered
	printer, name string
	order         string // what OctoPrint is asked for, "" for what no waiting makes right
	urgent        bool
	action        string
	run           int
	matched       bool
}

// claims returns what reached the bridge of a printer, in order.
func (s *storm) claims(printer string) []*claim {
	s.meddler.mu.Lock()
	defer s.meddler.mu.Unlock()
	var list []*claim
	for _, d := range s.meddler.deliveries {
		c, ok := s.topics.ParseCommand(d.topic)
		if !ok || c.Device != printer {
			continue
		}
		cl := &claim{delivered: d, printer: printer, name: c.Name}
		cl.action, cl.order = orderOf(c.Name, d.payload)
		cl.urgent = cl.action == "emergency_stop" || strings.HasSuffix(cl.order, `"target":0}`) || strings.HasSuffix(cl.order, `:0}}`)
		cl.run = slices.IndexFunc(s.runs, func(r run) bool { return !d.at.Before(r.from) && d.at.Before(r.to) })
		list = append(list, cl)
	}
	return list
}
