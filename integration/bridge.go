package integration

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/discovery"
)

const (
	// inboundLength is how many messages of the broker may wait to be routed,
	// which takes microseconds each.
	inboundLength = 1024
	// maxSpawned is how much may wait to be spawned, which takes microseconds.
	maxSpawned = 1024
	// settleTime is how long the first publication waits for the printers, so
	// that what is told first is complete.
	settleTime = 3 * time.Second
	// spread is over how long the first sessions of a large farm are spread, per
	// printer.
	spread = 4 * time.Millisecond
	// birthJitter spreads what several bridges send when Home Assistant starts.
	birthJitter = 3 * time.Second
	// stubDelay is how long Home Assistant gets to load a component before it is
	// told to remove it.
	stubDelay = 3 * time.Second
)

// Bridge joins the printers of a configuration with one MQTT broker.
type Bridge struct {
	config     Config
	log        zerolog.Logger
	commandLog zerolog.Logger // sampled: whoever floods us must not fill the log
	topics     discovery.Topics
	outbox     *outbox
	journal    *journal
	broker     *broker
	farm       *farm
	device     *device[*Bridge]
	order      []*printer
	printers   map[string]*printer
	instance   string // random, tells two bridges apart
	started    time.Time

	inbound chan delivery
	spawned chan func(context.Context)

	mu        sync.Mutex
	refused   map[string]uint64
	lost      uint64 // messages that found inbound full
	brokerWas connection
	bornAt    time.Time // when Home Assistant's start is to be answered; zero: not
	stubsAt   time.Time // when stubs are to follow that answer; zero: not
	healthAt  time.Time
	staleInfo bool // bridge/info has to be published anew
}

// New returns a bridge for a valid configuration. It starts nothing.
func New(c Config, log zerolog.Logger) *Bridge {
	b := &Bridge{
		config:     c,
		log:        log,
		commandLog: log.Sample(&zerolog.BurstSampler{Burst: 30, Period: time.Minute}),
		topics:     discovery.Topics{Base: c.MQTT.BaseTopic, Prefix: c.MQTT.DiscoveryPrefix},
		outbox:     newOutbox(),
		journal:    newJournal(c.StateDir, log),
		printers:   make(map[string]*printer, len(c.Printers)),
		instance:   newInstance(),
		started:    time.Now(),
		inbound:    make(chan delivery, inboundLength),
		spawned:    make(chan func(context.Context), maxSpawned),
		refused:    make(map[string]uint64),
	}
	b.broker = &broker{
		config: c.MQTT, online: b.topics.BridgeState(), outbox: b.outbox,
		filters: b.filters, deliver: b.deliver, connected: b.brokerConnected,
	}
	b.farm = newFarm(b)
	b.device = newDevice[*Bridge](discovery.Bridge, b.topics, b.outbox)
	b.device.setRows(bridgeRows())
	for _, pc := range c.Printers {
		p := newPrinter(b, pc)
		b.order = append(b.order, p)
		b.printers[pc.ID] = p
	}
	return b
}

