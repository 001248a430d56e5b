//go:build e2e

package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestActionsOnAPrint(t *testing.T) {
	f := left(t)
	octo := f.octo["left"]
	octo.upload(t, "acted.gcode", slowPrint(180), map[string]string{"select": "true"})
	f.expect("left/file", "acted.gcode")
	f.request("left", "start", "{}").mustSucceed(t)
	octo.waitState(t, "Printing")
	f.expect("left/state", "printing")
	f.request("left", "pause", "{}").mustSucceed(t)
	octo.waitState(t, "Paused")
	f.expect("left/state", "paused")
	mark := f.broker.mark()
	f.request("left", "restart", "{}").mustSucceed(t)
	f.waitEvent(mark, "left", "print_started")
	f.expect("left/state", "printing")
	answer := f.request("left", "cancel", `{"transaction":7}`)
	answer.mustSucceed(t)
	if answer.Transaction != 7.0 {
		t.Errorf("transaction %v, want 7", answer.Transaction)
	}
	octo.waitState(t, "Operational")
}

func TestActionsOnAnIdlePrinter(t *testing.T) {
	f := left(t)
	octo := f.octo["left"]
	sent := len(octo.serialSent(t))
	f.request("left", "home", `{"axes":["x","y"]}`).mustSucceed(t)
	f.request("left", "set_temperature", `{"heater":"tool0","target":50}`).mustSucceed(t)
	octo.waitTarget(t, "tool0", 50)
	f.request("left", "set_temperature", `{"heater":"tool0","target":0}`).mustSucceed(t)
	octo.waitTarget(t, "tool0", 0)
	commands := octo.serialSent(t)[sent:]
	homed := regexp.MustCompile(`^(N[0-9]+ )?G28 X0? Y0?`)
	if !slices.ContainsFunc(commands, homed.MatchString) {
		t.Errorf("the printer got %q, want a home of X and Y in it", commands)
	}
	f.request("left", "disconnect", "{}").mustSucceed(t)
	octo.waitState(t, "Closed")
	f.expect("left/state", "offline")
	f.request("left", "connect", "{}").mustSucceed(t)
	octo.waitState(t, "Operational")
}

func TestEmergencyStopRunsInAnyState(t *testing.T) {
	f := left(t)
	f.request("left", "emergency_stop", "{}").mustSucceed(t)
	f.octo["left"].waitState(t, "Closed")
	f.expect("left/connected", "OFF")
}

func TestBridgeAnswersInfoAndHealth(t *testing.T) {
	f := left(t)
	for _, action := range []string{"info", "health"} {
		answer := f.request("bridge", action, `{"transaction":"a"}`)
		answer.mustSucceed(t)
		var data map[string]any
		must(t, json.Unmarshal(answer.Data, &data))
		if data["instance"] == nil || answer.Transaction != "a" {
			t.Errorf("%s answers %s, transaction %v", action, answer.Data, answer.Transaction)
		}
	}
}

// documentKeys are the keys that each document always has, unknown or not.
func documentKeys() map[string][]string {
	return map[string][]string{
		"left": {
			"id", "name", "state", "connection", "connection_detail", "printing", "ready", "problem", "error", "maintenance",
			"job", "last_job", "temperatures", "octoprint", "plugins",
		},
		"farm": {
			"printers", "printing", "paused", "idle", "offline", "error", "unreachable", "disabled", "ready", "next_free", "attention",
		},
		"bridge/info":   {"version", "instance", "started", "base_topic", "contract", "printers"},
		"bridge/health": {"time", "instance", "uptime_s", "memory_bytes", "goroutines", "broker", "printers"},
	}
}

// innerKeys are those of the objects inside.
func innerKeys() map[string][]string {
	return map[string][]string{
		"left/job": {
			"file", "path", "origin", "size", "user", "started", "elapsed_s", "remaining_s", "finish", "progress", "progress_bytes",
			"estimate_origin", "estimated_total_s", "filament", "z_mm", "layer", "layers",
		},
		"left/last_job":        {"file", "path", "result", "reason", "duration_s", "ended"},
		"left/octoprint":       {"version", "url", "user"},
		"bridge/health/broker": {"connected", "reconnects", "published", "received", "dropped"},
	}
}

func TestDocumentsHaveEveryKey(t *testing.T) {
	f := left(t)
	f.expect("left/state", "idle")
	for topic, keys := range documentKeys() {
		f.expectThat(topic, "every key", func(text string) bool { return text != "" })
		var document map[string]any
		must(t, json.Unmarshal([]byte(f.value(topic)), &document))
		have := keysOf(document)
		if missing := missingFrom(have, keys); len(missing) > 0 {
			t.Errorf("%s lacks %v", topic, missing)
		}
		for inner, innerWanted := range innerKeys() {
			if name, ok := strings.CutPrefix(inner, topic+"/"); ok {
				object, _ := document[name].(map[string]any)
				if missing := missingFrom(keysOf(object), innerWanted); len(missing) > 0 {
					t.Errorf("%s in %s lacks %v", name, topic, missing)
				}
			}
		}
	}
	checkHeaters(t, f.value("left"))
}

// checkHeaters wants the document to know both heaters.
func checkHeaters(t *testing.T, text string) {
	t.Helper()
	var document struct {
		State        string
		Temperatures map[string]map[string]any
		OctoPrint    struct{ Version, User string }
	}
	must(t, json.Unmarshal([]byte(text), &document))
	if document.State != "idle" || document.OctoPrint.Version != "1.11.8" || document.OctoPrint.User != "operator" {
		t.Errorf("the document is %s", text)
	}
	for _, heater := range []string{"tool0", "bed"} {
		keys := keysOf(document.Temperatures[heater])
		if !slices.Equal(keys, []string{"actual", "offset", "target"}) {
			t.Errorf("%s has the keys %v", heater, keys)
		}
	}
}
