package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
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

// brokerConn is one connection.
type brokerConn struct {
	broker *broker
	client paho.Client
	packet atomic.Pointer[packetConn]
	lost   chan error // holds one element

	seen     [1024]uint64  // ids of messages that have come, a bit each
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
	if err := c.reason(token.Error()); err != nil {
		c.client.Disconnect(0)
		if refused(err) {
			return nil, fmt.Errorf("%w: %w", ErrBrokerRefused, err)
		}
		if cause, ok := errors.AsType[*net.OpError](err); ok {
			err = cause // without the library's own words around it
		}
		return nil, err
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
		conn, err := c.open(ctx, u, o)
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
		if c.repeated(m) {
			return
		}
		c.broker.deliver(delivery{topic: m.Topic(), payload: m.Payload(), retained: m.Retained(), at: time.Now()})
	})
	return o
}

// repeated reports whether a message has come before on this connection: brokers
// may send once more what they think is not acknowledged. Nothing is ever repeated
// from another connection, since sessions are clean.
func (c *brokerConn) repeated(m paho.Message) bool {
	word, bit := &c.seen[m.MessageID()/64], uint64(1)<<(m.MessageID()%64)
	before := *word&bit != 0
	*word |= bit
	return before && m.Duplicate()
}

// open makes the connection that a URL asks for.
func (c *brokerConn) open(ctx context.Context, u *url.URL, o paho.ClientOptions) (net.Conn, error) {
	m := &c.broker.config
	if u.Scheme == "ws" || u.Scheme == "wss" {
		return paho.NewWebsocket(u.String(), m.TLS, brokerTimeout, o.HTTPHeaders, o.WebsocketOptions)
	}
	return m.open(ctx, u)
}

// fail ends the connection; the first reason counts.
func (c *brokerConn) fail(err error) {
	select {
	case c.lost <- err:
	default:
	}
}

// reason returns why something failed with err: if the guard ended the connection,
// the library tells what came of that first, and why later.
func (c *brokerConn) reason(err error) error {
	if err == nil || c.packet.Load() == nil {
		return err
	}
	if refusal := c.packet.Load().refusal(); refusal != nil {
		return refusal
	}
	return err
}

// close disconnects and waits for everything that belongs to the connection.
func (c *brokerConn) close() {
	c.client.Disconnect(250)
	close(c.tokens)
	c.acking.Wait()
}

// subscribe subscribes to everything or fails. The broker may refuse each filter by
// itself, which the library doesn't take for an error.
func (c *brokerConn) subscribe(ctx context.Context, list []subscription) error {
	for batch := range slices.Chunk(list, subscribeBatch) {
		denied, err := c.subscribeTo(ctx, batch)
		if err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
		if len(denied) > 0 {
			return fmt.Errorf("%w of %s", ErrSubscriptionRefused, strings.Join(denied, ", "))
		}
	}
	return nil
}

// subscribeTo makes one subscription, and returns what was refused of what can't
// be done without.
func (c *brokerConn) subscribeTo(ctx context.Context, batch []subscription) (denied []string, err error) {
	wanted := make(map[string]byte, len(batch))
	for _, s := range batch {
		wanted[s.filter] = s.qos
	}
	c.packet.Load().filters.Store(int32(len(wanted)))
	token := c.client.SubscribeMultiple(wanted, nil).(*paho.SubscribeToken)
	if err := c.await(ctx, token); err != nil {
		return nil, err
	}
	for _, s := range batch {
		if token.Result()[s.filter] == 0x80 && !s.dispensable {
			denied = append(denied, s.filter)
		}
	}
	return denied, nil
}

func (c *brokerConn) unsubscribe(ctx context.Context, filters []string) error {
	for batch := range slices.Chunk(filters, subscribeBatch) {
		if err := c.await(ctx, c.client.Unsubscribe(batch...)); err != nil {
			return fmt.Errorf("unsubscribe: %w", err)
		}
	}
	return nil
}

func (c *brokerConn) await(ctx context.Context, token paho.Token) error {
	timer := time.NewTimer(brokerTimeout)
	defer timer.Stop()
	select {
	case <-token.Done():
		return c.reason(token.Error())
	case err := <-c.lost:
		return err
	case <-timer.C:
		return errors.New("the broker does not answer")
	case <-ctx.Done():
		return ctx.Err()
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
				failed = c.reason(f.token.Error())
			case <-timer.C:
				failed = errors.New("the broker does not acknowledge what is published")
			}
		}
		c.acks <- ack{done: f.done, err: failed}
	}
}
