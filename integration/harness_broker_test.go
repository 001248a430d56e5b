package integration

import (
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// testBroker is a real MQTT broker without a network, which remembers all that it
// sees.
type testBroker struct {
	t   *testing.T
	net *network

	mu       sync.Mutex
	server   *mochi.Server
	crashed  bool
	closed   bool
	saved    map[string]packets.Packet // what was retained when it crashed
	messages []sent
	connects []connect
	filters  []packets.Subscription
	password string                  // of everybody; "": none is needed
	denied   func(topic string) bool // to subscribe to; nil: nothing
	unheard  func(topic string) bool // what is published there is dropped; nil: nothing
	forgets  bool                    // retains nothing
	hangsUp  bool                    // on clients that want something retained
	watch    func(sent)              // is told of each message; nil: nobody is

	// maxPacket is how many bytes it hangs up on, of servers that are made from now
	// on; 0: none.
	maxPacket uint32
	large     atomic.Int64 // packets of more than 50,000 bytes that the bridge was sent
}

// sent is a message that somebody published.
type sent struct {
	at       time.Time
	topic    string
	payload  string
	qos      byte
	retain   bool
	will     bool
	byBridge bool
	client   string // its id
}

// connect is a login.
type connect struct {
	at                  time.Time
	clean               bool
	version             byte
	keepAlive           uint16
	clientID, user      string
	willTopic, will     string
	willQoS             byte
	willRetained, login bool
}

func newTestBroker(t *testing.T) *testBroker {
	t.Helper()
	b := &testBroker{t: t}
	b.net = newNetwork(func(c net.Conn) { _ = b.current().EstablishConnection("test", c) })
	b.server = b.newServer()
	return b
}

// newServer returns a broker that serves what is given to it. Its Serve is left out: it
// would start a loop that copies all that is retained each second, and does nothing
// that MQTT 3.1.1 knows.
func (b *testBroker) newServer() *mochi.Server {
	s := mochi.New(&mochi.Options{InlineClient: true, SysTopicResendInterval: 3600, Logger: slog.New(slog.DiscardHandler)})
	s.Options.Capabilities.MaximumPacketSize = b.maxPacket
	if err := s.AddHook(&recorder{broker: b}, nil); err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *testBroker) current() *mochi.Server {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.server
}

// crash ends the broker; nobody can connect until restart. What was retained at
// this moment may be there again then: no will is added to it.
func (b *testBroker) crash() {
	b.saved = b.current().Topics.Retained.GetAll()
	b.net.setUp(false)
	b.net.cut()
	b.net.serving.Wait()
	b.mu.Lock()
	b.crashed = true
	b.mu.Unlock()
	b.current().Close()
}

// restart starts the broker again, with what it had retained or without.
func (b *testBroker) restart(keep bool) {
	s := b.newServer()
	if keep {
		for _, pk := range b.saved {
			s.Topics.RetainMessage(pk)
		}
	}
	b.mu.Lock()
	b.server, b.crashed = s, false
	b.mu.Unlock()
	b.net.setUp(true)
}

func (b *testBroker) isCrashed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.crashed
}

// setPassword says which password everybody needs from now on.
func (b *testBroker) setPassword(password string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.password = password
}

func (b *testBroker) close() {
	b.mu.Lock()
	closed, crashed := b.closed, b.crashed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return
	}
	b.net.close()
	if !crashed {
		b.current().Close()
	}
}

// publish sends a message as any other client would.
func (b *testBroker) publish(topic, payload string, retain bool) {
	if err := b.current().Publish(topic, []byte(payload), retain, 1); err != nil {
		b.t.Errorf("publish %s: %v", topic, err)
	}
}

// retained returns everything that is retained but the broker's own topics.
func (b *testBroker) retained() map[string]string {
	list := make(map[string]string)
	for topic, pk := range b.current().Topics.Retained.GetAll() {
		if !strings.HasPrefix(topic, "$SYS") {
			list[topic] = string(pk.Payload)
		}
	}
	return list
}

// all returns every message so far, in order.
func (b *testBroker) all() []sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]sent(nil), b.messages...)
}

// seen returns how many messages there were so far, for since.
func (b *testBroker) seen() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.messages)
}

// since returns the bridge's messages from the n-th on, on topics that end with a
// suffix.
func (b *testBroker) since(n int, suffix string) []sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []sent
	for _, m := range b.messages[n:] {
		if m.byBridge && strings.HasSuffix(m.topic, suffix) {
			found = append(found, m)
		}
	}
	return found
}

func (b *testBroker) logins() []connect {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]connect(nil), b.connects...)
}

// follow has f called for each message from now on, in the broker's goroutines.
func (b *testBroker) follow(f func(sent)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watch = f
}

func (b *testBroker) add(m sent) {
	b.mu.Lock()
	b.messages = append(b.messages, m)
	watch := b.watch
	b.mu.Unlock()
	if watch != nil {
		watch(m)
	}
}

// recorder is the broker's hook.
type recorder struct {
	mochi.HookBase
	broker *testBroker
}

func (*recorder) ID() string { return "recorder" }

func (*recorder) Provides(kind byte) bool {
	return slices.Contains([]byte{
		mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish, mochi.OnWillSent, mochi.OnSubscribe, mochi.OnPacketSent,
	}, kind)
}

func (r *recorder) OnConnectAuthenticate(cl *mochi.Client, pk packets.Packet) bool {
	b := r.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	allowed := b.password == "" || string(pk.Connect.Password) == b.password
	b.connects = append(b.connects, connect{
		at: time.Now(), clean: pk.Connect.Clean, version: pk.ProtocolVersion, keepAlive: pk.Connect.Keepalive,
		clientID: cl.ID, user: string(pk.Connect.Username), login: allowed,
		willTopic: pk.Connect.WillTopic, will: string(pk.Connect.WillPayload), willQoS: pk.Connect.WillQos, willRetained: pk.Connect.WillRetain,
	})
	return allowed
}

func (r *recorder) OnACLCheck(_ *mochi.Client, topic string, write bool) bool {
	b := r.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	return write || b.denied == nil || !b.denied(topic)
}

func (r *recorder) OnSubscribe(_ *mochi.Client, pk packets.Packet) packets.Packet {
	b := r.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	b.filters = append(b.filters, pk.Filters...)
	return pk
}

func (r *recorder) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	r.broker.add(sent{
		at: time.Now(), topic: pk.TopicName, payload: string(pk.Payload), qos: pk.FixedHeader.Qos,
		retain: pk.FixedHeader.Retain, byBridge: !cl.Net.Inline, client: cl.ID,
	})
	r.broker.mu.Lock()
	defer r.broker.mu.Unlock()
	if r.broker.unheard != nil && r.broker.unheard(pk.TopicName) {
		return pk, packets.ErrRejectPacket
	}
	if r.broker.hangsUp && pk.FixedHeader.Retain && !cl.Net.Inline {
		cl.Stop(packets.ErrRetainNotSupported)
		return pk, packets.ErrRejectPacket
	}
	pk.FixedHeader.Retain = pk.FixedHeader.Retain && !r.broker.forgets
	return pk, nil
}

func (r *recorder) OnPacketSent(_ *mochi.Client, _ packets.Packet, b []byte) {
	if len(b) > 50_000 {
		r.broker.large.Add(1)
	}
}

func (r *recorder) OnWillSent(_ *mochi.Client, pk packets.Packet) {
	r.broker.add(sent{
		at: time.Now(), topic: pk.TopicName, payload: string(pk.Payload), qos: pk.FixedHeader.Qos,
		retain: pk.FixedHeader.Retain, will: true, byBridge: true,
	})
}
