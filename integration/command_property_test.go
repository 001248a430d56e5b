package integration

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestP4CommandsRunAtMostOnceAndLive is promise P4 as a property: whatever happens to
// the deliveries of commands and to the connections between them, each command runs
// at most once, in order, if it was received live, and what makes a printer safer is
// not undone by what came before it.
func TestP4CommandsRunAtMostOnceAndLive(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				g := &gauntlet{w: w, random: rand.New(rand.NewPCG(seed, 4)), commands: make(map[string]*trial), held: make(map[string]bool)}
				restartable(w)
				w.up()
				for range 80 {
					g.step()
				}
				g.calm()
				g.judge()
				if t.Failed() {
					t.Logf("what was done:\n%s", strings.Join(g.done, "\n"))
				}
			}, setup{}, setup{id: "right"})
		})
	}
}

// gauntlet sends commands of which each can be told from all others by its target,
// and does to them and around them what may happen.
type gauntlet struct {
	w        *world
	random   *rand.Rand
	done     []string
	commands map[string]*trial // by transaction
	sent     int
	held     map[string]bool // printers whose OctoPrint hangs
}

// trial is one command.
type trial struct {
	number     int
	printer    string
	target     float64 // 0: switches the bed off
	live       bool    // somebody listened when it was published
	deliveries int
}

