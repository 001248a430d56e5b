package integration

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// ordeal is a world that is put through faults: a printer that they hit (left), one
// that prints all the while (middle), and one that idles and is never touched
// (right). What should be seen from outside is worked out here, from what the
// simulated parts say of themselves and from what has been done to them.
type ordeal struct {
	*world
	random *rand.Rand
	home   *home
	due    []appointment

	raised  map[string]int // what stands in the way, by how many faults
	named   bool           // the configuration names the user of the key
	cleared time.Time      // since when nothing stands between bridge and broker; zero: something does

	mu       sync.Mutex // guards told
	told     []sent     // on event topics
	prints   []*printJob
	ended    map[string]*printJob // the last ones that are no longer looked at, by printer
	begun    int                  // prints so far
	pulses   []pulse
	births   int
	trouble  []span
	horizon  time.Time   // what was before is forgotten
	restarts []time.Time // of the left printer's OctoPrint
	quiet    bool        // nothing new is begun

	// What is right: with all of the operator's permissions, and without those to
	// print and to control.
	whole, without baseline
	early          map[string]packets.Packet // that was retained before anything went wrong
}

// printJob is a print that a person started. Each has a file of its own, so that
// OctoPrint remembers how each ended.
type printJob struct {
	printer, path string
	started       time.Time
	cancelled     bool
	seen          bool   // by a session of the bridge
	end           ending // as far as it was found out
}

// pulse is a value that the untouched printer showed at a time.
type pulse struct {
	at     time.Time
	target float64
	since  int // messages before
}

type appointment struct {
	at time.Time
	do func()
}

// baseline is what a bridge that has just started announces and retains. The golden
// files hold it to be right.
type baseline struct {
	topics    map[string]bool              // that are retained
	documents map[string]string            // of discovery, by topic
	configs   map[string]map[string]string // their components, by topic and key
}

func (w *world) baseline() baseline {
	w.t.Helper()
	b := baseline{make(map[string]bool), make(map[string]string), make(map[string]map[string]string)}
	for topic, payload := range w.broker.retained() {
		b.topics[topic] = true
		if strings.HasPrefix(topic, w.topics.Prefix+"/device/") {
			b.configs[topic], b.documents[topic] = configsIn(w.t, payload), payload
		}
	}
	return b
}

// withoutControl is the baseline where the operator may only watch and connect.
func withoutControl(t *testing.T) baseline {
	t.Helper()
	var b baseline
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ordealPrinters(false))
		w.sims["left"].SetPermissions("operator", permittedWithout(octoprinttest.DefaultPermissions("users"), "CONTROL", "PRINT")...)
		w.up()
		b = w.baseline()
		w.end()
	})
	return b
}

func permittedWithout(all []string, taken ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(p string) bool { return slices.Contains(taken, p) })
}

func ordealPrinters(named bool) []setup {
	options := octoprinttest.Options{Users: usersWithSuccessor(), History: 2 * time.Second}
	return []setup{
		{options: options, config: func(c *PrinterConfig) {
			if named {
				c.User = "operator"
			}
		}},
		{id: "middle", options: options},
		// It is heated all the time, and nobody prints on it.
		{id: "right", options: options, config: func(c *PrinterConfig) { c.HeatWatch = 1000 * time.Hour }},
	}
}

// newOrdeal is to be called in a bubble. The configuration names the key's user if
// named says so.
func newOrdeal(t *testing.T, name string, named bool, without baseline) *ordeal {
	t.Helper()
	w := newWorld(t, ordealPrinters(named))
	restartable(w)
	seed := fnv.New64a()
	seed.Write([]byte(name))
	tr := &ordeal{
		world: w, random: rand.New(rand.NewPCG(seed.Sum64(), 1)), named: named, without: without,
		raised: make(map[string]int), ended: make(map[string]*printJob),
	}
	tr.home = newHome(w.broker, w.topics.Prefix)
	w.broker.watch = func(m sent) {
		tr.home.message(m)
		if m.byBridge && strings.HasSuffix(m.topic, "/event") && m.topic != w.topics.BridgeEvent() {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			tr.told = append(tr.told, m)
		}
	}
	tr.launch()
	tr.within(10*time.Second, "the bridge is online", func() bool { return tr.retained(tr.topics.BridgeState()) == online })
	tr.sleep(time.Second)
	if r := tr.set("middle", "maintenance", "ON"); r.code() != "ok" {
		t.Fatalf("maintenance: %v", r.Error)
	}
	tr.cleared = time.Now()
	tr.whole, tr.early = tr.baseline(), tr.broker.current().Topics.Retained.GetAll()
	tr.startHome()
	tr.pass(15 * time.Second)
	return tr
}

