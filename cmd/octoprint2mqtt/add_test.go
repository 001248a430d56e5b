package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// simulated starts a simulated OctoPrint and returns it with its address.
func simulated(t *testing.T, o octoprinttest.Options, secure bool) (*octoprinttest.Server, *httptest.Server) {
	t.Helper()
	sim := octoprinttest.New(o)
	server := httptest.NewUnstartedServer(sim)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail on purpose
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = sim.Run(ctx) })
	t.Cleanup(func() {
		sim.Close()
		server.CloseClientConnections()
		server.Close()
		stop()
		running.Wait()
	})
	return sim, server
}

// clicking decides the next request for a key.
func clicking(t *testing.T, sim *octoprinttest.Server, granted bool) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil && sim.DecideKey("operator", granted) != nil {
			time.Sleep(20 * time.Millisecond) // the request is made by the program, when it gets to it
		}
	})
	t.Cleanup(func() { stop(); done.Wait() })
}

// answered runs the program with somebody who answers its questions.
func answered(t *testing.T, answers string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, log bytes.Buffer
	code = run(ctx, args, surroundings{stdin: strings.NewReader(answers), stdout: &out, stderr: &log, lookup: environment})
	return code, out.String(), log.String()
}

// contents returns the files of a configuration's folder.
func contents(t *testing.T, config string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	entries, err := os.ReadDir(filepath.Dir(config))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			found[e.Name()] = readText(t, filepath.Join(filepath.Dir(config), e.Name()))
		}
	}
	return found
}

const farmFile = `# my farm
mqtt:
  url: mqtt://127.0.0.1:1   # the broker
printers:
  - id: left
    url: http://127.0.0.1:1
    api_key: !secret left   # do not lose

# the rest
farm: {name: Mine}
`

