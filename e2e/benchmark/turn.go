package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// plan is what is measured: how long the phases of a turn last, how many rounds
// there are, and with what.
type plan struct {
	rounds   int
	load     time.Duration // as long as the bridge takes to tell each value once, or a multiple of it
	probing  time.Duration
	idle     time.Duration // a multiple of the interval of pings
	sizes    []int         // of farms, the largest last; the others are measured under load, for half as long
	subjects []subject
	profiles string // folder to write profiles of the phases into; empty: none are made
}

func fullPlan(program string) plan {
	return plan{
		rounds: 3, load: 30 * time.Second, probing: 5 * time.Second, idle: pingInterval,
		sizes:    []int{10, 100, 1000},
		subjects: []subject{bridge(program), floor("floor"), decodingFloor()},
	}
}

func quickPlan(program string) plan {
	return plan{
		rounds: 1, load: 6 * time.Second, probing: 3 * time.Second, idle: pingInterval,
		sizes:    []int{1000},
		subjects: []subject{bridge(program), floor("floor")},
	}
}

// turns are what each round consists of, in order. Small farms and programs that
// are only there for comparison have their turn in the first.
func (p plan) turns(round int) []*turn {
	var list []*turn
	most := p.sizes[len(p.sizes)-1]
	for _, size := range p.sizes {
		for _, s := range p.subjects {
			all := size == most
			if once := !all || s.loadOnly; once && round > 0 || !all && s.loadOnly {
				continue
			}
			list = append(list, &turn{plan: p, subject: s, all: all, result: result{subject: s.name, printers: size}})
		}
	}
	return list
}

// The limits within which things must happen, or the benchmark fails.
const (
	startLimit    = time.Minute
	recoverLimit  = time.Minute
	outage        = 2 * time.Second // of the broker
	probeInterval = 10              // frames; one of so many has a new target while latency is measured
	startProfile  = 6 * time.Second // as long as a start takes
	settleIdle    = 8 * time.Second // until everything that a printer's end causes is told
	settleFloor   = 3 * time.Second
	// settleBridge is until the bridge has looked for what former runs have left
	// on the broker, which it does when all is published.
	settleBridge = 12 * time.Second
)

// result is what was measured in one turn. What wasn't measured is zero.
type result struct {
	subject  string
	printers int

	start     time.Duration // from the start of the program until everything is published
	again     time.Duration // the same where the broker still has everything
	perFrame  time.Duration // CPU
	messages  float64       // published per frame
	memory    memory
	latencies []time.Duration
	broker    time.Duration // from the broker's return until everything is published again
	sessions  time.Duration // from the loss of all sessions until every printer has told something new
	idle      time.Duration // CPU per printer and minute
}

// turn is one program's run against a broker and a farm of its own.
type turn struct {
	plan    plan
	subject subject
	all     bool // phases
	folder  string
	farm    *farm
	watch   *watch
	address string // of the broker
	broker  *process
	program *process
	result  result
}

// run runs the program through all phases, or the first ones, and returns what
// was measured.
func (t *turn) run(ctx context.Context) (r result, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if t.folder, err = os.MkdirTemp("", "octoprint2mqtt-benchmark-"); err != nil {
		return result{}, err
	}
	defer os.RemoveAll(t.folder)
	t.watch = newWatch(t.subject.raw, t.result.printers)
	if t.farm, err = newFarm(ctx, t.result.printers, t.watch.expect); err != nil {
		return result{}, err
	}
	defer t.farm.close()
	if err := t.startBroker(ctx, "127.0.0.1:0"); err != nil {
		return result{}, err
	}
	defer func() { t.broker.kill() }()
	var following sync.WaitGroup
	following.Go(func() { t.watch.follow(ctx, t.address) })
	defer following.Wait()
	defer cancel()
	if err := t.phases(ctx); err != nil {
		return result{}, fmt.Errorf("%s with %d printers: %w", t.subject.name, t.result.printers, err)
	}
	return t.result, nil
}

func (t *turn) phases(ctx context.Context) error {
	phases := []func(context.Context) error{t.start}
	if t.all && !t.subject.raw {
		phases = append(phases, t.startAgain)
	}
	phases = append(phases, t.load)
	whole := t.all && !t.subject.loadOnly
	if whole {
		phases = append(phases, t.probe)
	}
	if whole && !t.subject.raw {
		phases = append(phases, t.loseBroker, t.loseSessions)
	}
	if whole {
		phases = append(phases, t.rest)
	}
	defer func() {
		if t.program != nil {
			t.program.stop()
		}
	}()
	for _, phase := range phases {
		if err := phase(ctx); err != nil {
			return err
		}
		if err := t.program.failed(); err != nil {
			return err
		}
	}
	return nil
}

func (t *turn) startBroker(ctx context.Context, address string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if t.broker, err = start(ctx, "the broker", self, "broker", "--listen", address); err != nil {
		return err
	}
	if _, err := await(ctx, startLimit, "the broker listens", func() bool { _, ok := t.broker.output.line(); return ok }); err != nil {
		return err
	}
	t.address, _ = t.broker.output.line()
	return nil
}

