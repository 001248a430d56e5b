package integration

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// choice is what a select offers, as Home Assistant was told. A state that it
// didn't offer before has to wait until that has arrived.
type choice struct {
	options []string
	since   time.Time
	// reconsider says that the options may be others, though the state is not.
	reconsider bool
}

// choiceLead is how long a select's options are published before a state that
// needs them.
const choiceLead = 500 * time.Millisecond

// optionNames makes options of names: fit for a state, none empty, each once, and
// none that reads like an unknown state. They have the order of the names.
func optionNames(names []string) []string {
	options := make([]string, 0, len(names))
	for _, name := range names {
		name = clean(name)
		if name == "" || strings.EqualFold(name, "none") || strings.EqualFold(name, "unknown") || strings.EqualFold(name, "unavailable") {
			name += "*"
		}
		unique := name
		for n := 2; slices.Contains(options, unique); n++ {
			unique = name + " (" + strconv.Itoa(n) + ")"
		}
		options = append(options, unique)
	}
	return options
}

// reconsider has the options of all selects looked at again.
func (d *device[V]) reconsider() {
	for _, c := range d.choices {
		c.reconsider = true
	}
}

// choose returns the state that a select may show now, and whether it is another
// than it should show. Options always contain the state.
func (d *device[V]) choose(r *row[V], s *shown, view V, next value, now time.Time) (v value, held bool) {
	c := d.choiceOf(r.key)
	if c.reconsider || !s.is(next) {
		d.reoffer = c.offer(r.offered(view, next), now) || d.reoffer
	}
	if next.kind == unknownValue || next == s.value() || now.Sub(c.since) >= choiceLead {
		return next, false
	}
	return s.value(), true // unknown, if none was shown yet
}

// offer sets the options of a select, and reports whether they are others.
func (c *choice) offer(options []string, now time.Time) bool {
	c.reconsider = false
	if slices.Equal(options, c.options) {
		return false
	}
	c.options, c.since = options, now
	return true
}

// offered returns a select's options, with the state among them.
func (r *row[V]) offered(view V, state value) []string {
	options := r.options(view)
	if p := state.payload(); state.kind != unknownValue && !slices.Contains(options, p) {
		options = append(slices.Clone(options), p)
	}
	return options
}

// announced returns what a select offers, which is being announced: nobody has to be
// told again.
func (d *device[V]) announced(r *row[V], view V) []string {
	c := d.choiceOf(r.key)
	if c.reconsider {
		c.offer(r.offered(view, d.get(r.key)), time.Now())
	}
	return c.options
}

// choiceOf returns the choice of a select.
func (d *device[V]) choiceOf(key string) *choice {
	c := d.choices[key]
	if c == nil {
		c = &choice{reconsider: true}
		if d.choices == nil {
			d.choices = make(map[string]*choice)
		}
		d.choices[key] = c
	}
	return c
}
