package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// canary is a secret that no message may contain.
const canary = "Canary7f3a"

// canaryFolder has the canary wherever a configuration can get a secret from.
func canaryFolder(tb testing.TB) string {
	tb.Helper()
	return folder(tb, map[string]string{
		"secrets.yaml": "canary: " + canary + "\nlist: [" + canary + "]\nnull: ~\n",
		"canary.txt":   canary + "\n",
		"lines.txt":    canary + "\nsecond " + canary + "\n",
	})
}

func canaryEnvironment(name string) (string, bool) { return canary, name == "CANARY" }

// told returns all that a user gets to read about a configuration.
func told(path, text string) string {
	config, err := parseConfig(path, []byte(text), canaryEnvironment)
	return fmt.Sprint(err, config.Warnings)
}

// TestSecretsInWrongPlacesAreNotShown puts a secret into every key by each way
// that keeps it out of the file.
func TestSecretsInWrongPlacesAreNotShown(t *testing.T) {
	t.Parallel()
	path := canaryFolder(t)
	const frame = "mqtt: {url: 'mqtts://h', %s}\nprinters: [{id: a, url: 'https://h', %s, limits: {%s}, camera: {%s}}]\nfarm: {%s}\nlog: {%s}\n"
	for _, key := range knownKeys(t) {
		for _, value := range []string{
			"${CANARY}", "x${CANARY}#", "http://me:${CANARY}@h", "mqtt://${CANARY}:x", "!secret canary", "!secret list",
			"[!secret canary]", "{a: !secret canary}", "canary.txt", "lines.txt", "secrets.yaml",
		} {
			for i := range 6 {
				var slots [6]any
				for j := range slots {
					slots[j] = "x: 1"
				}
				slots[i] = key[strings.LastIndex(key, ".")+1:] + ": " + quoteUnless(value, "!", "[", "{")
				if text := told(path, fmt.Sprintf(frame, slots[:]...)); strings.Contains(text, canary) {
					t.Errorf("%s: %s\n%s", key, value, text)
				}
			}
		}
	}
}

func quoteUnless(value string, prefixes ...string) string {
	for _, prefix := range prefixes {
		if strings.HasPrefix(value, prefix) {
			return value
		}
	}
	return "'" + value + "'"
}

// TestMalformedSecretsAreNotShown writes secrets into the file itself in ways
// that YAML or the checks do not like.
func TestMalformedSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	path := canaryFolder(t)
	for _, key := range []string{"password", "password_file", "api_key", "api_key_file"} {
		for _, value := range []string{
			"%s", "[%s]", "{%s: 1}", "{a: %s}", "{%s}", "*%s", "&%s", "&%s x", "!%s", "!%s x", "!secret [%s]", "@%s", "`%s`", "%%%s",
			"\"%s", "'%s", "%s: x", "a: %s", "%s\n   - b", "|\n      %s\n    %s", "\"%s\\x00\"", "\"\\%s\"", "%s \xff", "%s \x01",
			"${%s", "${%s}", "x${%s}y", "ü%s", "[*%s]", "? %s", "- %s", "\n    %s\n  x: y", "\n    - %s", "\t%s",
		} {
			value = strings.ReplaceAll(strings.ReplaceAll(value, "%s", canary), "%%", "%")
			for _, text := range []string{
				"mqtt:\n  username: me\n  " + key + ": " + value + "\n  url: mqtt://h\n",
				"mqtt:\n  " + key + ":" + value + "\n",
				"mqtt: {url: 'mqtt://h', " + key + ":" + value + "}\n",
				"mqtt: {url: 'mqtt://h'}\nprinters:\n  - id: a\n    " + key + ": " + value + "\n    url: http://h\n",
			} {
				if text := told(path, text); strings.Contains(text, canary) {
					t.Errorf("%s: %s\n%s", key, value, text)
				}
			}
		}
	}
}

// TestSyntaxErrorsDoNotQuote holds that the library's text is never passed on.
func TestSyntaxErrorsDoNotQuote(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"unknown anchor '" + canary + "' referenced", "found something new: " + canary} {
		if text := explainSyntax(errors.New(message)); text == "" || strings.Contains(text, canary) {
			t.Errorf("%s: got %q", message, text)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	path := folder(t, map[string]string{
		"config.yaml": `mqtt:
  url: mqtts://broker.local
  username: me
  password: ABC
  insecure_skip_verify: true
printers:
  - {id: a, url: "http://a.local", api_key: ABC}
  - {id: b, url: "http://b.local", api_key: !secret key}
  - {id: c, url: "http://c.local", api_key_file: open.txt}
  - {id: d, url: "http://d.local", api_key_file: closed.txt}
`,
		"secrets.yaml": "key: ABC\n", "open.txt": "ABC\n", "closed.txt": "ABC\n",
	})
	dir := filepath.Dir(path) + string(filepath.Separator)
	for _, name := range []string{"config.yaml", "secrets.yaml", "open.txt"} {
		if err := os.Chmod(dir+name, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config, err := loadConfig(path, environment)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(strings.Join(config.Warnings, "\n"), dir, "")
	const want = `config.yaml:4: mqtt.password: every user of this machine may read the secrets in this file; change that with chmod o-r
config.yaml:5: mqtt.insecure_skip_verify: the server's certificate is not checked, so others in the network can pose as the server and read the secrets sent to it; ca_file is the safe way
config.yaml:9: printers[2].api_key_file: every user of this machine may read the secrets in the file named here; change that with chmod o-r
secrets.yaml: every user of this machine may read the secrets in this file; change that with chmod o-r`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestNoPrintersIsOnlyUnwise(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"mqtt: {url: 'mqtt://h'}\n", "mqtt: {url: 'mqtt://h'}\nprinters:\n", "printers: []\nmqtt: {url: 'mqtt://h'}\n"} {
		config, err := parseConfig("config.yaml", []byte(text), environment)
		if err != nil || len(config.Warnings) != 1 || !strings.HasSuffix(config.Warnings[0], "printers: there are no printers yet; octoprint2mqtt add adds one") {
			t.Errorf("%q: %v, %q", text, err, config.Warnings)
		}
	}
}

func TestNothingToWarnOf(t *testing.T) {
	t.Parallel()
	path := folder(t, map[string]string{"config.yaml": readText(t, "testdata/config/good-minimal.yaml")})
	config, err := loadConfig(path, environment)
	if err != nil || config.Warnings != nil {
		t.Errorf("%v, %q", err, config.Warnings)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	config, err = loadConfig(path, environment)
	if err != nil || len(config.Warnings) != 1 {
		t.Errorf("readable by all: %v, %q", err, config.Warnings)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "$": "$", "a$b": "a$b", "$NAME": "$NAME", "$$": "$$", "${NAME}": "workshop", "a${NAME}b${NAME}": "aworkshopbworkshop",
		"$${NAME}": "${NAME}", "$$${NAME}": "$${NAME}", "$${": "${", "$${}": "${}", "${NAME}}": "workshop}", "$${${NAME}": "${workshop",
	} {
		if got, err := expand(text, environment); got != want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"${", "${}", "${NAME", "${1}", "${NA ME}", "${ NAME}", "${NOT_SET}", "${${NAME}}", "${NAME} ${"} {
		if got, err := expand(text, environment); err == nil {
			t.Errorf("%q: got %q and no error", text, got)
		}
	}
}
