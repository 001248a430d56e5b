package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
)

// FuzzConfig holds that no text makes the program panic, that what is accepted
// is complete, and that secrets from elsewhere are never shown.
func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "../../config.example.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("mqtt: {url: '${CANARY}', username: !secret canary, password_file: canary.txt, ca_file: '${CANARY}'}\n"))
	f.Add([]byte("mqtt: {url: 'mqtt://h', base_topic: \"a\\uFFFE\"}\n"))
	f.Add([]byte("<<: {[x]: 1}\n? <<\n"))
	path := canaryFolder(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Contains(text, []byte(canary)) {
			return // it is no secret then
		}
		config, err := parseConfig(path, text, canaryEnvironment)
		shown := strings.Join(config.Warnings, "\n")
		if err != nil {
			failure, ok := errors.AsType[*ConfigError](err)
			if !ok || len(failure.Mistakes) == 0 {
				t.Fatalf("error is %T: %v", err, err)
			}
			shown = err.Error()
		} else {
			checkComplete(t, config)
		}
		if strings.Contains(shown, canary) {
			t.Errorf("a secret is shown:\n%s", shown)
		}
	})
}

// checkComplete checks what the bridge relies on.
func checkComplete(t *testing.T, config Config) {
	t.Helper()
	mqtt := config.Bridge.MQTT
	if mqtt.URL.Port() == "" || mqtt.URL.User != nil || mqtt.ClientID == "" || mqtt.BaseTopic == "" {
		t.Errorf("broker: %+v", mqtt)
	}
	topics := mqtt.BaseTopic + mqtt.DiscoveryPrefix + mqtt.BirthTopic
	if strings.ContainsAny(topics, "+#\x00") || strings.ContainsFunc(topics, func(r rune) bool { return unicode.Is(unicode.Noncharacter_Code_Point, r) }) {
		t.Errorf("topics: %+v", mqtt)
	}
	ids := map[string]bool{}
	for _, p := range config.Bridge.Printers {
		if p.ID == "" || p.Name == "" || p.URL.Hostname() == "" || p.URL.User != nil || p.Access == "" || p.APIKey == "" && !p.Disabled {
			t.Errorf("printer: %+v", p)
		}
		if p.Limits.Tool < 1 || p.Limits.Bed < 1 || p.Limits.Chamber < 1 || p.ReadyBelow < 20 || p.HeatWatch < time.Minute || slices.Contains(p.Arm, "emergency_stop") ||
			ids[p.ID] || p.Camera.Interval < time.Second || p.Camera.URL != nil && p.Camera.URL.Hostname() == "" {
			t.Errorf("printer: %+v", p)
		}
		ids[p.ID] = true
	}
	if config.Bridge.Farm.Name == "" || config.Log.Level == "" || config.Log.Format == "" {
		t.Errorf("farm and log: %+v, %+v", config.Bridge.Farm, config.Log)
	}
}

// mark stands for a secret in the files that a fuzzer writes, and hidden is the
// secret: no word that could name something, and nothing that it comes upon.
const (
	mark   = "{secret}"
	hidden = "Can@ry/Q8w3Er7Ty2Ui6Op1As5Df9Gh4Jk0"
)

// FuzzSecretFiles: whatever is in secrets.yaml and in the files that a
// configuration names, all secrets are read or none, and none is shown.
func FuzzSecretFiles(f *testing.F) {
	ca := newAuthority(f)
	for _, secrets := range []string{
		"user: me\npassword: " + mark + "\nkey: ABC\n", "password: |\n  " + mark + "\n  " + mark + "\nuser: [" + mark + "]\nkey: {a: " + mark + "}\n",
		"password: \"" + mark + "\nkey: ~\n", mark + ": " + mark + "\n" + mark + ": x\n", mark, "- " + mark, "<<: {[x]: 1}\n? <<\n",
		"password: *" + mark + "\n", "password: &" + mark + " x\n", "password: !" + mark + " x\n", "---\npassword: x\n---\npassword: y\n", "user: \xff" + mark + "\n", "",
	} {
		for _, file := range []string{mark + "\n", "ABC\r\n", "", "\xff" + mark, mark + "\n" + mark, ca.certPEM, ca.certPEM + ca.keyPEM, "-----BEGIN CERTIFICATE-----\n" + mark + "\n-----END CERTIFICATE-----\n"} {
			f.Add(secrets, file)
		}
	}
	const text = `mqtt: {url: "mqtts://h", username: !secret user, password: !secret password, ca_file: file, cert_file: file, key_file: file}
printers:
  - {id: a, url: "https://a", api_key: !secret key}
  - {id: b, url: "https://b", api_key_file: file, ca_file: file}
`
	path := folder(f, nil)
	write := func(t *testing.T, name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, secrets, file string) {
		part := hidden[3:15]
		if strings.Contains(secrets+file, part) {
			return // it is no secret then
		}
		write(t, "secrets.yaml", strings.ReplaceAll(secrets, mark, hidden))
		write(t, "file", strings.ReplaceAll(file, mark, hidden))
		config, err := parseConfig(path, []byte(text), environment)
		if shown := fmt.Sprint(err, config.Warnings); strings.Contains(shown, part) {
			t.Errorf("a secret is shown: %s", shown)
		}
		if err == nil {
			checkComplete(t, config)
			if config.Bridge.MQTT.Password == "" || config.Bridge.MQTT.Username == "" {
				t.Errorf("broker: %+v", config.Bridge.MQTT)
			}
		}
	})
}