// TestAdd: from nothing to a printer in a new file, with one click.
func TestAdd(t *testing.T) {
	t.Parallel()
	sim, server := simulated(t, octoprinttest.Options{Name: "Prusa links"}, false)
	clicking(t, sim, true)
	file := folder(t, nil)
	broker := runningBroker(t)
	code, out, errors := answered(t, "mqtt://x y\n127.0.0.1:1\n\nno\n"+broker+"\nme\nsecret-1\n\n\n", "add", server.URL+"/?l=de#temp", "--config", file)
	if code != exitOK || errors != "" {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	for _, want := range []string{
		"This address cannot be understood; write it like mqtt://user:password@homeassistant.local.\n",
		"error: no connection to the MQTT broker at 127.0.0.1:1 (dial tcp 127.0.0.1:1: connect: connection refused)\n  check that it runs and that the URL is right\nUse this broker all the same? [y/N]: ",
		"The MQTT broker at " + broker + " will do.\n",
		"OctoPrint 1.11.8 is at " + server.URL + ".", `It is asked for an application key under the name "octoprint2mqtt on `,
		server.URL + "/plugin/appkeys/auth/", "The key belongs to the user operator.",
		"Name [Prusa links]: ", "Permanent id, used in topics [prusa-links]: ", "octoprint2mqtt run --config " + file, "octoprint2mqtt check --config " + file,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "note: ") || strings.Contains(out, "warning: ") {
		t.Errorf("something is amiss:\n%s", out)
	}
	want := "# octoprint2mqtt; config.example.yaml explains all that can be set here.\nmqtt:\n  url: mqtt://" + broker + "\n  username: me\n  password: !secret mqtt\n\n" +
		"printers:\n  - id: prusa-links\n    name: Prusa links\n    url: " + server.URL + "\n    api_key: !secret prusa-links\n"
	if got := readText(t, file); got != want {
		t.Errorf("%s", got)
	}
	secrets := contents(t, file)["secrets.yaml"]
	if !strings.HasPrefix(secrets, "mqtt: \"secret-1\"\nprusa-links: \"") || strings.Count(secrets, "\n") != 2 {
		t.Errorf("secrets.yaml: %q", secrets)
	}
	for _, name := range []string{"config.yaml", "secrets.yaml"} {
		if info, err := os.Stat(filepath.Join(filepath.Dir(file), name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	config, err := loadConfig(file, environment)
	if err != nil || len(config.Bridge.Printers[0].APIKey) != 43 || config.Bridge.MQTT.Password != "secret-1" {
		t.Errorf("%+v, %v", config, err)
	}
}

// runningBroker starts an MQTT broker and returns where it is.
func runningBroker(t *testing.T) string {
	t.Helper()
	broker, address, err := startBroker(t.Context(), anyPort)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close() })
	return address
}

// TestAddTheFirstInAScript: a broker that is off for now is told of, and taken.
func TestAddTheFirstInAScript(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{}, false)
	file := folder(t, map[string]string{"secrets.yaml": "mqtt: another\n"})
	code, out, errors := answered(t, "", "add", server.URL, "--config", file, "--key", "operator-key", "--id", "mqtt", "--mqtt", "mqtt://me:p%40ss@127.0.0.1:1", "--yes")
	if code != exitOK || errors != "" || !strings.Contains(out, "Use this broker all the same? [y/N]: yes\n") {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	if got, want := contents(t, file)["secrets.yaml"], "mqtt: another\nmqtt-2: \"p@ss\"\nmqtt-3: \"operator-key\"\n"; got != want {
		t.Errorf("secrets.yaml: %s", got)
	}
	if config, err := loadConfig(file, environment); err != nil || config.Bridge.MQTT.Password != "p@ss" || config.Bridge.Printers[0].APIKey != "operator-key" {
		t.Errorf("%+v, %v", config, err)
	}
	_, second := simulated(t, octoprinttest.Options{}, false)
	code, out, errors = answered(t, "", "add", second.URL, "--config", file, "--key", "operator-key", "--id", "second", "--mqtt", "mqtt://other", "--yes")
	if code != exitOK || errors != "" || !strings.HasPrefix(out, file+" names its broker already: --mqtt is not used.\n") {
		t.Errorf("exit code %d: %s\n%s", code, errors, out)
	}
}

// TestAddAnOldServer: one that can't say whose key it is.
func TestAddAnOldServer(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{Version: "1.3.12"}, false)
	file := folder(t, map[string]string{"config.yaml": farmFile, "secrets.yaml": "left: A\n"})
	code, out, errors := answered(t, "", "add", server.URL, "--config", file, "--key", "admin-key", "--id", "old", "--yes")
	const want = "The key belongs to the user admin.\n" +
		`warning: OctoPrint 1.3.12 does not tell whose the API key is: taken for that of "admin"` + "\n  update OctoPrint; set user: to be told if the guess is another one\n"
	if code != exitOK || !strings.Contains(out, want) {
		t.Errorf("exit code %d: %s\n%s", code, errors, out)
	}
}

// TestAddKeepsWindowsLineEnds, in both files.
func TestAddKeepsWindowsLineEnds(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{}, false)
	windows := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	file := folder(t, map[string]string{"config.yaml": windows(farmFile), "secrets.yaml": windows("left: A\n")})
	code, out, errors := answered(t, "", "add", server.URL, "--config", file, "--key", "operator-key", "--id", "right", "--name", "right", "--yes")
	if code != exitOK {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	want := windows(strings.Replace(farmFile, "# do not lose\n", "# do not lose\n  - id: right\n    url: "+server.URL+"\n    api_key: !secret right\n", 1))
	if got := contents(t, file); got["config.yaml"] != want || got["secrets.yaml"] != windows("left: A\nright: \"operator-key\"\n") {
		t.Errorf("%q", got)
	}
}

// TestAddBehindALink: what a symbolic link leads to is changed, with its rights, and the
// link stays.
func TestAddBehindALink(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{}, false)
	behind := folder(t, map[string]string{"config.yaml": farmFile})
	if err := os.Chmod(behind, 0o640); err != nil {
		t.Fatal(err)
	}
	file := folder(t, map[string]string{"secrets.yaml": "left: A\n"})
	if err := os.Symlink(behind, file); err != nil {
		t.Fatal(err)
	}
	code, out, errors := answered(t, "", "add", server.URL, "--config", file, "--key", "operator-key", "--id", "right", "--yes")
	if link, err := os.Readlink(file); code != exitOK || err != nil || link != behind {
		t.Fatalf("exit code %d: %s\n%s\n%v", code, errors, out, err)
	}
	if info, err := os.Stat(behind); err != nil || info.Mode().Perm() != 0o640 || !strings.Contains(readText(t, behind), "id: right") {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestAddToAFile: comments and order stay, and what is given isn't asked for.
func TestAddToAFile(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{Prefix: "/octo"}, false)
	file := folder(t, map[string]string{"config.yaml": farmFile, "secrets.yaml": "# keys\nleft: A\nright: taken\n"})
	code, out, errors := answered(t, "", "add", server.URL+"/octo/", "--config", file, "--key", "operator-key", "--user", "operator", "--id", "right", "--name", "It's ${NAME}", "--access", "read")
	if code != exitOK || errors != "" || !strings.Contains(out, `note: the API key is the own key of the user "operator"`) {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	want := strings.Replace(farmFile, "# do not lose\n", "# do not lose\n"+
		"  - id: right\n    name: \"It's $${NAME}\"\n    url: "+server.URL+"/octo\n    user: operator\n    access: read\n    api_key: !secret right-2\n", 1)
	if got := readText(t, file); got != want {
		t.Errorf("%s", got)
	}
	if got := contents(t, file)["secrets.yaml"]; got != "# keys\nleft: A\nright: taken\nright-2: \"operator-key\"\n" {
		t.Errorf("secrets.yaml: %s", got)
	}
	config, err := loadConfig(file, environment)
	if err != nil || config.Bridge.Printers[1].Name != "It's ${NAME}" {
		t.Errorf("%+v, %v", config, err)
	}
}

// TestAddWithACertificate that nobody vouches for.
func TestAddWithACertificate(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{Name: "Left"}, true)
	file := folder(t, map[string]string{"config.yaml": strings.Replace(farmFile, "id: left", "id: other", 1), "secrets.yaml": "left: A\n", "left-certificate.pem": "another"})
	code, out, errors := answered(t, "y\n\n\n", "add", server.URL, "--config", file, "--key", "operator-key")
	if code != exitOK {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	for _, want := range []string{"issued to:   example.com, *.example.com, 127.0.0.1", "SHA-256:     " + fingerprint(server.Certificate()), "valid until: "} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	config, err := loadConfig(file, environment)
	if err != nil || config.Bridge.Printers[1].TLS == nil || config.Bridge.Printers[1].TLS.InsecureSkipVerify || !strings.Contains(readText(t, file), "    ca_file: left-certificate-2.pem\n") {
		t.Errorf("%+v, %v\n%s", config, err, readText(t, file))
	}
}

// TestAddFollowsNoRedirect, but asks.
func TestAddFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{Name: "Left"}, false)
	front := redirecting(t, server.URL)
	file := folder(t, map[string]string{"config.yaml": farmFile, "secrets.yaml": "left: A\n"})
	code, out, errors := answered(t, "y\n\nright\n", "add", front, "--config", file, "--key", "operator-key")
	if code != exitOK || !strings.Contains(out, front+" redirects to "+server.URL+". Redirects are not followed later") || !strings.Contains(readText(t, file), "url: "+server.URL) {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
}

func redirecting(t *testing.T, to string) string {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to+r.URL.Path, http.StatusFound)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// TestAddChangesNothing: whatever a user or a server answers wrongly, files stay as they
// were, and it is said what happened.
func TestAddChangesNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		options  octoprinttest.Options
		secure   bool
		before   func(t *testing.T, sim *octoprinttest.Server)
		config   string // farmFile if empty
		secrets  string // "left: A\n" if empty
		readOnly string // the file that is
		unasked  bool   // OctoPrint must not be asked for anything
		answers  string
		args     []string // {URL} stands for the server's address, {FRONT} for one that redirects there
		code     int
		says     string // with URL as above
	}{
		{name: "denied", before: denying, args: []string{"{URL}"}, code: 1, says: "octoprint2mqtt: nothing was changed: the request for a key was denied in OctoPrint: try again, and click Allow."},
		{name: "limited", before: exhaust, args: []string{"{URL}"}, code: 1, says: "octoprint2mqtt: nothing was changed: OctoPrint takes no more requests for keys from this address for a while: wait a minute, or up to an hour after many, and try again."},
		{name: "wrong key", args: []string{"{URL}", "--key", "wrong"}, code: 1, says: "octoprint2mqtt: nothing was changed: OctoPrint does not accept the API key: leave --key out, and OctoPrint is asked for one."},
		{name: "global key", options: octoprinttest.Options{GlobalKey: "g"}, args: []string{"{URL}", "--key", "g"}, code: 1, says: "octoprint2mqtt: nothing was changed: The API key is OctoPrint's global key, which belongs to no user and is going away: leave --key out, and OctoPrint is asked for an application key."},
		{name: "another user", args: []string{"{URL}", "--key", "operator-key", "--user", "anna"}, code: 1, says: `octoprint2mqtt: nothing was changed: Wrong user: the key belongs to "operator", not to "anna": give a key of "anna", or leave --user out.`},
		{name: "a user who may nothing", args: []string{"{URL}", "--key", "nobody-key"}, code: 1, says: `octoprint2mqtt: nothing was changed: OctoPrint does not let the API key's user see the printer (the user "nobody" lacks the permission STATUS): put the user into the group Read-only or Operator.`},
		{name: "no answer", args: []string{"http://127.0.0.1:1"}, code: 1, says: "octoprint2mqtt: nothing was changed: No answer from 127.0.0.1:1 (dial tcp 127.0.0.1:1: connect: connection refused): check that it is on and that the URL is right."},
		{name: "no answer anywhere", args: []string{"127.0.0.1:1"}, code: 1, says: "octoprint2mqtt: nothing was changed: No answer from 127.0.0.1:1 (dial tcp 127.0.0.1:1: connect: connection refused): check that it is on and that the URL is right.\nTried: http://127.0.0.1:1, https://127.0.0.1:1"},
		{name: "something else", before: func(_ *testing.T, sim *octoprinttest.Server) { sim.SetProxyPage(404, "<html>") }, args: []string{"{URL}"}, code: 1, says: "octoprint2mqtt: nothing was changed: What answers at {URL} is not OctoPrint (there is none of its pages, and no push socket): check host, port and path of the URL."},
		{name: "starting", before: func(_ *testing.T, sim *octoprinttest.Server) { sim.SetStarting(true) }, args: []string{"{URL}"}, code: 1, says: "octoprint2mqtt: nothing was changed: OctoPrint is not up yet (it does not speak HTTP yet): wait a minute; if that does not help, look at OctoPrint and its log."},
		{name: "no address", args: []string{""}, code: 2, says: "no address is given; write it like http://octopi.local\nRun octoprint2mqtt --help to see what there is."},
		{name: "a password in the address", args: []string{"http://me:you@octopi.local"}, code: 2, says: "this address contains a user name or password; remove them, OctoPrint only needs the api_key\nRun octoprint2mqtt --help to see what there is."},
		{name: "another protocol", args: []string{"ftp://octopi.local"}, code: 2, says: "this address must start with http:// or https://\nRun octoprint2mqtt --help to see what there is."},
		{name: "bad id", args: []string{"{URL}", "--id", "My Printer"}, code: 2, says: "--id is not an id; use 1 to 32 small letters, digits and dashes, the first no dash\nRun octoprint2mqtt --help to see what there is."},
		{name: "bad key", args: []string{"{URL}", "--key", "a b"}, code: 2, says: "--key is not an API key, which is one word of letters and digits; copy it again from OctoPrint\nRun octoprint2mqtt --help to see what there is."},
		{name: "id of another", args: []string{"{URL}", "--id", "left"}, code: 1, says: "octoprint2mqtt: there is a printer with the id left already; nothing was changed"},
		{name: "redirect that isn't wanted", args: []string{"{FRONT}", "--key", "operator-key"}, answers: "n\n", code: 1, says: "octoprint2mqtt: nothing was changed: {FRONT} redirects to {URL}, which you don't want"},
		{name: "redirect to another host in a script", args: []string{"{FAR}", "--key", "operator-key", "--yes"}, code: 1, says: "octoprint2mqtt: nothing was changed: {FAR} redirects to another host; if that is right, add http://localhost:{PORT}"},
		{name: "certificate that isn't trusted", secure: true, args: []string{"{URL}", "--key", "operator-key"}, answers: "\n", code: 1, says: "octoprint2mqtt: nothing was changed: the certificate of {HOST} is not trusted"},
		{name: "certificate for another name", secure: true, args: []string{"{NAME}", "--key", "operator-key", "--yes"}, code: 1, says: "octoprint2mqtt: nothing was changed: the certificate is for example.com, *.example.com, 127.0.0.1, ::1, not for localhost: use an address with a name that it is for, or give OctoPrint another certificate"},
		{name: "https to a server without", args: []string{"https://{HOST}"}, code: 1, says: "octoprint2mqtt: nothing was changed: What answers at https://{HOST} is not OctoPrint (what answers does not speak the protocol of the URL; is it http or https?): check host, port and path of the URL."},
		{name: "nobody answers", args: []string{"{URL}", "--key", "operator-key"}, code: 1, says: "octoprint2mqtt: nothing was changed: nobody has answered; in scripts use --yes, and give what has to be known as options"},
		{name: "a broken file", config: "mqtt:\n  url: x\n", args: []string{"{URL}"}, code: 2, says: "{FILE}:2: mqtt.url: this address must start with mqtt://"},
		{name: "broken secrets", config: "mqtt: {url: 'mqtt://x'}\n", secrets: "- a\n", args: []string{"{URL}", "--key", "operator-key", "--yes"}, code: 1, unasked: true, says: `octoprint2mqtt: {SECRETS} was not changed: it does not consist of lines "name: value", so that nothing can be added to it`},
		{name: "a list that can't be added to", config: "{mqtt: {url: 'mqtt://x'}}\n", args: []string{"{URL}", "--key", "operator-key", "--yes"}, code: 1, unasked: true, says: "octoprint2mqtt: {FILE} was not changed: the list of printers in this file can't be added to without risk; write each printer below printers:, in lines that begin with - id:, as config.example.yaml does"},
		{name: "tabs", config: "mqtt:\n\turl: mqtt://x\n", args: []string{"{URL}"}, code: 2, unasked: true, says: "{FILE}:2: a value cannot start with a tab, @, % or `; indent with blanks, and put such a value in quotes"},
		{name: "too large", config: "mqtt: {url: 'mqtt://x'}\n" + strings.Repeat("#\n", maxConfigBytes/2), args: []string{"{URL}"}, code: 2, unasked: true, says: "{FILE}: is larger than 1 MiB, which no configuration is"},
		{name: "read-only secrets", readOnly: "secrets.yaml", args: []string{"{URL}"}, code: 1, unasked: true, says: "octoprint2mqtt: {SECRETS} can't be changed: it is read-only; make it writable first, with chmod u+w"},
		{name: "read-only", readOnly: "config.yaml", args: []string{"{URL}"}, code: 1, unasked: true, says: "octoprint2mqtt: {FILE} can't be changed: it is read-only; make it writable first, with chmod u+w"},
		{name: "no file name", args: []string{"{URL}", "--config="}, code: 2, unasked: true, says: "--config is empty; give the name of the configuration file\nRun octoprint2mqtt --help to see what there is."},
		{name: "no folder", args: []string{"{URL}", "--config", "{FILE}.d/config.yaml"}, code: 1, unasked: true, says: "octoprint2mqtt: {FILE}.d/config.yaml can't be changed: in its folder {FILE}.d no file can be made (there is no such file)"},
		{name: "a folder", args: []string{"{URL}", "--config", "{DIR}/folder"}, code: 1, unasked: true, says: "octoprint2mqtt: read the configuration: read {DIR}/folder: is a directory"},
		{name: "no broker", args: []string{"{URL}", "--config", "{DIR}/new.yaml"}, answers: "\n", code: 1, unasked: true, says: "octoprint2mqtt: nothing was changed: nobody has answered; in scripts use --yes, and give what has to be known as options"},
		{name: "a broker that isn't wanted", args: []string{"{URL}", "--config", "{DIR}/new.yaml", "--mqtt", "127.0.0.1:1"}, answers: "n\n", code: 1, unasked: true, says: "octoprint2mqtt: nothing was changed: the broker can't be used"},
		{name: "another protocol of the broker", args: []string{"{URL}", "--config", "{DIR}/new.yaml", "--mqtt", "http://x"}, code: 2, unasked: true, says: "the address of the broker must start with mqtt://, mqtts://, ws:// or wss://\nRun octoprint2mqtt --help to see what there is."},
		{name: "a login page", before: page(200, "<html>login"), args: []string{"{URL}"}, code: 1, says: "octoprint2mqtt: nothing was changed: What answers at {URL} is not OctoPrint (it answers with a web page, HTTP 200): check host, port and path of the URL."},
		{name: "a proxy with a password", before: page(401, "<html>"), args: []string{"{URL}"}, code: 1, says: "octoprint2mqtt: nothing was changed: What answers at {URL} is not OctoPrint (something in front of OctoPrint asks for a user name and password, HTTP 401): use an address at which OctoPrint answers without that password, which this program can't give."},
		{name: "a proxy without OctoPrint", before: page(502, "<html>"), args: []string{"{URL}"}, code: 1, says: "octoprint2mqtt: nothing was changed: OctoPrint is not up yet (the proxy in front of OctoPrint gets no answer from it, HTTP 502): wait a minute; if that does not help, look at OctoPrint and its log."},
		{name: "an answer without an end", args: []string{"{HUGE}"}, code: 1, says: "octoprint2mqtt: nothing was changed: What answers at {HUGE} is not OctoPrint (the answer is larger than 8 MiB, HTTP 200): check host, port and path of the URL."},
		{name: "no JSON", args: []string{"{TEXT}"}, code: 1, says: "octoprint2mqtt: nothing was changed: What answers at {TEXT} is not OctoPrint (welcome, HTTP 200): check host, port and path of the URL."},
		{name: "a redirect in a circle", args: []string{"{CIRCLE}", "--yes"}, code: 1, says: "octoprint2mqtt: nothing was changed: {CIRCLE} redirects to itself: something in front of OctoPrint is set up wrongly"},
		{name: "a redirect to a login", args: []string{"{LOGIN}", "--yes"}, code: 1, says: "octoprint2mqtt: nothing was changed: {LOGIN} redirects to {LOGIN}/login: use the address that a browser shows in the end; if that is the login page of a proxy, OctoPrint must be reached past it."},
		{name: "a redirect from TLS to none in a script", secure: true, args: []string{"{DOWN}", "--yes"}, code: 1, says: "octoprint2mqtt: nothing was changed: {DOWN} redirects to an address without TLS, on the way to which the key could be read; if that is right, add http://127.0.0.1:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim, server := simulated(t, tt.options, tt.secure)
			if tt.before != nil {
				tt.before(t, sim)
			}
			files := map[string]string{"config.yaml": farmFile, "secrets.yaml": "left: A\n"}
			if tt.config != "" {
				files["config.yaml"] = tt.config
			}
			if tt.secrets != "" {
				files["secrets.yaml"] = tt.secrets
			}
			file := folder(t, files)
			if tt.readOnly != "" {
				if err := os.Chmod(filepath.Join(filepath.Dir(file), tt.readOnly), 0o400); err != nil {
					t.Fatal(err)
				}
			}
			before := snapshot(t, file)
			host := strings.TrimPrefix(strings.TrimPrefix(server.URL, "http://"), "https://")
			_, port, _ := net.SplitHostPort(host)
			words := strings.NewReplacer("{URL}", server.URL, "{FRONT}", redirecting(t, server.URL), "{FAR}", redirecting(t, "http://localhost:"+port), "{PORT}", port, "{HOST}", host, "{NAME}", "https://localhost:"+port,
				"{HUGE}", serving(t, endless), "{TEXT}", serving(t, welcome), "{CIRCLE}", serving(t, circle), "{LOGIN}", serving(t, toLogin), "{DOWN}", downgrading(t),
				"{FILE}", file, "{DIR}", filepath.Dir(file), "{SECRETS}", filepath.Join(filepath.Dir(file), "secrets.yaml"))
			args := []string{"add", "--config", file}
			for _, arg := range tt.args {
				args = append(args, words.Replace(arg))
			}
			code, out, errors := answered(t, tt.answers, args...)
			if want := words.Replace(tt.says); code != tt.code || !strings.HasPrefix(errors, want) {
				t.Errorf("exit code %d, it says\n%s\nwant %d\n%s\n%s", code, errors, tt.code, want, out)
			}
			if got := snapshot(t, file); !maps.Equal(got, before) {
				t.Errorf("the files have changed: %q", got)
			}
			if asked := sim.Requests(); tt.unasked && len(asked) > 0 {
				t.Errorf("OctoPrint was asked: %v", asked)
			}
			if strings.Contains(out+errors, "operator-key") {
				t.Errorf("the key is shown:\n%s%s", out, errors)
			}
		})
	}
}

