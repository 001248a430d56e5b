package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestUpdateDoc: where nothing newer is known, the latest version is the installed
// one.
func TestUpdateDoc(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		u                    octoprint.Updates
		octoprint, pluginDoc string
	}{
		{octoprint.Updates{}, "1.11.8 1.11.8", `{"names":[]}`},
		{octoprint.Updates{Installed: "1.11.8"}, "1.11.8 1.11.8", `{"names":[]}`},
		{octoprint.Updates{Installed: "1.11.8", Latest: "1.12.0", Plugins: []string{"A\nb"}}, "1.11.8 1.12.0", `{"names":["A b"]}`},
		{octoprint.Updates{Latest: "1.12.0"}, "1.11.8 1.12.0", `{"names":[]}`},
	} {
		got := newUpdates(tt.u, "1.11.8")
		versions := strings.Fields(tt.octoprint)
		if want := fmt.Sprintf(`{"installed_version":%q,"latest_version":%q}`, versions[0], versions[1]); got.octoprint != want || got.plugins != tt.pluginDoc {
			t.Errorf("%+v: %s, %s", tt.u, got.octoprint, got.plugins)
		}
	}
}

// TestUpdates: they are shown, asked for every few hours, and installed by who may.
func TestUpdates(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.sims["left"]
		w.up()
		w.sleep(5 * time.Second)
		w.expect("left", "octoprint_update", "1.11.8")
		w.expect("left", "octoprint_update/attributes", `{"installed_version":"1.11.8","latest_version":"1.11.8"}`)
		w.expect("left", "plugin_updates", "0")
		c := w.components("left")["octoprint_update"]
		if c["stat_t"] != "octoprint2mqtt/left/octoprint_update/attributes" || c["pl_inst"] != "install" || c["cmd_t"] == nil || c["json_attr_t"] != nil {
			t.Errorf("announced: %v", c)
		}
		if r := w.set("left", "octoprint_update", "install"); r.code() != CodeWrongState {
			t.Errorf("nothing to install: %s", r.code())
		}
		s.SetUpdates(octoprinttest.Updates{OctoPrint: "1.12.0", Plugins: []string{"Zoom", "Alarm"}})
		w.sleep(updatesEvery + time.Minute)
		w.expect("left", "octoprint_update/attributes", `{"installed_version":"1.11.8","latest_version":"1.12.0"}`)
		w.expect("left", "plugin_updates", "2")
		w.expect("left", "plugin_updates/attributes", `{"names":["Alarm","Zoom"]}`)
		if r := w.set("left", "octoprint_update", "PRESS"); r.code() != CodeInvalid {
			t.Errorf("PRESS: %s", r.code())
		}
		w.print("left")
		w.sleep(time.Second)
		if r := w.request("left", "update", "{}"); r.code() != CodeWrongState {
			t.Errorf("while printing: %s", r.code())
		}
		w.must(s.Cancel())
		w.sleep(10 * time.Second)
		if r := w.set("left", "octoprint_update", "install"); r.code() != "ok" {
			t.Errorf("%+v", r)
		}
		w.within(20*time.Second, "it restarts", func() bool { return w.value("left", "connection") != "connected" })
		w.expect("left", "octoprint_update", "None")
		w.expect("left", "octoprint_update/attributes", "{}")
		w.within(2*time.Minute, "it is back", func() bool { return w.value("left", "connection") == "connected" })
		w.sleep(5 * time.Second)
		w.expect("left", "octoprint_update/attributes", `{"installed_version":"1.11.8","latest_version":"1.11.8"}`)
		for _, r := range s.Requests() {
			if r.Path == "/plugin/softwareupdate/check" && r.Query != "" {
				t.Errorf("asked with %s", r.Query)
			}
		}
	}, func() setup {
		s := administrator(octoprinttest.Options{})
		s.prepare = withBenchy
		return s
	}())
}

// TestUpdatesToLookAt: who may not install one is offered none to install.
func TestUpdatesToLookAt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key    string
		access Access
		want   Code
	}{{"admin-key", AccessControl, CodeAccessDenied}, {"operator-key", AccessFull, CodeNotPermitted}, {"operator-key", AccessRead, CodeAccessDenied}} {
		inBubble(t, func(w *world) {
			w.up()
			w.sleep(5 * time.Second)
			c := w.components("left")["octoprint_update"]
			if c == nil || c["cmd_t"] != nil || c["pl_inst"] != nil {
				t.Errorf("%+v: announced: %v", tt, c)
			}
			for _, r := range []reply{w.set("left", "octoprint_update", "install"), w.request("left", "update", "{}")} {
				if r.code() != tt.want {
					t.Errorf("%+v: %s", tt, r.code())
				}
			}
			for _, r := range w.sims["left"].Requests() {
				if r.Method == http.MethodPost && strings.Contains(r.Path, "update") {
					t.Errorf("%+v: sent %s", tt, r.Path)
				}
			}
		}, setup{options: octoprinttest.Options{Updates: octoprinttest.Updates{OctoPrint: "1.12.0"}}, config: func(c *PrinterConfig) {
			c.APIKey, c.Access = tt.key, tt.access
		}})
	}
}
