//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// adding runs `add` for the first OctoPrint until it waits for a click. The configuration isn't there yet.
func adding(t *testing.T, file string, more ...string) (*octoPrint, *process) {
	t.Helper()
	found := mustServers(t)
	o := newOctoPrint(found.OctoPrint[0])
	broker := "mqtt://" + found.Broker.Host + ":" + strconv.Itoa(found.Broker.Port)
	args := append([]string{"add", found.OctoPrint[0].URL + "/?l=en#temp", "--config", file, "--mqtt", broker, "--yes"}, more...)
	add := startProgram(t, args...)
	eventually(t, "it waits for a click", soon, func() (bool, string) {
		text := add.text()
		return strings.Contains(text, "Waiting for that"), text
	})
	return o, add
}

// decide clicks Allow or Deny for what is asked for, as a user.
func (o *octoPrint) decide(t *testing.T, user string, allow bool) {
	t.Helper()
	var asked struct {
		Pending map[string]struct {
			App string `json:"app_id"`
		}
	}
	must(t, o.do(http.MethodGet, "/api/plugin/appkeys", nil, &asked))
	for token, request := range asked.Pending {
		if strings.HasPrefix(request.App, "octoprint2mqtt on ") {
			answer, err := http.NewRequest(http.MethodPost, o.server.URL+"/plugin/appkeys/decision/"+token, strings.NewReader(`{"decision": `+strconv.FormatBool(allow)+`}`))
			must(t, err)
			answer.Header.Set("Content-Type", "application/json")
			must(t, o.sendAs(o.server.Keys[user], answer, nil))
			return
		}
	}
	t.Fatalf("nobody asks for a key: %v", asked)
}

// TestAddWithOneClick goes the whole way: from nothing but an address to a printer in Home Assistant.
func TestAddWithOneClick(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	o, add := adding(t, file, "--id", "added")
	o.decide(t, "operator", true)
	if code := add.waitEnd(t); code != 0 || !strings.Contains(add.text(), "The key belongs to the user operator.") {
		t.Fatalf("exit code %d:\n%s", code, add.text())
	}
	if code, out := runProgram(t, "check", "--config", file); code != 0 || !strings.Contains(out, "the API key is an application key") {
		t.Errorf("check: exit code %d:\n%s", code, out)
	}
	secret, err := os.ReadFile(filepath.Join(filepath.Dir(file), "secrets.yaml"))
	must(t, err)
	key := regexp.MustCompile(`added: "(.{20,})"`).FindSubmatch(secret)
	if key == nil || strings.Contains(add.text(), string(key[1])) {
		t.Fatal("the key isn't in secrets.yaml, or is shown")
	}
	found := mustServers(t)
	bridge := startProgram(t, "run", "--config", file)
	newHomeAssistant(found).waitState(t, entityID("sensor", "added", "connection"), "connected")
	bridge.stop(t)
	if code, out := runProgram(t, "purge", "--config", file); code != 0 {
		t.Errorf("purge: exit code %d:\n%s", code, out)
	}
}

// TestAddDenied: nothing is left behind.
func TestAddDenied(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	o, add := adding(t, file)
	o.decide(t, "operator", false)
	expectNothingAdded(t, file, add, "the request for a key was denied in OctoPrint")
}

// TestAddExpired: OctoPrint drops a request that nobody asks after, as it does each after ten minutes.
func TestAddExpired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	_, add := adding(t, file)
	must(t, add.cmd.Process.Signal(syscall.SIGSTOP))
	time.Sleep(8 * time.Second) // longer than the five seconds after which OctoPrint drops a request
	must(t, add.cmd.Process.Signal(syscall.SIGCONT))
	expectNothingAdded(t, file, add, "the request for a key has lapsed")
}

func expectNothingAdded(t *testing.T, file string, add *process, says string) {
	t.Helper()
	if code := add.waitEnd(t); code != 1 || !strings.Contains(add.text(), "nothing was changed: "+says) {
		t.Errorf("exit code %d, without %q:\n%s", code, says, add.text())
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	must(t, err)
	if len(entries) > 0 {
		t.Errorf("it has left %v", entries)
	}
}
