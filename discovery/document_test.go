package discovery

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestDocumentGolden(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]Document{
		"bridge": bridgeDocument(), "farm": farmDocument(), "printer": printerDocument(),
	} {
		wantErrors(t, name, d.Validate())
		compact, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, compact, "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		wantGolden(t, name+".json", got.Bytes())
	}
}

func wantGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update rewrites it); got:\n%s", path, got)
	}
}

func TestDocumentIsDeterministic(t *testing.T) {
	t.Parallel()
	first, err := json.Marshal(printerDocument())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := json.Marshal(printerDocument())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatalf("got %s, then %s", first, again)
		}
	}
}

func TestComponentJSON(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		component Component
		want      string
	}{
		"stub": {Stub(Button), `{"p":"button"}`},
		"trigger": {
			Trigger("a/event", "print_started", "printer"),
			`{"atype":"trigger","p":"device_automation","pl":"print_started","stype":"printer","t":"a/event",` +
				`"type":"print_started","val_tpl":"{{ value_json.event_type }}"}`,
		},
		"commands are never queued": {
			Component{Platform: Button, CommandTopic: "a/set"}, `{"cmd_t":"a/set","p":"button","qos":0}`,
		},
		"a target temperature is a command": {
			Component{Platform: Climate, Heat: &Heat{TemperatureCommandTopic: "a/set"}},
			`{"p":"climate","qos":0,"temp_cmd_t":"a/set"}`,
		},
		"latest version":       {Component{Platform: Update, LatestVersionTopic: "a"}, `{"l_ver_t":"a","p":"update"}`},
		"chosen qos":           {Component{Platform: Sensor, QoS: new(2)}, `{"p":"sensor","qos":2}`},
		"zero is not left out": {Component{Platform: Number, Min: new(0.0)}, `{"min":0,"p":"number"}`},
		"several availabilities are all needed": {
			Component{Platform: Sensor, Availability: []string{"a", "b"}},
			`{"avty":[{"t":"a"},{"t":"b"}],"avty_mode":"all","p":"sensor"}`,
		},
		"chosen availability mode": {
			Component{Platform: Sensor, Availability: []string{"a", "b"}, AvailabilityMode: AvailabilityAny},
			`{"avty":[{"t":"a"},{"t":"b"}],"avty_mode":"any","p":"sensor"}`,
		},
	} {
		got, err := json.Marshal(tt.component)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.want)
		}
	}
}

func TestDocumentPrefersComponentToStub(t *testing.T) {
	t.Parallel()
	d := Document{
		Components: map[string]Component{"a": {Platform: Sensor, Name: "A"}},
		Stubs:      map[string]Platform{"a": Button},
	}
	got, err := json.Marshal(d)
	want := `{"cmps":{"a":{"name":"A","p":"sensor"}},"dev":{"ids":[""]},"o":{"name":""},"qos":1}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
