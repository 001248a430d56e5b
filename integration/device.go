package integration

import (
	"iter"
	"slices"
	"time"

	"octoprint2mqtt/discovery"
)

// device keeps one device's topics true: it evaluates the rows of its table and
// puts what has changed into the outbox. It does no locking: its owner does.
type device[V any] struct {
	id     string
	topics discovery.Topics
	outbox *outbox

	rows  []row[V]
	shown []shown // of each row that shows something
	// document returns the device's JSON document; nil: it has none.
	document func(d *device[V], view V) string

	// doomed are rows that are gone and whose attributes aren't yet, and doomedAt is
	// since when: to Home Assistant an empty message where it expects JSON is a mistake
	// until it has dropped the row.
	doomed   []string
	doomedAt time.Time

	choices map[string]*choice // of selects, by row key
	reoffer bool               // a select offers something else: announce it

	observedAt time.Time
	held       bool // a value waits for its time
	stale      bool // the document has to be published
	documentAt time.Time
}

// doomedFor is how long Home Assistant gets to drop a row before its attributes are
// removed.
const doomedFor = 3 * time.Second

// documentInterval is the least time between two documents, unless a prompt row
// has changed.
const documentInterval = time.Second

func newDevice[V any](id string, topics discovery.Topics, out *outbox) *device[V] {
	return &device[V]{id: id, topics: topics, outbox: out}
}

// setRows replaces the table. Topics of rows that are gone are removed from the
// broker.
func (d *device[V]) setRows(rows []row[V]) {
	before := make(map[string]shown, len(d.shown))
	for r, s := range d.showing() {
		before[r.key] = *s
	}
	d.setShown(rows, before)
	d.reconsider()
	for key, s := range before {
		delete(d.choices, key)
		if s.ok {
			d.outbox.Remove(d.topics.Value(d.id, key))
		}
		if s.attributes() != "" {
			d.doomed, d.doomedAt = append(d.doomed, key), time.Now()
		}
	}
	d.doomed = slices.DeleteFunc(d.doomed, func(key string) bool {
		return slices.ContainsFunc(rows, func(r row[V]) bool { return r.key == key })
	})
	d.stale = true
}

// setShown has the new rows show what rows of the same key have shown before. Of
// these the others are left.
func (d *device[V]) setShown(rows []row[V], before map[string]shown) {
	n := 0
	for i := range rows {
		if rows[i].shows() {
			n++
		}
	}
	d.rows, d.shown = rows, make([]shown, n)
	for r, s := range d.showing() {
		*s = before[r.key]
		delete(before, r.key)
	}
}

// showing are the rows that show something, and what.
func (d *device[V]) showing() iter.Seq2[*row[V], *shown] {
	return func(yield func(*row[V], *shown) bool) {
		n := 0
		for i := range d.rows {
			r := &d.rows[i]
			if !r.shows() {
				continue
			}
			if !yield(r, &d.shown[n]) {
				return
			}
			n++
		}
	}
}

// remove removes all topics of the device but its availability from the broker,
// until it gets rows again.
func (d *device[V]) remove() {
	d.setRows(nil)
	d.bury()
	if d.document != nil {
		d.outbox.Remove(d.topics.Document(d.id))
	}
}

// bury removes what is doomed.
func (d *device[V]) bury() {
	for _, key := range d.doomed {
		d.outbox.Remove(d.topics.Attributes(d.id, key))
	}
	d.doomed = nil
}

// removed reports whether remove was the last that happened.
func (d *device[V]) removed() bool { return len(d.rows) == 0 }

// observe evaluates every row and publishes what has changed, and the document with
// it if that is due.
func (d *device[V]) observe(view V, now time.Time) {
	d.observeRows(view, now)
	d.publishDocument(view, now)
}

// observeRows evaluates every row and publishes what has changed. The document is
// published at once if a prompt row is among that, and else left to publishDocument.
func (d *device[V]) observeRows(view V, now time.Time) {
	d.observedAt, d.held = now, false
	if len(d.doomed) > 0 {
		if d.held = now.Sub(d.doomedAt) < doomedFor; !d.held {
			d.bury()
		}
	}
	prompt := false
	for r, s := range d.showing() {
		if r.value != nil && d.observeRow(r, s, view, now) {
			d.stale = true
			prompt = prompt || r.prompt
		}
	}
	if prompt {
		d.documentAt = time.Time{}
		d.publishDocument(view, now)
	}
}