// newInstance returns eight random hexadecimal digits.
func newInstance() string {
	var id [4]byte
	rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// controllable reports whether the configuration allows commands to any printer.
func (b *Bridge) controllable() bool {
	for _, p := range b.config.Printers {
		if p.Access.includes(AccessControl) && !p.Disabled {
			return true
		}
	}
	return false
}

// Run serves until ctx ends; then it says offline and returns, within a few
// seconds. Trouble with the broker or a printer never ends it: that is logged,
// shown, and tried again. Run may be called once.
func (b *Bridge) Run(ctx context.Context) error {
	var recording sync.WaitGroup
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	recording.Go(func() { b.journal.run(writing) })
	b.begin()

	// The broker outlives all else, to be told how it ended.
	brokerCtx, stopBroker := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBroker()
	var last sync.WaitGroup
	last.Go(func() {
		b.settle(ctx)
		keep(brokerCtx, b.broker.serve, b.brokerFailed)
	})

	var all sync.WaitGroup
	for i, p := range b.order {
		delay := mathrand.N(time.Duration(i)*spread + 1)
		all.Go(func() { p.run(ctx, delay) })
		all.Go(func() { p.work(ctx) })
	}
	all.Go(func() { b.routeAll(ctx) })
	all.Go(func() { b.tickAll(ctx) })
	all.Go(func() { b.runSpawned(ctx) })
	all.Wait()

	b.outbox.Put(b.topics.BridgeState(), offline, onlineClass)
	stopBroker()
	last.Wait()
	stopWriting() // what the broker acknowledged to the last is no longer in transit
	recording.Wait()
	b.log.Info().Msg("stopped")
	return nil
}

// begin puts everything that is known before the first connection into the
// outbox.
func (b *Bridge) begin() {
	b.journal.tidy(recordFolder, func(id string) bool { return b.printers[id] != nil })
	b.outbox.Put(b.topics.BridgeState(), online, onlineClass)
	b.announceBridge()
	b.farm.announce()
	b.device.observe(b, time.Now())
	for _, p := range b.order {
		p.start()
	}
	b.outbox.Put(b.topics.BridgeInfo(), mustMarshal(b.info()), valueClass)
	b.health(time.Now())
}

// settle waits until every printer has been tried once, but not for long.
func (b *Bridge) settle(ctx context.Context) {
	timer := time.NewTimer(settleTime)
	defer timer.Stop()
	for _, p := range b.order {
		select {
		case <-p.tried:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// filters returns what to subscribe to: commands, Home Assistant's birth, and
// our own discovery documents, to see when a user deletes one.
func (b *Bridge) filters() []string {
	filters := b.topics.CommandFilters()
	if b.config.MQTT.BirthTopic != "" && b.topics.Prefix != "" {
		filters = append(filters, b.config.MQTT.BirthTopic)
	}
	if b.topics.Prefix != "" {
		filters = append(filters, b.topics.Config(discovery.Bridge), b.topics.Config(discovery.Farm))
		for _, p := range b.order {
			filters = append(filters, b.topics.Config(p.config.ID))
		}
	}
	return filters
}

// spawn has something run beside all else and reports whether there was room to
// ask for it. The asker bounds how much of it runs.
func (b *Bridge) spawn(f func(context.Context)) bool {
	select {
	case b.spawned <- f:
		return true
	default:
		return false
	}
}

// runSpawned runs what is spawned until ctx ends, and waits for it.
func (b *Bridge) runSpawned(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-b.spawned:
			group.Go(func() { f(ctx) })
		}
	}
}

// tickAll does each second what waits for time to pass, until ctx ends.
func (b *Bridge) tickAll(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			b.tick(now)
		}
	}
}

func (b *Bridge) tick(now time.Time) {
	for _, p := range b.order {
		p.tick(now)
	}
	b.farm.tick(now)

	b.mu.Lock()
	born := passed(&b.bornAt, now)
	if born {
		b.stubsAt = now.Add(stubDelay)
	}
	stubs := passed(&b.stubsAt, now)
	healthy := now.Sub(b.healthAt) >= healthInterval
	stale := b.staleInfo
	b.staleInfo = false
	b.mu.Unlock()

	if born {
		b.log.Info().Msg("Home Assistant has started: publishing everything again")
		for _, p := range b.order {
			p.reannounce(true)
		}
		b.outbox.Again()
	}
	if stubs {
		for _, p := range b.order {
			p.reannounce(false)
		}
	}
	if stale {
		b.outbox.Put(b.topics.BridgeInfo(), mustMarshal(b.info()), valueClass)
	}
	if healthy {
		b.health(now)
	}
}

// passed reports whether a time has come, and forgets it then.
func passed(at *time.Time, now time.Time) bool {
	if at.IsZero() || now.Before(*at) {
		return false
	}
	*at = time.Time{}
	return true
}

// brokerConnected tells that everything has been published.
func (b *Bridge) brokerConnected() {
	b.mu.Lock()
	b.brokerWas = connectionConnected
	b.mu.Unlock()
	b.log.Info().Str("broker", publicURL(b.config.MQTT.URL)).Msg("connected to the MQTT broker")
	now := time.Now()
	b.device.observe(b, now)
	b.health(now)
}

// brokerFailed logs the loss of the broker once.
func (b *Bridge) brokerFailed(err error) (final bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.brokerWas != connectionUnreachable {
		b.log.Warn().Str("broker", publicURL(b.config.MQTT.URL)).Msg(explainBroker(&b.config.MQTT, err))
	} else {
		b.log.Debug().Err(err).Msg("no connection to the MQTT broker")
	}
	b.brokerWas = connectionUnreachable
	return false
}
