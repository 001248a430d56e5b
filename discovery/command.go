package discovery

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Levels with a meaning of their own between a device and a name.
const (
	levelRequest  = "request"
	levelResponse = "response"
	levelRaw      = "raw"
	levelSet      = "set"
)

// maxLevel bounds, in bytes, the names that are read from topics: they are
// repeated in responses and logs.
const maxLevel = 128

// CommandKind tells the two ways apart in which a command arrives.
type CommandKind int

// The kinds of commands.
const (
	SetCommand     CommandKind = iota + 1 // a value for a row
	RequestCommand                        // a JSON request for an action
)

// String names the kind as its topics do.
func (k CommandKind) String() string {
	switch k {
	case SetCommand:
		return levelSet
	case RequestCommand:
		return levelRequest
	default:
		return "unknown"
	}
}

// Command is what a command topic says. Device and Name are as they were sent:
// single topic levels of printable UTF-8 without wildcards, of at most 128
// bytes, but not necessarily a device or a name that exists.
type Command struct {
	Device string
	Kind   CommandKind
	Name   string // row key or action
}

// CommandFilters are the subscriptions that cover every command topic. The
// first one also matches some topics that are no commands, among them
// responses; [Topics.ParseCommand] sorts them out.
func (t Topics) CommandFilters() []string {
	return []string{t.Set("+", "+"), t.Request("+", "+")}
}

// ParseCommand reads [Topics.Set] and [Topics.Request] back. It is false for
// every other topic and never panics.
//
// A request for an action called set has the topic of a command for a row
// called request. It counts as the former: see [ReservedKey].
func (t Topics) ParseCommand(topic string) (Command, bool) {
	rest, below := strings.CutPrefix(topic, t.Base+"/")
	if !below || t.Base == "" {
		return Command{}, false
	}
	device, rest, _ := strings.Cut(rest, "/")
	middle, last, _ := strings.Cut(rest, "/")
	cmd := Command{Device: device, Kind: SetCommand, Name: middle}
	switch {
	case middle == levelRequest:
		cmd.Kind, cmd.Name = RequestCommand, last
	case last != levelSet || ReservedKey(middle):
		return Command{}, false
	}
	if !isLevel(cmd.Device) || !isLevel(cmd.Name) {
		return Command{}, false
	}
	return cmd, true
}

// ReservedKey reports whether a row cannot have this key, because the topic is
// taken by something else of the device.
func ReservedKey(key string) bool {
	switch key {
	case levelRequest, levelResponse, levelRaw, "availability":
		return true
	default:
		return false
	}
}

// ValidLevel says what is wrong with a name that becomes a single level of a topic.
func ValidLevel(name string) error {
	if !isLevel(name) || strings.HasPrefix(name, "$") {
		return fmt.Errorf("%q is not a single level of a topic: 1 to %d bytes without /, + and # and control characters, and no $ in front", name, maxLevel)
	}
	return nil
}

func isLevel(s string) bool {
	return s != "" && len(s) <= maxLevel && utf8.ValidString(s) &&
		!strings.ContainsAny(s, "/+#") && !strings.ContainsFunc(s, isForbiddenRune)
}
