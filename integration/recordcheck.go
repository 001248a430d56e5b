package integration

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

// check reports what in a record this program can't have written. What is read
// from a file names topics and is published, so it has to be as good as what
// OctoPrint tells.
func (r *record) check() error {
	if p := r.Profile; p != nil {
		if i := slices.IndexFunc(p.Heaters, func(h string) bool { return !octoprint.IsHeater(h) }); i >= 0 {
			return fmt.Errorf("there is no heater %s", quote(p.Heaters[i]))
		}
		if len(slices.Compact(slices.Sorted(slices.Values(p.Heaters)))) != len(p.Heaters) {
			return errors.New("a heater is there twice")
		}
	}
	if l := r.Last; l != nil && !slices.Contains(results(), l.Result) {
		return fmt.Errorf("no print ends with the result %s", quote(l.Result))
	}
	for _, e := range r.Events {
		if !slices.Contains(eventTypes(), string(e.Type)) || e.ID == "" {
			return fmt.Errorf("there is no event %s", quote(string(e.Type)))
		}
	}
	for _, t := range r.times() {
		if year := t.UTC().Year(); year < 1 || year > 9999 {
			return fmt.Errorf("the time %s can't be written down", quote(t.String()))
		}
	}
	return nil
}

// results are how prints end.
func results() []string {
	return []string{resultSuccess, resultCancelled, resultFailed, resultUndetermined}
}

// times returns all that are in a record.
func (r *record) times() []time.Time {
	list := []time.Time{r.Seen, r.ClearedAt}
	for _, j := range []*recordJob{r.Active, r.Missed} {
		if j != nil {
			list = append(list, j.Started)
		}
	}
	if r.Last != nil {
		list = append(list, r.Last.Ended)
	}
	for _, e := range r.Events {
		list = append(list, e.Time)
	}
	return list
}
