package integration

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const (
	// inboundLength is how many messages of the broker may wait to be routed,
	// which takes microseconds each.
	inboundLength = 1024
	// maxSpawned and maxSpawnedEach are how much may wait to be spawned, which takes
	// microseconds: in all, and more for each printer, of which all may want an
	// inquiry, a document and the truth about two jobs at once. An emergency stop
	// must find room beside that.
	maxSpawned     = 1024
	maxSpawnedEach = 4
	// settleTime is how long the first publication waits for the printers, so
	// that what is told first is complete.
	settleTime = 3 * time.Second
	// spread is over how long the first sessions of a large farm are spread, per
	// printer.
	spread = 3 * time.Millisecond
	// birthJitter spreads what several bridges send when Home Assistant starts.
	birthJitter = 3 * time.Second
	// stubDelay is how long Home Assistant gets to load a component before it is
	// told to remove it.
	stubDelay = 3 * time.Second
)

// Bridge joins the printers of a configuration with one MQTT broker.
type Bridge struct {
	config       Config
	log          zerolog.Logger
	commandLog   zerolog.Logger // sampled: whoever floods us must not fill the log
	topics       discovery.Topics
	outbox       *outbox
	tables       tables
	journal      *journal
	broker       *broker
	farm         *farm
	roster       atomic.Pointer[roster]
	sweep        *sweep
	rivals       *rivals
	gallery      *gallery
	placeholders func() placeholders
	plugins      []plugin
	inquiries    []inquiry
	events       []octoprint.EventType // that inquiries wait for
	messages     []string              // the plugins whose messages are wanted
	instance     string                // random, tells two bridges apart
	started      time.Time
	ticked       atomic.Int64 // when the clock ticked last, in nanoseconds after started
	happenings   happenings

	inbound chan delivery
	spawned chan func(context.Context)
	changes chan change // asked for over MQTT
	// leave ends Run for a reason; see [ErrRestart]. Run sets it.
	leave context.CancelCauseFunc

	mu          sync.Mutex
	device      *device[*Bridge]
	announced   announcement
	admin       bool
	enrolling   map[string]bool // printers whose OctoPrint is being asked for a key
	recent      recent
	lost        uint64 // messages that found inbound full
	brokerWas   connection
	bornAt      time.Time // when Home Assistant's start is to be answered; zero: not
	stubsAt     time.Time // when stubs are to follow that answer; zero: not
	sweepAt     time.Time // when a sweep is to begin or, if one is under way, to end
	sweptOnce   bool
	settledOnce sync.Once // that the host is told so
	restoreAt   time.Time // when what was purged is to be published again; zero: not
	healthAt    time.Time
	staleInfo   bool // bridge/info has to be published anew

	// brokerDetail is why there is no connection to the broker, empty before the
	// first attempt.
	brokerDetail string
}

// New returns a bridge for a valid configuration. It starts nothing.
func New(c Config, log zerolog.Logger) *Bridge {
	b := &Bridge{
		config:       c,
		log:          log,
		commandLog:   log.Sample(&zerolog.BurstSampler{Burst: 30, Period: time.Minute}),
		topics:       discovery.Topics{Base: c.MQTT.BaseTopic, Prefix: c.MQTT.DiscoveryPrefix},
		outbox:       newOutbox(),
		journal:      newJournal(c.StateDir, log),
		gallery:      newGallery(),
		placeholders: sync.OnceValue(newPlaceholders),
		plugins:      plugins(),
		inquiries:    inquiries(),
		instance:     newInstance(),
		started:      time.Now(),
		inbound:      make(chan delivery, inboundLength),
		spawned:      make(chan func(context.Context), maxSpawned+maxSpawnedEach*len(c.Printers)),
		changes:      make(chan change, 1),
		leave:        func(error) {},
	}
	b.events, b.messages = slices.Clip(inquiryEvents(b.inquiries)), slices.Clip(pluginMessages())
	b.broker = &broker{
		config: c.MQTT, online: b.topics.BridgeState(), outbox: b.outbox,
		filters: b.filters, deliver: b.deliver, connected: b.brokerConnected, ended: b.brokerEnded,
		asked: make(chan struct{}, 1),
	}
	b.sweep = newSweep(b.topics, b.outbox)
	b.rivals = newRivals(b)
	b.farm = newFarm(b)
	b.device = newDevice[*Bridge](discovery.Bridge, b.topics, b.outbox)
	b.announced = announcement{topic: b.topics.Config(discovery.Bridge), outbox: b.outbox, owner: &b.mu, describe: b.describe}
	var list []*printer
	for i := range c.Printers {
		list = append(list, newPrinter(b, &c.Printers[i]))
	}
	b.roster.Store(newRoster(list))
	return b
}

