package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
)

// TestAnotherProfile: what a connection to the printer shows the printer to be
// decides which rows there are.
func TestAnotherProfile(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		p := w.bridge.printer("left")
		p.mu.Lock()
		info := p.view.info
		p.mu.Unlock()
		before := w.broker.seen()
		info.Profile = &octoprint.Profile{ID: "_default", Model: "Twin", Heaters: []string{"tool0", "tool1", "chamber"}}
		p.InfoChanged(info)
		w.sleep(5 * time.Second)
		for key, want := range map[string]string{
			"bed_temperature": "stub", "bed_setpoint": "stub", "tool1_setpoint": "full", "chamber_temperature": "full", "tool0_target": "full",
		} {
			if got := w.configs(before, key); got != want {
				t.Errorf("%s: %s, want %s", key, got, want)
			}
		}
		if got := w.components("left")["tool0_temperature"]["name"]; got != "Tool 0 temperature" {
			t.Errorf("the first of two tools is called %v", got)
		}
		for _, key := range []string{"bed_temperature", "bed_target", "bed_setpoint", "bed_offset"} {
			if got := w.value("left", key); got != "" {
				t.Errorf("%s = %s is still retained", key, got)
			}
		}
		w.expect("left", "tool1_temperature", "None") // no reading yet
		temperatures := w.doc(w.topics.Document("left"))["temperatures"].(map[string]any)
		if len(temperatures) != 3 || temperatures["bed"] != nil {
			t.Errorf("the document has %v", temperatures)
		}
		if r := w.set("left", "bed_setpoint", "60"); r.code() != CodeNoAction {
			t.Errorf("a command to the bed: %v", r.Error)
		}
		w.checkTruth()

		// And the same again changes nothing.
		before = w.broker.seen()
		p.InfoChanged(info)
		w.sleep(2 * time.Second)
		if list := w.broker.since(before, w.topics.Config("left")); len(list) > 0 {
			t.Errorf("announced again: %.200s", list[0].payload)
		}
	})
}

// TestRowsThatComeBack are not removed any more.
func TestRowsThatComeBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sims["left"].SetPermissions("operator", "STATUS", "CONTROL", octoprint.PermissionPrompt)
		w.sleep(5 * time.Second)
		w.sims["left"].SetPermissions("operator", "STATUS", "CONTROL", "PRINT", octoprint.PermissionPrompt)
		w.sleep(10 * time.Second)
		p := w.bridge.printer("left")
		p.mu.Lock()
		defer p.mu.Unlock()
		for key, want := range map[string]bool{"connect": true, "disconnect": true, "pause": false, "start": false} {
			if _, gone := p.announced.removed[key]; gone != want {
				t.Errorf("%s is to be removed: %v", key, gone)
			}
		}
	})
}

// TestUnknownProfileIsNoOther: that the profile can't be known now doesn't take
// away what was known.
func TestUnknownProfileIsNoOther(t *testing.T) {
	t.Parallel()
	p := printerIn(situation{AccessControl, []string{"PRINT", "CONTROL"}, "idle"})
	info := p.view.info
	info.Profile = nil
	p.InfoChanged(info)
	if got := p.view.heaters(); !slices.Equal(got, []string{"tool0", "bed"}) {
		t.Errorf("heaters %q", got)
	}
}

