//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// picture is what there is of some devices, on the broker and in Home Assistant, apart from values that move. Nothing of
// it may be lost, doubled or changed by a neighbour that goes and comes back.
type picture struct {
	discovery map[string]string           // documents by topic
	topics    []string                    // all that are retained
	unknown   []string                    // those that hold None
	entities  map[string]registeredEntity // by unique id
	without   []string                    // entities that have no value
}

// offers are what selects offer: that is asked for once a session runs, as are the values of these rows.
var (
	offers = regexp.MustCompile(`"ops":\[[^\]]*\],`)
	asked  = regexp.MustCompile(`[/_](disk_free|safe_mode|firmware|plugin_updates|octoprint_update|port|profile|preset|prompt|prompt_answer|selected_file|last_seen|frame_rate)$`)
)

func askedLater(name string) bool { return asked.MatchString(name) }

// picture looks at all devices of the bridge, or at those of the printers that are named.
func (f *farm) picture(ids ...string) picture {
	f.t.Helper()
	of := func(name, separator string) bool {
		return len(ids) == 0 || slices.ContainsFunc(ids, func(id string) bool { return name == id || strings.HasPrefix(name, id+separator) })
	}
	p := picture{discovery: map[string]string{}, entities: map[string]registeredEntity{}}
	for topic, payload := range f.broker.tree() {
		if node, ok := strings.CutPrefix(topic, discoveryPrefix+"/device/"+baseTopic+"_"); ok && of(node, "/") {
			p.discovery[topic] = offers.ReplaceAllString(payload, "")
			p.topics = append(p.topics, topic)
		}
		if topic == baseTopic || !strings.HasPrefix(topic, baseTopic+"/") || !of(strings.TrimPrefix(topic, baseTopic+"/"), "/") {
			continue
		}
		p.topics = append(p.topics, topic)
		if payload == "None" && !askedLater(topic) {
			p.unknown = append(p.unknown, topic)
		}
	}
	states := f.ha.states(f.t)
	for id, entity := range f.ha.entities(f.t) {
		if !of(strings.TrimPrefix(id, baseTopic+"_"), "_") {
			continue
		}
		p.entities[id] = entity
		if state, ok := states[entity.EntityID]; ok && !askedLater(entity.EntityID) && (state.State == "unavailable" || state.State == "unknown") {
			p.without = append(p.without, entity.EntityID+" "+state.State)
		}
	}
	for _, list := range [][]string{p.topics, p.unknown, p.without} {
		slices.Sort(list)
	}
	return p
}

// differences tells how a later picture differs. Whether values are known is compared only where nothing has happened to
// the printers themselves.
func (p picture) differences(later picture, same bool) []string {
	found := p.differencesInNames(later)
	for _, id := range slices.Sorted(maps.Keys(p.entities)) {
		if after, ok := later.entities[id]; ok && after != p.entities[id] {
			found = append(found, fmt.Sprintf("entity %s was %+v and is %+v", id, p.entities[id], after))
		}
	}
	for topic, payload := range p.discovery {
		if after, ok := later.discovery[topic]; ok && after != payload {
			found = append(found, fmt.Sprintf("%s was %s and is %s", topic, payload, after))
		}
	}
	if same {
		found = append(found, otherThan("unknown values", p.unknown, later.unknown)...)
		found = append(found, otherThan("entities without a value", p.without, later.without)...)
	}
	return found
}

// differencesInNames tells which topics and entities a later picture hasn't, and which it has as well.
func (p picture) differencesInNames(later picture) []string {
	return append(otherThan("retained topics", p.topics, later.topics), otherThan("entities", keysOf(p.entities), keysOf(later.entities))...)
}

func otherThan(what string, before, after []string) []string {
	var found []string
	if gone := missingFrom(after, before); len(gone) > 0 {
		found = append(found, fmt.Sprintf("%s: no longer there: %v", what, gone))
	}
	if added := missingFrom(before, after); len(added) > 0 {
		found = append(found, fmt.Sprintf("%s: there is also: %v", what, added))
	}
	return found
}
