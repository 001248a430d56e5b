package discovery

import (
	"strings"
)

// The two devices that are no printers. No printer can have these ids.
const (
	Bridge = "bridge"
	Farm   = "farm"
)

// The defaults of [Topics].
const (
	DefaultBase   = "octoprint2mqtt"
	DefaultPrefix = "homeassistant"
)

// Topics spells every topic that the bridge uses and every identifier that
// Home Assistant keeps. Use [Topics.Validate] before the first use: the methods
// join what they are given and check nothing.
//
// A device is a printer id (see [ValidID]), [Bridge] or [Farm]. A key is a row
// key, [a-z0-9_]+; see [ReservedKey] for those that no row may have.
type Topics struct {
	Base   string // above everything of the bridge; may have several levels
	Prefix string // Home Assistant's discovery prefix; empty means no discovery
}

// BridgeState is where the bridge says online or offline; also its last will.
func (t Topics) BridgeState() string { return t.Value(Bridge, "state") }

// BridgeInfo is where the bridge describes itself and its printers.
func (t Topics) BridgeInfo() string { return t.Value(Bridge, "info") }

// BridgeHealth is where the bridge reports its counters.
func (t Topics) BridgeHealth() string { return t.Value(Bridge, "health") }

// BridgeEvent is where the life of bridge and printers is told, not retained.
func (t Topics) BridgeEvent() string { return t.Event(Bridge) }

// Availability is where the bridge says whether it can talk to a printer's
// OctoPrint.
func (t Topics) Availability(device string) string { return t.Value(device, "availability") }

// Document is where the JSON document of a printer or of the farm is.
func (t Topics) Document(device string) string { return t.Base + "/" + device }

// Value is where the plain value, or the picture, of a row is.
func (t Topics) Value(device, key string) string { return t.Document(device) + "/" + key }

// Attributes is where the JSON attributes of a row are.
func (t Topics) Attributes(device, key string) string { return t.Value(device, key) + "/attributes" }

// Set is where commands for a row arrive.
func (t Topics) Set(device, key string) string { return t.Value(device, key) + "/set" }

// Event is where the events of a device are told, not retained.
func (t Topics) Event(device string) string { return t.Value(device, "event") }

// Request is where requests for an action arrive.
func (t Topics) Request(device, action string) string {
	return t.Value(device, levelRequest) + "/" + action
}

// Response is where requests and commands are answered; name is the action or
// the row key.
func (t Topics) Response(device, name string) string {
	return t.Value(device, levelResponse) + "/" + name
}

// Raw is where messages of OctoPrint are passed through; name may have several
// levels.
func (t Topics) Raw(device, name string) string { return t.Value(device, levelRaw) + "/" + name }

// Tree is the filter of everything that the bridge publishes but discovery. It
// includes pictures.
func (t Topics) Tree() string { return t.Base + "/#" }

// Config is where the discovery document of a device is; empty without a
// prefix.
func (t Topics) Config(device string) string {
	if t.Prefix == "" {
		return ""
	}
	return t.Prefix + "/device/" + t.Node(device) + "/config"
}

// ConfigFilter is the filter of all discovery documents, also those of others;
// empty without a prefix. What arrives goes to [Topics.DeviceOfConfig].
func (t Topics) ConfigFilter() string {
	if t.Prefix == "" {
		return ""
	}
	return t.Prefix + "/device/+/config"
}

// DeviceOfConfig reads [Topics.Config] back. It is false for everything that is
// not the discovery topic of a device of this base.
//
// Bases that have the same slug, as a/b and a_b have, cannot be told apart:
// Home Assistant would also take their devices for the same ones.
func (t Topics) DeviceOfConfig(topic string) (device string, ok bool) {
	if t.Prefix == "" {
		return "", false
	}
	rest, below := strings.CutPrefix(topic, t.Prefix+"/device/"+t.Node(""))
	if !below {
		return "", false
	}
	device, ok = strings.CutSuffix(rest, "/config")
	// Ids have no underscore: those of a base whose slug merely begins like
	// ours are recognised by theirs.
	if !ok || !isDevice(device) {
		return "", false
	}
	return device, true
}

// Node identifies a device towards Home Assistant, in its discovery topic and
// as its identifier. It is permanent.
func (t Topics) Node(device string) string { return Slug(t.Base) + "_" + device }

// UniqueID identifies an entity towards Home Assistant. It is permanent; no two
// rows of any two devices share one.
func (t Topics) UniqueID(device, key string) string { return t.Node(device) + "_" + key }

// EntityID is the entity id that a row asks Home Assistant for. Home Assistant
// appends a number when it is taken.
func EntityID(p Platform, device, key string) string {
	return string(p) + "." + Slug(device+"_"+key)
}

// RetainedFilters are the subscriptions that cover every retained topic below the
// base, and all discovery documents, also those of others. What arrives goes to
// [Topics.ParseValue] and [Topics.DeviceOfConfig].
func (t Topics) RetainedFilters() []string {
	filters := []string{t.Document("+"), t.Value("+", "+"), t.Attributes("+", "+")}
	if t.Prefix != "" {
		filters = append(filters, t.ConfigFilter())
	}
	return filters
}

// ParseValue reads [Topics.Document], [Topics.Value] and [Topics.Attributes]
// back; key is empty for a document. It is false for every other topic. The names
// are single levels, not necessarily those of a device or row that exists.
func (t Topics) ParseValue(topic string) (device, key string, ok bool) {
	rest, below := strings.CutPrefix(topic, t.Base+"/")
	if !below || t.Base == "" {
		return "", "", false
	}
	device, key, deeper := strings.Cut(rest, "/")
	key = strings.TrimSuffix(key, "/attributes")
	if !isLevel(device) || deeper && !isLevel(key) {
		return "", "", false
	}
	return device, key, true
}
