package discovery

import (
	"regexp"
	"testing"
)

func FuzzSlug(f *testing.F) {
	for _, s := range []string{"", "left", "A b--C", "ÄÖ", "\xff", "İKs"} {
		f.Add(s)
	}
	legal := regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
	f.Fuzz(func(t *testing.T, s string) {
		slug := Slug(s)
		if !legal.MatchString(slug) {
			t.Errorf("slug of %q is %q", s, slug)
		}
		if again := Slug(slug); again != slug {
			t.Errorf("slug of the slug %q is %q", slug, again)
		}
	})
}

// FuzzParseCommand holds that parsing undoes making, and making parsing.
func FuzzParseCommand(f *testing.F) {
	f.Add("octoprint2mqtt", "left", "pause", "octoprint2mqtt/left/pause/set")
	f.Add("a/b", "left-2", "request", "a/b/left/request/set")
	f.Add("", "", "set", "/a/b/set")
	f.Add("a", "response", "response", "a/b/response/set")
	f.Fuzz(func(t *testing.T, base, device, name, topic string) {
		topics := Topics{Base: base}
		if cmd, ok := topics.ParseCommand(topic); ok {
			if made := makeCommand(topics, cmd); made != topic {
				t.Errorf("%q is parsed to %+v, which makes %q", topic, cmd, made)
			}
		}
		if ValidBase(base) != nil || ValidID(device) != nil || !keyPattern.MatchString(name) {
			return
		}
		want := Command{Device: device, Kind: RequestCommand, Name: name}
		if got, ok := topics.ParseCommand(makeCommand(topics, want)); !ok || got != want {
			t.Errorf("made from %+v, parsed to %+v, %t", want, got, ok)
		}
		want.Kind = SetCommand
		got, ok := topics.ParseCommand(makeCommand(topics, want))
		if !ReservedKey(name) && (!ok || got != want) {
			t.Errorf("made from %+v, parsed to %+v, %t", want, got, ok)
		}
	})
}

func makeCommand(topics Topics, cmd Command) string {
	if cmd.Kind == RequestCommand {
		return topics.Request(cmd.Device, cmd.Name)
	}
	return topics.Set(cmd.Device, cmd.Name)
}

var keyPattern = regexp.MustCompile(`^[a-z0-9_]{1,128}$`)

// FuzzDeviceOfConfig holds that reading a discovery topic undoes making it, and
// the reverse, and that no other base reads it.
func FuzzDeviceOfConfig(f *testing.F) {
	f.Add("octoprint2mqtt", "homeassistant", "left", "homeassistant/device/octoprint2mqtt_left/config", "octoprint2mqtt/2")
	f.Add("a/b", "x/y", "farm", "x/y/device/a_b_/config", "a")
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, base, prefix, device, topic, otherBase string) {
		topics := Topics{Base: base, Prefix: prefix}
		if d, ok := topics.DeviceOfConfig(topic); ok && topics.Config(d) != topic {
			t.Errorf("%q is of %q, whose topic is %q", topic, d, topics.Config(d))
		}
		if topics.Validate() != nil || prefix == "" || ValidID(device) != nil {
			return
		}
		topic = topics.Config(device)
		if got, ok := topics.DeviceOfConfig(topic); !ok || got != device {
			t.Errorf("%q made from %q is of %q, %t", topic, device, got, ok)
		}
		if Slug(otherBase) == Slug(base) {
			return
		}
		if got, ok := (Topics{Base: otherBase, Prefix: prefix}).DeviceOfConfig(topic); ok {
			t.Errorf("%q of the base %q is also %q of %q", topic, base, got, otherBase)
		}
	})
}
