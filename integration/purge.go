package integration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/discovery"
)

// restoreDelay is how long Home Assistant gets to forget a device before it is
// told of it again.
const restoreDelay = 3 * time.Second

// purgeDelay is how long a broker gets to forget what is purged before it is asked for
// what is left: pictures among that would all come.
const purgeDelay = time.Second

// purge removes everything from the broker that was ever published of a device,
// or of all devices if id is empty, and what earlier runs have left. What there
// is today is published again a moment later, so that it is there afresh.
func (b *Bridge) purge(id string) {
	for _, p := range b.printers() {
		if id == "" || id == p.id {
			p.mu.Lock()
			p.eraseLocked()
			p.mu.Unlock()
		}
	}
	if id == "" || id == discovery.Farm {
		b.farm.mu.Lock()
		b.farm.eraseLocked()
		b.farm.mu.Unlock()
	}
	now := time.Now()
	defer func() {
		b.openGallery() // which is closed now
		for _, p := range b.printers() {
			p.takeDownAll(now)
		}
	}()
	b.mu.Lock()
	defer b.mu.Unlock()
	if id == "" || id == discovery.Bridge {
		b.announced.eraseLocked()
		b.device.remove()
	}
	b.restoreAt, b.sweepAt = now.Add(restoreDelay), now.Add(purgeDelay)
	b.sweep.stop() // one that is under way begins again then
}

// restore publishes again what was purged.
func (b *Bridge) restore(now time.Time) {
	b.mu.Lock()
	if b.device.removed() {
		b.publishLocked(now)
	}
	b.mu.Unlock()
	b.farm.mu.Lock()
	if b.farm.device.removed() {
		b.farm.publishLocked(now)
	}
	b.farm.mu.Unlock()
	for _, p := range b.printers() {
		p.mu.Lock()
		if p.purged && !p.gone {
			p.publishLocked(now)
		}
		p.mu.Unlock()
	}
}

// maxListening bounds how long a broker may tell what it has retained, pictures of a
// large farm among it.
const maxListening = 2 * time.Minute

// listenOut waits until the broker has nothing more to tell, at least sweepTime. It is
// false if ctx ends before that.
func (b *Bridge) listenOut(ctx context.Context) bool {
	until := time.Now().Add(maxListening)
	ok := wait(ctx, sweepTime)
	for heard := uint64(0); ok && heard != b.broker.received.Load() && time.Now().Before(until); {
		heard = b.broker.received.Load()
		ok = wait(ctx, time.Second)
	}
	return ok
}

// Purge removes everything from the broker that bridges with this configuration
// have ever retained there, and returns how many topics that were. It refuses to
// while one is at work. It takes a few seconds.
func Purge(ctx context.Context, c Config) (int, error) {
	c.StateDir = ""
	b := New(c, zerolog.Nop())
	switch _, err := b.rivals.find(ctx); {
	case errors.Is(err, errRival):
		return 0, fmt.Errorf("nothing was removed: %w; stop it first", err)
	case err != nil:
		return 0, errors.New("nothing was removed: " + explainBroker(&c.MQTT, err))
	}
	b.broker.config.ClientID = "purge-" + b.instance
	b.broker.online = "" // no will: nothing is to be said about the bridge
	b.sweep.begin()
	conn, err := b.broker.dial(ctx)
	if err != nil {
		return 0, errors.New("nothing was removed: " + explainBroker(&c.MQTT, err))
	}
	defer conn.close()
	if err := conn.subscribe(ctx, listening(0, b.topics.RetainedFilters()...)); err != nil {
		return 0, errors.New("nothing was removed: " + explainBroker(&c.MQTT, err))
	}
	if !b.listenOut(ctx) {
		return 0, ctx.Err()
	}
	n := b.sweep.finish(func(string) bool { return true })
	if err := conn.pump(ctx, onlineClass, func() bool { return conn.inFlight == 0 && b.outbox.Settled(onlineClass) }); err != nil {
		return 0, fmt.Errorf("not everything was removed: %w", err)
	}
	return n, nil
}
