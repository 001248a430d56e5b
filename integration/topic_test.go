package integration

import (
	"slices"
	"testing"
)

// TestTopicIndex: a topic is what it was made of, different ones differ, and what is
// removed is gone.
func TestTopicIndex(t *testing.T) {
	t.Parallel()
	x := newTopicIndex()
	topics := []string{
		"", "a", "a/", "/a", "a/b", "a/b/", "a/b/c", "attributes", "/attributes", "a/attributes", "a/b/attributes",
		"octoprint2mqtt/left", "octoprint2mqtt/left/state", "octoprint2mqtt/right/state",
	}
	kept := make(map[string]*retained)
	for _, topic := range topics {
		if r := x.get(topic); r != nil {
			t.Errorf("%q is the same as %q", topic, x.topicOf(r))
		}
		kept[topic] = x.add(topic)
	}
	for _, topic := range topics {
		if x.get(topic) != kept[topic] || x.topicOf(kept[topic]) != topic || !x.has(kept[topic]) {
			t.Errorf("%q is another one", topic)
		}
	}
	if n := len(slices.Collect(x.all())); n != len(topics) {
		t.Errorf("%d topics, want %d", n, len(topics))
	}
	for _, topic := range topics {
		r := kept[topic]
		x.remove(r)
		if x.get(topic) != nil || x.has(r) || x.topicOf(r) != topic {
			t.Errorf("%q is still there", topic)
		}
	}
	if len(x.folders) > 0 {
		t.Errorf("left: %v", x.folders)
	}
}

// TestTopicIndexForgets: topics that come and go take no more room than those that
// are there.
func TestTopicIndexForgets(t *testing.T) {
	t.Parallel()
	x := newTopicIndex()
	x.add("a/stays")
	f := x.folders["a/"]
	for range 10 * blockSize {
		x.remove(x.add("a/goes"))
	}
	if n := len(f.blocks); n > 3 || f.topics != 1 || x.get("a/stays") == nil || x.get("a/goes") != nil {
		t.Errorf("%d blocks for %d topics", n, f.topics)
	}
}
