package integration

import (
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestSystemKeys: what foreign names become, and which are left out.
func TestSystemKeys(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 40)
	for _, tt := range []struct {
		commands string // SOURCE/ACTION
		want     string // - for none
	}{
		{"core/restart core/reboot core/shutdown core/restart_safe", "restart_octoprint reboot shutdown -"},
		{"custom/lamp_on plugin/lamp_on", "system_custom_lamp_on system_plugin_lamp_on"},
		{"custom/Lamp.On!", "system_custom_lamp_on"},
		{"custom/lamp-on custom/lamp_on custom/other", "- - system_custom_other"},
		{"custom/" + long, "system_custom_" + long[:32]},
		{"custom/" + long + "1 custom/" + long + "2", "- -"},
		{"custom/+#/$ custom/日本 custom/unknown", "- - system_custom_unknown"},
		{"elsewhere/x", "-"},
	} {
		var list []octoprint.SystemCommand
		for c := range strings.FieldsSeq(tt.commands) {
			source, action, _ := strings.Cut(c, "/")
			list = append(list, octoprint.SystemCommand{Source: source, Action: action, Name: action})
		}
		var got []string
		for _, key := range systemKeys(list) {
			if key == "" {
				key = "-"
			} else if !keyPattern.MatchString(key) {
				t.Errorf("%s is no key", key)
			}
			got = append(got, key)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %s, want %s", tt.commands, got, tt.want)
		}
	}
}

// administrator is a printer with everything allowed.
func administrator(o octoprinttest.Options) setup {
	return setup{options: o, config: func(c *PrinterConfig) {
		c.APIKey, c.Access, c.GcodeAllow = "admin-key", AccessFull, []GcodeWord{{Word: "M106"}}
	}}
}

// TestSystemButtons: buttons come and go with the system menu, run what they say,
// and nothing while a print runs.
func TestSystemButtons(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		s := w.sims["left"]
		if got := w.components("left")["system_custom_lamp_on"]["name"]; got != "Lamp on" {
			t.Errorf("the lamp's button is called %v", got)
		}
		if list := w.logs.lines("warn", "gets no button"); len(list) != 2 {
			t.Errorf("logged: %q", list)
		}
		if r := w.set("left", "system_custom_lamp_on", "PRESS"); r.code() != "ok" {
			t.Errorf("lamp: %+v", r)
		}
		if r := w.set("left", "system_custom_lamp_on", "ON"); r.code() != CodeInvalid {
			t.Errorf("ON to a button: %s", r.code())
		}
		if r := w.set("left", "system_custom_fails", "PRESS"); r.code() != CodeOctoPrint || !strings.Contains(r.Error.Message, "no lamp") {
			t.Errorf("a command that fails: %+v", r)
		}
		if r := w.set("left", "system_custom_same", "PRESS"); r.code() != CodeNoAction {
			t.Errorf("a command that collides: %s", r.code())
		}
		if got := strings.Join(s.sentTo(0), " "); !strings.Contains(got, "POST /api/system/commands/custom/lamp_on") || strings.Contains(got, "same") {
			t.Errorf("sent %s", got)
		}
		w.print("left")
		w.sleep(time.Second)
		for _, key := range []string{"restart_octoprint", "reboot", "shutdown", "system_custom_lamp_on"} {
			if r := w.set("left", key, "PRESS"); r.code() != CodeWrongState {
				t.Errorf("%s while printing: %s", key, r.code())
			}
		}
		before := w.broker.seen()
		s.SetSystemCommands(octoprinttest.SystemCommand{Action: "fan", Name: "Fan"})
		w.sleep(10 * time.Second)
		if got := w.configs(before, "system_custom_lamp_on"); !strings.HasPrefix(got, "stub") {
			t.Errorf("the lamp's button: %s, want a stub", got)
		}
		if w.components("left")["system_custom_fan"] == nil {
			t.Error("no button for the fan")
		}
	}, func() setup {
		s := administrator(octoprinttest.Options{SystemCommands: []octoprinttest.SystemCommand{
			{Action: "lamp_on", Name: "Lamp on"},
			{Action: "divider"},
			{Action: "fails", Name: "Fails", Error: "no lamp"},
			{Action: "same", Name: "One"},
			{Action: "Same", Name: "Other"},
		}})
		s.prepare = withBenchy
		return s
	}())
}

// TestRestartOctoPrint: the button restarts it, and the bridge sees it back.
func TestRestartOctoPrint(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		if r := w.set("left", "restart_octoprint", "PRESS"); r.code() != "ok" {
			t.Fatalf("%+v", r)
		}
		w.within(10*time.Second, "it is gone", func() bool { return w.value("left", "connection") != "connected" })
		w.within(2*time.Minute, "it is back", func() bool { return w.value("left", "connection") == "connected" })
		w.sleep(time.Second)
		w.expect("left", "reconnects", "1")
	}, administrator(octoprinttest.Options{}))
}

// TestMoreAccessAsksMore: what only full access shows is asked for when that is
// given while a session runs.
func TestMoreAccessAsksMore(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second)
		if w.components("left")["reboot"] != nil {
			t.Fatal("there is a button to reboot")
		}
		c := w.config.Printers[0]
		c.Access = AccessFull
		w.bridge.printer("left").reconfigure(&c)
		w.sleep(5 * time.Second)
		if w.components("left")["reboot"] == nil {
			t.Error("there is no button to reboot")
		}
		w.expect("left", "reconnects", "0")
	}, setup{config: func(c *PrinterConfig) { c.APIKey = "admin-key" }})
}
