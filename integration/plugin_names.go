package integration

import (
	"fmt"
	"strings"

	"octoprint2mqtt/discovery"
)

// maxSlug bounds what of a row key was named by people, in bytes.
const maxSlug = 32

// labelled is something in a plugin's settings that its owner gave a name, and that
// gets rows: one for each of endings, which follow the name in their keys.
type labelled struct {
	label   string
	endings []string
}

// slugs returns the part of row keys that stands for each of several things, empty
// for those that can't be told apart by it: which of them a key means would else
// hang on their order.
func slugs(things []labelled) []string {
	list := make([]string, len(things))
	uses := make(map[string]int)
	for i, t := range things {
		s := discovery.Slug(t.label)
		list[i] = strings.TrimRight(s[:min(len(s), maxSlug)], "_")
		for _, ending := range t.endings {
			uses[list[i]+ending]++
		}
	}
	unique := make([]string, len(things))
	for i, t := range things {
		unique[i] = list[i]
		for _, ending := range t.endings {
			if uses[list[i]+ending] > 1 {
				unique[i] = ""
			}
		}
	}
	return unique
}

// leftOut is the finding about a thing without a slug of its own.
func leftOut(plugin, label string) string {
	return fmt.Sprintf("%s has something called %s that is left out, because another's name is too much like it; give it another name in OctoPrint", plugin, quote(label))
}
