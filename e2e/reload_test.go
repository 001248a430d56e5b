//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// newFarmToChange starts a bridge for left and middle that may be changed over MQTT, and returns what would add right.
func newFarmToChange(t *testing.T) (f *farm, right printerConfig) {
	t.Helper()
	f = newFarm(t, func(f *farm) {
		f.config.MQTT["admin"] = true
		right = f.config.Printers[2]
		f.config.Printers = f.config.Printers[:2]
	}, printerIDs[:]...)
	f.waitOnline("left", "middle")
	f.compareWithHomeAssistant()
	return f, right
}

// TestConfigurationChangedWhileRunning changes one thing after the other, each in another way. What has not changed is
// not touched.
func TestConfigurationChangedWhileRunning(t *testing.T) {
	f, right := newFarmToChange(t)
	step := func(name string, change func(*farm)) {
		t.Run(name, func(t *testing.T) {
			part := *f
			part.t = t
			change(&part)
			f.config = part.config
			f.compareWithHomeAssistant()
		})
	}
	step("a printer added, signal", func(f *farm) {
		f.config.Printers = append(f.config.Printers, right)
		f.reload(bySignal, "left", "middle")
		f.waitOnline("right")
		f.waitTruth(soon, printerIDs[:]...)
	})
	step("a printer renamed, file replaced", func(f *farm) { f.renamePrinter(byRename) })
	step("access lowered, file written", func(f *farm) {
		f.config.Printers[1].Access = "read"
		f.reload(byFile, printerIDs[:]...)
		f.waitControls("middle", false)
		f.request("middle", "home", "{}").mustFail(f.t, "access_denied")
	})
	step("access raised, request", func(f *farm) {
		f.config.Printers[1].Access = "control"
		f.reload(byRequest, printerIDs[:]...)
		f.waitControls("middle", true)
		f.waitTruth(soon, printerIDs[:]...)
	})
	step("a printer removed, request", func(f *farm) {
		f.config.Printers = f.config.Printers[:2]
		f.config.writeTo(f.t, f.file)
		mark := f.broker.mark()
		answer := f.request("bridge", "reload", "{}")
		answer.mustSucceed(f.t)
		var done struct{ Added, Removed, Changed []string }
		must(f.t, json.Unmarshal(answer.Data, &done))
		if !slices.Equal(done.Removed, []string{"right"}) || len(done.Added)+len(done.Changed) > 0 {
			f.t.Errorf("the answer says %s", answer.Data)
		}
		f.waitBridgeEvent(mark, "printer_removed", "right")
		f.expectNothingOf("right")
		f.expect("farm/printers", "2")
		f.request("right", "pause", "{}").mustFail(f.t, "unknown_printer")
	})
	f.bridge.wantLog(t, 0, []string{
		"info: octoprint2mqtt starts", "info left: connected to OctoPrint", "info middle: connected to OctoPrint",
		"info right: connected to OctoPrint", brokerBack,
		reloaded, reloaded, reloaded, reloaded, reloaded,
	}, nil)
}

const reloaded = "info: the configuration was read again"

// renamePrinter gives "left" another name: its entities stay the same, with their history.
func (f *farm) renamePrinter(how func(*farm)) {
	f.t.Helper()
	setBed := func(target int) {
		f.octo["left"].post(f.t, "/api/printer/bed", map[string]any{"command": "target", "target": target})
		f.ha.waitState(f.t, entityID("sensor", "left", "bed_target"), strconv.Itoa(target))
	}
	begin := time.Now()
	setBed(41)
	before := f.ha.entities(f.t)
	f.config.Printers[0].Name = "Workbench"
	f.reload(how, printerIDs[:]...)
	eventually(f.t, "Home Assistant has the new name", soon, func() (bool, string) {
		name := f.ha.devices(f.t)[baseTopic+"_left"]
		return name == "Workbench", name
	})
	setBed(42)
	after := f.ha.entities(f.t)
	for id, entity := range before {
		if after[id] != entity {
			f.t.Errorf("entity %s was %+v and is %+v", id, entity, after[id])
		}
	}
	if len(after) != len(before) {
		f.t.Errorf("there were %d entities, and there are %d", len(before), len(after))
	}
	f.expectHistory(entityID("sensor", "left", "bed_target"), begin, "41", "42")
	setBed(0)
}

