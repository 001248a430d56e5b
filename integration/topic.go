package integration

import (
	"iter"
	"slices"
	"strings"
)

// topicIndex finds what is kept of a topic. There are as many topics as rows of all
// printers, so each part of one is kept once: a device's topics begin alike, and
// those of all devices end alike.
type topicIndex struct {
	folders map[string]*folder
	numbers map[string]uint32 // of leaves
	leaves  []string          // by their numbers
}

// folder has the topics that begin alike, in blocks that stay where they are: what
// lives long lies apart from what doesn't.
type folder struct {
	name   string
	blocks [][]retained
	topics int // that are not gone
}

// blockSize is how many topics are in a block at most: a device gets all of its own
// at once, and no more. Ten fill an allocation of Go's, 480 bytes, to the last.
const blockSize = 10

func newTopicIndex() topicIndex {
	return topicIndex{folders: make(map[string]*folder), numbers: make(map[string]uint32)}
}

// split cuts a topic in two, so that the second part is common to all devices.
func split(topic string) (folder, leaf string) {
	end := strings.LastIndexByte(strings.TrimSuffix(topic, "/attributes"), '/') + 1
	return topic[:end], topic[end:]
}

// get returns nil if there is nothing.
func (x *topicIndex) get(topic string) *retained {
	name, leaf := split(topic)
	number, known := x.numbers[leaf]
	f := x.folders[name]
	if f == nil || !known {
		return nil
	}
	for r := range f.all() {
		if r.leaf == number {
			return r
		}
	}
	return nil
}

// add makes room for a topic that isn't there yet.
func (x *topicIndex) add(topic string) *retained {
	name, leaf := split(topic)
	number, known := x.numbers[leaf]
	if !known {
		number = uint32(len(x.leaves))
		leaf = strings.Clone(leaf)
		x.leaves = append(x.leaves, leaf)
		x.numbers[leaf] = number
	}
	f := x.folders[name]
	if f == nil {
		f = &folder{name: strings.Clone(name)}
		x.folders[f.name] = f
	}
	r := f.room()
	r.folder, r.leaf = f, number
	f.topics++
	return r
}

// room returns a new place for a topic.
func (f *folder) room() *retained {
	last := len(f.blocks) - 1
	if last < 0 || len(f.blocks[last]) == cap(f.blocks[last]) {
		more := min(f.topics+1, blockSize) // many have but one topic
		f.blocks = append(f.blocks, make([]retained, 0, more))
		last++
	}
	block := &f.blocks[last]
	*block = append(*block, retained{})
	return &(*block)[len(*block)-1]
}

// all are the topics, in the order in which they came.
func (f *folder) all() iter.Seq[*retained] {
	return func(yield func(*retained) bool) {
		for _, block := range f.blocks {
			for i := range block {
				if r := &block[i]; !r.gone && !yield(r) {
					return
				}
			}
		}
	}
}

// has reports whether r is still what is kept of its topic.
func (x *topicIndex) has(r *retained) bool { return !r.gone }

// remove forgets a topic. Its place isn't used again, as somebody may still look at
// it; a block goes when all in it are gone.
func (x *topicIndex) remove(r *retained) {
	f := r.folder
	r.gone = true
	f.blocks = slices.DeleteFunc(f.blocks, func(block []retained) bool {
		return len(block) == cap(block) && !slices.ContainsFunc(block, func(r retained) bool { return !r.gone })
	})
	if f.topics--; f.topics == 0 {
		delete(x.folders, f.name)
	}
}

// topicOf is the topic that r was made for.
func (x *topicIndex) topicOf(r *retained) string { return r.folder.name + x.leaves[r.leaf] }

// all is everything, in no particular order.
func (x *topicIndex) all() iter.Seq[*retained] {
	return func(yield func(*retained) bool) {
		for _, f := range x.folders {
			for r := range f.all() {
				if !yield(r) {
					return
				}
			}
		}
	}
}
