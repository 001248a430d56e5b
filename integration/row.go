package integration

import (
	"encoding/json"
	"time"

	"octoprint2mqtt/discovery"
)

// row defines one entity: what Home Assistant shows, where its value comes from,
// what a command to it does. Everything else (topics, ids, subscriptions, the
// discovery document, the tables in the docs) is derived from rows.
//
// V is what the value is read from: a view of a printer, the farm or the bridge.
type row[V any] struct {
	// key is the row's name in topics and ids; it never changes.
	key string
	// about says in one sentence what the value is or the command does, for the
	// documentation.
	about string
	// component has no topics and ids: they are derived from key.
	component discovery.Component
	// value is nil for rows without a state. It must not block, and takes what
	// it needs from the view alone.
	value func(V) value
	// attributes are published beside the value as a JSON object; nil: none.
	attributes func(V) any
	// attributed are attributes that are JSON already, for rows of printers: those
	// are looked at with every message of OctoPrint.
	attributed func(V) string
	// picture is where the picture comes from that a row shows instead of a value,
	// and contentType what it is, where Home Assistant wants to know.
	picture     func(V) source
	contentType func(V) string
	// noise holds values back; nil: every change is told.
	noise noise
	// prompt rows have their device's document published at once.
	prompt bool
	// topic is where the state comes from if it isn't the row's own value.
	topic func(t discovery.Topics, device string) string
	// wire fills in the further topics of a component that has several, in a copy;
	// the row's own are where they usually are. It changes nothing that the copy
	// refers to.
	wire func(c *discovery.Component, t discovery.Topics, device string)
	// unannounced rows are published, but Home Assistant isn't told of them.
	unannounced bool
	// bridged rows stay available while the printer can't be reached.
	bridged bool
	// options are what a select offers, where it isn't the same for all printers
	// of a shape; its state is among them in any case. component has none then.
	options func(V) []string
	// access and permissions are what the row needs: the level in our own
	// configuration and OctoPrint's permissions. Rows without are for everybody.
	access      Access
	permissions []string
	// admin rows are there only where the configuration allows to change the
	// bridge itself over MQTT.
	admin bool
	// action is the request that a command to this row stands for, and
	// parameters translates the command's payload for it. They are unset for
	// rows that take no commands.
	action     string
	parameters func(payload string) (json.RawMessage, *refusal)
}

// shows reports whether there is something to see of the row, so that it may need to
// be known what was seen last.
func (r *row[V]) shows() bool { return r.value != nil || r.picture != nil || r.options != nil }

// shown is what is known of a row on the broker. There are many for each printer, so
// what few rows need is kept apart, and a value by its parts, which take less room.
type shown struct {
	past     *past // nil: nothing of that is known
	text     string
	number   float64
	kind     valueKind
	decimals int8
	ok       bool // a value was published
}

// value is the one that was published, unknown before that.
func (s *shown) value() value {
	return value{kind: s.kind, decimals: s.decimals, number: s.number, text: s.text}
}

// is reports whether a value is the one that was published.
func (s *shown) is(v value) bool {
	return s.ok && s.kind == v.kind && s.number == v.number && s.text == v.text && s.decimals == v.decimals
}

// past is what a noise rule wants to know, and the attributes that were published.
type past struct {
	attributes string

	at       time.Time // when the value was published
	steady   float64   // where the next value was when steadyAt was set
	steadyAt time.Time // zero: the value is the one that is published
}

// update returns the value that is to be published, if there is one, and whether
// another is held back.
func (s *shown) update(next value, rule noise, now time.Time) (publish, held bool) {
	if s.is(next) {
		if s.past != nil {
			s.past.steadyAt = time.Time{}
		}
		return false, false
	}
	if rule != nil {
		if s.past == nil {
			s.past = new(past)
		}
		if s.ok && next.kind != unknownValue && s.kind != unknownValue && !s.past.allows(rule, s.value(), next, now) {
			return false, true
		}
		*s.past = past{attributes: s.past.attributes, at: now}
	}
	s.ok, s.kind, s.decimals, s.number, s.text = true, next.kind, next.decimals, next.number, next.text
	return true, false
}

// attributes returns those that were published, empty before that.
func (s *shown) attributes() string {
	if s.past == nil {
		return ""
	}
	return s.past.attributes
}

func (s *shown) setAttributes(a string) {
	if s.past == nil {
		s.past = new(past)
	}
	s.past.attributes = a
}

// allows asks a rule whether a value is worth telling in place of another.
func (p *past) allows(rule noise, shown, next value, now time.Time) bool {
	if d := next.number - p.steady; p.steadyAt.IsZero() || d > slack || d < -slack {
		p.steady, p.steadyAt = next.number, now
	}
	return rule(candidate{shown: shown, next: next, shownAt: p.at, steadyAt: p.steadyAt, now: now})
}
