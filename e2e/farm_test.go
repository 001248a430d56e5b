//go:build e2e

package e2e

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"
)

func TestFarmCountsEveryPrinterOnce(t *testing.T) {
	f := newFarm(t, func(f *farm) {
		f.config.Printers = append(f.config.Printers,
			printerConfig{ID: "gone", URL: "http://127.0.0.1:" + strconv.Itoa(mustServers(t).SparePort), APIKey: "unused-key"},
			printerConfig{ID: "stored", URL: "http://127.0.0.1:1", APIKey: "unused-key-2", Disabled: true},
		)
	}, printerIDs[:]...)
	f.waitOnline(printerIDs[:]...)
	f.startPrint("left", "counted.gcode", 120)
	f.octo["right"].disconnect(t)
	f.expect("gone/connection", "unreachable")
	f.expect("stored/connection", "disabled")
	want := map[string]string{"printers": "4", "printing": "1", "paused": "0", "idle": "1", "offline": "1", "error": "0", "unreachable": "1"}
	for row, number := range want {
		f.expect("farm/"+row, number)
	}
	f.expectWithin(patient, "farm/next_free", "a time to come", func(text string) bool {
		free, err := time.Parse(time.RFC3339, text)
		return err == nil && free.After(time.Now())
	})
	f.expectThat("farm", "the same counts", func(text string) bool {
		var document map[string]any
		if json.Unmarshal([]byte(text), &document) != nil {
			return false
		}
		for row, number := range want {
			if n, ok := document[row].(float64); !ok || strconv.Itoa(int(n)) != number {
				return false
			}
		}
		return document["disabled"] == 1.0
	})
	f.expect("farm/attention", "OFF")
	f.compareWithHomeAssistant()
}

func TestPauseAllAndResumeAllInHomeAssistant(t *testing.T) {
	f := newFarm(t, nil, printerIDs[:]...)
	f.waitOnline(printerIDs[:]...)
	for _, id := range []string{"left", "middle"} {
		f.startPrint(id, "together.gcode", 180)
	}
	f.expect("farm/printing", "2")
	mark := f.broker.mark()
	f.ha.press(t, entityID("button", "farm", "pause_all"))
	for _, id := range []string{"left", "middle"} {
		f.octo[id].waitState(t, "Paused")
		f.expect(id+"/state", "paused")
	}
	f.expect("farm/paused", "2")
	f.expect("farm/idle", "1")
	f.expect("right/state", "idle")
	f.ha.press(t, entityID("button", "farm", "resume_all"))
	for _, id := range []string{"left", "middle"} {
		f.octo[id].waitState(t, "Printing")
	}
	f.expect("farm/printing", "2")
	f.settle()
	f.wantOnce(mark, "farm/event", "print_paused", "print_paused", "print_resumed", "print_resumed")
	f.wantOnce(mark, "left/event", "print_paused", "print_resumed")
	f.wantOnce(mark, "right/event")
}

func TestFarmRequestsSayWhatHappenedToEachPrinter(t *testing.T) {
	f := newFarm(t, nil, "left", "middle")
	f.waitOnline("left", "middle")
	f.startPrint("left", "one.gcode", 120)
	answer := f.request("farm", "pause_all", `{"transaction":"t1"}`)
	f.octo["left"].waitState(t, "Paused")
	if answer.Transaction != "t1" {
		t.Errorf("transaction %v, want t1", answer.Transaction)
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal(answer.Data, &data); err != nil || data["left"] == nil {
		t.Errorf("data %s doesn't say what happened to left", answer.Data)
	}
}
