package integration

import (
	"slices"
	"testing"
	"time"

	"octoprint2mqtt/discovery"
)

func TestOptionNames(t *testing.T) {
	t.Parallel()
	got := optionNames([]string{"PLA", "none", "", "PLA", "unknown\n", "PLA", "Unavailable"})
	want := []string{"PLA", "none*", "*", "PLA (2)", "unknown*", "PLA (3)", "Unavailable*"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// menu is a view for a device with one select.
type menu struct {
	options []string
	state   string
}

func menuDevice() *device[*menu] {
	d := newDevice[*menu]("left", discovery.Topics{Base: "base", Prefix: "ha"}, newOutbox())
	d.setRows([]row[*menu]{{
		key: "dish", component: discovery.Component{Platform: discovery.Select, Name: "Dish"},
		value:   func(m *menu) value { return text(m.state) },
		options: func(m *menu) []string { return m.options },
		action:  "eat",
	}})
	return d
}

// TestOptionsBeforeState: a state waits half a second for the options that have it.
func TestOptionsBeforeState(t *testing.T) {
	t.Parallel()
	d, m := menuDevice(), &menu{options: []string{"soup", "salad"}, state: "soup"}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	look := func(after time.Duration) string {
		at = at.Add(after)
		d.observe(m, at)
		return d.get("dish").payload()
	}
	if got := look(0); got != "None" || !d.held {
		t.Fatalf("shows %s at once", got)
	}
	if got := look(time.Second); got != "soup" || !d.reoffer {
		t.Fatalf("shows %s, announced anew: %v", got, d.reoffer)
	}
	d.reoffer = false
	m.state = "salad"
	if got := look(time.Second); got != "salad" || d.reoffer {
		t.Errorf("what is offered already is shown as %s at once, announced anew: %v", got, d.reoffer)
	}
	m.state = "cake" // which isn't on the menu
	if got := look(time.Second); got != "salad" || !d.reoffer || !d.held {
		t.Errorf("shows %s, announced anew: %v, waits: %v", got, d.reoffer, d.held)
	}
	if got := d.components(m)["dish"].Options; !slices.Equal(got, []string{"soup", "salad", "cake"}) {
		t.Errorf("offers %q", got)
	}
	if got := look(choiceLead - time.Millisecond); got != "salad" {
		t.Errorf("shows %s too early", got)
	}
	if got := look(time.Millisecond); got != "cake" || d.held {
		t.Errorf("shows %s, waits: %v", got, d.held)
	}
	m.state = ""
	if got := look(time.Second); got != "None" {
		t.Errorf("an unknown state is shown as %s", got)
	}
	if got := d.components(m)["dish"].Options; !slices.Equal(got, m.options) {
		t.Errorf("offers %q", got)
	}
}

// TestOptionsAreAnnouncedWhenTheyChange, though the state stays.
func TestOptionsAreAnnouncedWhenTheyChange(t *testing.T) {
	t.Parallel()
	d, m := menuDevice(), &menu{options: []string{"soup"}, state: "soup"}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d.observe(m, at)
	d.observe(m, at.Add(time.Second))
	d.reoffer = false
	m.options = []string{"soup", "cake"}
	d.observe(m, at.Add(2*time.Second))
	if d.reoffer {
		t.Error("options are looked at though nobody said that they have changed")
	}
	d.reconsider()
	d.observe(m, at.Add(3*time.Second))
	if got := d.components(m)["dish"].Options; !d.reoffer || !slices.Equal(got, m.options) {
		t.Errorf("offers %q, announced anew: %v", got, d.reoffer)
	}
}
