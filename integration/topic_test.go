package integration

import "testing"

// TestTopicKey: a topic is what it was made of, and different ones differ.
func TestTopicKey(t *testing.T) {
	t.Parallel()
	seen := make(map[topicKey]string)
	for _, topic := range []string{"", "a", "a/", "/a", "a/b", "a/b/", "a/b/c", "octoprint2mqtt/left", "octoprint2mqtt/left/state"} {
		k := keyOf(topic)
		if k.String() != topic {
			t.Errorf("%q became %q", topic, k)
		}
		if other, ok := seen[k]; ok {
			t.Errorf("%q and %q are the same", topic, other)
		}
		seen[k] = topic
	}
}
