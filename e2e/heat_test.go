//go:build e2e

package e2e

import (
	"strconv"
	"testing"
)

func TestSetpointsInHomeAssistantReachOctoPrint(t *testing.T) {
	f := left(t)
	for heater, target := range map[string]float64{"tool0": 205, "bed": 60} {
		f.ha.setNumber(t, entityID("number", "left", heater+"_setpoint"), target)
		f.octo["left"].waitTarget(t, heater, target)
		text := strconv.FormatFloat(target, 'f', -1, 64)
		f.expect("left/"+heater+"_target", text)
		f.expect("left/"+heater+"_setpoint", text)
		f.ha.waitFor(t, entityID("number", "left", heater+"_setpoint"), "shows the target", func(s entityState) bool {
			shown, err := strconv.ParseFloat(s.State, 64)
			return err == nil && shown == target
		})
	}
	f.ha.setNumber(t, entityID("number", "left", "tool0_setpoint"), 0)
	f.octo["left"].waitTarget(t, "tool0", 0)
	f.expect("left/tool0_setpoint", "0")
}

func TestTargetSetInOctoPrintIsShown(t *testing.T) {
	f := left(t)
	f.octo["left"].post(t, "/api/printer/tool", map[string]any{"command": "target", "targets": map[string]int{"tool0": 190}})
	f.expect("left/tool0_target", "190")
	f.expect("left/tool0_setpoint", "190")
	f.expectThat("left/tool0_temperature", "a rising temperature", func(text string) bool {
		degrees, err := strconv.ParseFloat(text, 64)
		return err == nil && degrees > 30
	})
}

func TestTargetAboveTheCapIsShownButNotAsSetpoint(t *testing.T) {
	f := newFarm(t, func(f *farm) { f.config.Printers[0].Limits = map[string]float64{"tool": 200} }, "left")
	f.waitOnline("left")
	f.octo["left"].post(t, "/api/printer/tool", map[string]any{"command": "target", "targets": map[string]int{"tool0": 230}})
	f.expect("left/tool0_target", "230")
	f.expect("left/tool0_setpoint", "None")
	f.ha.waitState(t, entityID("number", "left", "tool0_setpoint"), "unknown")
}