// page has a server answer everything with a page, as something in front of it would.
func page(status int, html string) func(*testing.T, *octoprinttest.Server) {
	return func(_ *testing.T, sim *octoprinttest.Server) { sim.SetProxyPage(status, html) }
}

// serving starts a server that is no OctoPrint and returns its address.
func serving(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func endless(w http.ResponseWriter, _ *http.Request) {
	blanks := bytes.Repeat([]byte(" "), 1<<16)
	for {
		if _, err := w.Write(blanks); err != nil {
			return
		}
	}
}

func welcome(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "welcome") }

func circle(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "http://"+r.Host+r.URL.Path, http.StatusFound)
}

func toLogin(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/login?next="+r.URL.Path, http.StatusFound)
}

// downgrading starts a server with TLS that redirects to one without.
func downgrading(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1"+r.URL.Path, http.StatusFound)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return server.URL
}

// snapshot is all of a configuration's folder: what is in it, and with which rights.
func snapshot(t *testing.T, config string) map[string]string {
	t.Helper()
	found := contents(t, config)
	entries, err := os.ReadDir(filepath.Dir(config))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] += "\n" + info.Mode().String()
	}
	return found
}

func denying(t *testing.T, sim *octoprinttest.Server) {
	t.Helper()
	clicking(t, sim, false)
}