// expectHistory waits until Home Assistant has recorded these states of an entity, one after the other.
func (f *farm) expectHistory(entity string, begin time.Time, wanted ...string) {
	f.t.Helper()
	path := "/api/history/period/" + url.PathEscape(begin.UTC().Format(time.RFC3339)) + "?minimal_response&filter_entity_id=" + entity
	eventually(f.t, fmt.Sprintf("%s was %v", entity, wanted), soon, func() (bool, string) {
		var histories [][]entityState
		if err := f.ha.do("GET", path, nil, &histories); err != nil || len(histories) != 1 {
			return false, fmt.Sprint(histories, err)
		}
		var states []string
		for _, s := range histories[0] {
			states = append(states, s.State)
		}
		return len(states) > len(wanted) && slices.Equal(states[len(states)-len(wanted):], wanted), joined(states)
	})
}

// TestBrokenConfigurationChangesNothing, in whichever way it is read.
func TestBrokenConfigurationChangesNothing(t *testing.T) {
	f, _ := newFarmToChange(t)
	before, mark, logged := f.picture(), f.broker.mark(), f.bridge.logMark()
	const reconnects = baseTopic + "/left/reconnects"
	sessions := f.broker.tree()[reconnects]
	const broken = "mqtt:\n  url: mqtt://127.0.0.1\n  colour: blue\nprinters: []\n"
	must(t, os.WriteFile(f.file, []byte(broken), 0o600))
	e := f.waitBridgeEvent(mark, "config_rejected", "")
	if !strings.Contains(e.Detail, "colour") {
		t.Errorf("the event %+v doesn't say what is wrong", e)
	}
	mark = f.broker.mark()
	f.request("bridge", "reload", "{}").mustFail(t, "invalid")
	f.waitBridgeEvent(mark, "config_rejected", "")
	f.request("bridge", "restart", "{}").mustFail(t, "invalid")
	if found := before.differences(f.picture(), true); len(found) > 0 {
		t.Errorf("afterwards:\n%s", strings.Join(found, "\n"))
	}
	f.waitTruth(soon, "left", "middle")
	if now := f.broker.tree()[reconnects]; now != sessions || now == "" {
		t.Errorf("reconnects were %q and are %q", sessions, now)
	}
	f.config.Printers = f.config.Printers[:1]
	f.reload(byRename, "left")
	f.expectNothingOf("middle")
	const rejected = "error: the configuration can't be used, so nothing has changed"
	f.bridge.wantLog(t, logged, []string{rejected, rejected, reloaded}, nil)
}

// TestRestartInHomeAssistant: everything is as before.
func TestRestartInHomeAssistant(t *testing.T) {
	f, _ := newFarmToChange(t)
	f.waitTruth(soon, "left", "middle")
	button := entityID("button", "bridge", "restart")
	before, mark := f.picture(), f.broker.mark()
	// It has a state once it was pressed.
	before.without = slices.DeleteFunc(before.without, func(entity string) bool { return strings.HasPrefix(entity, button) })
	f.ha.press(t, button)
	if !f.broker.wait(patient, func() bool { return f.broker.told(mark, baseTopic+"/bridge/state", "offline") }) {
		t.Fatal("the bridge didn't say that it goes")
	}
	f.waitOnline("left", "middle")
	f.waitTruth(soon, "left", "middle")
	f.compareWithHomeAssistant()
	if found := before.differences(f.picture(), true); len(found) > 0 {
		t.Errorf("afterwards:\n%s", strings.Join(found, "\n"))
	}
}

func TestLogLevelInHomeAssistant(t *testing.T) {
	f, _ := newFarmToChange(t)
	level := entityID("select", "bridge", "log_level")
	f.ha.waitState(t, level, "info")
	choose := func(option string) {
		f.ha.call(t, "select.select_option", map[string]any{"entity_id": level, "option": option})
		f.ha.waitState(t, level, option)
	}
	logged := f.bridge.logMark()
	choose("debug")
	f.lines["left"].cut()
	f.bridge.waitLog(t, soon, logged, "debug left: ")
	choose("info")
	f.settle()
	f.request("bridge", "log_level", `{"level":"loud"}`).mustFail(t, "invalid")
	f.compareWithHomeAssistant()
}

