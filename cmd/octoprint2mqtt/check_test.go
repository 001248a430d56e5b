package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"octoprint2mqtt/integration"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestCheckExitCodes: 0 all is well, 1 there are warnings, 2 something does not work; by
// the worst that is found, and the same for people and for programs.
func TestCheckExitCodes(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{GlobalKey: "global-key"}, false)
	broker := runningBroker(t)
	for _, tt := range []struct {
		key    string
		code   int
		result string
		ends   string
	}{
		{"operator-key", exitOK, "note", "\nerrors: 0, warnings: 0\n"},
		{"readonly-key", exitFailed, "warning", "\nerrors: 0, warnings: 1\n"},
		{"global-key", exitUsage, "error", "\nerrors: 1, warnings: 0\n"},
	} {
		file := folder(t, map[string]string{"config.yaml": "mqtt: {url: 'mqtt://" + broker + "'}\nprinters: [{id: left, url: '" + server.URL + "', api_key: " + tt.key + "}]\n"})
		code, out, errors := answered(t, "", "check", "--config", file)
		if code != tt.code || errors != "" || !strings.HasSuffix(out, tt.ends) {
			t.Errorf("%s: exit code %d: %s\n%s", tt.key, code, errors, out)
		}
		code, out, errors = answered(t, "", "check", "--json", "--config", file)
		if result := checkResult(t, out); code != tt.code || errors != "" || result != tt.result {
			t.Errorf("%s: exit code %d, %s: %s", tt.key, code, result, errors)
		}
		if strings.Contains(out, tt.key) {
			t.Errorf("the key is shown:\n%s", out)
		}
	}
}

// checkResult reads what check prints for programs, and holds it against what
// docs/octoprint-setup.md promises of it.
func checkResult(t *testing.T, out string) string {
	t.Helper()
	var document struct {
		Result   string              `json:"result"`
		Findings []map[string]string `json:"findings"`
	}
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil || len(document.Findings) < 5 {
		t.Fatalf("%v\n%s", err, out)
	}
	worse := []string{"ok", "note", "warning", "error"}
	levels := map[string]bool{}
	for _, f := range document.Findings {
		levels[f["level"]] = true
		for _, name := range []string{"subject", "check", "level", "what"} {
			if f[name] == "" {
				t.Errorf("no %s: %v", name, f)
			}
		}
		if (f["level"] == "warning" || f["level"] == "error") && (f["why"] == "" || f["do"] == "") {
			t.Errorf("it does not say why, or what to do: %v", f)
		}
		for name := range f {
			if !slices.Contains([]string{"subject", "check", "level", "what", "why", "do"}, name) {
				t.Errorf("%s is not documented", name)
			}
		}
	}
	worst := ""
	for _, level := range worse {
		if levels[level] {
			worst = level
			delete(levels, level)
		}
	}
	if worst != document.Result || len(levels) > 0 {
		t.Errorf("the result is %s, the worst of the findings %s, beside %v", document.Result, worst, levels)
	}
	return document.Result
}

// TestFindingsInColour: levels have their own, and only on a terminal.
func TestFindingsInColour(t *testing.T) {
	t.Parallel()
	_, list, _ := answered(t, "", "check", "--config", folder(t, map[string]string{"config.yaml": "mqtt: {url: x}\n"}))
	if strings.Contains(list, "\x1b") {
		t.Errorf("there are colours where there is no terminal: %q", list)
	}
	want := map[integration.Level]string{integration.LevelOK: "\x1b[32mok     \x1b[0m", integration.LevelNote: "\x1b[36mnote   \x1b[0m", integration.LevelWarning: "\x1b[33mWARNING\x1b[0m", integration.LevelError: "\x1b[31mERROR  \x1b[0m"}
	for level, mark := range want {
		if got := levelMark(level, true); got != mark {
			t.Errorf("%s is %q", level, got)
		}
	}
}