// exhaust makes as many requests for keys as OctoPrint takes in a minute.
func exhaust(t *testing.T, sim *octoprinttest.Server) {
	t.Helper()
	for range 3 {
		r := httptest.NewRequest(http.MethodPost, "/plugin/appkeys/request", strings.NewReader(`{"app":"x"}`))
		r.Header.Set("Content-Type", "application/json")
		sim.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// TestAddTwice: the same OctoPrint again, under the same address and another.
func TestAddTwice(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{}, false)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	file := folder(t, map[string]string{
		"config.yaml": fmt.Sprintf("mqtt: {url: 'mqtt://x'}\nprinters: [{id: left, url: '%s', api_key: A}]\n", server.URL),
	})
	before := contents(t, file)
	for address, says := range map[string]string{
		server.URL:                 "octoprint2mqtt: this OctoPrint is in the configuration already, as left; nothing was changed\n",
		"http://localhost:" + port: "octoprint2mqtt: this OctoPrint is in the configuration already, as left, under another address; nothing was changed\n",
	} {
		code, _, errors := answered(t, "", "add", address, "--config", file, "--key", "operator-key", "--yes")
		if code != exitFailed || errors != says {
			t.Errorf("%s: exit code %d: %s", address, code, errors)
		}
	}
	if got := contents(t, file); !maps.Equal(got, before) {
		t.Errorf("the files have changed: %q", got)
	}
}

// TestAddInterrupted: while a key is waited for.
func TestAddInterrupted(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{}, false)
	file := folder(t, map[string]string{"config.yaml": farmFile, "secrets.yaml": "left: A\n"})
	interruptWhileWaiting(t, file, "add", server.URL)
}

