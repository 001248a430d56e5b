package integration

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/discovery"
)

// process is one run of the bridge as the system sees it: with connections that
// end when it is killed.
type process struct {
	bridge   *Bridge
	logs     *logBuffer
	launched time.Time
	cancel   context.CancelFunc
	ended    chan struct{} // closed when Run has returned

	mu    sync.Mutex
	dead  bool
	conns []net.Conn
}

// launch runs the bridge so that it can be killed.
func (w *world) launch() {
	w.t.Helper()
	p := &process{logs: new(logBuffer), launched: time.Now(), ended: make(chan struct{})}
	config := w.config
	config.MQTT.Dial = p.dialer(w.config.MQTT.Dial)
	config.Printers = append([]PrinterConfig(nil), w.config.Printers...)
	for i := range config.Printers {
		config.Printers[i].Dial = p.dialer(config.Printers[i].Dial)
	}
	w.topics = discovery.Topics{Base: config.MQTT.BaseTopic, Prefix: config.MQTT.DiscoveryPrefix}
	p.bridge = New(config, zerolog.New(p))
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go func() {
		defer close(p.ended)
		if err := p.bridge.Run(ctx); err != nil {
			w.t.Errorf("Run: %v", err)
		}
	}()
	w.processes = append(w.processes, p)
	w.bridge, w.logs, w.ended = p.bridge, p.logs, p.ended
	w.stopBridge = w.awaitAll
}

// running reports whether a bridge has been launched and not ended.
func (w *world) running() bool {
	if len(w.processes) == 0 {
		return false
	}
	p := w.processes[len(w.processes)-1]
	select {
	case <-p.ended:
		return false
	default:
		return !p.isDead()
	}
}

// awaitAll stops what runs and waits for it, and for what has been killed.
func (w *world) awaitAll() {
	for _, p := range w.processes {
		p.cancel()
		<-p.ended
	}
}

// kill ends the bridge as kill -9 does: it says nothing more to anybody, and
// nothing that it does from now on reaches its disk.
func (w *world) kill() {
	w.t.Helper()
	p := w.processes[len(w.processes)-1]
	p.die()
	if w.config.StateDir != "" {
		w.config.StateDir = copyOf(w.t, w.config.StateDir)
	}
	p.cancel() // to be gone in the end; the world does not see it
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Error(err)
	}
	return to
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	for _, c := range p.conns {
		c.Close()
	}
}

// Write takes a line of the log.
func (p *process) Write(line []byte) (int, error) {
	if p.isDead() {
		return io.Discard.Write(line)
	}
	return p.logs.Write(line)
}

// dialer makes the connections that are the process's own.
func (p *process) dialer(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		refused := &net.OpError{Op: "dial", Net: network, Err: errNetworkDown}
		if p.isDead() {
			return nil, refused
		}
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.dead {
			c.Close()
			return nil, refused
		}
		p.conns = append(p.conns, c)
		return c, nil
	}
}

// dialFunc is how connections are made, see [MQTTConfig].
type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)
