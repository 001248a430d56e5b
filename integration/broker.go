package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	brokerTimeout  = 10 * time.Second // of connecting, subscribing and each acknowledgement
	keepAlive      = 10 * time.Second
	pingTimeout    = 5 * time.Second // keepAlive and this notice a half-open link within 20 s
	drainTimeout   = 3 * time.Second // for the last words at the end
	maxInFlight    = 64
	discoveryPause = 500 * time.Millisecond // that Home Assistant needs to subscribe to new entities
	subscribeBatch = 100                    // filters in one SUBSCRIBE
)

// ErrBrokerRefused is what [Bridge.Run] and [Check] report when the broker lets
// us in no way: a person has to mend it.
var ErrBrokerRefused = errors.New("the broker refused the login")

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
		settled := func() bool { return c.inFlight == 0 && b.outbox.Settled(limit) }
		if err := c.pump(ctx, limit, settled); err != nil {
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

// brokerConn is one connection.
type brokerConn struct {
	broker *broker
	client paho.Client
	packet atomic.Pointer[packetConn]
	lost   chan error // holds one element

	tokens   chan inFlight // in the order of sending
	acks     chan ack
	acking   sync.WaitGroup
	inFlight int
}

type inFlight struct {
	token paho.Token
	done  func()
}

type ack struct {
	done func()
	err  error
}

func (b *broker) dial(ctx context.Context) (*brokerConn, error) {
	c := &brokerConn{
		broker: b,
		lost:   make(chan error, 1),
		tokens: make(chan inFlight, maxInFlight), // never blocks: there are no more in flight
		acks:   make(chan ack, maxInFlight),
	}
	c.client = paho.NewClient(c.options(ctx))
	token := c.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		c.client.Disconnect(0)
		return nil, ctx.Err()
	}
	if err := token.Error(); err != nil {
		c.client.Disconnect(0)
		if refused(err) {
			err = fmt.Errorf("%w: %w", ErrBrokerRefused, err)
		}
		return nil, fmt.Errorf("connect to the broker: %w", err)
	}
	c.acking.Go(c.acknowledge)
	return c, nil
}

func refused(err error) bool {
	return errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) ||
		errors.Is(err, packets.ErrorRefusedNotAuthorised) || errors.Is(err, packets.ErrorRefusedIDRejected)
}

func (c *brokerConn) options(ctx context.Context) *paho.ClientOptions {
	m := &c.broker.config
	o := paho.NewClientOptions()
	o.Servers = []*url.URL{m.URL}
	o.SetClientID(m.ClientID).SetUsername(m.Username).SetPassword(m.Password)
	o.SetProtocolVersion(4).SetCleanSession(true).SetResumeSubs(false).SetOrderMatters(true)
	o.SetAutoReconnect(false).SetConnectRetry(false)
	o.SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout)
	o.SetConnectTimeout(brokerTimeout).SetWriteTimeout(pingTimeout)
	if c.broker.online != "" {
		o.SetWill(c.broker.online, offline, 1, true)
	}
	o.SetCustomOpenConnectionFn(func(u *url.URL, o paho.ClientOptions) (net.Conn, error) {
		conn, err := m.open(ctx, u, &o)
		if err != nil {
			return nil, err
		}
		guarded := newPacketConn(conn)
		c.packet.Store(guarded)
		return guarded, nil
	})
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { c.fail(err) })
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		c.broker.received.Add(1)
		c.broker.deliver(delivery{topic: m.Topic(), payload: m.Payload(), retained: m.Retained(), at: time.Now()})
	})
	return o
}

// open makes the network connection that a URL asks for.
func (m *MQTTConfig) open(ctx context.Context, u *url.URL, o *paho.ClientOptions) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, brokerTimeout)
	defer cancel()
	if u.Scheme == "ws" || u.Scheme == "wss" {
		return paho.NewWebsocket(u.String(), m.TLS, brokerTimeout, o.HTTPHeaders, o.WebsocketOptions)
	}
	dial := m.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", u.Host)
	if err != nil || u.Scheme != "mqtts" {
		return conn, err
	}
	config := m.TLS.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// fail ends the connection; the first reason counts.
func (c *brokerConn) fail(err error) {
	select {
	case c.lost <- err:
	default:
	}
}

// close disconnects and waits for everything that belongs to the connection.
func (c *brokerConn) close() {
	c.client.Disconnect(250)
	close(c.tokens)
	c.acking.Wait()
}

// subscribe subscribes to all filters or fails. The broker may refuse each by
// itself, which the library doesn't take for an error.
func (c *brokerConn) subscribe(ctx context.Context, filters []string) error {
	for len(filters) > 0 {
		n := min(len(filters), subscribeBatch)
		batch := make(map[string]byte, n)
		for _, f := range filters[:n] {
			batch[f] = 1
		}
		filters = filters[n:]
		c.packet.Load().filters.Store(int32(len(batch)))
		token := c.client.SubscribeMultiple(batch, nil).(*paho.SubscribeToken)
		if err := c.await(ctx, token); err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
		var denied []string
		for filter, code := range token.Result() {
			if code == 0x80 {
				denied = append(denied, filter)
			}
		}
		if len(denied) > 0 {
			return fmt.Errorf("%w of %s: its access rules must allow it", ErrSubscriptionRefused, strings.Join(denied, ", "))
		}
	}
	return nil
}

// ErrSubscriptionRefused means that the broker lets us in, but not listen.
var ErrSubscriptionRefused = errors.New("the broker refused the subscription")

func (c *brokerConn) await(ctx context.Context, token paho.Token) error {
	timer := time.NewTimer(brokerTimeout)
	defer timer.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case err := <-c.lost:
		return err
	case <-timer.C:
		return errors.New("the broker does not answer")
	case <-ctx.Done():
		return ctx.Err()
	}
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
			return fmt.Errorf("connection to the broker lost: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *brokerConn) publish(m message) {
	c.inFlight++
	c.tokens <- inFlight{token: c.client.Publish(m.topic, 1, m.retained, m.payload), done: m.done}
	c.broker.published.Add(1)
}

// acknowledge waits for the tokens in the order of their messages, which is the
// order in which brokers acknowledge.
func (c *brokerConn) acknowledge() {
	timer := time.NewTimer(brokerTimeout)
	defer timer.Stop()
	failed := error(nil)
	for f := range c.tokens {
		timer.Reset(brokerTimeout)
		if failed == nil {
			select {
			case <-f.token.Done():
				failed = f.token.Error()
			case <-timer.C:
				failed = errors.New("the broker does not acknowledge what is published")
			}
		}
		c.acks <- ack{done: f.done, err: failed}
	}
}