// await waits for something that the program should do, and returns how long
// after a moment it was done.
func (t *turn) await(ctx context.Context, since time.Time, what string, so func() bool) (time.Duration, error) {
	at, err := await(ctx, recoverLimit, what, so)
	if err != nil {
		return 0, fmt.Errorf("%w: %s; the program's last words:\n%s", err, t.watch.state(), t.program.output)
	}
	return at.Sub(since), nil
}

// start measures how long it takes until everything is published. Frames come
// from the beginning.
func (t *turn) start(ctx context.Context) (err error) {
	t.result.start, err = t.startProgram(ctx)
	return err
}

// startAgain stops the program and starts it once more. This is how programs
// mostly start, and what they read of their former lives takes memory.
func (t *turn) startAgain(ctx context.Context) (err error) {
	t.program.stop()
	t.watch.forget()
	t.result.again, err = t.startProgram(ctx)
	return err
}

func (t *turn) startProgram(ctx context.Context) (time.Duration, error) {
	command, err := t.subject.command(t.folder, t.address, t.farm)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if t.program, err = start(ctx, t.subject.name, command...); err != nil {
		return 0, err
	}
	if t.plan.profiles != "" {
		if err := t.profileCPU(ctx, "start", startProfile); err != nil {
			return 0, err
		}
	}
	return t.await(ctx, began, "everything is published", t.watch.complete)
}

// load measures what printing printers cost.
func (t *turn) load(ctx context.Context) error {
	settle := settleBridge
	if t.subject.raw {
		settle = settleFloor
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	frames, messages := t.farm.sent.Load(), t.watch.messages()
	lasts := t.plan.load
	if !t.all {
		lasts /= 2
	}
	cpu, err := t.cpu(ctx, "load", lasts)
	if err != nil {
		return err
	}
	n := t.farm.sent.Load() - frames
	t.result.perFrame = cpu / time.Duration(n)
	t.result.messages = float64(t.watch.messages()-messages) / float64(n)
	if t.result.memory, err = readMemory(t.program.pid()); err != nil || t.plan.profiles == "" {
		return err
	}
	if err := t.profile(ctx, "load.heap.txt", "/heap?debug=1"); err != nil { // with what the runtime says of the rest
		return err
	}
	return t.profile(ctx, "load.heap", "/heap?gc=1")
}

// cpu returns what the program uses in a while.
func (t *turn) cpu(ctx context.Context, phase string, d time.Duration) (time.Duration, error) {
	if t.plan.profiles != "" {
		return 0, t.profileCPU(ctx, phase, d)
	}
	before, err := readCPU(t.program.pid())
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, d); err != nil {
		return 0, err
	}
	after, err := readCPU(t.program.pid())
	return after - before, err
}

// probe measures how long new values take.
func (t *turn) probe(ctx context.Context) error {
	t.watch.takeProbes()
	t.farm.probeEvery.Store(probeInterval)
	err := pause(ctx, t.plan.probing)
	t.farm.probeEvery.Store(0)
	if err != nil {
		return err
	}
	if _, err := t.await(ctx, time.Time{}, "every new target is seen", func() bool { return t.watch.awaited() == 0 }); err != nil {
		return err
	}
	t.result.latencies = t.watch.takeProbes()
	return nil
}

// loseBroker measures how long the program takes to publish everything on a
// broker that was away and has lost all that it retained.
func (t *turn) loseBroker(ctx context.Context) error {
	t.broker.kill()
	t.watch.forget()
	if err := pause(ctx, outage); err != nil {
		return err
	}
	if err := t.startBroker(ctx, t.address); err != nil {
		return err
	}
	var err error
	t.result.broker, err = t.await(ctx, time.Now(), "everything is published again", t.watch.recovered)
	return err
}

// loseSessions measures how long the program takes to come back to all servers
// at once.
func (t *turn) loseSessions(ctx context.Context) error {
	t.watch.takeProbes()
	n := len(t.farm.printers)
	began := time.Now()
	t.farm.dropSockets()
	t.farm.renew.Store(true)
	told := 0
	var err error
	t.result.sessions, err = t.await(ctx, began, "every printer tells something new", func() bool {
		told += len(t.watch.takeProbes())
		return told == n && t.farm.loggedIn() == n
	})
	return err
}

// rest measures what printers cost that are off, while their servers are on.
func (t *turn) rest(ctx context.Context) error {
	if err := t.farm.switchOff(ctx); err != nil {
		return err
	}
	if err := pause(ctx, settleIdle); err != nil {
		return err
	}
	cpu, err := t.cpu(ctx, "idle", t.plan.idle)
	t.result.idle = time.Duration(float64(cpu) / float64(t.result.printers) * float64(time.Minute) / float64(t.plan.idle))
	return err
}
