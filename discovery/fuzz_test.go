package discovery

import (
	"encoding/json"
	"errors"
	"reflect"
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

// FuzzTopics holds that reading a topic undoes making it, and making it reading,
// and that the discovery topics of one base are not read by another.
func FuzzTopics(f *testing.F) {
	f.Add("octoprint2mqtt", "homeassistant", "octoprint2mqtt/2", "left", "pause", "octoprint2mqtt/left/pause/set")
	f.Add("octoprint2mqtt", "homeassistant", "octoprint2mqtt/2", "left", "state", "homeassistant/device/octoprint2mqtt_left/config")
	f.Add("a/b", "x/y", "a", "left-2", "request", "a/b/left/request/set")
	f.Add("a/b", "x/y", "a", "farm", "error", "x/y/device/a_b_/config")
	f.Add("a", "", "b", "response", "response", "a/b/response/set")
	f.Add("a", "", "b", "farm", "error", "a/farm/error/attributes")
	f.Add("", "", "", "", "set", "/a/b/set")
	f.Fuzz(func(t *testing.T, base, prefix, other, device, name, topic string) {
		topics := Topics{Base: base, Prefix: prefix}
		if cmd, ok := topics.ParseCommand(topic); ok && makeCommand(topics, cmd) != topic {
			t.Errorf("%q is parsed to %+v, which makes %q", topic, cmd, makeCommand(topics, cmd))
		}
		if d, ok := topics.DeviceOfConfig(topic); ok && topics.Config(d) != topic {
			t.Errorf("%q is of %q, whose topic is %q", topic, d, topics.Config(d))
		}
		if d, key, ok := topics.ParseValue(topic); ok && topic != topics.Document(d) && topic != topics.Value(d, key) && topic != topics.Attributes(d, key) {
			t.Errorf("%q is parsed to %q and %q", topic, d, key)
		}
		if topics.Validate() != nil || ValidID(device) != nil || !keyPattern.MatchString(name) {
			return
		}
		checkCommands(t, topics, device, name)
		checkValues(t, topics, device, name)
		checkConfig(t, topics, Topics{Base: other, Prefix: prefix}, device)
	})
}

var keyPattern = regexp.MustCompile(`^[a-z0-9_]{1,128}$`)

func makeCommand(topics Topics, cmd Command) string {
	if cmd.Kind == RequestCommand {
		return topics.Request(cmd.Device, cmd.Name)
	}
	return topics.Set(cmd.Device, cmd.Name)
}

func checkCommands(t *testing.T, topics Topics, device, name string) {
	t.Helper()
	for _, kind := range []CommandKind{RequestCommand, SetCommand} {
		want := Command{Device: device, Kind: kind, Name: name}
		if got, ok := topics.ParseCommand(makeCommand(topics, want)); (!ok || got != want) && (kind == RequestCommand || !ReservedKey(name)) {
			t.Errorf("made from %+v, parsed to %+v, %t", want, got, ok)
		}
	}
}

func checkValues(t *testing.T, topics Topics, device, key string) {
	t.Helper()
	for topic, want := range map[string]string{topics.Document(device): "", topics.Value(device, key): key, topics.Attributes(device, key): key} {
		if d, k, ok := topics.ParseValue(topic); !ok || d != device || k != want {
			t.Errorf("%q is parsed to %q and %q, %t", topic, d, k, ok)
		}
	}
}

func checkConfig(t *testing.T, topics, others Topics, device string) {
	t.Helper()
	if topics.Prefix == "" {
		return
	}
	topic := topics.Config(device)
	if got, ok := topics.DeviceOfConfig(topic); !ok || got != device {
		t.Errorf("%q made from %q is of %q, %t", topic, device, got, ok)
	}
	if got, ok := others.DeviceOfConfig(topic); ok && Slug(others.Base) != Slug(topics.Base) {
		t.Errorf("%q of the base %q is also %q of %q", topic, topics.Base, got, others.Base)
	}
}

// FuzzFormer: of whatever document is on the broker, what is taken over can be
// announced once more, and is found in that again.
func FuzzFormer(f *testing.F) {
	for _, d := range []Document{bridgeDocument(), farmDocument(), printerDocument()} {
		text, err := json.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("left-2", text)
	}
	for _, text := range []string{
		``, `null`, `[]`, `{"cmps":[]}`, `{"cmps":{"a":null}}`,
		`{"cmps":{"state":{"p":"sensor","name":"State","uniq_id":"octoprint2mqtt_left_state","stat_t":"x","val_tpl":"{{ x }}"}}}`,
		`{"cmps":{"a":{"p":"number","name":"A","uniq_id":"octoprint2mqtt_left_a","stat_t":"x","cmd_t":"y","min":1e308,"max":-1e308}}}`,
		`{"cmps":{"trigger_a":{"p":"device_automation","type":"a","stype":"b","t":"x"},"trigger_b":{"p":"device_automation","type":"a","stype":"b","t":"x"}}}`,
	} {
		f.Add("left", []byte(text))
	}
	topics := Topics{Base: DefaultBase, Prefix: DefaultPrefix}
	f.Fuzz(func(t *testing.T, device string, text []byte) {
		former := topics.Former(device, text)
		if len(former) == 0 || ValidID(device) != nil {
			return
		}
		d := printerDocument()
		d.Device.Name, d.Components, d.Stubs = "\u2400", former, nil // a name that none begins with
		if err := d.Validate(); err != nil && !errors.Is(err, ErrRepeatsDevice) {
			t.Error(err)
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if found := topics.Former(device, again); !reflect.DeepEqual(found, former) {
			t.Errorf("%s: first %+v, then %+v", text, former, found)
		}
	})
}