// TestLeftoversOfAnEarlierRunAreSwept: of a printer that is no longer configured, and of a row that no longer exists,
// whether or not the folder with the state is still there. What isn't ours stays.
func TestLeftoversOfAnEarlierRunAreSwept(t *testing.T) {
	for _, kept := range []bool{true, false} {
		t.Run(fmt.Sprint("state kept: ", kept), func(t *testing.T) {
			f := newFarm(t, nil, "left", "middle")
			f.waitOnline("left", "middle")
			f.compareWithHomeAssistant()
			before := f.picture("left", "farm", "bridge")
			f.bridge.stop(t)
			const foreign, former = "elsewhere/middle/state", baseTopic + "/left/former_row"
			f.broker.publishRetained(t, foreign, "kept")
			t.Cleanup(func() { f.broker.publish(t, foreign, "", "-r") })
			f.broker.publishRetained(t, former, "stale")
			f.config.Printers = f.config.Printers[:1]
			if !kept {
				f.config.StateDir = filepath.Join(t.TempDir(), "another")
			}
			f.startBridge()
			f.waitOnline("left")
			f.bridge.waitLog(t, patient, 0, "info: removed what an earlier run had left on the broker")
			f.expectNothingOf("middle")
			f.waitTruth(soon, "left")
			f.expect("farm/printers", "1")
			if found := before.differences(f.picture("left", "farm", "bridge"), true); len(found) > 0 {
				t.Errorf("afterwards:\n%s", strings.Join(found, "\n"))
			}
			if value := f.broker.tree()[foreign]; value != "kept" {
				t.Errorf("%s is %q", foreign, value)
			}
			f.compareWithHomeAssistant()
		})
	}
}

func TestPurgeRemovesEverything(t *testing.T) {
	f := newFarm(t, nil, "left", "middle")
	f.waitOnline("left", "middle")
	f.compareWithHomeAssistant()
	if code, out := runProgram(t, "purge", "--config", f.file); code == 0 || !strings.Contains(out, "stop it first") {
		t.Errorf("beside a running bridge: exit code %d, output %q", code, out)
	}
	f.waitTruth(soon, "left", "middle")
	f.bridge.stop(t)
	const foreign = baseTopic + "-of-others/left/state"
	f.broker.publishRetained(t, foreign, "kept")
	t.Cleanup(func() { f.broker.publish(t, foreign, "", "-r") })
	if code, out := runProgram(t, "purge", "--config", f.file); code != 0 {
		t.Errorf("exit code %d, output %q", code, out)
	}
	f.broker.barrier(t)
	for topic, payload := range f.broker.tree() {
		if strings.HasPrefix(topic, baseTopic) && topic != foreign || strings.HasPrefix(topic, discoveryPrefix+"/device/") {
			t.Errorf("%s is still %.40q", topic, payload)
		}
	}
	if f.broker.tree()[foreign] != "kept" {
		t.Error("what isn't ours has gone, too")
	}
	eventually(t, "Home Assistant has forgotten everything", soon, func() (bool, string) {
		left := append(keysOf(f.ha.entities(t)), keysOf(f.ha.devices(t))...)
		return len(left) == 0, joined(left)
	})
	if code, out := runProgram(t, "purge", "--config", f.file); code != 0 || !strings.Contains(out, "removed 0 topics") {
		t.Errorf("once more: exit code %d, output %q", code, out)
	}
	f.restartBridge()
	f.waitTruth(soon, "left", "middle")
	f.compareWithHomeAssistant()
}

// TestPurgeOverMQTT of one device and of all: what there is today comes back afresh.
func TestPurgeOverMQTT(t *testing.T) {
	f, _ := newFarmToChange(t)
	f.waitTruth(soon, "left", "middle")
	before := f.picture()
	for _, parameters := range []string{`{"id":"left"}`, `{}`} {
		rubbish := baseTopic + "/left/former_row"
		f.broker.publishRetained(t, rubbish, "stale")
		mark := f.broker.mark()
		f.request("bridge", "purge", parameters).mustSucceed(t)
		config := discoveryPrefix + "/device/" + baseTopic + "_left/config"
		if !f.broker.wait(soon, func() bool { return f.broker.told(mark, config, "") && f.broker.retained[config] != "" }) {
			t.Errorf("%s: left isn't announced afresh", parameters)
		}
		f.waitOnline("left", "middle")
		f.waitTruth(soon, "left", "middle")
		f.compareWithHomeAssistant()
		eventually(t, "everything is there, and nothing else", soon, func() (bool, string) {
			found := before.differencesInNames(f.picture())
			return len(found) == 0, strings.Join(found, "\n")
		})
	}
}
