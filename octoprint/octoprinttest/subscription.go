package octoprinttest

import (
	"encoding/json"
	"regexp"
	"slices"
)

// lines says which lines of the terminal are wanted.
type lines struct {
	all     bool
	matches *regexp.Regexp
}

func (l lines) filter(in []string) []string {
	out := []string{}
	for _, line := range in {
		if l.all || l.matches != nil && l.matches.MatchString(line) {
			out = append(out, line)
		}
	}
	return out
}

// view is what of the printer's state a socket wants.
type view struct {
	on             bool
	logs, messages lines
}

// names are events or plugins by name.
type names struct {
	all  bool
	list []string
}

func (n names) has(name string) bool { return n.all || slices.Contains(n.list, name) }

// subscription is what a socket wants of the stream.
type subscription struct {
	state           view
	plugins, events names
}

// everything is what a socket gets that never subscribed.
func everything() subscription {
	all := lines{all: true}
	return subscription{state: view{on: true, logs: all, messages: all}, plugins: names{all: true}, events: names{all: true}}
}

// parseSubscription reads a subscribe message: parts that are missing are off, and it is valid as a whole or not.
func parseSubscription(raw json.RawMessage) (subscription, bool) {
	var in struct {
		State, Plugins, Events json.RawMessage
	}
	if json.Unmarshal(raw, &in) != nil {
		return subscription{}, false
	}
	state, ok1 := parseView(in.State)
	plugins, ok2 := parseNames(in.Plugins)
	events, ok3 := parseNames(in.Events)
	return subscription{state, plugins, events}, ok1 && ok2 && ok3
}

func parseView(raw json.RawMessage) (view, bool) {
	if raw == nil {
		return view{}, true
	}
	var on bool
	if json.Unmarshal(raw, &on) == nil {
		return view{on: on, logs: lines{all: on}}, true
	}
	var parts struct{ Logs, Messages json.RawMessage }
	if json.Unmarshal(raw, &parts) != nil {
		return view{}, false
	}
	logs, ok1 := parseLines(parts.Logs)
	messages, ok2 := parseLines(parts.Messages)
	return view{on: true, logs: logs, messages: messages}, ok1 && ok2
}

func parseLines(raw json.RawMessage) (lines, bool) {
	var all bool
	var pattern string
	switch {
	case raw == nil:
		return lines{}, true
	case json.Unmarshal(raw, &all) == nil:
		return lines{all: all}, true
	case json.Unmarshal(raw, &pattern) == nil:
		re, err := regexp.Compile("^(?:" + pattern + ")")
		return lines{matches: re}, err == nil
	}
	return lines{}, false
}

func parseNames(raw json.RawMessage) (names, bool) {
	var all bool
	var list []string
	switch {
	case raw == nil:
		return names{}, true
	case json.Unmarshal(raw, &all) == nil:
		return names{all: all}, true
	}
	err := json.Unmarshal(raw, &list)
	return names{list: list}, err == nil
}
