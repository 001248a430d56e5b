package integration

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestDiagnostics: firmware, safe mode and disk space, for who may ask and who
// hears of it by events alone.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		for user, firmware := range map[string]string{"admin": "Virtual Marlin 1.0", "operator": "None"} {
			inBubble(t, func(w *world) {
				s := w.sims["left"]
				w.up()
				w.sleep(5 * time.Second)
				w.expect("left", "firmware", firmware)
				w.expect("left", "safe_mode", "ON")
				if free, err := strconv.ParseFloat(w.value("left", "disk_free"), 64); err != nil || free < 1e9 {
					t.Errorf("%s: free are %s", user, w.value("left", "disk_free"))
				}
				w.must(s.Disconnect())
				w.sleep(5 * time.Second)
				w.expect("left", "firmware", "None")
				w.must(s.Connect())
				w.sleep(5 * time.Second)
				w.expect("left", "firmware", "Virtual Marlin 1.0")
				s.line.SetUp(false)
				s.line.Cut()
				w.sleep(10 * time.Second)
				for _, key := range []string{"firmware", "safe_mode", "disk_free"} {
					w.expect("left", key, "None")
				}
			}, setup{options: octoprinttest.Options{Version: version, SafeMode: "flag"}, config: func(c *PrinterConfig) { c.APIKey = user + "-key" }})
		}
	}
}

// TestDiskSpaceIsAskedForNowAndThen, and told only when it has changed.
func TestDiskSpaceIsAskedForNowAndThen(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.must(w.sims["left"].Disconnect()) // which makes long waits cheap
		w.sleep(5 * time.Second)
		before, requests := w.broker.seen(), len(w.sims["left"].Requests())
		w.sleep(time.Hour)
		n := 0
		for _, r := range w.sims["left"].Requests()[requests:] {
			if r.Path == "/api/files" && r.Query == "" {
				n++
			}
		}
		if n < 5 || n > 7 {
			t.Errorf("asked %d times in an hour", n)
		}
		if list := w.broker.since(before, w.topics.Value("left", "disk_free")); len(list) > 0 {
			t.Errorf("told %d times", len(list))
		}
	})
	var v printerView
	for _, tt := range []struct{ free, want float64 }{{1000, 1000}, {1005, 1000}, {1010, 1010}, {1001, 1010}, {999, 999}, {0, 0}, {5, 5}} {
		v.room(&tt.free)
		if *v.now.diskFree != tt.want {
			t.Errorf("%v free: shows %v, want %v", tt.free, *v.now.diskFree, tt.want)
		}
	}
	if v.room(nil); v.now.diskFree != nil {
		t.Error("unknown, and it shows something")
	}
}

// TestFrameRate is told once a minute at most, and only when it has changed.
func TestFrameRate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.expect("left", "frame_rate", "None")
		w.expect("left", "reconnects", "0")
		before := w.broker.seen()
		w.sleep(10 * time.Minute)
		rate, err := strconv.ParseFloat(w.value("left", "frame_rate"), 64)
		if err != nil || math.Abs(rate-120) > 15 {
			t.Errorf("an idle printer's rate is %s", w.value("left", "frame_rate"))
		}
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(3 * time.Minute)
		w.expect("left", "frame_rate", "0")
		w.sims["left"].line.SetUp(true)
		w.sleep(3 * time.Minute)
		w.expect("left", "reconnects", "1")
		list := w.broker.since(before, w.topics.Value("left", "frame_rate"))
		if len(list) > 6 {
			t.Errorf("told %d times", len(list))
		}
		for i := 1; i < len(list); i++ {
			if pause := list[i].at.Sub(list[i-1].at); pause < 59*time.Second {
				t.Errorf("told again after %v", pause)
			}
		}
	})
}

