package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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

// subscription is a filter with the quality of service at which its messages
// are wanted. What is retained is wanted at 0: some brokers take the number of a
// further subscription for that of a message that we haven't acknowledged yet.
type subscription struct {
	filter      string
	qos         byte
	dispensable bool // the broker may refuse it
}

// listening makes subscriptions of filters.
func listening(qos byte, filters ...string) []subscription {
	var list []subscription
	for _, f := range filters {
		list = append(list, subscription{filter: f, qos: qos})
	}
	return list
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
	filters func() []subscription
	// deliver is called for each message, in order, and must not block: the
	// library stops reading while it runs.
	deliver func(delivery)
	// connected is called when everything is published and online.
	connected func()
	// ended is called after each connection, with how large pictures were that were
	// on their way.
	ended func(largest int)

	mu     sync.Mutex
	asked  chan struct{} // holds one element while something is asked for
	wanted asked

	up                  atomic.Bool
	published, received atomic.Uint64
	connects            atomic.Int64
}

// asked is what is wanted of the running connection.
type asked struct {
	join []subscription
	part []string // filters
	quit error
}

// listen has the running connection subscribe to more. What a broker has retained
// it tells at each subscription, also if there was one already.
func (b *broker) listen(list ...subscription) {
	b.ask(func(a *asked) {
		a.join = append(a.join, list...)
		a.part = slices.DeleteFunc(a.part, func(filter string) bool {
			return slices.ContainsFunc(list, func(s subscription) bool { return s.filter == filter })
		})
	})
}

// leave has the running connection unsubscribe.
func (b *broker) leave(filters ...string) {
	b.ask(func(a *asked) {
		a.part = append(a.part, filters...)
		a.join = slices.DeleteFunc(a.join, func(s subscription) bool { return slices.Contains(filters, s.filter) })
	})
}

// quit ends the running connection with an error.
func (b *broker) quit(err error) { b.ask(func(a *asked) { a.quit = err }) }

func (b *broker) ask(add func(*asked)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	add(&b.wanted)
	select {
	case b.asked <- struct{}{}:
	default: // there is one already
	}
}

// take returns what is asked for, and forgets it.
func (b *broker) take() asked {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.wanted
	b.wanted = asked{}
	return a
}

// serve connects to the broker and keeps it in step until the connection fails,
// or, when ctx ends, until the outbox is drained.
func (b *broker) serve(ctx context.Context) error {
	c, err := b.dial(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	b.take() // was for the connection before
	if err := c.subscribe(ctx, b.filters()); err != nil {
		return err
	}
	b.outbox.Forget()
	defer func() { b.ended(b.outbox.DropPictures()) }()
	defer b.up.Store(false)
	err = b.introduce(ctx, c)
	if err == nil {
		b.connects.Add(1)
		b.up.Store(true)
		b.connected()
		err = c.pump(ctx, pictureClass, func() bool { return false })
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
		select {
		case <-c.broker.asked: // first: it may be to say nothing more
			if err := c.grant(ctx); err != nil {
				return err
			}
		default:
		}
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
		case <-c.broker.asked:
			if err := c.grant(ctx); err != nil {
				return err
			}
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

// grant does what is asked of the connection.
func (c *brokerConn) grant(ctx context.Context) error {
	a := c.broker.take()
	if a.quit != nil {
		return a.quit
	}
	if err := c.subscribe(ctx, a.join); err != nil {
		return err
	}
	return c.unsubscribe(ctx, a.part)
}

// peek asks the broker what it has retained on some topics, on a connection of
// its own with another client id and no will. Brokers send what they have retained
// before they acknowledge that we don't want to hear more.
func (b *broker) peek(ctx context.Context, clientID string, topics []string) (map[string]string, error) {
	heard := make(chan delivery, len(topics))
	other := &broker{config: b.config, outbox: b.outbox, deliver: func(d delivery) {
		select {
		case heard <- d:
		default: // said again
		}
	}}
	other.config.ClientID = clientID
	c, err := other.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.subscribe(ctx, listening(0, topics...)); err != nil {
		return nil, err
	}
	if err := c.unsubscribe(ctx, topics); err != nil {
		return nil, err
	}
	late := time.NewTimer(peekGrace)
	defer late.Stop()
	found := make(map[string]string)
	for len(found) < len(topics) {
		select {
		case d := <-heard:
			found[d.topic] = string(d.payload)
		case <-late.C:
			return found, nil
		}
	}
	return found, nil
}

// peekGrace is for the messages that the library has read, but not handed on yet.
const peekGrace = 50 * time.Millisecond
