package main

import (
	"context"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/integration"
)

// host is what the program does for a running bridge: it reads the configuration
// again when somebody asks for it or a file has changed, and sets how much is
// logged.
type host struct {
	read func() (Config, error)
	edit func(integration.Edit) error // nil: nothing can be changed
	// enrollable tells why a printer can't be given a key; nil: it isn't known.
	enrollable func(id string) error
	level      *logLevel
	changed    chan struct{} // holds one element

	mu       sync.Mutex
	loaded   Config // the last that could be used
	files    []string
	seen     stamps
	changing bool // a file has changed, and may be written still
}

func newHost(c Config, level *logLevel, read func() (Config, error)) *host {
	return &host{read: read, level: level, changed: make(chan struct{}, 1), loaded: c, files: c.Files, seen: make(stamps)}
}

// forBridge returns the host as the bridge knows it.
func (h *host) forBridge(log zerolog.Logger) integration.Host {
	return integration.Host{
		Load: func() (integration.Config, error) { return h.load(log) },
		Edit: h.edit, Enrollable: h.enrollable,
		Changed:  h.changed,
		LogLevel: h.level.String, SetLogLevel: h.level.set,
		Settled: debug.FreeOSMemory, // the start of a large farm needs more than what comes then
	}
}

// load reads the configuration. What it says of the log counts at once, unless it
// says the same as before: then a level that was set meanwhile stays.
func (h *host) load(log zerolog.Logger) (integration.Config, error) {
	h.mu.Lock()
	h.seen.changed(h.files) // before they are read: what changes meanwhile is read again
	h.changing = false
	h.mu.Unlock()
	c, err := h.read()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files = c.Files
	if err != nil {
		return integration.Config{}, err
	}
	warn(log, c.Warnings)
	if c.Log.Level != h.loaded.Log.Level {
		h.level.set(c.Log.Level)
	}
	if c.Log.Format != h.loaded.Log.Format {
		log.Warn().Msg("log.format has changed: that counts after a restart")
	}
	h.loaded = c
	return c.Bridge, nil
}

// watchInterval is how often files are looked at. A change counts once nothing
// has changed for that long, so that a file isn't read while it is written.
const watchInterval = 2 * time.Second

// watch has the bridge read its configuration when a signal asks for it or a file
// of it has changed, until ctx ends or stop is called, which waits for its end.
func (h *host) watch(ctx context.Context, hangup <-chan os.Signal) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { h.watchUntil(ctx, hangup) })
	return func() {
		cancel()
		watching.Wait()
	}
}

func (h *host) watchUntil(ctx context.Context, hangup <-chan os.Signal) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	h.settled()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			h.ask()
		case <-ticker.C:
			if h.settled() {
				h.ask()
			}
		}
	}
}

func (h *host) ask() {
	select {
	case h.changed <- struct{}{}:
	default: // asked already
	}
}

// settled reports whether a file has changed that nobody has read since, and that
// hasn't changed again since the last call.
func (h *host) settled() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed := h.seen.changed(h.files)
	settled := h.changing && !changed
	h.changing = changed
	return settled
}

// stamps tell by size and time of files whether they have changed.
type stamps map[string]stamp

type stamp struct {
	size     int64
	modified time.Time
}

// changed takes in how files are now and reports whether any of them was another
// one before. A file that is looked at for the first time has not changed.
func (s stamps) changed(files []string) bool {
	changed := false
	for _, file := range files {
		var now stamp // of a file that isn't there
		if info, err := os.Stat(file); err == nil {
			now = stamp{info.Size(), info.ModTime()}
		}
		if before, known := s[file]; known && before != now {
			changed = true
		}
		s[file] = now
	}
	return changed
}
