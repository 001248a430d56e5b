package main

import (
	"errors"
	"flag"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/integration"
)

var update = flag.Bool("update", false, "rewrite the expected texts in testdata")

// environment is what ${NAME} finds in tests. CANARY must never be shown.
func environment(name string) (string, bool) {
	value, ok := map[string]string{
		"NAME": "workshop", "KEY": "KEY-OF-ENV", "BROKER": "mqtt://canary-1:canary-2@broker.local",
		"MQTT_PASSWORD": "canary-3", "CANARY": "canary-4",
	}[name]
	return value, ok
}

// folder returns a new folder with the files of the test, readable by their
// owner only, and the path of a configuration file in it.
func folder(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		tb.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

// TestBrokenFiles holds the exact text of what is said about broken files.
func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/config/bad-*.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("found %d broken files, %v", len(files), err)
	}
	for _, file := range files {
		stem := strings.TrimSuffix(file, ".yaml")
		t.Run(strings.TrimPrefix(filepath.Base(stem), "bad-"), func(t *testing.T) {
			t.Parallel()
			content := map[string]string{
				"config.yaml":  readText(t, file),
				"ca.pem":       newAuthority(t).certPEM,
				"password.txt": "canary-1\n", "empty.txt": "\n", "latin1.txt": "canary-1\xfc",
				"two-lines.txt": "canary-1\ncanary-2\n", "large.txt": strings.Repeat("canary-1", 1<<18),
			}
			if secrets, err := os.ReadFile(stem + ".secrets"); err == nil {
				content["secrets.yaml"] = string(secrets)
			}
			path := folder(t, content)
			_, err := loadConfig(path, environment)
			if _, ok := errors.AsType[*ConfigError](err); !ok {
				t.Fatalf("error is %T: %v", err, err)
			}
			got := strings.ReplaceAll(err.Error(), filepath.Dir(path)+string(filepath.Separator), "") + "\n"
			if strings.Contains(got, "canary") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			compareText(t, stem+".err", got)
		})
	}
}