// FuzzExpand: text without variables stays as it is, text whose ${ are escaped
// comes back, and no error shows what is in the environment.
func FuzzExpand(f *testing.F) {
	for _, text := range []string{"", "a$b", "$NAME", "${NAME}", "a${NAME}b${NAME}", "$${NAME}", "$$${", "$${}", "${", "${NAME", "${1}", "${${NAME}}", "${lower}", "${NAME} ${NOT_SET}"} {
		f.Add(text)
	}
	lookup := func(name string) (string, bool) { return hidden, name == "NAME" }
	f.Fuzz(func(t *testing.T, text string) {
		got, err := expand(text, lookup)
		switch {
		case err != nil && strings.Contains(err.Error(), hidden):
			t.Errorf("%q: the error is %v", text, err)
		case err == nil && !strings.Contains(text, "${") && got != text:
			t.Errorf("%q becomes %q", text, got)
		case err == nil && strings.Contains(text, "${NAME}") && !strings.Contains(text, "$${") && !strings.Contains(got, hidden):
			t.Errorf("%q becomes %q", text, got)
		}
		if got, err := expand(strings.ReplaceAll(text, "${", "$${"), lookup); got != text || err != nil {
			t.Errorf("%q, escaped, becomes %q, %v", text, got, err)
		}
	})
}

// FuzzAddress: an address that is accepted is complete, means the same when it is
// written out and read again, and can be asked for; what is said of another shows
// no part of it.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{
		"mqtt://homeassistant.local:1883", "mqtts://h", "ws://h", "wss://h/", "wss://h/a/b", "http://octopi.local", "HTTP://Octo.Local:80/octoprint/", "https://h/a%2fb/%20",
		"http://[fe80::1%25eth0]:5000", "http://[::%25\xc3\xbc]", "http://[::1]", "http://10.0.0.1:0", "http://h:99999", "http://h:", "http://me:" + mark + "@h", "http://h/?token=" + mark, "http://h/#" + mark,
		"http:///x", "mqtt://::", "mqtt://:0:", "http://h/../..", "http://h//x/", "octopi.local", "http://ü.local/ö", "http://h:" + mark, "://", "mqtt://h/x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, mark, hidden)
		for _, form := range []addressForm{brokerAddress(), printerAddress()} {
			u, err := form.parse(text)
			if err != nil {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("%q: %v", text, err)
				}
				continue
			}
			checkAddress(t, form, u)
		}
	})
}

func checkAddress(t *testing.T, form addressForm, u *url.URL) {
	t.Helper()
	port, known := form.ports[u.Scheme]
	if n, err := strconv.Atoi(u.Port()); !known || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		(port != "" || u.Port() != "") && (err != nil || n < 1 || n > 65535) {
		t.Errorf("accepted: %#v", u)
	}
	again, err := form.parse(u.String())
	if err != nil || again.String() != u.String() {
		t.Errorf("%q becomes %v, %v", u, again, err)
	} else if form.what == printerAddress().what && sameServer(again) != sameServer(u) {
		t.Errorf("%q is another server when it is written out", u)
	}
	if r, err := http.NewRequest(http.MethodGet, strings.TrimRight(u.String(), "/")+"/api/version", nil); err != nil || r.URL.Host != u.Host {
		t.Errorf("%q can't be asked for: %v", u, err)
	}
}
