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

// folder has the topics that begin alike.
type folder struct {
	name   string
	topics []*retained
	room   []retained // for more: what lives long lies apart from what doesn't
}

// folderStep is by how many topics a folder grows at most: a device gets all of its
// own at once, and no more. Ten fill an allocation of Go's, 480 bytes, to the last.
const folderStep = 10

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
	for _, r := range f.topics {
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
	if len(f.room) == 0 {
		more := min(len(f.topics)+1, folderStep) // many have but one topic
		f.topics = append(make([]*retained, 0, len(f.topics)+more), f.topics...)
		f.room = make([]retained, more)
	}
	r := &f.room[0]
	f.room = f.room[1:]
	r.folder, r.leaf = f, number
	f.topics = append(f.topics, r)
	return r
}

// has reports whether r is still what is kept of its topic.
func (x *topicIndex) has(r *retained) bool { return slices.Contains(r.folder.topics, r) }

func (x *topicIndex) remove(r *retained) {
	f := r.folder
	i := slices.Index(f.topics, r)
	f.topics = slices.Delete(f.topics, i, i+1)
	if len(f.topics) == 0 {
		delete(x.folders, f.name)
	}
}

// topicOf is the topic that r was made for.
func (x *topicIndex) topicOf(r *retained) string { return r.folder.name + x.leaves[r.leaf] }

// all is everything, in no particular order.
func (x *topicIndex) all() iter.Seq[*retained] {
	return func(yield func(*retained) bool) {
		for _, f := range x.folders {
			for _, r := range f.topics {
				if !yield(r) {
					return
				}
			}
		}
	}
}
