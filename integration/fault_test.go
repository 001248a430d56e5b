package integration

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// moments are what the printer that is hit does meanwhile.
func moments() []string {
	return []string{"idle", "printing", "print ends meanwhile", "print ends as it begins", "print ends as it ends"}
}

// TestEveryLossAndReturn has everything go wrong once and be mended, in the middle
// and at the ends of a print: the loss shows, after the return everything is as it
// should be within what is promised, and the log has one line for each. With the
// race detector it takes one moment of each fault.
func TestEveryLossAndReturn(t *testing.T) {
	t.Parallel()
	without := withoutControl(t)
	for i, f := range faults() {
		for n, moment := range moments() {
			if raceDetector && !*thorough && n != i%len(moments()) {
				continue
			}
			name := f.name + ", " + moment
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					tr := newOrdeal(t, name, f.named, without)
					tr.alone(f, moment)
					tr.finish()
				})
			})
		}
	}
}

// alone has one thing go wrong.
func (tr *ordeal) alone(f fault, moment string) {
	tr.t.Helper()
	lasts := f.lasts
	if lasts == 0 {
		lasts = 30 * time.Second
	}
	lasts += time.Duration(tr.random.Int64N(int64(lasts / 6)))
	const before = 5 * time.Second
	switch moment {
	case "printing":
		tr.begin("left", 30*time.Minute)
	case "print ends meanwhile":
		tr.begin("left", before+lasts/2)
	case "print ends as it begins":
		tr.begin("left", before)
	case "print ends as it ends":
		tr.begin("left", before+lasts)
	}
	tr.look()
	tr.busy()
	tr.beat()
	tr.pass(before)
	tr.strike(f)
	tr.pass(min(lasts, f.noticed))
	if f.noticed > 0 && !f.line {
		tr.settle(f.name, 2*time.Second, false)
	}
	tr.pass(lasts - min(lasts, f.noticed))
	if f.line && !tr.running() && tr.retained(tr.topics.BridgeState()) != offline {
		tr.t.Errorf("%s, but bridge/state is %q", f.name, tr.retained(tr.topics.BridgeState()))
	}
	tr.mend(f)
	limit := max(f.back, backTime) + endTime
	tr.settle(f.name, limit, f.back == 0)
	tr.calmDown()
	tr.quiet = true
	tr.pass(5 * time.Second)
	tr.settle(f.name+", some time after", 5*time.Second, false)

	want := append([]string{"left back", "middle back", "right back", "broker back"}, f.log...)
	var got []string
	for _, p := range tr.processes {
		got = append(got, p.logs.turns(tr.t)...)
	}
	if !slices.Contains(f.log, "home") {
		got = slices.DeleteFunc(got, func(s string) bool { return s == "home" }) // it comes when the broker does
		tr.births = 0
	}
	got = slices.DeleteFunc(got, func(s string) bool { return s == "home" })
	want = slices.DeleteFunc(want, func(s string) bool { return s == "home" })
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		tr.fail(f.name, "the log is not as it should be", []string{"got:  " + strings.Join(got, ", "), "want: " + strings.Join(want, ", ")})
	}
	tr.works()
}

// thorough has every two faults be mended in both orders, which takes twice as
// long, also with the race detector, which takes ten times as long.
var thorough = flag.Bool("thorough", false, "have faults overlap in all ways")

// TestLossesInPairs has every two faults overlap, in every order, while prints run
// and end: the first to come is the first to go, or the last. One world goes through
// all that has the same beginning, so that what one pair leaves behind meets the
// next. With the race detector it takes one of twelve.
func TestLossesInPairs(t *testing.T) {
	t.Parallel()
	without := withoutControl(t)
	for _, a := range faults() {
		for _, named := range []bool{false, true} {
			var others []fault
			for _, b := range faults() {
				if b.name != a.name && (a.named || b.named) == named {
					others = append(others, b)
				}
			}
			if len(others) == 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s, user configured: %v", a.name, named), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					tr := newOrdeal(t, a.name, named, without)
					tr.pass(rivalAge) // what the broker may be set back to is nobody's fresh word
					tr.look()
					tr.busy()
					tr.beat()
					for i, b := range others {
						if *thorough || !raceDetector || i%12 == tr.random.IntN(12) {
							tr.together(a, b)
						}
					}
					tr.finish()
				})
			})
		}
	}
}

// together has two things go wrong at the same time, and mends them in one order or
// in both.
func (tr *ordeal) together(a, b fault) {
	tr.t.Helper()
	orders := [][2]fault{{a, b}, {b, a}}
	tr.random.Shuffle(2, func(i, j int) { orders[i], orders[j] = orders[j], orders[i] })
	if !*thorough {
		orders = orders[:1]
	}
	for _, order := range orders {
		tr.overlap(a, b, order)
	}
}

func (tr *ordeal) overlap(a, b fault, order [2]fault) {
	tr.t.Helper()
	name := a.name + "; " + b.name + "; mended: " + order[0].name
	seconds := func(n int) time.Duration { return time.Duration(tr.random.IntN(n*1000)) * time.Millisecond }
	tr.renew()
	tr.begin("left", 5*time.Second+seconds(60))
	tr.pass(seconds(5))
	tr.strike(a)
	tr.pass(seconds(8))
	tr.strike(b)
	if tr.random.IntN(4) == 0 {
		tr.pass(noticeTime)
	}
	tr.pass(seconds(8))

	tr.mend(order[0])
	if tr.reaches(order[1]) {
		tr.settle(name+"; the first is mended", backTime+max(a.back, b.back)+endTime, false)
	} else {
		tr.pass(seconds(8))
	}
	tr.mend(order[1])
	limit, strict := backTime+endTime, true
	if back := max(a.back, b.back); back > 0 {
		limit, strict = back+backTime+endTime, false
	}
	tr.settle(name, limit, strict)
	tr.calmDown()
	tr.quiet = true
	tr.pass(5 * time.Second)
	tr.settle(name+"; some time after", 5*time.Second, false)
	tr.checkTurns(name)
	tr.works()
}

