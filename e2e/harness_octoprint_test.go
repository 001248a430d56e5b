//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// octoPrint is a real server, used as its own web page would use it.
type octoPrint struct {
	server octoPrintServer
	client http.Client
}

func newOctoPrint(server octoPrintServer) *octoPrint {
	// Servers before 1.10 hang up after an answer without saying so.
	return &octoPrint{server: server, client: http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// do sends one request as the administrator and decodes the answer.
func (o *octoPrint) do(method, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if body == nil {
		text = nil
	}
	request, err := http.NewRequest(method, o.server.URL+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	return o.send(request, answer)
}

func (o *octoPrint) send(request *http.Request, answer any) error {
	return o.sendAs(o.server.Keys["admin"], request, answer)
}

func (o *octoPrint) sendAs(key string, request *http.Request, answer any) error {
	request.Header.Set("X-Api-Key", key)
	response, err := o.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", request.Method, request.URL.Path, response.Status, text)
	}
	if answer == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, answer)
}

func (o *octoPrint) post(t *testing.T, path string, body any) {
	t.Helper()
	if err := o.do(http.MethodPost, path, body, nil); err != nil {
		t.Fatal(err)
	}
}

// gcode sends one line, which may be a debug command of the virtual printer.
func (o *octoPrint) gcode(t *testing.T, line string) {
	t.Helper()
	o.post(t, "/api/printer/command", map[string]any{"command": line})
}

func (o *octoPrint) job(t *testing.T, command string, more ...string) {
	t.Helper()
	body := map[string]any{"command": command}
	if len(more) == 1 {
		body["action"] = more[0]
	}
	o.post(t, "/api/job", body)
}

// upload stores a file and returns the path that OctoPrint gave it.
func (o *octoPrint) upload(t *testing.T, name, content string, fields map[string]string) string {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for key, value := range fields {
		must(t, form.WriteField(key, value))
	}
	file, err := form.CreateFormFile("file", name)
	must(t, err)
	_, err = io.WriteString(file, content)
	must(t, err)
	must(t, form.Close())
	request, err := http.NewRequest(http.MethodPost, o.server.URL+"/api/files/local", &body)
	must(t, err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	var answer struct {
		Files struct{ Local struct{ Path string } }
	}
	must(t, o.send(request, &answer))
	return answer.Files.Local.Path
}

// printFile uploads a file and prints it.
func (o *octoPrint) printFile(t *testing.T, name, content string) string {
	t.Helper()
	return o.upload(t, name, content, map[string]string{"select": "true", "print": "true"})
}

// state is what OctoPrint calls the printer's state, such as "Operational".
func (o *octoPrint) state() string {
	var answer struct{ Current struct{ State string } }
	if err := o.do(http.MethodGet, "/api/connection", nil, &answer); err != nil {
		return err.Error()
	}
	return answer.Current.State
}

func (o *octoPrint) waitState(t *testing.T, wanted string) {
	t.Helper()
	eventually(t, fmt.Sprintf("OctoPrint on port %d: state %s", o.server.Port, wanted), patient, func() (bool, string) {
		state := o.state()
		return state == wanted, state
	})
}

// target is the temperature in °C that a heater shall reach.
func (o *octoPrint) target(heater string) float64 {
	var answer struct {
		Temperature map[string]struct{ Target float64 }
	}
	if err := o.do(http.MethodGet, "/api/printer?exclude=state,sd", nil, &answer); err != nil {
		return -1
	}
	return answer.Temperature[heater].Target
}

func (o *octoPrint) waitTarget(t *testing.T, heater string, wanted float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("OctoPrint on port %d: target of %s %v", o.server.Port, heater, wanted), soon, func() (bool, string) {
		target := o.target(heater)
		return target == wanted, fmt.Sprint(target)
	})
}

// reset brings the printer to its known state: connected, idle, cold, no file
// selected.
func (o *octoPrint) reset(t *testing.T) {
	t.Helper()
	eventually(t, fmt.Sprintf("OctoPrint on port %d: known state", o.server.Port), 2*patient, func() (bool, string) {
		switch state := o.state(); state {
		case "Operational":
			return true, state
		case "Closed", "Offline", "Offline after error", "Error":
			return false, fmt.Sprint(state, o.tryConnect())
		case "Printing", "Paused", "Pausing", "Starting":
			return false, fmt.Sprint(state, o.do(http.MethodPost, "/api/job", map[string]any{"command": "cancel"}, nil))
		default:
			return false, state
		}
	})
	o.post(t, "/api/printer/tool", map[string]any{"command": "target", "targets": map[string]int{"tool0": 0}})
	o.post(t, "/api/printer/bed", map[string]any{"command": "target", "target": 0})
	o.waitTarget(t, "tool0", 0)
	o.waitTarget(t, "bed", 0)
	// The answer is an error when nothing is selected.
	_ = o.do(http.MethodPost, "/api/files/local/current", map[string]any{"command": "unselect"}, nil)
}

// permissionsOf returns, sorted, what the owner of a key may do.
func (o *octoPrint) permissionsOf(key string) ([]string, error) {
	request, err := http.NewRequest(http.MethodGet, o.server.URL+"/api/currentuser", nil)
	if err != nil {
		return nil, err
	}
	var user struct{ Permissions []string }
	err = o.sendAs(key, request, &user)
	slices.Sort(user.Permissions)
	return user.Permissions, err
}

// setGroups changes what a user may do; without a group that is nothing.
func (o *octoPrint) setGroups(t *testing.T, user string, groups ...string) {
	t.Helper()
	groups = append([]string{}, groups...) // null makes OctoPrint stumble
	must(t, o.do(http.MethodPut, "/api/access/users/"+user, map[string]any{"active": true, "groups": groups}, nil))
}

// appKey makes an application key for a user, as the user could in the settings; revokeAppKey ends it.
func (o *octoPrint) appKey(t *testing.T, user string) string {
	t.Helper()
	var answer struct {
		Key string `json:"api_key"`
	}
	must(t, o.do(http.MethodPost, "/api/plugin/appkeys", map[string]any{"command": "generate", "app": "octoprint2mqtt", "user": user}, &answer))
	return answer.Key
}

func (o *octoPrint) revokeAppKey(t *testing.T, user string) {
	t.Helper()
	o.post(t, "/api/plugin/appkeys", map[string]any{"command": "revoke", "app": "octoprint2mqtt", "user": user})
}

// serialSent returns what OctoPrint has sent to the printer so far, one line
// each, without the polling that it does by itself.
func (o *octoPrint) serialSent(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.server.Folder, "logs", "serial.log"))
	must(t, err)
	var sent []string
	for line := range strings.Lines(string(text)) {
		line = strings.Replace(line, "- >>> ", "- Send: ", 1) // since 2.0
		_, command, found := strings.Cut(strings.TrimSpace(line), "- Send: ")
		if found && !strings.Contains(command, "M105") && !strings.Contains(command, "M27") {
			sent = append(sent, command)
		}
	}
	return sent
}

// waitSent waits until the printer has got each of these texts in a line since that many lines.
func (o *octoPrint) waitSent(t *testing.T, since int, texts ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("the printer gets %q", texts), soon, func() (bool, string) {
		lines := strings.Join(o.serialSent(t)[since:], "\n")
		missing := slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(lines, text) })
		return !missing, lines
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