// configsIn returns the components of a document of discovery, as they stand there.
func configsIn(t *testing.T, document string) map[string]string {
	t.Helper()
	var d struct {
		Components map[string]json.RawMessage `json:"cmps"`
	}
	if err := json.Unmarshal([]byte(cmp.Or(document, "{}")), &d); err != nil {
		t.Fatalf("%v in %q", err, document)
	}
	list := make(map[string]string, len(d.Components))
	for key, c := range d.Components {
		list[key] = string(c)
	}
	return list
}

// in has something done after a while.
func (tr *ordeal) in(d time.Duration, do func()) {
	tr.due = append(tr.due, appointment{time.Now().Add(d), do})
}

// pass lets time pass and keeps all appointments.
func (tr *ordeal) pass(d time.Duration) {
	end := time.Now().Add(d)
	for {
		slices.SortStableFunc(tr.due, func(a, b appointment) int { return a.at.Compare(b.at) })
		if len(tr.due) == 0 || tr.due[0].at.After(end) {
			break
		}
		next := tr.due[0]
		tr.due = tr.due[1:]
		tr.sleep(time.Until(next.at))
		next.do()
		synctest.Wait()
	}
	tr.sleep(time.Until(end))
}

// startHome starts Home Assistant, which says so ten seconds later.
func (tr *ordeal) startHome() {
	tr.home.start()
	tr.bear(10 * time.Second)
}

// bear has Home Assistant say that it has started.
func (tr *ordeal) bear(d time.Duration) {
	tr.raised["birth"]++
	tr.in(d, func() {
		tr.raised["birth"]--
		if tr.home.born() {
			tr.births++
		}
	})
}

// raise puts something in the way; set is called for the first fault that does.
func (tr *ordeal) raise(what string, set func()) {
	tr.raised[what]++
	if tr.raised[what] == 1 {
		set()
	}
}

// lower takes it out of the way; unset is called for the last fault.
func (tr *ordeal) lower(what string, unset func()) {
	tr.raised[what]--
	if tr.raised[what] == 0 {
		unset()
	}
}

// beat has the untouched printer show a new value every two seconds.
func (tr *ordeal) beat() {
	tr.in(2*time.Second, tr.beat)
	if tr.quiet {
		return
	}
	target := float64(1 + len(tr.pulses)%20) // colder than the room: nothing heats
	tr.must(tr.sims["right"].SetTarget("bed", target))
	tr.pulses = append(tr.pulses, pulse{at: time.Now(), target: target, since: tr.broker.seen()})
	n := len(tr.pulses) - 1
	tr.in(time.Second, func() { tr.felt(tr.pulses[n]) })
}

// felt is promise P3: whatever happens to one printer, the values of another keep
// coming within a second.
func (tr *ordeal) felt(p pulse) {
	if tr.cleared.IsZero() || tr.cleared.After(p.at) {
		return
	}
	want := value{kind: numberValue, number: p.target}.payload()
	topic := tr.topics.Value("right", "bed_target")
	for _, m := range tr.broker.since(p.since, topic) {
		if m.topic == topic && m.payload == want {
			return
		}
	}
	tr.t.Errorf("right was set to %s and that was not told within a second", want)
}

// begin has a printer print a file that nobody has printed before.
func (tr *ordeal) begin(printer string, takes time.Duration) *printJob {
	tr.begun++
	j := &printJob{printer: printer, path: fmt.Sprintf("print-%d.gcode", tr.begun), started: time.Now()}
	s := tr.sims[printer]
	s.AddFile(octoprinttest.File{Path: j.path, PrintTime: takes, FilamentLength: 1234, FilamentVolume: 3.5, BedTarget: 40})
	tr.must(s.SetTemperature("bed", 40))
	tr.must(s.Print(j.path))
	tr.prints = append(tr.prints, j)
	tr.sleep(50 * time.Millisecond)
	tr.notice(j)
	return j
}