// renew forgets what has been seen to be right, and lets the left printer become
// idle.
func (tr *ordeal) renew() {
	tr.t.Helper()
	tr.quiet = false
	if tr.sims["left"].Cancel() == nil {
		tr.pass(5 * time.Second)
		for _, j := range tr.prints {
			j.cancelled = j.cancelled || j.printer == "left" && !tr.ending(j).success
		}
		tr.settle("the print was cancelled", 5*time.Second, false)
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.told, tr.trouble, tr.restarts, tr.horizon = nil, nil, nil, time.Now()
	tr.prints = slices.DeleteFunc(tr.prints, func(j *printJob) bool {
		if tr.ending(j).over && j.seen {
			tr.ended[j.printer] = j
		}
		return j.end.over
	})
	for _, p := range tr.processes {
		p.logs.reset()
	}
}

// reaches reports whether it is to be seen what one fault alone does: the bridge
// has a broker, and nothing is hidden from it for minutes.
func (tr *ordeal) reaches(left fault) bool {
	return !left.line && left.back == 0 && tr.raised["revoked"] == 0 && tr.raised["successor"] == 0
}

// checkTurns is promise P8 for several faults: after a line of loss comes one of
// return, and there are no more losses than faults.
func (tr *ordeal) checkTurns(name string) {
	tr.t.Helper()
	for _, p := range tr.processes {
		last, losses := make(map[string]string), make(map[string]int)
		for _, turn := range p.logs.turns(tr.t) {
			if turn == "home" {
				continue
			}
			who, what, _ := strings.Cut(turn, " ")
			what, as, _ := strings.Cut(what, ": ")
			again := what == last[who] && as != "unauthorized" && as != "not_permitted" // then somebody has to do something
			if again || who == "something" || who == "right" && what == "lost" || who == "middle" && what == "lost" {
				tr.fail(name+"; the log", turn+" follows "+last[who], p.logs.turns(tr.t))
			}
			if what == "lost" && last[who] != "lost" {
				losses[who]++
			}
			last[who] = what
		}
		if losses["left"] > 2 || losses["broker"] > 2 {
			tr.fail(name+"; the log", "there are more losses than faults", p.logs.turns(tr.t))
		}
	}
}

// strike begins a fault.
func (tr *ordeal) strike(f fault) {
	if f.line {
		tr.cleared = time.Time{}
	}
	tr.trouble = append(tr.trouble, span{from: time.Now()})
	f.begin(tr)
	synctest.Wait()
}

// mend ends it.
func (tr *ordeal) mend(f fault) {
	f.end(tr)
	synctest.Wait()
}

// calmDown notes that everything is right again.
func (tr *ordeal) calmDown() {
	tr.cleared = time.Now()
	for i := range tr.trouble {
		if tr.trouble[i].to.IsZero() {
			tr.trouble[i].to = time.Now()
		}
	}
}

// works sees that commands come through.
func (tr *ordeal) works() {
	tr.t.Helper()
	for _, id := range []string{"left", "middle", "right"} {
		if !tr.sims[id].itself(tr.t).connected() {
			continue
		}
		if r := tr.set(id, "tool0_setpoint", "37"); r.code() != "ok" || tr.sims[id].itself(tr.t).Heaters["tool0"].Target != 37 {
			tr.t.Errorf("a command to %s: %v", id, r.Error)
		}
	}
}

// finish lets nothing go on.
func (tr *ordeal) finish() {
	tr.quiet, tr.due = true, nil
	tr.stop()
	tr.end()
}

// turns returns the lines of a log that say that something is lost or back.
func (l *logBuffer) turns(t *testing.T) []string {
	t.Helper()
	var list []string
	for line := range strings.Lines(l.String()) {
		var d struct{ Level, Message, Printer, Broker, Connection, Event, Command string }
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		switch {
		case d.Level == "debug", d.Event != "", d.Command != "", d.Message == "stopped":
		case d.Broker != "" && d.Level == "warn":
			list = append(list, "broker lost")
		case d.Broker != "":
			list = append(list, "broker back")
		case d.Connection != "" && d.Level == "warn":
			list = append(list, d.Printer+" lost: "+d.Connection)
		case d.Message == "connected to OctoPrint":
			list = append(list, d.Printer+" back")
		case strings.HasPrefix(d.Message, "Home Assistant has started"):
			list = append(list, "home")
		default:
			list = append(list, "something else: "+line)
		}
	}
	return list
}

// TestTheTruthOfEveryRowIsKnown: a row whose truth nobody works out here could lie
// through all of this.
func TestTheTruthOfEveryRowIsKnown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		known := []string{
			"availability", "connection", "connection_detail", "octoprint_version", "key_user",
			"last_result", "last_file", "last_duration", "last_ended", "maintenance", "last_seen",
			"missing_permissions", "missing_permissions/attributes", "reconnects", "frame_rate", "octoprint_update/attributes", "plugin_updates/attributes",
		}
		for key := range w.sims["left"].itself(t).rows(time.Now()) {
			known = append(known, key)
		}
		for topic := range w.broker.retained() {
			if key, ok := strings.CutPrefix(topic, w.topics.Document("left")+"/"); ok && !slices.Contains(known, key) {
				t.Errorf("%s: what should it say?", topic)
			}
		}
	})
}
