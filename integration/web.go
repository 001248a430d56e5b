package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/net/netutil"
)

// The bounds of the web server. Whoever connects can't have it wait for long,
// nor make it large.
const (
	webConnections   = 128
	webHeaderTimeout = 5 * time.Second
	webReadTimeout   = 10 * time.Second // of a whole request
	webWriteTimeout  = 30 * time.Second // of an answer, and of each update of a stream
	webIdleTimeout   = time.Minute
	webHeaderBytes   = 16 << 10
	// webStopTime is how long answers under way may take when the server stops.
	webStopTime = 2 * time.Second
)

// web serves the page on which people see the farm, and what tells other
// programs how the bridge is: see docs/web.md. It lives as long as its
// configuration.
type web struct {
	bridge *Bridge
	config HTTPConfig
	log    zerolog.Logger // sampled: whoever floods us must not fill the log
	hub    *hub
	logins logins
	images *images
	// actions are the changes that a page may ask for.
	actions []bridgeAction

	down     bool         // the last attempt to listen failed
	requests sync.RWMutex // read-locked by each request under way
}

func newWeb(b *Bridge, c HTTPConfig) *web {
	w := &web{
		bridge: b, config: c, actions: pageActions(),
		log:    b.log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Minute}),
		logins: logins{config: c}, images: newImages(),
	}
	w.hub = newHub(b, w.changeable())
	return w
}

// run serves until ctx ends, and waits for everything that it started. A port
// that is taken is tried again.
func (w *web) run(ctx context.Context) {
	if w.config.Listen == "" {
		return
	}
	keep(ctx, w.serve, w.failed)
}

// serve listens and serves until ctx ends or that fails.
func (w *web) serve(ctx context.Context) error {
	listener, err := w.config.open(ctx)
	if err != nil {
		return err
	}
	w.down = false
	w.bridge.log.Info().Str("page", "http://"+listener.Addr().String()+"/").Msg("the web page can be seen")
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel() // ends the streams first
	running.Go(func() { w.hub.run(ctx) })
	server := &http.Server{
		Handler:           w.counted(w.handler()),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(serverLog{w.log}, "", 0),
		ReadHeaderTimeout: webHeaderTimeout, ReadTimeout: webReadTimeout, WriteTimeout: webWriteTimeout,
		IdleTimeout: webIdleTimeout, MaxHeaderBytes: webHeaderBytes,
	}
	stopped := context.AfterFunc(ctx, func() { listener.Close() })
	defer stopped()
	err = server.Serve(netutil.LimitListener(listener, webConnections))
	cancel()
	w.shut(context.WithoutCancel(ctx), server)
	return err
}

// shut ends a server that accepts nothing any more, and waits for its answers.
func (w *web) shut(ctx context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(ctx, webStopTime)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
	w.requests.Lock() // waits for those that Shutdown didn't wait for
	defer w.requests.Unlock()
}

// counted has shut wait for every answer.
func (w *web) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.requests.TryRLock() {
			return // the server has stopped
		}
		defer w.requests.RUnlock()
		h.ServeHTTP(rw, r)
	})
}

// failed logs once that the page can't be served.
func (w *web) failed(err error) (final bool) {
	if !w.down {
		w.bridge.log.Error().Msgf("the web page can't be served at %s (%v): choose another http.listen, or end the program that uses it; this is tried again", w.config.Listen, cause(err))
	}
	w.down = true
	return false
}

// cause returns a network error without the address, which its text repeats.
func cause(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err
	}
	return err
}

// serverLog takes what net/http has to say, which is about broken handlers and
// peers.
type serverLog struct{ zerolog.Logger }

var _ io.Writer = serverLog{}

// Write implements [io.Writer].
func (l serverLog) Write(line []byte) (int, error) {
	l.Warn().Msg("web page: " + clean(string(line)))
	return len(line), nil
}

// open makes the listener.
func (c *HTTPConfig) open(ctx context.Context) (net.Listener, error) {
	if c.Open != nil {
		return c.Open(ctx)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}
