package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
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
