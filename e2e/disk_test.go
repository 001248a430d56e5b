//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system that holds next to nothing, and unmounts it at the end of the test.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return folder
}

// fill leaves no room on a disk; the function that it returns makes room again.
func fill(t *testing.T, folder string) (free func()) {
	t.Helper()
	name := filepath.Join(folder, "filler")
	file, err := os.Create(name)
	must(t, err)
	defer file.Close()
	block := bytes.Repeat([]byte{'x'}, 4096)
	for err == nil {
		_, err = file.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() { must(t, os.Remove(name)) }
}

// readState returns what is kept of the printer "left", which has to be a whole document.
func readState(t *testing.T, folder string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "printers", "left.json"))
	must(t, err)
	if !json.Valid(text) {
		t.Fatalf("the state of left is not whole: %s", text)
	}
	return string(text)
}

const (
	diskFull = "error: the state folder can't be written"
	diskFree = "info: the state folder can be written again"
)

// TestFullDisk: the bridge says so once, goes on without, and writes again when it can. What was written stays whole.
func TestFullDisk(t *testing.T) {
	var folder string
	f := newFarm(t, func(f *farm) {
		folder = smallDisk(t)
		f.config.StateDir = folder
	}, "left")
	f.waitOnline("left")
	f.printAndCancel("first.gcode")
	var kept string
	eventually(t, "the first print is kept", soon, func() (bool, string) {
		kept = readState(t, folder)
		return strings.Contains(kept, "first.gcode"), kept
	})

	free := fill(t, folder)
	f.printAndCancel("second.gcode")
	f.bridge.waitLog(t, soon, 0, diskFull)
	mark := f.broker.mark()
	f.startPrint("left", "third.gcode", 12) // the bridge tries to write again each 10 s
	f.waitEvent(mark, "left", "print_finished")
	f.expect("left/last_file", "third.gcode")
	f.request("left", "set_temperature", `{"heater":"bed","target":40}`).mustSucceed(t)
	f.octo["left"].waitTarget(t, "bed", 40)
	if now := readState(t, folder); now != kept {
		t.Errorf("the state was\n%s\nand is\n%s", kept, now)
	}
	free()
	f.bridge.waitLog(t, patient, 0, diskFree)
	f.bridge.wantLog(t, 0, []string{"info: octoprint2mqtt starts", "info left: connected to OctoPrint", brokerBack, diskFull, diskFree}, nil)

	kept = readState(t, folder)
	free = fill(t, folder)
	f.printAndCancel("fourth.gcode")
	f.bridge.kill(t)
	if now := readState(t, folder); now != kept {
		t.Errorf("the state was\n%s\nand is\n%s", kept, now)
	}
	f.restartBridge()
	f.waitTruth(soon, "left")
	f.expect("left/last_file", "third.gcode")
	f.compareWithHomeAssistant()
	f.bridge.waitLog(t, soon, 0, diskFull)
	free()
	f.bridge.waitLog(t, patient, 0, diskFree)
	f.bridge.wantLog(t, 0, []string{"info: octoprint2mqtt starts", "info left: connected to OctoPrint", brokerBack, diskFull, diskFree}, nil)
}

// printAndCancel has a print begin and end, and wants both to be told.
func (f *farm) printAndCancel(name string) {
	f.t.Helper()
	path := f.startPrint("left", name, 60)
	mark := f.broker.mark()
	f.octo["left"].job(f.t, "cancel")
	f.waitEvent(mark, "left", "print_cancelled")
	f.expect("left/last_file", path)
	f.expect("left/state", "idle")
}
