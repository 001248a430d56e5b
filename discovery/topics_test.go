package discovery

import (
	"slices"
	"testing"
)

var topics = Topics{Base: "octoprint2mqtt", Prefix: "homeassistant"}

func TestTopics(t *testing.T) {
	t.Parallel()
	deep := Topics{Base: "home/Print Farm", Prefix: "ha/discovery"}
	for _, tt := range []struct{ got, want string }{
		{topics.BridgeState(), "octoprint2mqtt/bridge/state"},
		{topics.BridgeInfo(), "octoprint2mqtt/bridge/info"},
		{topics.BridgeHealth(), "octoprint2mqtt/bridge/health"},
		{topics.BridgeEvent(), "octoprint2mqtt/bridge/event"},
		{topics.Availability("left"), "octoprint2mqtt/left/availability"},
		{topics.Document("left"), "octoprint2mqtt/left"},
		{topics.Document(Farm), "octoprint2mqtt/farm"},
		{topics.Value("left", "tool0_target"), "octoprint2mqtt/left/tool0_target"},
		{topics.Attributes("farm", "error"), "octoprint2mqtt/farm/error/attributes"},
		{topics.Set("left", "pause"), "octoprint2mqtt/left/pause/set"},
		{topics.Event("left"), "octoprint2mqtt/left/event"},
		{topics.Request("left", "jog"), "octoprint2mqtt/left/request/jog"},
		{topics.Response("left", "jog"), "octoprint2mqtt/left/response/jog"},
		{topics.Raw("left", "event/ZChange"), "octoprint2mqtt/left/raw/event/ZChange"},
		{topics.Tree(), "octoprint2mqtt/#"},
		{topics.Config("left-2"), "homeassistant/device/octoprint2mqtt_left-2/config"},
		{topics.ConfigFilter(), "homeassistant/device/+/config"},
		{topics.Node("left-2"), "octoprint2mqtt_left-2"},
		{topics.UniqueID("left-2", "state"), "octoprint2mqtt_left-2_state"},
		{EntityID(Sensor, "left-2", "state"), "sensor.left_2_state"},
		{deep.Value("left", "state"), "home/Print Farm/left/state"},
		{deep.Config("left"), "ha/discovery/device/home_print_farm_left/config"},
		{Topics{Base: "b"}.Config("left"), ""},
		{Topics{Base: "b"}.ConfigFilter(), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestDeviceOfConfig(t *testing.T) {
	t.Parallel()
	for topic, want := range map[string]string{
		"homeassistant/device/octoprint2mqtt_left-2/config":     "left-2",
		"homeassistant/device/octoprint2mqtt_bridge/config":     "bridge",
		"homeassistant/device/octoprint2mqtt_2_left/config":     "", // base octoprint2mqtt/2
		"homeassistant/device/octoprint2mqtt_/config":           "",
		"homeassistant/device/octoprint2mqtt_Left/config":       "",
		"homeassistant/device/octoprint2mqtt/left/config":       "",
		"homeassistant/device/octoprint2mqtt_left/config/x":     "",
		"homeassistant/device/octoprint2mqtt_left":              "",
		"homeassistant/sensor/octoprint2mqtt_left/config":       "",
		"other/homeassistant/device/octoprint2mqtt_left/config": "",
		"": "",
	} {
		got, ok := topics.DeviceOfConfig(topic)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t, want %q", topic, got, ok, want)
		}
	}
	if device, ok := (Topics{Base: "b"}).DeviceOfConfig("/device/b_left/config"); ok {
		t.Errorf("without a prefix: got %q", device)
	}
}

func TestParseCommand(t *testing.T) {
	t.Parallel()
	set := func(device, name string) Command {
		return Command{Device: device, Kind: SetCommand, Name: name}
	}
	request := func(device, name string) Command {
		return Command{Device: device, Kind: RequestCommand, Name: name}
	}
	for topic, want := range map[string]Command{
		"octoprint2mqtt/left/pause/set":           set("left", "pause"),
		"octoprint2mqtt/farm/pause_all/set":       set("farm", "pause_all"),
		"octoprint2mqtt/left/request/pause":       request("left", "pause"),
		"octoprint2mqtt/left/request/set":         request("left", "set"),
		"octoprint2mqtt/Nobody/request/any thing": request("Nobody", "any thing"),
		"octoprint2mqtt/left/response/set":        {}, // an answer of our own
		"octoprint2mqtt/left/raw/set":             {},
		"octoprint2mqtt/left/availability/set":    {},
		"octoprint2mqtt/left/pause":               {},
		"octoprint2mqtt/left/pause/set/x":         {},
		"octoprint2mqtt/left/request/pause/x":     {},
		"octoprint2mqtt/left/request/":            {},
		"octoprint2mqtt/left//set":                {},
		"octoprint2mqtt//pause/set":               {},
		"octoprint2mqtt/left/+/set":               {},
		"octoprint2mqtt/left/a\x00b/set":          {},
		"octoprint2mqtt/left/a\xffb/set":          {},
		"octoprint2mqtt2/left/pause/set":          {},
		"left/pause/set":                          {},
		"/left/pause/set":                         {},
		"":                                        {},
	} {
		got, ok := topics.ParseCommand(topic)
		if got != want || ok != (want != Command{}) {
			t.Errorf("%q: got %+v, %t, want %+v", topic, got, ok, want)
		}
	}
	if cmd, ok := (Topics{}).ParseCommand("/left/pause/set"); ok {
		t.Errorf("without a base: got %+v", cmd)
	}
}

func TestParseCommandBoundsNames(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]bool{128: true, 129: false} {
		name := string(slices.Repeat([]byte("x"), length))
		if _, ok := topics.ParseCommand(topics.Request("left", name)); ok != want {
			t.Errorf("name of %d bytes: got %t", length, ok)
		}
		if _, ok := topics.ParseCommand(topics.Set(name, "state")); ok != want {
			t.Errorf("device of %d bytes: got %t", length, ok)
		}
	}
}

func TestCommandFilters(t *testing.T) {
	t.Parallel()
	got := topics.CommandFilters()
	want := []string{"octoprint2mqtt/+/+/set", "octoprint2mqtt/+/request/+"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCommandKindString(t *testing.T) {
	t.Parallel()
	for kind, want := range map[CommandKind]string{
		SetCommand: "set", RequestCommand: "request", 0: "unknown",
	} {
		if got := kind.String(); got != want {
			t.Errorf("%d: got %q, want %q", kind, got, want)
		}
	}
}
