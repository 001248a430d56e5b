package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// readCPU returns how long a process has run on any CPU, in itself and in the
// kernel. It adds up what the scheduler says of each thread: the figures of the
// process as a whole come in steps of 10 ms, more than idle printers cost. Go ends
// no threads, so none is missed.
func readCPU(pid int) (time.Duration, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	if len(threads) == 0 {
		return 0, fmt.Errorf("the kernel tells nothing in /proc/%d/task/*/schedstat", pid)
	}
	var sum time.Duration
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		ran, err := parseSchedstat(string(text))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		sum += ran
	}
	return sum, nil
}

// parseSchedstat returns the first of three figures: the time on a CPU in ns.
func parseSchedstat(text string) (time.Duration, error) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return 0, fmt.Errorf("%q has not three figures", text)
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	return time.Duration(n), err
}

// memory is what a process has of the machine's memory, in bytes.
type memory struct {
	resident, peak int64
}

func readMemory(pid int) (memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	return parseStatus(string(text))
}

// parseStatus finds the two figures in the many lines of /proc/PID/status.
func parseStatus(text string) (memory, error) {
	var m memory
	for line := range strings.Lines(text) {
		name, figure, _ := strings.Cut(line, ":")
		var to *int64
		switch name {
		case "VmRSS":
			to = &m.resident
		case "VmHWM":
			to = &m.peak
		default:
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(figure), " kB"), 10, 64)
		if err != nil {
			return memory{}, fmt.Errorf("the line %q: %w", strings.TrimSpace(line), err)
		}
		*to = kib << 10
	}
	if m.resident == 0 || m.peak == 0 {
		return memory{}, fmt.Errorf("no VmRSS and VmHWM in %d bytes", len(text))
	}
	return m, nil
}