// interruptWhileWaiting interrupts a command while it waits for a key: it says so, and
// the files are as they were.
func interruptWhileWaiting(t *testing.T, file string, args ...string) {
	t.Helper()
	before := snapshot(t, file)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, log := newOutput("Waiting for that"), newOutput("")
	done := make(chan int)
	go func() {
		done <- run(ctx, append(args, "--config", file), surroundings{stdout: out, stderr: log, lookup: environment})
	}()
	<-out.seen
	cancel()
	if code := <-done; code != exitFailed || log.String() != "octoprint2mqtt: interrupted: nothing was changed\n" {
		t.Errorf("exit code %d: %s", code, log)
	}
	if got := snapshot(t, file); !maps.Equal(got, before) {
		t.Errorf("the files have changed: %q", got)
	}
}

// TestAddWithoutRights: nobody is asked in vain.
func TestAddWithoutRights(t *testing.T) {
	t.Parallel()
	sim, server := simulated(t, octoprinttest.Options{}, false)
	code, _, errors := answered(t, "", "add", server.URL, "--config", "/proc/config.yaml", "--mqtt", "mqtt://x", "--yes")
	if code != exitFailed || !strings.Contains(errors, "/proc/config.yaml can't be changed: in its folder /proc no file can be made") {
		t.Errorf("exit code %d: %s", code, errors)
	}
	if asked := sim.Requests(); len(asked) > 0 {
		t.Errorf("OctoPrint was asked: %v", asked)
	}
}