// TestMissingPermissions: how many, which rows each would give, and who has it.
func TestMissingPermissions(t *testing.T) {
	t.Parallel()
	type want struct{ permission, rows, group string }
	for _, tt := range []struct {
		name  string
		setup setup
		count string
		want  []want
	}{
		{"operator", setup{}, "0", nil},
		{"operator at full access", setup{config: func(c *PrinterConfig) { c.Access = AccessFull }}, "2", []want{
			{"PLUGIN_SOFTWAREUPDATE_UPDATE", "octoprint_update", "Admins"},
			{"SYSTEM", "restart_octoprint reboot shutdown system_…", "Admins"},
		}},
		{"administrator", administrator(octoprinttest.Options{}), "0", nil},
		{"readonly", setup{config: func(c *PrinterConfig) { c.APIKey = "readonly-key" }}, "", []want{
			{"PRINT", "pause resume cancel start", "Operator"},
			{"FILES_SELECT", "selected_file", "Operator"},
			{"CONNECTION", "connect disconnect profile port", "Operator"},
		}},
		{"status only", setup{config: func(c *PrinterConfig) { c.APIKey, c.Access = "statusonly-key", AccessRead }}, "3", []want{
			{"FILES_LIST", "disk_free", "Operator"},
			{"PLUGIN_SOFTWAREUPDATE_CHECK", "octoprint_update plugin_updates", "Operator"},
			{"SETTINGS_READ", "preset camera", "Operator"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.up()
				w.sleep(5 * time.Second)
				if tt.count != "" {
					w.expect("left", "missing_permissions", tt.count)
				}
				attributes := w.doc(w.topics.Attributes("left", "missing_permissions"))
				if got := w.value("left", "missing_permissions"); got != strconv.Itoa(len(attributes)) {
					t.Errorf("%s are missing, told are %v", got, attributes)
				}
				for _, want := range tt.want {
					doc, _ := attributes[want.permission].(map[string]any)
					var rows []string
					list, _ := doc["rows"].([]any)
					for _, r := range list {
						rows = append(rows, r.(string))
					}
					for key := range strings.FieldsSeq(want.rows) {
						if !slices.Contains(rows, key) {
							t.Errorf("%s would give %q, want %s", want.permission, rows, key)
						}
					}
					if doc["group"] != want.group {
						t.Errorf("%s is of the group %v, want %s", want.permission, doc["group"], want.group)
					}
				}
				info := w.doc(w.topics.BridgeInfo())["printers"].([]any)[0].(map[string]any)
				if list := info["missing"].([]any); len(list) != len(attributes) {
					t.Errorf("bridge/info has %v, the row %v", list, attributes)
				}
				w.sims["left"].line.SetUp(false)
				w.sims["left"].line.Cut()
				w.sleep(10 * time.Second)
				w.expect("left", "missing_permissions", strconv.Itoa(len(attributes))) // it hangs on the bridge
			}, tt.setup)
		})
	}
}

// TestMissingIsShared: it is found out once for all printers of a shape.
func TestMissingIsShared(t *testing.T) {
	t.Parallel()
	var known tables
	v, other := shapedView(), shapedView()
	if known.of(v).missing != known.of(other).missing {
		t.Error("two printers of one shape have each their own")
	}
}

// TestAdministratorsLackNothing: what they haven't got, the server doesn't know.
func TestAdministratorsLackNothing(t *testing.T) {
	t.Parallel()
	v := shapedView()
	v.info.Permissions = []string{"ADMIN", "STATUS"}
	if m := missingOf(v); len(m.names) > 0 || m.attributes != "{}" {
		t.Errorf("missing are %v: %s", m.names, m.attributes)
	}
	v.info.Permissions = []string{"STATUS"}
	if m := missingOf(v); len(m.names) == 0 || len(m.of) != len(m.names) {
		t.Errorf("missing are %v", m.names)
	}
}

// TestVitalsOfAnotherPrinter: what was connected before says nothing of what is
// connected next.
func TestVitalsOfAnotherPrinter(t *testing.T) {
	t.Parallel()
	n := vitals{port: "VIRTUAL"}
	n.heard(octoprint.Event{Type: octoprint.EventFirmwareData, Name: "Marlin"})
	n.heard(octoprint.Event{Type: octoprint.EventFirmwareData})
	if n.firmware != "Marlin" {
		t.Errorf("the firmware is %q", n.firmware)
	}
	n.heard(octoprint.Event{Type: octoprint.EventDisconnected})
	if n.firmware != "" || n.port != "" {
		t.Errorf("after a disconnect: %+v", n)
	}
}