func (g *gauntlet) say(format string, args ...any) {
	g.done = append(g.done, time.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

func (g *gauntlet) step() {
	switch n := g.random.IntN(20); {
	case n < 12:
		g.command()
	case n < 14:
		g.disturbBroker()
	case n < 17:
		g.disturbOctoPrint()
	case n < 18:
		g.say("the bridge is restarted")
		g.w.stop()
		g.w.start()
	}
	g.w.sleep(time.Duration(g.random.IntN(2500)) * time.Millisecond)
}

// command publishes a command in one of the ways in which it may come.
func (g *gauntlet) command() {
	g.sent++
	c := &trial{number: g.sent, printer: []string{"left", "right"}[g.random.IntN(2)], target: 20 + float64(g.sent)/2}
	if g.random.IntN(6) == 0 {
		c.target = 0
	}
	transaction := strconv.Itoa(c.number)
	g.commands[transaction] = c
	payload := fmt.Sprintf(`{"transaction":%s,"heater":"bed","target":%v}`, transaction, c.target)
	topic := g.w.topics.Request(c.printer, actionSetTemperature)
	listens := len(g.w.broker.current().Topics.Subscribers(topic).Subscriptions) > 0
	switch n := g.random.IntN(10); n {
	case 0:
		g.say("%s %s, retained", c.printer, payload)
		// Whoever listens now can't tell it from others. It stays on the broker, and
		// comes again with each connection.
		c.live, c.deliveries = listens, 1000
		g.w.broker.publish(topic, payload, true)
	case 1:
		g.say("%s %s, as if from a queue of the broker", c.printer, payload)
		g.w.bridge.deliver(delivery{topic: topic, payload: []byte(payload), retained: true, at: time.Now()})
	case 2:
		g.say("%s %s, received 11 s ago", c.printer, payload)
		c.live = c.target == 0 // which never expires
		g.w.bridge.deliver(delivery{topic: topic, payload: []byte(payload), at: time.Now().Add(-11 * time.Second)})
	default:
		c.deliveries = 1 + n/7
		c.live = listens
		g.say("%s %s, %d times", c.printer, payload, c.deliveries)
		for range c.deliveries {
			g.w.broker.publish(topic, payload, false)
		}
	}
}

func (g *gauntlet) disturbBroker() {
	net := g.w.broker.net
	switch g.random.IntN(4) {
	case 0:
		g.say("the line to the broker breaks")
		net.cut()
	case 1:
		g.say("the broker is restarted")
		g.w.broker.crash()
		g.w.broker.restart(g.random.IntN(2) == 0)
	case 2:
		g.say("the line to the broker stands still for a while")
		net.stall(true)
		g.w.sleep(time.Duration(g.random.IntN(14)) * time.Second)
		net.stall(false)
	case 3:
		g.say("the line to the broker becomes slow, or quick")
		net.setLatency(time.Duration(g.random.IntN(2)) * 700 * time.Millisecond)
	}
}

func (g *gauntlet) disturbOctoPrint() {
	id := []string{"left", "right"}[g.random.IntN(2)]
	s := g.w.sims[id]
	switch g.random.IntN(3) {
	case 0:
		g.held[id] = !g.held[id]
		g.say("%s hangs: %v", id, g.held[id])
		s.HoldRequests(g.held[id])
	case 1:
		g.say("%s drops the session", id)
		s.DropSockets()
	case 2:
		g.say("%s answers as a proxy for a moment", id)
		s.SetProxyPage(502, "<html>")
		g.w.sleep(time.Second)
		s.SetProxyPage(0, "")
	}
}

// calm lets everything come to rest.
func (g *gauntlet) calm() {
	g.w.broker.net.setLatency(0)
	for _, s := range g.w.sims {
		s.HoldRequests(false)
	}
	g.w.sleep(2 * time.Minute)
}

var sentTarget = regexp.MustCompile(`^POST /api/printer/bed \{"command":"target","target":([0-9.]+)\}$`)

// judge holds what OctoPrint was asked for, and what was answered, against what was
// published.
func (g *gauntlet) judge() {
	t := g.w.t
	accepted, answered := g.answers()
	for id := range g.w.sims {
		var ran []*trial // in order
		off := 0         // how often the bed was switched off
		for _, request := range g.w.sims[id].sentTo(0) {
			m := sentTarget.FindStringSubmatch(request)
			if m == nil {
				t.Errorf("%s was asked for %s", id, request)
				continue
			}
			target, _ := strconv.ParseFloat(m[1], 64)
			if target == 0 {
				off++
				continue
			}
			c := g.commands[strconv.Itoa(int(target*2)-40)]
			switch {
			case c.printer != id:
				t.Errorf("%s got the command of %s: %+v", id, c.printer, c)
			case !c.live:
				t.Errorf("%s: a command ran that was not received live: %+v", id, c)
			case slices.Contains(ran, c):
				t.Errorf("%s: a command ran twice: %+v", id, c)
			case len(ran) > 0 && ran[len(ran)-1].number > c.number:
				t.Errorf("%s: %+v ran after %+v", id, c, ran[len(ran)-1])
			}
			ran = append(ran, c)
		}
		wanted := 0
		for _, c := range g.commands {
			if c.printer == id && c.target == 0 && c.live {
				wanted++
			}
		}
		if off > wanted {
			t.Errorf("%s was switched off %d times, asked for %d times", id, off, wanted)
		}
		for transaction := range accepted {
			if c := g.commands[transaction]; c.printer == id && c.target != 0 && !slices.Contains(ran, c) {
				t.Errorf("%s: %+v was answered with ok, and never ran", id, c)
			}
		}
	}
	for transaction, n := range answered {
		c := g.commands[transaction]
		if c == nil {
			continue // what is retained is refused unread
		}
		if accepted[transaction] > 1 {
			t.Errorf("%+v was accepted %d times", c, accepted[transaction])
		}
		if c.live && n > max(1, c.deliveries) {
			t.Errorf("%+v was answered %d times", c, n)
		}
	}
	if len(accepted) < 10 {
		t.Errorf("only %d of %d commands were accepted", len(accepted), g.sent)
	}
}

// answers counts answers, and those that say ok, by transaction.
func (g *gauntlet) answers() (accepted, answered map[string]int) {
	accepted, answered = make(map[string]int), make(map[string]int)
	for id := range g.w.sims {
		for _, m := range g.w.broker.since(0, g.w.topics.Response(id, actionSetTemperature)) {
			var r reply
			if err := json.Unmarshal([]byte(m.payload), &r); err != nil {
				g.w.t.Fatalf("%v in %q", err, m.payload)
			}
			answered[string(r.Transaction)]++
			if r.Status == statusOK {
				accepted[string(r.Transaction)]++
			}
		}
	}
	return accepted, answered
}
