//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRetainedTopicsAreExactlyTheDocumentedOnes(t *testing.T) {
	f := newFarm(t, nil, "left", "middle")
	f.waitOnline("left", "middle")
	required, allowed := retainedTopics("left", "middle")
	complete := f.broker.wait(soon, func() bool {
		have := belowBase(keysOf(f.broker.retained))
		return len(missingFrom(have, required)) == 0
	})
	have := belowBase(keysOf(f.broker.tree()))
	if !complete {
		t.Errorf("missing: %v", missingFrom(have, required))
	}
	// bridge/state is in both lists, as a row and as the will.
	if unknown := missingFrom(allowed, have); len(unknown) > 0 {
		t.Errorf("not documented: %v", unknown)
	}
}

// belowBase keeps the topics below the base, without it.
func belowBase(topics []string) []string {
	var below []string
	for _, topic := range topics {
		if rest, ok := strings.CutPrefix(topic, baseTopic+"/"); ok {
			below = append(below, rest)
		}
	}
	return below
}

func TestMessagesThatAreNotRetained(t *testing.T) {
	f := left(t)
	mark := f.broker.mark()
	f.startPrint("left", "passing.gcode", 60)
	f.request("left", "cancel", "{}").mustSucceed(t)
	f.waitEvent(mark, "left", "print_cancelled")
	f.request("farm", "pause_all", "{}")
	f.settle()
	documented := regexp.MustCompile(`^(left|farm|bridge)/(event|(request|response)/[a-z_]+)$`)
	for _, m := range f.broker.after(f.start, func(topic string) bool { return strings.HasPrefix(topic, baseTopic+"/") }) {
		topic := strings.TrimPrefix(m.Topic, baseTopic+"/")
		if m.Retain == 0 && !documented.MatchString(topic) {
			t.Errorf("%s isn't documented as not retained", topic)
		}
		if m.Retain == 1 && documented.MatchString(topic) {
			t.Errorf("%s is retained", topic)
		}
	}
}

func TestPlainValuesAreWhatTheContractSays(t *testing.T) {
	f := left(t)
	f.startPrint("left", "values.gcode", 60)
	f.octo["left"].job(t, "cancel")
	f.expect("left/state", "idle")
	f.settle()
	exponent := regexp.MustCompile(`^-?[0-9.]+[eE][-+]?[0-9]+$`)
	for _, m := range f.broker.after(f.start, func(topic string) bool { return strings.HasPrefix(topic, baseTopic+"/") }) {
		if m.Retain == 0 {
			continue
		}
		if m.Payload == "" || exponent.MatchString(m.Payload) {
			t.Errorf("%s was published as %q", m.Topic, m.Payload)
		}
		if len([]rune(m.Payload)) > 255 && !strings.HasPrefix(m.Payload, "{") {
			t.Errorf("%s has %d characters", m.Topic, len([]rune(m.Payload)))
		}
	}
	for _, row := range printerRows() {
		value := f.value("left/" + row.key)
		if row.platform == "binary_sensor" && !slices.Contains([]string{"ON", "OFF", "None"}, value) {
			t.Errorf("%s is %q", row.key, value)
		}
	}
}

func TestNothingIsPublishedTwiceInARow(t *testing.T) {
	f := left(t)
	f.compareWithHomeAssistant()
	f.startPrint("left", "quiet.gcode", 60)
	f.octo["left"].job(t, "cancel")
	f.expect("left/state", "idle")
	f.settle()
	last := map[string]string{}
	for _, m := range f.broker.after(f.start, func(topic string) bool { return strings.HasPrefix(topic, baseTopic+"/left/") }) {
		if m.Retain == 1 && last[m.Topic] == m.Payload {
			t.Errorf("%s was published as %q twice in a row", m.Topic, m.Payload)
		}
		last[m.Topic] = m.Payload
	}
}
