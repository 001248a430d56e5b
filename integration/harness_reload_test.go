package integration

import (
	"errors"
	"sync"
)

// changing gives a world a host: its configuration may be changed while the bridge
// runs, by reload.
type changing struct {
	w       *world
	changed chan struct{}

	mu     sync.Mutex
	next   Config
	broken error // of the configuration file
	level  string
}

// changeable has the bridge of a world, not yet started, listen to changes of its
// configuration. Administration over MQTT is on.
func changeable(w *world) *changing {
	w.t.Helper()
	c := &changing{w: w, changed: make(chan struct{}, 1), level: "info"}
	w.config.Admin = true
	w.config.Host = Host{
		Load: c.load, Changed: c.changed,
		LogLevel: func() string { c.mu.Lock(); defer c.mu.Unlock(); return c.level },
		SetLogLevel: func(level string) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.level = level
		},
	}
	return c
}

func (c *changing) load() (Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next, c.broken
}

// write changes what the file says, without anybody being told.
func (c *changing) write(change func(*Config)) {
	next := c.w.config
	next.Printers = append([]PrinterConfig(nil), next.Printers...)
	change(&next)
	c.w.config = next
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next, c.broken = next, nil
}

// spoil makes the file unusable.
func (c *changing) spoil(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = errors.New(why)
}

// tell says that the file has changed.
func (c *changing) tell() { c.changed <- struct{}{} }

// reload changes what the file says and tells the bridge.
func (c *changing) reload(change func(*Config)) {
	c.write(change)
	c.tell()
}

// without returns printers but one.
func without(list []PrinterConfig, id string) []PrinterConfig {
	var rest []PrinterConfig
	for _, p := range list {
		if p.ID != id {
			rest = append(rest, p)
		}
	}
	return rest
}
