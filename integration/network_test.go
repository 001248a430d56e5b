package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http/httptest"
	"sync"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/rs/zerolog"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestRealNetwork takes the whole way once over real sockets, with each scheme of
// the broker's URL, to keep the pipes of all other tests honest.
func TestRealNetwork(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"mqtt", "mqtts", "ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			broker := startRealBroker(t, scheme)
			sim := octoprinttest.New(octoprinttest.Options{})
			server := httptest.NewServer(sim)
			printer := printerConfig("left")
			printer.URL = mustURL(server.URL)
			c := Config{MQTT: broker.config, Printers: []PrinterConfig{printer}}

			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = sim.Run(ctx) })
			running.Go(func() { _ = New(c, zerolog.Nop()).Run(ctx) })
			broker.wait(t, "base/left/state", "idle")
			broker.wait(t, "base/bridge/state", "online")
			if err := broker.server.Publish("base/left/request/home", []byte(`{"transaction":"x"}`), false, 1); err != nil {
				t.Error(err)
			}
			broker.wait(t, "base/left/response/home", `{"transaction":"x","status":"ok","error":null,"data":null}`)
			stop()
			broker.wait(t, "base/bridge/state", "offline")
			running.Wait()
			sim.Close()
			server.Close()
		})
	}
}

// realBroker listens on this machine.
type realBroker struct {
	server   *mochi.Server
	config   MQTTConfig
	messages chan sent
}

func startRealBroker(t *testing.T, scheme string) *realBroker {
	t.Helper()
	// A web server only for its certificate.
	donor := httptest.NewTLSServer(nil)
	donor.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &realBroker{
		server:   mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)}),
		messages: make(chan sent, 1000),
	}
	b.config = MQTTConfig{URL: mustURL(scheme + "://" + listener.Addr().String()), ClientID: "bridge", BaseTopic: "base"}
	var secure *tls.Config
	if scheme == "mqtts" || scheme == "wss" {
		roots := x509.NewCertPool()
		roots.AddCert(donor.Certificate())
		b.config.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		secure = &tls.Config{Certificates: donor.TLS.Certificates, MinVersion: tls.VersionTLS12}
	}
	switch scheme {
	case "mqtts":
		listener = tls.NewListener(listener, secure)
	case "ws", "wss": // this one listens by itself, on the same port
		listener.Close()
		b.config.URL.Path = "/mqtt"
	}
	if b.config.URL.Path == "" {
		err = b.server.AddListener(listeners.NewNet("test", listener))
	} else {
		err = b.server.AddListener(listeners.NewWebsocket(listeners.Config{ID: "test", Address: b.config.URL.Host, TLSConfig: secure}))
	}
	if err == nil {
		err = b.server.AddHook(new(auth.AllowHook), nil)
	}
	if err == nil {
		err = b.server.Serve()
	}
	if err == nil {
		err = b.server.Subscribe("base/#", 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
			b.messages <- sent{topic: pk.TopicName, payload: string(pk.Payload)}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.server.Close() })
	return b
}

// wait waits for a message; the limit of the whole run is its own.
func (b *realBroker) wait(t *testing.T, topic, payload string) {
	t.Helper()
	for {
		select {
		case m := <-b.messages:
			if m.topic == topic && m.payload == payload {
				return
			}
		case <-t.Context().Done():
			t.Fatalf("no %s on %s", payload, topic)
		}
	}
}
