package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"

	"github.com/rs/zerolog"

	"octoprint2mqtt/integration"
)

const timePattern = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)`

func TestLogFormats(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	const (
		jsonLine = `^\{"level":"warn","printer":"left","time":"` + timePattern + `","message":"connection lost"\}\n$`
		plain    = `^` + timePattern + ` WRN connection lost printer=left\n$`
		coloured = `^\x1b\[90m` + timePattern + `\x1b\[0m .*WRN.*connection lost.*printer=.*left\n$`
	)
	for _, test := range []struct {
		format   string
		terminal bool
		want     string
	}{
		{"auto", true, coloured},
		{"auto", false, jsonLine},
		{"json", true, jsonLine},
		{"json", false, jsonLine},
		{"console", true, coloured},
		{"console", false, plain},
		{"", true, jsonLine},
	} {
		var out bytes.Buffer
		log, _ := newLogger(LogConfig{Level: "info", Format: test.format}, &out, test.terminal)
		log.Warn().Str("printer", "left").Msg("connection lost")
		if !regexp.MustCompile(test.want).Match(out.Bytes()) {
			t.Errorf("format %q, terminal %t: got %q", test.format, test.terminal, out.String())
		}
	}
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	for i, level := range append(integration.LogLevels(), "") {
		var out bytes.Buffer
		log, _ := newLogger(LogConfig{Level: level}, &out, false)
		for _, name := range integration.LogLevels() {
			l, err := zerolog.ParseLevel(name)
			if err != nil {
				t.Fatal(err)
			}
			log.WithLevel(l).Msg(name)
		}
		want := len(integration.LogLevels()) - i
		if level == "" {
			want = 3 // as with info
		}
		if got := bytes.Count(out.Bytes(), []byte("\n")); got != want {
			t.Errorf("level %q: %d lines, want %d", level, got, want)
		}
	}
}

// TestLogLinesAreData holds that no value can forge a line.
func TestLogLinesAreData(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "console"} {
		var out bytes.Buffer
		log, _ := newLogger(LogConfig{Level: "info", Format: format}, &out, false)
		log.Info().Str("file", "a\n{\"level\":\"error\"}\x1b[2J").Msg("started")
		if bytes.Count(out.Bytes(), []byte("\n")) != 1 || bytes.Contains(out.Bytes(), []byte{0x1b}) {
			t.Errorf("%s: got %q", format, out.String())
		}
		if format == "json" && !json.Valid(out.Bytes()) {
			t.Errorf("got %q", out.String())
		}
	}
}
