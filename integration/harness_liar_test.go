package integration

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// lyingBroker returns the bridge's side of a connection to a broker that sends
// what it is told to, reads all it gets, and hangs up after a second.
func lyingBroker(t *testing.T, data []byte) *broker {
	t.Helper()
	out := newOutbox()
	out.Put("base/bridge/state", online, onlineClass)
	return &broker{
		config: MQTTConfig{
			URL: mustURL("mqtt://broker.test:1883"), ClientID: "test", BaseTopic: "base",
			Dial: func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, far) }()
				go func() {
					_, _ = far.Write(data)
					time.Sleep(time.Second)
					far.Close()
				}()
				return near, nil
			},
		},
		online: "base/bridge/state", outbox: out,
		filters: func() []subscription { return listening(1, "base/+/+/set", "base/+/request/+") },
		deliver: func(delivery) {}, connected: func() {},
	}
}