// compareText compares a text with that of a file, or writes the file.
func compareText(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := readText(t, file); got != want {
		t.Errorf("%s differs\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

func readText(tb testing.TB, file string) string {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

func defaultCamera() integration.CameraConfig {
	return integration.CameraConfig{Enabled: true, Interval: 10 * time.Second}
}

func TestMinimalFile(t *testing.T) {
	t.Parallel()
	want := Config{
		Bridge: integration.Config{
			MQTT: integration.MQTTConfig{
				URL: address(t, "mqtt://broker.local:1883"), ClientID: "octoprint2mqtt", BaseTopic: "octoprint2mqtt",
				DiscoveryPrefix: "homeassistant", BirthTopic: "homeassistant/status",
			},
			Farm: integration.FarmConfig{Name: "Print farm"},
			Printers: []integration.PrinterConfig{{
				ID: "left", Name: "left", URL: address(t, "http://octopi.local"), APIKey: "ABCDEF",
				Access: integration.AccessControl, Limits: integration.DefaultLimits, Camera: defaultCamera(), ReadyBelow: 50, HeatWatch: 30 * time.Minute,
			}},
		},
		Log: LogConfig{Level: "info", Format: "auto"},
	}
	checkGood(t, "good-minimal", nil, want)
}

func TestEveryKey(t *testing.T) {
	t.Parallel()
	want := Config{
		Bridge: integration.Config{
			MQTT: integration.MQTTConfig{
				URL: address(t, "wss://broker.local:443/"), Username: "workshop of ${NAME} costs $5",
				Password: "${NAME} # stays", ClientID: "0123", BaseTopic: "farm/workshop",
			},
			Admin: true,
			HTTP:  integration.HTTPConfig{Listen: "pi.local:8095", Username: "workshop", Password: "of the page", Hosts: []string{"farm.example.org", "pi"}},
			Farm:  integration.FarmConfig{Name: "workshop"},
			Printers: []integration.PrinterConfig{{
				ID: "1", Name: "no", URL: address(t, "https://octopi.local:5000/left%2Fright"), APIKey: "KEY-OF-FILE",
				User: "me", Area: "Küche: links", Access: integration.AccessFull,
				Limits: integration.Limits{Tool: 285.5, Bed: 110, Chamber: 32}, ReadyBelow: 40,
				PlateCheck: true, Arm: []string{"cancel", "tool1_setpoint"}, HeatWatch: 90 * time.Minute,
				Camera:     integration.CameraConfig{URL: address(t, "http://me:secret@cam.local:81/x?y=1"), Interval: 90 * time.Second},
				GcodeAllow: []integration.GcodeWord{{Word: "M117"}, {Word: "M106", WhilePrinting: true}, {Word: "G38.2"}},
				Raw:        integration.RawConfig{Plugins: []string{"arc_welder", "octolapse"}, Events: []string{"plugin_arc_welder_done"}},
			}, {
				ID: "old", Name: "old", URL: address(t, "http://[::1]"), Access: integration.AccessRead, Disabled: true,
				Limits: integration.Limits{Tool: 300, Bed: 60, Chamber: 70}, Camera: defaultCamera(), ReadyBelow: 50, HeatWatch: 30 * time.Minute,
			}, {
				ID: "new", Name: "new", URL: address(t, "http://[::1]:80"), APIKey: "KEY-OF-ENV",
				Access: integration.AccessControl, Limits: integration.DefaultLimits, Camera: defaultCamera(), ReadyBelow: 50, HeatWatch: 30 * time.Minute,
			}},
		},
		Log: LogConfig{Level: "debug", Format: "json"},
	}
	checkGood(t, "good-everything", map[string]string{
		"secrets.yaml": "mqtt: '${NAME} # stays'\nother: [1]\n",
		"key.txt":      "KEY-OF-FILE\r\n",
		"http.txt":     "of the page\n",
	}, want)
}

// checkGood loads a file of testdata beside others and compares the result.
func checkGood(t *testing.T, name string, files map[string]string, want Config) {
	t.Helper()
	all := map[string]string{"config.yaml": readText(t, filepath.Join("testdata/config", name+".yaml"))}
	maps.Copy(all, files)
	file := folder(t, all)
	got, err := loadConfig(file, environment)
	if err != nil {
		t.Fatal(err)
	}
	want.Bridge.StateDir = filepath.Join(filepath.Dir(file), "state")
	want.Files = []string{file}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		want.Files = append(want.Files, filepath.Join(filepath.Dir(file), name))
	}
	slices.Sort(got.Files)
	slices.Sort(want.Files)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func address(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestBrokerAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mqtt://h":           "mqtt://h:1883",
		"mqtts://h/":         "mqtts://h:8883",
		"ws://h":             "ws://h:80/mqtt",
		"ws://h/":            "ws://h:80/",
		"wss://h:":           "wss://h:443/mqtt",
		"wss://H:8084/a%2Fb": "wss://h:8084/a%2Fb",
		"mqtt://[FE80::1]":   "mqtt://[fe80::1]:1883",
	} {
		u, err := brokerAddress().parse(text)
		if err != nil || u.String() != want {
			t.Errorf("%s: got %v, %v, want %s", text, u, err, want)
		}
	}
}

// TestUnreadableFile holds that a file that cannot be read is no *ConfigError:
// there is nothing in it to correct.
func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	_, err := loadConfig(path, environment)
	if _, mistakes := errors.AsType[*ConfigError](err); !errors.Is(err, os.ErrNotExist) || mistakes {
		t.Errorf("error is %T: %v", err, err)
	}
}

func TestTooLargeFile(t *testing.T) {
	t.Parallel()
	minimal := readText(t, "testdata/config/good-minimal.yaml")
	fill := func(size int) []byte {
		return []byte(minimal + strings.Repeat("#", size-len(minimal)-1) + "\n")
	}
	if _, err := parseConfig("config.yaml", fill(maxConfigBytes), environment); err != nil {
		t.Errorf("1 MiB: %v", err)
	}
	path := folder(t, map[string]string{"config.yaml": string(fill(maxConfigBytes + 1))})
	_, err := loadConfig(path, environment)
	if want := path + ": is larger than 1 MiB, which no configuration is"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
