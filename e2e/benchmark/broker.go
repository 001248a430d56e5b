package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// brokerCommand is the MQTT broker, a process of its own so that it can be killed,
// and so that its work is nobody else's.
type brokerCommand struct {
	Listen string `default:"127.0.0.1:0" help:"Where to listen."`
}

// Run tells on standard output where it listens, and serves until its standard
// input ends or ctx does.
func (b *brokerCommand) Run(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", b.Listen)
	if err != nil {
		return err
	}
	capabilities := mochi.NewDefaultServerCapabilities()
	// A start publishes a hundred thousand messages at once, and the subscriber
	// must miss none.
	capabilities.MaximumClientWritesPending = 1 << 20
	broker := mochi.New(&mochi.Options{
		Capabilities: capabilities, Logger: slog.New(slog.DiscardHandler), SysTopicResendInterval: 3600,
	})
	if err := broker.AddHook(new(auth.AllowHook), nil); err != nil {
		return err
	}
	if err := broker.AddHook(&retainer{kept: make(map[string]packets.Packet)}, nil); err != nil {
		return err
	}
	if err := broker.AddListener(listeners.NewNet("benchmark", listener)); err != nil {
		return err
	}
	if err := broker.Serve(); err != nil {
		return err
	}
	defer broker.Close()
	fmt.Fprintln(os.Stdout, listener.Addr())
	untilOrphaned(ctx, os.Stdin)
	return nil
}

// untilOrphaned returns when ctx ends or the parent has closed the pipe that it
// holds, as it does when it dies in any way.
func untilOrphaned(ctx context.Context, stdin io.Reader) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, stdin) // any end is the end
	}()
	select {
	case <-ctx.Done():
	case <-ended:
	}
}

// retainer keeps retained messages in the broker's stead. The broker itself copies
// all of them each second, to look for expired ones, and stands still meanwhile:
// with those of a thousand printers, that is longer than what is measured.
type retainer struct {
	mochi.HookBase

	mu   sync.Mutex
	kept map[string]packets.Packet
}

// ID implements mochi.Hook.
func (*retainer) ID() string { return "retainer" }

// Provides implements mochi.Hook.
func (*retainer) Provides(kind byte) bool {
	return kind == mochi.OnPublish || kind == mochi.OnSubscribed
}

// OnPublish implements mochi.Hook. What it returns is no longer to be retained.
func (r *retainer) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if !pk.FixedHeader.Retain {
		return pk, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(pk.Payload) == 0 {
		delete(r.kept, pk.TopicName)
	} else {
		r.kept[pk.TopicName] = packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true}, ProtocolVersion: 4,
			TopicName: pk.TopicName, Payload: pk.Payload,
		}
	}
	pk.FixedHeader.Retain = false
	return pk, nil
}

// OnSubscribed implements mochi.Hook.
func (r *retainer) OnSubscribed(client *mochi.Client, pk packets.Packet, _ []byte) {
	r.mu.Lock()
	var found []packets.Packet
	for topic, kept := range r.kept {
		if slices.ContainsFunc(pk.Filters, func(s packets.Subscription) bool { return matches(s.Filter, topic) }) {
			found = append(found, kept)
		}
	}
	r.mu.Unlock()
	for _, kept := range found {
		if client.WritePacket(kept) != nil {
			return // the client has gone
		}
	}
}

// matches reports whether a topic is one that a filter asks for.
func matches(filter, topic string) bool {
	for {
		wanted, more, deeper := strings.Cut(filter, "/")
		level, rest, longer := strings.Cut(topic, "/")
		switch {
		case wanted == "#":
			return true
		case wanted != "+" && wanted != level:
			return false
		case !deeper || !longer:
			return deeper == longer || more == "#"
		}
		filter, topic = more, rest
	}
}
