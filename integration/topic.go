package integration

import (
	"strings"
	"unique"
)

// topicKey is a topic as it is kept: each of its two parts once, however many
// topics have it. A device's topics begin alike, and those of all devices end
// alike.
type topicKey struct {
	folder, leaf unique.Handle[string]
}

func keyOf(topic string) topicKey {
	end := strings.LastIndexByte(topic, '/') + 1
	return topicKey{folder: unique.Make(topic[:end]), leaf: unique.Make(topic[end:])}
}

func (k topicKey) String() string { return k.folder.Value() + k.leaf.Value() }
