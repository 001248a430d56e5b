//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
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

// advice is how check tells people of an error.
func advice(what, why, do string) string {
	return "\n  ERROR   " + what + "\n          why  " + why + "\n          do   " + do + "\n"
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	found := mustServers(t)
	nobody := "127.0.0.1:" + strconv.Itoa(found.SparePort)
	for _, fault := range []struct {
		name   string
		change func(*config)
		says   string // of what is wrong, why that matters and what to do
	}{
		{"wrong key", func(c *config) { c.Printers[0].APIKey = "wrong-key-wrong-key-wrong-key-wrong-key-123" }, advice(
			"OctoPrint does not accept the API key", "it was revoked, mistyped, or is another OctoPrint's", "get a new one with octoprint2mqtt enroll left")},
		{"global key", func(c *config) { c.Printers[0].APIKey = found.OctoPrint[0].Keys["global"] }, advice(
			"The API key is OctoPrint's global key, which belongs to no user and is going away", "OctoPrint will stop accepting it, and with it everything is allowed to everybody",
			"get an application key instead, with octoprint2mqtt enroll left")},
		{"wrong user", func(c *config) { c.Printers[0].User = "anna" }, advice(
			`Wrong user: the key belongs to "operator", not to "anna"`, "what the key may do is what its user may do",
			`change user in the configuration, or log in to OctoPrint as "anna" and get a key with octoprint2mqtt enroll left`)},
		{"wrong port", func(c *config) { c.Printers[0].URL = "http://" + nobody }, advice(
			"No answer from "+nobody+" (dial tcp "+nobody+": connect: connection refused)", "nothing is known of the printer meanwhile", "check that it is on and that the URL is right")},
		{"no OctoPrint", func(c *config) { c.Printers[0].URL = found.HomeAssistant.URL }, advice(
			"What answers at "+found.HomeAssistant.URL+" is not OctoPrint (404: Not Found, HTTP 404)", "something else listens there, or something in front of OctoPrint", "check host, port and path of the URL")},
		{"wrong path", func(c *config) { c.Printers[0].URL += "/octoprint" }, advice(
			"What answers at "+found.OctoPrint[0].URL+"/octoprint is not OctoPrint (it answers with a web page, HTTP 404)", "something else listens there, or something in front of OctoPrint", "check host, port and path of the URL")},
		{"user without permissions", func(c *config) { c.Printers[0].APIKey = found.OctoPrint[0].Keys["nobody"] }, advice(
			`OctoPrint does not let the API key's user see the printer (the user "nobody" lacks the permission STATUS)`, "without the permission STATUS nothing is known of the printer", "put the user into the group Read-only or Operator")},
		{"wrong port of the broker", func(c *config) { c.MQTT["url"] = "mqtt://" + nobody }, advice(
			"no connection to the MQTT broker at "+nobody+" (dial tcp "+nobody+": connect: connection refused)", "without the broker nothing is published and no command arrives", "check that it runs and that the URL is right")},
	} {
		t.Run(fault.name, func(t *testing.T) {
			c := goodConfig(t)
			fault.change(&c)
			code, out := checkConfig(t, c)
			if code != 2 || strings.Count(out, fault.says) != 1 || strings.Count(out, "  ERROR   ") != 1 {
				t.Errorf("exit code %d, want 2 and\n%s\nit says\n%s", code, fault.says, out)
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