// TestShapedRows: which rows there are, and which of them are announced, at each
// level of access, with and without permissions, and before the first session.
func TestShapedRows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		access      Access
		permissions []string
		reached     bool
		commands    string // rows that take commands
	}{
		{AccessRead, []string{"PRINT", "CONTROL", "CONNECTION"}, true, ""},
		{AccessControl, []string{}, true, ""},
		{AccessControl, []string{"PRINT"}, true, "cancel pause resume start"},
		{AccessControl, []string{"CONNECTION"}, true, "connect disconnect port profile"},
		{AccessControl, []string{"CONTROL"}, true, "bed_heater bed_offset bed_setpoint emergency_stop fan feedrate flowrate home preset tool0_heater tool0_offset tool0_setpoint"},
		{AccessControl, nil, true, "bed_heater bed_offset bed_setpoint cancel connect disconnect emergency_stop fan feedrate flowrate home pause port preset profile prompt_answer resume selected_file start tool0_heater tool0_offset tool0_setpoint"},
		{AccessFull, []string{"PRINT"}, true, "cancel pause resume start"},
		{AccessFull, []string{"CONTROL"}, true, "bed_heater bed_offset bed_setpoint emergency_stop fan feedrate flowrate gcode home message preset tool0_heater tool0_offset tool0_setpoint"},
		{AccessControl, []string{"PLUGIN_SOFTWAREUPDATE_CHECK", "PLUGIN_SOFTWAREUPDATE_UPDATE"}, true, ""},
		{AccessFull, []string{"PLUGIN_SOFTWAREUPDATE_CHECK"}, true, ""},
		{AccessFull, []string{"PLUGIN_SOFTWAREUPDATE_CHECK", "PLUGIN_SOFTWAREUPDATE_UPDATE"}, true, "octoprint_update"},
		{AccessFull, []string{"SYSTEM"}, true, "reboot restart_octoprint shutdown system_custom_lamp_on"},
		{AccessControl, []string{"SYSTEM"}, true, ""},
		{AccessControl, nil, false, ""},
	} {
		v := zeroView()
		v.config.Access = tt.access
		if tt.reached {
			v.info = octoprint.Info{Version: "1.3.12", User: "anna", Permissions: tt.permissions, Profile: &octoprint.Profile{Heaters: []string{"tool0", "bed"}}}
			v.has.Commands, v.has.Connector = coreCommands(), octoprint.SerialConnector
		}
		var commands []string
		for _, r := range shapedRows(v) {
			if r.action == actionMaintenance {
				if tt.access == AccessRead {
					t.Errorf("%+v: %s is there", tt, r.key)
				}
			} else if r.action != "" {
				commands = append(commands, r.key)
			}
			if r.unannounced == (tt.reached || r.bridged) {
				t.Errorf("%+v: %s is announced: %v", tt, r.key, !r.unannounced)
			}
		}
		slices.Sort(commands)
		if got := strings.Join(commands, " "); got != tt.commands {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// TestP6TablesAreBounded is a part of promise P6: shapes that come and go are not
// kept for ever.
func TestP6TablesAreBounded(t *testing.T) {
	t.Parallel()
	var known tables
	v := zeroView()
	v.info.Version = "1.11.8"
	for i := range 3 * maxTables {
		v.info.Permissions = []string{"STATUS", strings.Repeat("X", i)}
		known.of(v)
	}
	if len(known.known) > maxTables {
		t.Errorf("%d tables are kept", len(known.known))
	}
	if a, b := known.of(v), known.of(v); a != b {
		t.Error("the same shape has two tables")
	}
}

// TestUpgradeCostsNoMemory: a document of an earlier version differs in all it
// says, but what it announces and the device still has need not be remembered.
func TestUpgradeCostsNoMemory(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.stop()
		config := w.topics.Config("left")
		w.broker.publish(config, strings.ReplaceAll(w.retained(config), "mdi:", "mdi:old-"), true)
		w.up()
		w.sleep(15 * time.Second)
		p := w.bridge.printer("left")
		p.mu.Lock()
		defer p.mu.Unlock()
		if n := len(p.announced.had); n > 0 {
			t.Errorf("%d components are remembered though nothing has gone", n)
		}
	})
}

// TestShrunkRightAfterAnUpgrade: what Home Assistant has of an earlier run is
// removed also if it goes before our own document has arrived.
func TestShrunkRightAfterAnUpgrade(t *testing.T) {
	t.Parallel()
	p := printerIn(situation{AccessControl, []string{"PRINT", "CONTROL"}, "idle"})
	p.announced.topic = "homeassistant/device/base_left/config"
	p.mu.Lock()
	p.reshapeLocked()
	former := p.componentsLocked()
	p.mu.Unlock()
	p.announced.inherit(former)
	info := p.view.info
	info.Permissions = []string{"CONTROL"}
	p.InfoChanged(info)
	for _, key := range []string{"pause", "resume", "cancel", "start"} {
		if _, ok := p.announced.removed[key]; !ok {
			t.Errorf("%s is not removed", key)
		}
	}
	if _, ok := p.announced.removed["home"]; ok {
		t.Error("home is removed")
	}
}

// TestAttributesGoAfterTheirRow: an empty message where Home Assistant expects JSON is
// a complaint in its log, as long as it has the row.
func TestAttributesGoAfterTheirRow(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(10 * time.Second)
		topic := w.topics.Attributes("left", "octoprint_update")
		if w.retained(topic) == "" {
			t.Fatal("there are no attributes")
		}
		before := w.broker.seen()
		w.sims["left"].SetPermissions("operator", "STATUS")
		w.sleep(20 * time.Second)
		stub := w.broker.since(before, w.topics.Config("left"))
		gone := w.broker.since(before, topic)
		if len(stub) == 0 || len(gone) != 1 || gone[0].payload != "" || gone[0].at.Sub(stub[0].at) < 2*time.Second {
			t.Errorf("announced %d times, attributes %+v", len(stub), gone)
		}
	})
}
