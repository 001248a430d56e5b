package integration

import (
	"encoding/json"
	"slices"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// What plugins push, and OctoPrint's events, are passed through by an allow-list: for
// what nobody has made rows of.

const (
	// maxRawPayload bounds a message that is passed through, in bytes.
	maxRawPayload = 64 << 10
	// rawPerSecond bounds how many messages of one printer are passed through.
	rawPerSecond = 10
)

// ValidRawName says what is wrong with a name in a [RawConfig], which becomes a single
// level of a topic.
func ValidRawName(name string) error { return discovery.ValidLevel(name) }

// rawRate counts what was passed through in the current second.
type rawRate struct {
	began time.Time
	count int
}

func (r *rawRate) allows(now time.Time) bool {
	if now.Sub(r.began) >= time.Second {
		*r = rawRate{began: now}
	}
	r.count++
	return r.count <= rawPerSecond
}

// plugins are those whose messages a session asks for, given those that are asked for
// anyway.
func (c RawConfig) plugins(wanted []string) []string {
	for _, name := range c.Plugins {
		if !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	return wanted
}

func (c RawConfig) events(wanted []octoprint.EventType) []octoprint.EventType {
	for _, name := range c.Events {
		if t := octoprint.EventType(name); !slices.Contains(wanted, t) {
			wanted = append(wanted, t)
		}
	}
	return wanted
}

func (p *printer) passMessageLocked(plugin string, message json.RawMessage, now time.Time) {
	if slices.Contains(p.view.config.Raw.Plugins, plugin) {
		p.passLocked("plugin/"+plugin, message, now)
	}
}

func (p *printer) passEventLocked(e octoprint.Event, now time.Time) {
	if slices.Contains(p.view.config.Raw.Events, string(e.Type)) {
		p.passLocked("event/"+string(e.Type), e.Payload, now)
	}
}

// passLocked passes something on as it came, unless there is too much of it.
func (p *printer) passLocked(name string, payload json.RawMessage, now time.Time) {
	switch {
	case p.gone:
	case len(payload) > maxRawPayload, !p.raw.allows(now):
		p.bridge.outbox.Drop()
	case len(payload) == 0:
		p.bridge.outbox.Raw(p.bridge.topics.Raw(p.id, name), "null")
	default:
		p.bridge.outbox.Raw(p.bridge.topics.Raw(p.id, name), string(payload))
	}
}
