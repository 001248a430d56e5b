//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"os/exec"
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
	must(t, o.decideRequest(user, o.keyRequest(t, user), allow))
}

// keyRequest is the token of what a user is asked, in OctoPrint's own dialog.
func (o *octoPrint) keyRequest(t *testing.T, user string) string {
	t.Helper()
	question, err := http.NewRequest(http.MethodGet, o.server.URL+"/api/plugin/appkeys", nil)
	must(t, err)
	var asked struct {
		Pending map[string]struct {
			App string `json:"app_id"`
		}
	}
	must(t, o.sendAs(o.server.Keys[user], question, &asked))
	for token, request := range asked.Pending {
		if strings.HasPrefix(request.App, "octoprint2mqtt on ") {
			return token
		}
	}
	t.Fatalf("%s isn't asked for a key: %v", user, asked)
	return ""
}

func (o *octoPrint) decideRequest(user, token string, allow bool) error {
	answer, err := http.NewRequest(http.MethodPost, o.server.URL+"/plugin/appkeys/decision/"+token, strings.NewReader(`{"decision": `+strconv.FormatBool(allow)+`}`))
	if err != nil {
		return err
	}
	answer.Header.Set("Content-Type", "application/json")
	return o.sendAs(o.server.Keys[user], answer, nil)
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

// TestAddForOneUser: with --user nobody else can grant the key, not even an administrator.
func TestAddForOneUser(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	o, add := adding(t, file, "--id", "added", "--user", "operator")
	token := o.keyRequest(t, "operator")
	if err := o.decideRequest("admin", token, true); err == nil {
		t.Error("another user can decide")
	}
	must(t, o.decideRequest("operator", token, true))
	if code := add.waitEnd(t); code != 0 || !strings.Contains(add.text(), "log in as operator, and click Allow") || !strings.Contains(add.text(), "The key belongs to the user operator.") {
		t.Fatalf("exit code %d:\n%s", code, add.text())
	}
	text, err := os.ReadFile(file)
	must(t, err)
	if !strings.Contains(string(text), "\n    user: operator\n") {
		t.Errorf("the user isn't in the configuration:\n%s", text)
	}
	if code, out := runProgram(t, "check", "--config", file); code != 0 {
		t.Errorf("check: exit code %d:\n%s", code, out)
	}
}

// TestEnrollWithOneClick: a printer with a user's own key gets an application key.
func TestEnrollWithOneClick(t *testing.T) {
	found := mustServers(t)
	o := newOctoPrint(found.OctoPrint[0])
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "mqtt: {url: 'mqtt://" + found.Broker.Host + ":" + strconv.Itoa(found.Broker.Port) + "'}\nprinters:\n  - id: left # mine\n    url: " + o.server.URL + "\n    api_key: "
	must(t, os.WriteFile(file, []byte(text+o.server.Keys["operator"]+"\n"), 0o600))
	const advice = "octoprint2mqtt enroll left gets an application key with one click"
	if code, out := runProgram(t, "check", "--config", file); code != 0 || !strings.Contains(out, advice) {
		t.Errorf("check: exit code %d:\n%s", code, out)
	}
	enroll := startProgram(t, "enroll", "left", "--config", file)
	eventually(t, "it waits for a click", soon, func() (bool, string) { return strings.Contains(enroll.text(), "Waiting for that"), enroll.text() })
	o.decide(t, "operator", true)
	if code := enroll.waitEnd(t); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, enroll.text())
	}
	now, err := os.ReadFile(file)
	must(t, err)
	if string(now) != text+"!secret left\n" {
		t.Errorf("the configuration is\n%s", now)
	}
	if code, out := runProgram(t, "check", "--config", file); code != 0 || !strings.Contains(out, "the API key is an application key") {
		t.Errorf("check: exit code %d:\n%s", code, out)
	}
}

// TestAddOnAFullDisk: what was there stays, and nothing is left half written.
func TestAddOnAFullDisk(t *testing.T) {
	found := mustServers(t)
	folder := smallDisk(t)
	file := filepath.Join(folder, "config.yaml")
	text := "mqtt: {url: 'mqtt://" + found.Broker.Host + ":" + strconv.Itoa(found.Broker.Port) + "'}\n"
	must(t, os.WriteFile(file, []byte(text), 0o600))
	free := fill(t, folder)
	args := []string{"add", found.OctoPrint[0].URL, "--config", file, "--key", found.OctoPrint[0].Keys["operator"], "--id", "added", "--yes"}
	code, out := runProgram(t, args...)
	if code != 1 || !strings.Contains(out, "secrets.yaml was not changed: no space left on device") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	free()
	entries, err := os.ReadDir(folder)
	must(t, err)
	if now, err := os.ReadFile(file); err != nil || string(now) != text || len(entries) != 1 {
		t.Errorf("%q, %v, beside %v", now, err, entries)
	}
	if code, out := runProgram(t, args...); code != 0 {
		t.Errorf("with room again: exit code %d:\n%s", code, out)
	}
}

// TestAddToAMountedFile: a container that is given just the file can't have it replaced.
func TestAddToAMountedFile(t *testing.T) {
	found := mustServers(t)
	text := "mqtt: {url: 'mqtt://" + found.Broker.Host + ":" + strconv.Itoa(found.Broker.Port) + "'}\n"
	outside, file := filepath.Join(t.TempDir(), "config.yaml"), filepath.Join(t.TempDir(), "config.yaml")
	for _, name := range []string{outside, file} {
		must(t, os.WriteFile(name, []byte(text), 0o600))
	}
	if out, err := exec.Command("mount", "--bind", outside, file).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", file).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	code, out := runProgram(t, "add", found.OctoPrint[0].URL, "--config", file, "--key", found.OctoPrint[0].Keys["operator"], "--id", "added", "--yes")
	if code != 1 || !strings.HasSuffix(out, "octoprint2mqtt: "+file+" was not changed: it is mounted on its own, and can't be replaced then: mount its folder instead\n") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	must(t, err)
	if now, err := os.ReadFile(outside); err != nil || string(now) != text || len(entries) != 1 {
		t.Errorf("%q, %v, beside %v", now, err, entries)
	}
}

// TestAddDenied: nothing is left behind.
func TestAddDenied(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	o, add := adding(t, file)
	o.decide(t, "operator", false)
	expectNothingAdded(t, file, add, "the request for a key was denied in OctoPrint: try again, and click Allow.")
}

// TestAddExpired: OctoPrint drops a request that nobody asks after, as it does each after ten minutes.
func TestAddExpired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	_, add := adding(t, file)
	must(t, add.cmd.Process.Signal(syscall.SIGSTOP))
	time.Sleep(8 * time.Second) // longer than the five seconds after which OctoPrint drops a request
	must(t, add.cmd.Process.Signal(syscall.SIGCONT))
	expectNothingAdded(t, file, add, "the request for a key has lapsed: try again.")
}

func expectNothingAdded(t *testing.T, file string, add *process, says string) {
	t.Helper()
	if code := add.waitEnd(t); code != 1 || !strings.HasSuffix(add.text(), "\noctoprint2mqtt: nothing was changed: "+says+"\n") {
		t.Errorf("exit code %d, without %q:\n%s", code, says, add.text())
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	must(t, err)
	if len(entries) > 0 {
		t.Errorf("it has left %v", entries)
	}
}