// documentDue reports whether something in the document has changed, and the last one
// is old enough.
func (d *device[V]) documentDue(now time.Time) bool {
	return d.document != nil && d.stale && len(d.rows) > 0 && now.Sub(d.documentAt) >= documentInterval
}

// publishDocument publishes the document if it is due.
func (d *device[V]) publishDocument(view V, now time.Time) {
	if d.documentDue(now) {
		d.outbox.Put(d.topics.Document(d.id), d.document(d, view), valueClass)
		d.stale, d.documentAt = false, now
	}
}

func (d *device[V]) observeRow(r *row[V], s *shown, view V, now time.Time) bool {
	next := r.value(view)
	if r.options != nil {
		var waits bool
		next, waits = d.choose(r, s, view, next, now)
		d.held = d.held || waits
	}
	publish, held := s.update(next, r.noise, now)
	d.held = d.held || held
	if publish {
		d.outbox.Put(d.topics.Value(d.id, r.key), next.payload(), valueClass)
	}
	if r.attributes == nil && r.attributed == nil {
		return publish
	}
	if a := r.attributesOf(view); a != s.attributes() {
		s.setAttributes(a)
		d.outbox.Put(d.topics.Attributes(d.id, r.key), a, valueClass)
		return true
	}
	return publish
}

func (r *row[V]) attributesOf(view V) string {
	if r.attributed != nil {
		return r.attributed(view)
	}
	return mustMarshal(r.attributes(view))
}

// exhibited takes in that there is a picture on a row's topic.
func (d *device[V]) exhibited(key string) {
	if s := d.find(key); s != nil {
		s.ok = true
	}
}

// explain publishes what is to be said beside a row's picture.
func (d *device[V]) explain(key, attributes string) {
	if s := d.find(key); s != nil && s.attributes() != attributes {
		s.setAttributes(attributes)
		d.outbox.Put(d.topics.Attributes(d.id, key), attributes, valueClass)
	}
}

// find returns what a row shows, nil if there is no such row.
func (d *device[V]) find(key string) *shown {
	for r, s := range d.showing() {
		if r.key == key {
			return s
		}
	}
	return nil
}

// recently is a little longer than a printing printer is silent: what its next
// message will release needs no tick.
const recently = 600 * time.Millisecond

// due reports whether something waits that time alone will release.
func (d *device[V]) due() bool {
	waits := d.held || d.stale && d.document != nil && len(d.rows) > 0
	return waits && time.Since(d.observedAt) > recently
}

// get returns what a row shows; documents are made of that.
func (d *device[V]) get(key string) value {
	if s := d.find(key); s != nil {
		return s.value()
	}
	return unknown
}

// components returns the discovery components of the table, topics and ids
// filled in.
func (d *device[V]) components(view V) map[string]discovery.Component {
	list := make(map[string]discovery.Component, len(d.rows))
	for i := range d.rows {
		r := &d.rows[i]
		c := r.component
		if r.unannounced {
			continue
		}
		c.UniqueID = d.topics.UniqueID(d.id, r.key)
		c.DefaultEntityID = discovery.EntityID(c.Platform, d.id, r.key)
		switch {
		case r.topic != nil:
			c.StateTopic = r.topic(d.topics, d.id)
		case r.value != nil:
			c.StateTopic = d.topics.Value(d.id, r.key)
		case r.picture != nil:
			c.Topic = d.topics.Value(d.id, r.key)
		}
		if r.contentType != nil {
			c.ContentType = r.contentType(view)
		}
		if r.hasAttributes() && r.topic == nil {
			c.AttributesTopic = d.topics.Attributes(d.id, r.key)
		}
		if r.action != "" {
			c.CommandTopic = d.topics.Set(d.id, r.key)
		}
		if r.bridged {
			c.Availability = []string{d.topics.BridgeState()}
		}
		if r.options != nil {
			c.Options = d.announced(r, view)
		}
		if r.wire != nil {
			r.wire(&c, d.topics, d.id)
		}
		list[r.key] = c
	}
	return list
}
