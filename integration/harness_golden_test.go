package integration

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// golden compares a text with the file of a name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if difference := diff(string(want), got); difference != "" {
		t.Errorf("%s differs (- is the file; go test -update writes it anew):\n%s", file, difference)
	}
}

// diff returns the lines that are only in one of two texts, "" if they are equal.
func diff(want, got string) string {
	if want == got {
		return ""
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var b strings.Builder
	for _, line := range w {
		if !slices.Contains(g, line) {
			fmt.Fprintf(&b, "-%s\n", line)
		}
	}
	for _, line := range g {
		if !slices.Contains(w, line) {
			fmt.Fprintf(&b, "+%s\n", line)
		}
	}
	if b.Len() == 0 {
		return "(the same lines in another order)\n" + got
	}
	const limit = 4000
	if b.Len() > limit {
		return b.String()[:limit] + "…"
	}
	return b.String()
}

// tree renders what is retained below the base topic.
func (w *world) tree() string {
	var b strings.Builder
	all := w.broker.retained()
	for _, topic := range slices.Sorted(maps.Keys(all)) {
		if name, ok := strings.CutPrefix(topic, w.topics.Base); ok {
			fmt.Fprintf(&b, "%s = %s\n", strings.TrimPrefix(name, "/"), w.steady(topic, all[topic]))
		}
	}
	return b.String()
}

var instances = regexp.MustCompile(`"instance":"[0-9a-f]{8}"`)

// numbers that say how busy the process was.
var busyness = regexp.MustCompile(`"(memory_bytes|goroutines|published|received|frames|errors)":[0-9.]+|"(last_frame)":"[^"]+"`)

// steady takes out of a payload what differs from run to run.
func (w *world) steady(topic, payload string) string {
	if topic == w.topics.BridgeHealth() {
		payload = busyness.ReplaceAllString(payload, `"$1$2":"#"`)
	}
	if strings.HasSuffix(topic, "/frame_rate") && payload != unknownPayload {
		payload = "#"
	}
	if strings.HasSuffix(topic, "_temperature") {
		payload = tens(payload)
	}
	if strings.HasSuffix(topic, "/last_seen") && payload != unknownPayload {
		payload = "#"
	}
	payload = actuals.ReplaceAllStringFunc(payload, func(s string) string { return `"actual":` + tens(s[len(`"actual":`):]) })
	return instances.ReplaceAllString(payload, `"instance":"#"`)
}

var actuals = regexp.MustCompile(`"actual":[0-9.]+`)

// tens rounds a temperature: simulated ones jitter.
func tens(payload string) string {
	n, err := strconv.ParseFloat(payload, 64)
	if err != nil {
		return payload
	}
	return fmt.Sprintf("~%.0f", math.Round(n/10)*10)
}

// documents renders the discovery documents, one component per line.
func (w *world) documents(devices ...string) string {
	w.t.Helper()
	var b strings.Builder
	for _, device := range devices {
		topic := w.topics.Config(device)
		d := w.discovered(device)
		var components map[string]json.RawMessage
		if err := json.Unmarshal(d["cmps"], &components); err != nil {
			w.t.Fatalf("%s: %v", topic, err)
		}
		delete(d, "cmps")
		fmt.Fprintln(&b, topic)
		for _, key := range slices.Sorted(maps.Keys(d)) {
			fmt.Fprintf(&b, "  %s: %s\n", key, d[key])
		}
		for _, key := range slices.Sorted(maps.Keys(components)) {
			fmt.Fprintf(&b, "    %s: %s\n", key, components[key])
		}
	}
	return b.String()
}

// discovered decodes a retained discovery document.
func (w *world) discovered(device string) map[string]json.RawMessage {
	w.t.Helper()
	var d map[string]json.RawMessage
	if err := json.Unmarshal([]byte(w.retained(w.topics.Config(device))), &d); err != nil {
		w.t.Fatalf("the discovery document of %s: %v", device, err)
	}
	return d
}

// components decodes the components of a retained discovery document.
func (w *world) components(device string) map[string]map[string]any {
	w.t.Helper()
	return componentsIn(w.t, w.retained(w.topics.Config(device)))
}

func componentsIn(t *testing.T, document string) map[string]map[string]any {
	t.Helper()
	var d struct {
		Components map[string]map[string]any `json:"cmps"`
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(document))).Decode(&d); err != nil {
		t.Fatalf("%v in %q", err, document)
	}
	return d.Components
}