// TestTypedAddress: what people type and paste.
func TestTypedAddress(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string][]string{
		"octopi.local":                             {"http://octopi.local", "https://octopi.local", "http://octopi.local:5000"},
		"\tOctopi.LOCAL/\n":                        {"http://octopi.local", "https://octopi.local", "http://octopi.local:5000"},
		"octopi.local:5000":                        {"http://octopi.local:5000", "https://octopi.local:5000"},
		"octopi.local/left/":                       {"http://octopi.local/left", "https://octopi.local/left"},
		"192.168.1.20":                             {"http://192.168.1.20", "https://192.168.1.20", "http://192.168.1.20:5000"},
		"fe80::1":                                  {"http://[fe80::1]", "https://[fe80::1]", "http://[fe80::1]:5000"},
		"//octopi.local":                           {"http://octopi.local", "https://octopi.local", "http://octopi.local:5000"},
		"HTTP://host/Prefix//":                     {"http://host/Prefix"},
		"https://host":                             {"https://host"},
		`"http://host/?l=de#temp"`:                 {"http://host"},
		"<http://host/#control>":                   {"http://host"},
		"http://host/login/?redirect=%2F":          {"http://host"},
		"http://host/left/login":                   {"http://host/left"},
		"http://host/api/version":                  {"http://host"},
		"http://host/left/plugin/appkeys/auth/xyz": {"http://host/left"},
	} {
		got, err := typedAddress(typed)
		var list []string
		for _, u := range got {
			list = append(list, u.String())
		}
		if err != nil || !slices.Equal(list, want) {
			t.Errorf("%q: %q, %v", typed, list, err)
		}
	}
	for _, typed := range []string{"", "  ", "mqtt://host", "http://", "http://a b", "http://me@host", "host:99999", "http://[::1"} {
		if got, err := typedAddress(typed); err == nil {
			t.Errorf("%q: %v", typed, got)
		}
	}
}

