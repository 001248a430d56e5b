package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"octoprint2mqtt/octoprint"
)

// FuzzPlugins: whatever plugins push or answer, rows and documents
// are fit to be published, and Home Assistant takes what is announced.
func FuzzPlugins(f *testing.F) {
	for _, seed := range []string{
		`{"action":"show","text":"Door open?","choices":["Yes","No"]}`, `{"action":"close"}`, `{"text":"?","choices":["","none","none"]}`,
		`{"message":"Filament is low"}`, `{"isPSUOn":true}`, `{"type":"throttle_state","state":{"current_undervoltage":true}}`,
		`{"throttle_functional":true,"throttle_state":{"current_overheat":true}}`, `{"currentLayer":"1","totalLayer":"2","fanspeed":"Off","feedrate":"1e300"}`,
		`{"layer":{"current":"1"},"height":{"total":"-0"},"fanSpeed":"3%"}`, `{"mesh":[["0.1",null],[-1e308,1e308]]}`,
		`{"plugins":{"bedlevelvisualizer":{"stored_mesh":[[1,2]]}}}`, `{"cpu":{"average":1},"memory":{"percent":"x"},"temp":{"celsius":{"current":1e999}}}`,
		`{"type":"render-progress","status":{"is_rendering":true,"unfinished_renderings":{"in_process":{"progress_percent":101}}}}`,
		`null`, `[]`, `"x"`, ``, `{"action":"show","text":"\u0000","choices":[null,"\ud800"]}`,
	} {
		f.Add([]byte(seed))
	}
	list := plugins()
	f.Fuzz(func(t *testing.T, told []byte) {
		p := listener()
		p.view.info.Permissions, p.view.has = nil, allPlugins()
		p.view.prints.active = &job{path: "a.gcode"}
		p.device.setRows(shapedRows(&p.view))
		for _, own := range list {
			for _, name := range own.names() {
				if json.Valid(told) {
					p.PluginReceived(name, slices.Clone(told))
				}
			}
		}
		checkEveryPluginRow(t, p)
		for _, own := range list {
			for _, i := range own.inquiries {
				if change, err := i.ask(t.Context(), octoPrintThatSays(told), p.view); err == nil && change != nil {
					p.mu.Lock()
					p.changeLocked(change, time.Now())
					p.mu.Unlock()
				}
			}
		}
		checkEveryPluginRow(t, p)
	})
}

// octoPrintThatSays returns a client of a server that answers everything alike.
func octoPrintThatSays(body []byte) *octoprint.Client {
	return octoprint.NewClient(octoprint.Options{URL: mustURL("http://left.test"), Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
				fmt.Fprintf(server, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			}
		}()
		return client, nil
	}})
}

// checkEveryPluginRow fails unless what a printer shows can be shown.
func checkEveryPluginRow(t *testing.T, p *printer) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.device.rows {
		if r.value == nil {
			continue
		}
		v := r.value(&p.view)
		if s := v.payload(); s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxText {
			t.Errorf("%s shows %q", r.key, s)
		}
		if r.options != nil && v.kind != unknownValue && !slices.Contains(r.offered(&p.view, v), v.payload()) {
			t.Errorf("%s doesn't offer %q", r.key, v.payload())
		}
	}
	for _, e := range p.pending.events() {
		if text := e.payload(time.Now()); !json.Valid([]byte(text)) || !slices.Contains(eventTypes(), string(e.Type)) {
			t.Errorf("told %s", text)
		}
	}
	d, _ := p.describe()
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
	if !json.Valid([]byte(mustMarshal(p.document(p.device, &p.view)))) {
		t.Error("no document")
	}
}
