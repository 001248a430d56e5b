package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	if strings.ContainsAny(mqtt.BaseTopic+mqtt.DiscoveryPrefix+mqtt.BirthTopic, "+#\x00") {
		t.Errorf("topics: %+v", mqtt)
	}
	ids := map[string]bool{}
	for _, p := range config.Bridge.Printers {
		if p.ID == "" || p.Name == "" || p.URL.Hostname() == "" || p.URL.User != nil || p.Access == "" || p.APIKey == "" && !p.Disabled {
			t.Errorf("printer: %+v", p)
		}
		if p.Limits.Tool < 1 || p.Limits.Bed < 1 || p.Limits.Chamber < 1 || p.ReadyBelow < 20 || ids[p.ID] {
			t.Errorf("printer: %+v", p)
		}
		ids[p.ID] = true
	}
	if config.Bridge.Farm.Name == "" || config.Log.Level == "" || config.Log.Format == "" {
		t.Errorf("farm and log: %+v, %+v", config.Bridge.Farm, config.Log)
	}
}