// newInstance returns eight random hexadecimal digits.
func newInstance() string {
	var id [4]byte
	rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// ErrRestart is what [Bridge.Run] returns when it has ended in order to be
// started again with the configuration as it is now.
var ErrRestart = errors.New("the bridge is to be started again")

// errMoved is ErrRestart with other topics: nothing is left below the old ones.
var errMoved = fmt.Errorf("%w with other topics", ErrRestart)

// Run serves until ctx ends; then it says offline and returns nil, within a few
// seconds. Trouble with the broker or a printer never ends it: that is logged,
// shown, and tried again. It returns [ErrRestart] if it was asked to restart or a
// changed configuration needs that. Run may be called once.
func (b *Bridge) Run(ctx context.Context) error {
	ctx, b.leave = context.WithCancelCause(ctx)
	defer b.leave(nil)
	alone, release := b.journal.claim()
	defer release()
	stopJournal := attend(context.WithoutCancel(ctx), b.journal.run)
	defer stopJournal() // last: what the broker acknowledged is no longer in transit
	b.begin(alone)

	// The broker outlives all else, to be told how it ended.
	stopBroker := attend(context.WithoutCancel(ctx), func(serving context.Context) {
		b.settle(ctx)
		keep(serving, b.serveBroker, b.brokerFailed)
	})
	var all sync.WaitGroup
	all.Go(func() { newSupervisor(b).run(ctx) })
	all.Go(func() { b.routeAll(ctx) })
	all.Go(func() { b.tickAll(ctx) })
	all.Go(func() { b.runSpawned(ctx) })
	all.Go(func() { b.gallery.run(ctx) })
	all.Wait()

	cause := context.Cause(ctx)
	if errors.Is(cause, errMoved) {
		b.outbox.RemoveAll()
	} else {
		b.outbox.Put(b.topics.BridgeState(), offline, onlineClass)
	}
	stopBroker()
	b.log.Info().Msg("stopped")
	if errors.Is(cause, ErrRestart) {
		return ErrRestart
	}
	return nil
}

// attend runs f beside the caller, who must call stop: that ends f's context and
// waits for f.
func attend(ctx context.Context, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// begin puts everything that is known before the first connection into the
// outbox. It takes whether nobody else has the state folder.
func (b *Bridge) begin(alone bool) {
	b.journal.tidy(recordFolder, func(id string) bool { return b.printer(id) != nil })
	b.journal.hold(true) // until it is known that nobody else is at work
	b.rivals.recall(alone)
	b.outbox.Put(b.topics.BridgeState(), online, onlineClass)
	b.configure(&b.config)
	b.farm.configure(&b.config)
	for _, p := range b.printers() {
		p.start()
	}
	b.outbox.Put(b.topics.BridgeInfo(), mustMarshal(b.info()), valueClass)
	b.health(time.Now())
}

// configure takes over what a configuration says of the bridge's own device.
func (b *Bridge) configure(c *Config) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.admin = c.Admin
	b.publishLocked(time.Now())
}

// publishLocked announces the bridge and publishes its values.
func (b *Bridge) publishLocked(now time.Time) {
	b.announced.reshapeLocked(func() { b.device.setRows(bridgeRows(b.admin)) })
	b.device.observe(b, now)
}

// settle waits until every printer has been tried once, but not for long.
func (b *Bridge) settle(ctx context.Context) {
	timer := time.NewTimer(settleTime)
	defer timer.Stop()
	for _, p := range b.printers() {
		select {
		case <-p.tried:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
