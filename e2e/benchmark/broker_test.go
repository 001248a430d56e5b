package main

import "testing"

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"#", "a", true},
		{"#", "a/b", true},
		{"a", "a", true},
		{"a", "b", false},
		{"a", "a/b", false},
		{"a/b", "a", false},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/#", "b/a", false},
		{"+", "a", true},
		{"+", "a/b", false},
		{"+/b", "a/b", true},
		{"a/+", "a", false},
		{"a/+/c", "a/b/c", true},
		{"a/+/c", "a/b/d", false},
		{"a/+/#", "a/b", true},
	} {
		if got := matches(c.filter, c.topic); got != c.want {
			t.Errorf("%s matches %s: %v", c.filter, c.topic, got)
		}
	}
}
