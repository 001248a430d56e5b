package main

import (
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const exampleFile = "../../config.example.yaml"

// knownKeys returns every key that a configuration may have, such as
// printers[].limits.bed.
func knownKeys(t *testing.T) []string {
	t.Helper()
	src := newSource("config.yaml", environment)
	src.config([]byte("printers: [{}]\n"))
	keys := slices.Sorted(maps.Keys(src.shapes))
	if len(keys) < 30 {
		t.Fatalf("only %d keys: %q", len(keys), keys)
	}
	return keys
}

// setting is a line of the example that is not in use, such as
// `    #access: control    # default`.
var setting = regexp.MustCompile(`(?m)^( *)#([a-z_]+)(:.*)$`)

// use returns the example with the settings in use that take wants.
func use(text string, take func(key, line string) bool) string {
	return setting.ReplaceAllStringFunc(text, func(line string) string {
		if m := setting.FindStringSubmatch(line); take(m[2], line) {
			return m[1] + m[2] + m[3]
		}
		return line
	})
}

func isDefault(line string) bool { return strings.HasSuffix(line, "# default") }

// secureExample is the example with TLS everywhere, so that every key fits.
func secureExample(t *testing.T) string {
	t.Helper()
	text := readText(t, exampleFile)
	text = strings.Replace(text, "url: mqtt:", "url: mqtts:", 1)
	return strings.Replace(text, "url: http:", "url: https:", 1)
}

func loadExample(t *testing.T, text string) Config {
	t.Helper()
	client := newAuthority(t)
	file := folder(t, map[string]string{
		"config.yaml": text, "secrets.yaml": "mqtt: ABC\nleft: ABC\nhttp: ABC\n", "mqtt-password.txt": "DEF\n", "left-key.txt": "DEF\n", "http-password.txt": "DEF\n", "camera-url.txt": "http://camera.local/\n",
		"ca.pem": client.certPEM, "client.pem": client.certPEM, "client.key": client.keyPEM,
	})
	config, err := loadConfig(file, environment)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	config.Bridge.StateDir = strings.TrimPrefix(config.Bridge.StateDir, filepath.Dir(file)) // which differs each time
	config.Files = nil                                                                      // likewise
	return config
}

func TestExampleLoads(t *testing.T) {
	t.Parallel()
	config := loadExample(t, readText(t, exampleFile))
	if config.Bridge.Printers[0].ID != "left" || len(config.Warnings) != 0 {
		t.Errorf("got %+v", config)
	}
}

func TestExampleShowsEveryKey(t *testing.T) {
	t.Parallel()
	text := use(readText(t, exampleFile), func(_, _ string) bool { return true })
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	shown := map[string]int{}
	collectLines(root.Content[0], "", shown)
	if got, want := slices.Sorted(maps.Keys(shown)), knownKeys(t); !slices.Equal(got, want) {
		t.Errorf("the example shows\n%q\nwant\n%q", got, want)
	}
}

// TestExampleDefaults holds that what the example calls a default is one, and
// that nothing else is.
func TestExampleDefaults(t *testing.T) {
	t.Parallel()
	text := secureExample(t)
	plain := loadExample(t, text)
	settings := setting.FindAllString(text, -1)
	if len(settings) < 20 {
		t.Fatalf("only %d settings: %q", len(settings), settings)
	}
	for _, chosen := range settings {
		used := use(text, func(_, line string) bool { return line == chosen || together(chosen, line) })
		if twin, isFile := strings.CutSuffix(setting.FindStringSubmatch(chosen)[2], "_file"); isFile && twin != "url" { // a camera's takes no other's place
			used = regexp.MustCompile(`(?m)^ *`+twin+`: .*\n`).ReplaceAllString(used, "")
		}
		same := reflect.DeepEqual(loadExample(t, used), plain)
		if same != isDefault(chosen) {
			t.Errorf("%s\nchanges nothing: %t", chosen, same)
		}
	}
}

// together reports whether a setting makes sense only with another.
func together(chosen, other string) bool {
	for _, pair := range []string{`#(cert|key)_file: client`, `#(username: farm|password: )`, `#(username: farm|password_file: http)`} {
		form := regexp.MustCompile(pair)
		if form.MatchString(chosen) {
			return form.MatchString(other)
		}
	}
	return false
}

// TestExampleInFullUse loads the example with all settings together, the files
// instead of their twins.
func TestExampleInFullUse(t *testing.T) {
	t.Parallel()
	text := use(secureExample(t), func(_, _ string) bool { return true })
	text = regexp.MustCompile(`(?m)^ *(password: |api_key: |url: .*@camera).*\n`).ReplaceAllString(text, "")
	config := loadExample(t, text)
	if config.Bridge.MQTT.Password != "DEF" || config.Bridge.Printers[0].APIKey != "DEF" || len(config.Bridge.MQTT.TLS.Certificates) != 1 {
		t.Errorf("got %+v", config)
	}
}