// busy has the middle printer print one file after the other.
func (tr *ordeal) busy() {
	tr.in(5*time.Second, tr.busy)
	if tr.quiet {
		return
	}
	if i := tr.sims["middle"].itself(tr.t); i.Phase == "idle" {
		j := tr.begin("middle", time.Duration(5+tr.random.IntN(60))*time.Second)
		switch tr.random.IntN(5) {
		case 0:
			tr.in(time.Duration(2+tr.random.IntN(20))*time.Second, func() { j.cancelled = tr.runs(j) && tr.sims["middle"].Cancel() == nil })
		case 1:
			tr.in(time.Duration(2+tr.random.IntN(20))*time.Second, func() {
				if tr.runs(j) && tr.sims["middle"].FirmwareError("MINTEMP") == nil {
					tr.in(4*time.Second, func() { tr.must(tr.sims["middle"].Connect()) })
				}
			})
		}
	}
}

// linked reports whether all parts are connected with each other that can be.
func (tr *ordeal) linked() bool {
	if !tr.running() || tr.broker.isCrashed() {
		return false
	}
	if c, ok := tr.broker.current().Clients.Get(tr.config.MQTT.ClientID); !ok || c.Closed() {
		return false
	}
	for id, s := range tr.sims {
		if (id != "left" || tr.expectedLeft().connection == connectionConnected) && s.Sockets() == 0 {
			return false
		}
	}
	return true
}

// endTime is how long it may take, once everything is connected, until the end of a
// print is told that nobody has seen.
const endTime = 15 * time.Second

// settle waits until everything that is to be seen is right. It must be so within
// a limit and, where strict, within 5 s after the last connection was made.
func (tr *ordeal) settle(what string, limit time.Duration, strict bool) {
	tr.t.Helper()
	step := time.Second
	if strict || limit < 10*time.Second {
		step = 250 * time.Millisecond
	}
	if !strict && limit > time.Minute*2 {
		tr.quiet = true // or it takes all too long
	}
	began, linked := time.Now(), time.Time{}
	right := false      // nothing was wrong once since the last connection
	var before []string // the first lie at each step
	for {
		switch {
		case !tr.linked():
			linked, right = time.Time{}, false
		case linked.IsZero():
			linked = time.Now()
		}
		lies := []string{"not all are connected"}
		switch {
		case linked.IsZero():
		case right && tr.raised["birth"] > 0:
			lies = []string{"Home Assistant is about to say that it has started"}
		default:
			lies = tr.lies()
			right = right || len(lies) == 0
		}
		if strict && !linked.IsZero() && !right && time.Since(linked) > 5*time.Second+step {
			tr.fail(what, fmt.Sprintf("not right %v after the connection", time.Since(linked)), append(before, lies...))
		}
		if len(lies) == 0 {
			if lies = tr.lateLies(); len(lies) == 0 {
				return
			}
		}
		if time.Since(began) > limit {
			tr.fail(what, fmt.Sprintf("not right %v after the end", time.Since(began)), append(before, lies...))
		}
		before = append(before[max(0, len(before)-20):], fmt.Sprintf("%v before: %s", time.Since(began), lies[0]))
		tr.pass(step)
	}
}

// lateLies is what is wrong of what may take longer: the ends of prints, and what
// Home Assistant shows.
func (tr *ordeal) lateLies() []string {
	for _, find := range []func() []string{tr.lastLies, tr.eventLies, tr.homeLies} {
		if lies := find(); len(lies) > 0 {
			return lies
		}
	}
	return nil
}

// fail ends the test with all that is needed to understand why.
func (tr *ordeal) fail(what, why string, lies []string) {
	tr.t.Helper()
	var logs strings.Builder
	for _, p := range tr.processes {
		fmt.Fprintf(&logs, "--- a bridge, launched %s:\n%s", p.launched.UTC().Format(time.TimeOnly), p.logs)
	}
	tr.t.Fatalf("%s: %s: %s\nin the way: %v\n%s", what, time.Now().UTC().Format(time.TimeOnly), why+"\n  "+strings.Join(lies, "\n  "), tr.raised, logs.String())
}

// runs reports whether a print is the one that runs.
func (tr *ordeal) runs(j *printJob) bool {
	i := tr.sims[j.printer].itself(tr.t)
	return i.running() && i.File.Path == j.path
}
