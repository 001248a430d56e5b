package octoprinttest

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzServer: whatever the simulation is asked, it answers with a status and with
// whole JSON, and can be asked again.
func FuzzServer(f *testing.F) {
	const post = "POST %s HTTP/1.1\r\nHost: h\r\nX-Api-Key: admin-key\r\nContent-Type: application/json\r\n\r\n"
	for path, bodies := range map[string][]string{
		"/api/printer/bed":         {`{"command": "target", "target": 45}`, `{"command": "target", "target": "45"}`},
		"/api/printer/command":     {`{"command": "M105", "commands": ["M105"]}`, `{"commands": ["M117 Hi", "G4 P10", "M106 S128"]}`, `{"command": "M104 S-1e9 T99\nG28"}`},
		"/api/printer/printhead":   {`{"command": "home", "axes": ["q"]}`, `{"command": "jog", "x": 10, "y": 20, "z": 5, "absolute": true, "speed": 30}`},
		"/api/printer/tool":        {`{"command": "offset", "offsets": {"tool0": 51}}`, `{"command": "target", "targets": {"tool0": 40, "tool1": 35.5}}`, `{"command": "extrude", "amount": 5}`},
		"/api/connection":          {`{"command": "connect", "port": "VIRTUAL", "baudrate": 115200, "printerProfile": "_default"}`, `{"command": "disconnect"}`},
		"/api/files/local/a.gcode": {`{"command": "select", "print": true}`, `{"command": "move", "destination": "moved.gcode"}`},
		"/api/job":                 {`{"command": "pause", "action": "nope"}`, `{"command":`, `{"command": "start"}`},
		"/api/settings":            {`{"plugins": {"a": 1}}`}, "/plugin/appkeys/request": {`{"app": "Lab Bridge"}`}, "/api/login": {`{"passive": true}`},
		"/plugin/appkeys/decision/x": {`{"decision": true}`}, "/api/system/commands/core/restart": {""},
	} {
		for _, body := range bodies {
			f.Add(strings.Replace(post, "%s", path, 1) + body)
		}
	}
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.gcode\"\r\n\r\nG28\nM104 S200\nG1 X1e9 F0\n\r\n--b--\r\n"
	upload := strings.Replace(strings.Replace(post, "application/json", "multipart/form-data; boundary=b", 1), "%s", "/api/files/local", 1) + form
	for _, text := range []string{upload, "GET /api/files/local/../x?recursive=true HTTP/1.1\r\nHost: h\r\nX-Api-Key: admin-key\r\n\r\n", "DELETE /api/files/local/a.gcode HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer admin-key\r\n\r\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		head, body, _ := strings.Cut(text, "\r\n\r\n")
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\r\n\r\n")))
		if err != nil {
			return
		}
		for _, version := range []string{"1.11.8", "2.0.0rc7", "1.3.12"} {
			s := New(Options{Version: version})
			s.AddFile(File{Path: "a.gcode"})
			ask := func(r *http.Request, body string) *httptest.ResponseRecorder {
				r = r.Clone(t.Context())
				r.Body = io.NopCloser(strings.NewReader(body))
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				return w
			}
			w := ask(r, body)
			if w.Code < 200 || w.Code > 599 || strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: status %d, %s", version, w.Code, w.Body)
			}
			if w := ask(httptest.NewRequest(http.MethodGet, "/api/job?apikey=admin-key", nil), ""); w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: afterwards the job is %d, %s", version, w.Code, w.Body)
			}
			s.Close()
		}
	})
}
