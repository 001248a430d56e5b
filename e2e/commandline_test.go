//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// checkConfig runs `check` on a configuration.
func checkConfig(t *testing.T, c config) (int, string) {
	t.Helper()
	return runProgram(t, "check", "--config", c.write(t))
}

// goodConfig is a configuration without a fault, for the first OctoPrint.
func goodConfig(t *testing.T) config {
	t.Helper()
	found := mustServers(t)
	return config{
		MQTT:     map[string]any{"url": fmt.Sprintf("mqtt://%s:%d", found.Broker.Host, found.Broker.Port)},
		Printers: []printerConfig{{ID: "left", URL: found.OctoPrint[0].URL, APIKey: found.OctoPrint[0].Keys["operator"]}},
	}
}

func TestCheckFindsNothingWrong(t *testing.T) {
	code, out := checkConfig(t, goodConfig(t))
	if code != 0 || !strings.Contains(out, "left") {
		t.Errorf("exit code %d, want 0 and the printer named:\n%s", code, out)
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	found := mustServers(t)
	nobody := "http://127.0.0.1:" + strconv.Itoa(found.SparePort)
	for _, fault := range []struct {
		name   string
		change func(*config)
		says   string
	}{
		{"wrong key", func(c *config) { c.Printers[0].APIKey = "wrong-key-wrong-key-wrong-key-wrong-key-123" }, `(?i)left.*key`},
		{"global key", func(c *config) { c.Printers[0].APIKey = found.OctoPrint[0].Keys["global"] }, `(?i)left.*global`},
		{"wrong port", func(c *config) { c.Printers[0].URL = nobody }, `(?i)left.*(refused|unreachable|reach|connect)`},
		{"no OctoPrint", func(c *config) { c.Printers[0].URL = found.HomeAssistant.URL }, `(?i)left.*OctoPrint`},
		{"wrong path", func(c *config) { c.Printers[0].URL += "/octoprint" }, `(?i)left.*OctoPrint`},
		{"user without permissions", func(c *config) { c.Printers[0].APIKey = found.OctoPrint[0].Keys["nobody"] }, `(?i)left.*(permi|STATUS)`},
		{"wrong port of the broker", func(c *config) { c.MQTT["url"] = "mqtt://127.0.0.1:" + strconv.Itoa(found.SparePort) }, `(?i)(broker|mqtt)`},
	} {
		t.Run(fault.name, func(t *testing.T) {
			c := goodConfig(t)
			fault.change(&c)
			code, out := checkConfig(t, c)
			oneLine := strings.ReplaceAll(out, "\n", " ")
			if code == 0 || !regexp.MustCompile(fault.says).MatchString(oneLine) {
				t.Errorf("exit code %d, want another than 0 and a text that matches %s:\n%s", code, fault.says, out)
			}
			if strings.Contains(out, c.Printers[0].APIKey) {
				t.Errorf("the API key is in the output:\n%s", out)
			}
		})
	}
}

func TestBrokenConfigurationStopsTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	must(t, os.WriteFile(file, []byte("mqtt:\n  url: mqtt://127.0.0.1\n  colour: blue\nprinters:\n  - id: Left\n"), 0o600))
	for _, command := range []string{"run", "check"} {
		code, out := runProgram(t, command, "--config", file)
		if code != 2 || !strings.Contains(out, "colour") || !strings.Contains(out, "Left") || !strings.Contains(out, ":3") {
			t.Errorf("%s: exit code %d, want 2 and both mistakes with their lines:\n%s", command, code, out)
		}
	}
}

func TestVersionIsPrinted(t *testing.T) {
	if code, out := runProgram(t, "version"); code != 0 || strings.TrimSpace(out) == "" {
		t.Errorf("exit code %d, output %q", code, out)
	}
}

func TestDemoNeedsNothing(t *testing.T) {
	found := mustServers(t)
	port := found.SparePort + 1
	address := "127.0.0.1:" + strconv.Itoa(port)
	demo := startProgram(t, "demo", "--printers", "5", "--mqtt", address)
	waitPort(t, demo, address)
	var tree map[string]string
	eventually(t, "five printers", patient, func() (bool, string) {
		tree = retainedNow(t, "127.0.0.1", port)
		online := 0
		for topic, payload := range tree {
			if strings.HasSuffix(topic, "/availability") && payload == "online" {
				online++
			}
		}
		ready := online == 5 && tree[baseTopic+"/bridge/state"] == "online" && tree[baseTopic+"/farm/printers"] == "5"
		return ready, fmt.Sprint(online, " online; the output:\n", demo.text())
	})
	f := &farm{t: t, broker: watchWith(t, "127.0.0.1", port, "-V", "311", "-q", "1"), bridge: demo}
	f.request("bridge", "info", "{}").mustSucceed(t)
	var discovery []message
	for _, topic := range keysOf(tree) {
		if strings.HasPrefix(topic, discoveryPrefix+"/") {
			discovery = append(discovery, message{Topic: topic, Payload: tree[topic]})
		}
	}
	if len(discovery) != 7 {
		t.Errorf("%d devices are announced, want bridge, farm and five printers", len(discovery))
	}
	validateDiscovery(t, newHomeAssistant(found), discovery)
	if code, _ := demo.stop(t); code != 0 {
		t.Errorf("the demo ended with exit code %d", code)
	}
}