// TestProposeID: from what a printer is called.
func TestProposeID(t *testing.T) {
	t.Parallel()
	taken := func(id string) bool { return id == "left" || id == "printer" || id == strings.Repeat("a", 32) }
	for _, tt := range []struct{ name, want string }{
		{"Prusa MK4 (rechts)", "prusa-mk4-rechts"},
		{"Größe 2", "groesse-2"},
		{"Left", "left-2"},
		{"farm", "printer-2"},
		{"プリンター", "printer-2"},
		{strings.Repeat("a", 40), strings.Repeat("a", 30) + "-2"},
	} {
		got := proposeID(tt.name, taken)
		if _, err := printerID(got); got != tt.want || err != nil {
			t.Errorf("%+v: %s, %v", tt, got, err)
		}
	}
}

// TestAddWhileRunning: a running bridge takes the printer up by itself.
func TestAddWhileRunning(t *testing.T) {
	t.Parallel()
	_, server := simulated(t, octoprinttest.Options{}, false)
	file := folder(t, map[string]string{"config.yaml": farmFile, "secrets.yaml": "left: A\n"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	log := newOutput(`"changes":"added: right"`)
	started := newOutput("octoprint2mqtt starts")
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"run", "--config", file}, surroundings{stdout: io.Discard, stderr: io.MultiWriter(started, log), lookup: environment})
	}()
	<-started.seen
	if code, out, errors := answered(t, "", "add", server.URL, "--config", file, "--key", "operator-key", "--id", "right", "--yes"); code != exitOK {
		t.Fatalf("exit code %d: %s\n%s", code, errors, out)
	}
	select {
	case <-log.seen:
	case <-ctx.Done():
		t.Errorf("it was not taken up:\n%s", log)
	}
	cancel()
	<-done
	if strings.Contains(log.String(), "operator-key") {
		t.Errorf("the key is in the log:\n%s", log)
	}
}
