package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// enrolled is a configuration whose printers have keys of every kind: {URL} is where the
// one that matters is.
const enrolled = `# my farm
mqtt: {url: 'mqtt://127.0.0.1:1'}
printers:
  - id: left # the old one
    url: {URL}
    api_key: !secret left # do not lose
  - id: right
    url: {URL}/right
    user: anna
    api_key_file: right.txt
    disabled: true
  - {id: last, url: 'http://127.0.0.1:1', api_key: A}
`

func enrolledFiles(url string) map[string]string {
	return map[string]string{"config.yaml": strings.ReplaceAll(enrolled, "{URL}", url), "secrets.yaml": "left: \"old\" # mine\n", "right.txt": "old"}
}

// TestEnroll: a printer gets another key by one click; everything else stays.
func TestEnroll(t *testing.T) {
	t.Parallel()
	sim, server := simulated(t, octoprinttest.Options{}, false)
	clicking(t, sim, true)
	file := folder(t, enrolledFiles(server.URL))
	code, out, errors := answered(t, "", "enroll", "left", "--config", file)
	if code != exitOK || errors != "" {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	for _, want := range []string{
		"OctoPrint 1.11.8 is at " + server.URL + ".\n", `It is asked for an application key under the name "octoprint2mqtt on `, server.URL + "/plugin/appkeys/auth/",
		"The key was granted.\nThe key belongs to the user operator.\n\nleft has its new key. A running bridge uses it within seconds.\nIf the old one was an application key, remove it in OctoPrint under Settings → Application Keys.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	config, err := loadConfig(file, environment)
	if err != nil {
		t.Fatal(err)
	}
	key, files := config.Bridge.Printers[0].APIKey, enrolledFiles(server.URL)
	files["secrets.yaml"] = "left: \"" + key + "\" # mine\n"
	if got := contents(t, file); len(key) != 43 || !maps.Equal(got, files) {
		t.Errorf("%q", got)
	}
	if strings.Contains(out, key) {
		t.Error("the key is shown")
	}
}

// TestEnrollWithAKey: a printer that was disabled for want of one.
func TestEnrollWithAKey(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{Prefix: "/right", Users: []octoprinttest.User{{Name: "anna", Key: "anna-key", Groups: []string{"users"}}}}, false)
	file := folder(t, enrolledFiles(server.URL))
	code, out, errors := answered(t, "", "enroll", "right", "--config", file, "--key", "anna-key")
	if code != exitOK || errors != "" {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	files := enrolledFiles(server.URL)
	files["config.yaml"] = strings.Replace(files["config.yaml"], "    api_key_file: right.txt\n    disabled: true\n", "    api_key: !secret right\n", 1)
	files["secrets.yaml"] += "right: \"anna-key\"\n"
	if got := contents(t, file); !maps.Equal(got, files) {
		t.Errorf("%q", got)
	}
}

// TestEnrollChangesNothing: whatever goes wrong.
func TestEnrollChangesNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before func(*testing.T, *octoprinttest.Server)
		args   []string // {FILE} stands for the configuration
		code   int
		says   string // {URL} stands for the server's address
	}{
		{"denied", denying, []string{"left"}, 1, "octoprint2mqtt: nothing was changed: the request for a key was denied in OctoPrint: try again, and click Allow.\n"},
		{"limited", exhaust, []string{"left"}, 1, "octoprint2mqtt: nothing was changed: OctoPrint takes no more requests for keys from this address for a while: wait a minute, or up to an hour after many, and try again.\n"},
		{"wrong key", nil, []string{"left", "--key", "wrong"}, 1, "octoprint2mqtt: nothing was changed: OctoPrint does not accept the API key: get a new one with octoprint2mqtt enroll left.\n"},
		{"global key", nil, []string{"left", "--key", "g"}, 1, "octoprint2mqtt: nothing was changed: The API key is OctoPrint's global key, which belongs to no user and is going away: get an application key instead, with octoprint2mqtt enroll left.\n"},
		{"no key", nil, []string{"left", "--key", "a b"}, 2, "--key is not an API key, which is one word of letters and digits; copy it again from OctoPrint\nRun octoprint2mqtt --help to see what there is.\n"},
		{"another user", nil, []string{"right", "--key", "operator-key"}, 1, "octoprint2mqtt: nothing was changed: Wrong user: the key belongs to \"operator\", not to \"anna\": change user in the configuration, or log in to OctoPrint as \"anna\" and get a key with octoprint2mqtt enroll right.\n"},
		{"something else", page(404, "<html>"), []string{"left"}, 1, "octoprint2mqtt: nothing was changed: What answers at {URL} is not OctoPrint (there is none of its pages, and no push socket): check host, port and path of the URL.\n"},
		{"in brackets", nil, []string{"last"}, 1, "octoprint2mqtt: {FILE} is written in a way that it can't be changed safely; change it by hand\n"},
		{"nobody", nil, []string{"nobody"}, 1, "octoprint2mqtt: no printer in the configuration has the id \"nobody\"; there are: left, right, last\n"},
		{"no file", nil, []string{"left", "--config", "{FILE}.new"}, 1, "octoprint2mqtt: there is no file {FILE}.new; octoprint2mqtt add makes one\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim, server := simulated(t, octoprinttest.Options{GlobalKey: "g"}, false)
			if tt.before != nil {
				tt.before(t, sim)
			}
			left := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // the same under another address
			files := enrolledFiles("")
			files["config.yaml"] = strings.NewReplacer("{URL}/right", server.URL, "{URL}", left).Replace(enrolled)
			file := folder(t, files)
			before := snapshot(t, file)
			words := strings.NewReplacer("{FILE}", file, "{URL}", left)
			args := []string{"enroll", "--config", file}
			for _, arg := range tt.args {
				args = append(args, words.Replace(arg))
			}
			code, out, errors := answered(t, "", args...)
			if want := words.Replace(tt.says); code != tt.code || errors != want {
				t.Errorf("exit code %d, it says\n%s\nwant %d\n%s\n%s", code, errors, tt.code, want, out)
			}
			if got := snapshot(t, file); !maps.Equal(got, before) {
				t.Errorf("the files have changed: %q", got)
			}
		})
	}
}

// TestEnrollInterrupted: while a key is waited for.
func TestEnrollInterrupted(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{}, false)
	file := folder(t, enrolledFiles(server.URL))
	interruptWhileWaiting(t, file, "enroll", "left")
}

// TestEnrollWhereNothingCanBeChanged: nobody is asked in vain.
func TestEnrollWhereNothingCanBeChanged(t *testing.T) {
	t.Parallel()
	sim, server := simulated(t, octoprinttest.Options{}, false)
	file := folder(t, enrolledFiles(server.URL))
	secrets := filepath.Join(filepath.Dir(file), "secrets.yaml")
	if err := os.Chmod(secrets, 0o400); err != nil {
		t.Fatal(err)
	}
	code, _, errors := answered(t, "", "enroll", "left", "--config", file)
	if code != exitFailed || errors != "octoprint2mqtt: "+secrets+" can't be changed: it is read-only; make it writable first, with chmod u+w\n" {
		t.Errorf("exit code %d: %s", code, errors)
	}
	if asked := sim.Requests(); len(asked) > 0 {
		t.Errorf("OctoPrint was asked: %v", asked)
	}
	// The same for a running bridge that is asked over MQTT or on the page.
	if err := enrollable(file, environment, "left"); err == nil || errors != "octoprint2mqtt: "+err.Error()+"\n" {
		t.Error(err)
	}
	if err := os.Chmod(secrets, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := enrollable(file, environment, "left"); err != nil {
		t.Error(err)
	}
}
