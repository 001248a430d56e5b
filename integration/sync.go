package integration

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrBrokerRefused is what [Bridge.Run] and [Check] report when the broker lets
// us in no way: a person has to mend it.
var ErrBrokerRefused = errors.New("the broker refused the login")

// ErrSubscriptionRefused means that the broker lets us in, but not listen.
var ErrSubscriptionRefused = errors.New("the broker refused the subscription")

// delivery is one message from the broker.
type delivery struct {
	topic    string
	payload  []byte
	retained bool
	at       time.Time
}

// broker keeps the outbox and the MQTT broker in step. It is the only part that
// knows the MQTT library.
//
// A connection gets a client of its own, without the library's reconnection: that
// would replay old payloads in random order, and commands from before.
type broker struct {
	config MQTTConfig
	online string // the topic of the will; empty: none
	outbox *outbox
	// filters returns what to subscribe to.
	filters func() []string
	// deliver is called for each message, in order, and must not block: the
	// library stops reading while it runs.
	deliver func(delivery)
	// connected is called when everything is published and online.
	connected func()

	up                  atomic.Bool
	published, received atomic.Uint64
	connects            atomic.Int64
}

// serve connects to the broker and keeps it in step until the connection fails,
// or, when ctx ends, until the outbox is drained.
func (b *broker) serve(ctx context.Context) error {
	c, err := b.dial(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.subscribe(ctx, b.filters()); err != nil {
		return err
	}
	b.outbox.Forget()
	defer b.up.Store(false)
	err = b.introduce(ctx, c)
	if err == nil {
		b.connects.Add(1)
		b.up.Store(true)
		b.connected()
		err = c.pump(ctx, onlineClass, func() bool { return false })
	}
	if ctx.Err() != nil {
		return b.drain(ctx, c)
	}
	return err
}

// introduce publishes everything in the order that leaves no entity without its
// value: discovery, then a pause, then values, and who is available last.
func (b *broker) introduce(ctx context.Context, c *brokerConn) error {
	for limit := discoveryClass; limit <= onlineClass; limit++ {
		if err := c.pump(ctx, limit, func() bool { return b.outbox.Introduced(limit) }); err != nil {
			return err
		}
		if limit == discoveryClass && b.config.DiscoveryPrefix != "" && !wait(ctx, discoveryPause) {
			return ctx.Err()
		}
	}
	return nil
}

// drain sends what is left after ctx has ended, within a bound.
func (b *broker) drain(ctx context.Context, c *brokerConn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	return c.pump(ctx, onlineClass, func() bool { return c.inFlight == 0 && b.outbox.Settled(onlineClass) })
}

// pump publishes what the outbox has, of classes up to limit, until done says
// that it is enough or the connection fails.
func (c *brokerConn) pump(ctx context.Context, limit class, done func() bool) error {
	for {
		for c.inFlight < maxInFlight {
			m, ok := c.broker.outbox.Next(limit)
			if !ok {
				break
			}
			c.publish(m)
		}
		if done() {
			return nil
		}
		select {
		case <-c.broker.outbox.wake:
		case a := <-c.acks:
			c.inFlight--
			if a.err != nil {
				return a.err
			}
			a.done()
		case err := <-c.lost:
			return fmt.Errorf("the connection was lost: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
