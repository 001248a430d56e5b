//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// withKey starts a bridge that reaches the printer "left" by another key.
func withKey(t *testing.T, user, access string) *farm {
	t.Helper()
	return newFarm(t, func(f *farm) {
		f.config.Printers[0].Access = access
		f.config.Printers[0].APIKey = "no-such-key-no-such-key-no-such-key-no-such"
		if key := f.octo["left"].server.Keys[user]; key != "" {
			f.config.Printers[0].APIKey = key
		}
	}, "left")
}

// expectRefusedBy wants a printer that cannot be used, with a reason that
// names it and without any row that would need a session.
func (f *farm) expectRefusedBy(connection string) {
	f.t.Helper()
	f.expect("left/connection", connection)
	f.expectThat("left/connection_detail", "a sentence", func(text string) bool { return strings.Contains(text, " ") })
	f.expect("left/availability", "offline")
	f.expect("farm/unreachable", "1")
	if f.ha != nil {
		f.ha.waitState(f.t, entityID("sensor", "left", "connection"), connection)
	}
	if controls := f.controls("left"); len(controls) > 0 {
		f.t.Errorf("%v are announced, although nobody knows what the key allows", controls)
	}
	f.request("left", "pause", "{}").mustFail(f.t, "octoprint_unreachable", "not_permitted", "printer_offline")
	f.expectNoChanges()
}

// expectNoChanges wants that the bridge has asked OctoPrint for nothing that
// changes anything.
func (f *farm) expectNoChanges() {
	f.t.Helper()
	f.settle()
	for id, line := range f.lines {
		if changes := line.changes(); len(changes) > 0 {
			f.t.Errorf("the bridge sent to %s: %v", id, changes)
		}
	}
}

func TestRejectedKey(t *testing.T) {
	f := withKey(t, "somebody else", "control")
	f.expectRefusedBy("unauthorized")
	f.expect("farm/attention", "ON")
	f.compareWithHomeAssistant()
}

func TestGlobalKeyIsRefused(t *testing.T) {
	f := withKey(t, "global", "control")
	f.expectRefusedBy("unauthorized")
	f.expect("left/connection_detail", "The API key is OctoPrint's global key, which belongs to no user and is going away: get an application key instead, with octoprint2mqtt enroll left.")
}

func TestUserWithoutPermissions(t *testing.T) {
	f := withKey(t, "nobody", "control")
	f.expectRefusedBy("not_permitted")
}

func TestKeyOfAnotherUserThanConfigured(t *testing.T) {
	f := newFarm(t, func(f *farm) { f.config.Printers[0].User = "admin" }, "left")
	f.expectRefusedBy("unauthorized")
	detail := f.value("left/connection_detail")
	if !strings.Contains(detail, "admin") || !strings.Contains(detail, "operator") {
		t.Errorf("the detail %q doesn't name both users", detail)
	}
}

// controls returns what is announced that has OctoPrint do something, by unique id: not the switch of the bridge itself.
func (f *farm) controls(id string) []string {
	f.t.Helper()
	announced := f.discovered()
	return slices.DeleteFunc(keysOf(announced), func(key string) bool {
		c := announced[key]
		return c.text("command_topic") == "" || !strings.HasPrefix(key, uniqueID(id, "")) || key == uniqueID(id, "maintenance")
	})
}

// controlRequests are actions with parameters that would be valid.
func controlRequests() map[string]string {
	return map[string]string{
		"pause": "{}", "resume": "{}", "cancel": "{}", "start": "{}", "connect": "{}", "disconnect": "{}", "emergency_stop": "{}",
		"home":            `{"axes":["x"]}`,
		"set_temperature": `{"heater":"bed","target":50}`,
	}
}

// expectReadOnly wants values, but neither controls nor commands.
func (f *farm) expectReadOnly(code string) {
	f.t.Helper()
	f.waitOnline("left")
	f.expect("left/state", "idle")
	f.expectThat("left/tool0_temperature", "a number", func(text string) bool { return text != "None" })
	if controls := f.controls("left"); len(controls) > 0 {
		f.t.Errorf("%v are announced, but not allowed", controls)
	}
	for action, payload := range controlRequests() {
		f.t.Log(action)
		f.request("left", action, payload).mustFail(f.t, code)
	}
	f.set("left", "pause", "PRESS").mustFail(f.t, code)
	f.set("left", "tool0_setpoint", "100").mustFail(f.t, code)
	f.expectNoChanges()
	f.compareWithHomeAssistant()
}

func TestReadOnlyUserSeesButControlsNothing(t *testing.T) {
	f := withKey(t, "readonly", "control")
	f.expectReadOnly("not_permitted")
}

func TestAccessReadSeesButControlsNothing(t *testing.T) {
	f := withKey(t, "operator", "read")
	f.expectReadOnly("access_denied")
}

func TestAccessControlRefusesWhatNeedsFull(t *testing.T) {
	f := left(t)
	f.request("left", "gcode", `{"command":"M117 hello"}`).mustFail(t, later("access_denied")...)
	f.request("left", "system", `{"source":"custom","action":"lamp_on"}`).mustFail(t, later("access_denied")...)
	f.request("left", "delete", `{"path":"nothing.gcode"}`).mustFail(t, later("access_denied")...)
	f.expectNoChanges()
}

func TestFullAccessDocumentsPassAndShow(t *testing.T) {
	f := withKey(t, "admin", "full")
	f.waitOnline("left")
	f.compareWithHomeAssistant()
}

func TestPermissionTakenAwayWhileRunning(t *testing.T) {
	f := left(t)
	f.compareWithHomeAssistant()
	octo := f.octo["left"]
	octo.setGroups(t, "operator", "readonly")
	t.Cleanup(func() { octo.setGroups(t, "operator", "users") })
	eventually(t, "the controls are no longer announced", patient, func() (bool, string) {
		controls := f.controls("left")
		return len(controls) == 0, joined(controls)
	})
	eventually(t, "Home Assistant has no controls any more", soon, func() (bool, string) {
		var rest []string
		for id, entity := range f.ha.entities(t) {
			if strings.HasPrefix(entity.EntityID, "button.left_") || strings.HasPrefix(entity.EntityID, "number.left_") {
				rest = append(rest, id)
			}
		}
		return len(rest) == 0, joined(rest)
	})
	f.expect("left/connection", "connected")
	f.request("left", "set_temperature", `{"heater":"bed","target":50}`).mustFail(t, "not_permitted")
	f.expectNoChanges()
}
