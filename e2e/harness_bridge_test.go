//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// config is a configuration file. JSON is YAML, so it is written as JSON.
type config struct {
	MQTT     map[string]any  `json:"mqtt"`
	Printers []printerConfig `json:"printers"`
	Farm     map[string]any  `json:"farm,omitempty"`
	HTTP     map[string]any  `json:"http,omitempty"`
	StateDir string          `json:"state_dir,omitempty"` // default: a folder beside the file
}

type printerConfig struct {
	ID       string             `json:"id"`
	Name     string             `json:"name,omitempty"`
	URL      string             `json:"url"`
	APIKey   string             `json:"api_key"`
	User     string             `json:"user,omitempty"`
	Access   string             `json:"access,omitempty"`
	Disabled bool               `json:"disabled,omitempty"`
	Limits   map[string]float64 `json:"limits,omitempty"`
	Allowed  []string           `json:"gcode_allow,omitempty"`
}

// write stores the configuration in a folder of its own and returns the file.
func (c config) write(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	c.writeTo(t, file)
	return file
}

// writeTo stores the configuration in a file.
func (c config) writeTo(t *testing.T, file string) {
	t.Helper()
	text, err := json.MarshalIndent(c, "", "  ")
	must(t, err)
	must(t, os.WriteFile(file, text, 0o600))
}

// process is a running program with all that it has written so far.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu     sync.Mutex
	output bytes.Buffer
}

// Write collects both outputs.
func (p *process) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(data)
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// startProgram starts the built program in a folder of its own; it is killed
// when the test ends, if it still runs then.
func startProgram(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := programPath()
	must(t, err)
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, p.cmd.Start())
	var waiting sync.WaitGroup
	waiting.Go(func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the exit code is read from the process state
	})
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		waiting.Wait()
	})
	return p
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks the program to end, as systemd and Docker do, and returns its exit
// code and how long that took.
func (p *process) stop(t *testing.T) (code int, took time.Duration) {
	t.Helper()
	begin := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	return p.waitEnd(t), time.Since(begin)
}

// waitEnd waits for the end and returns the exit code.
func (p *process) waitEnd(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(soon):
		t.Fatalf("the program doesn't end; its output:\n%s", p.text())
		return -1
	}
}

// kill ends the program as a crash would.
func (p *process) kill(t *testing.T) {
	t.Helper()
	must(t, p.cmd.Process.Kill())
	p.waitEnd(t)
}

// waitPort waits until the program listens on an address.
func waitPort(t *testing.T, p *process, address string) {
	t.Helper()
	eventually(t, "listening on "+address, soon, func() (bool, string) {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return false, fmt.Sprintf("%v; the program runs: %v, its output:\n%s", err, p.running(), p.text())
		}
		return true, fmt.Sprint(connection.Close())
	})
}

// lastLines returns the end of the output.
func (p *process) lastLines(count int) string {
	lines := strings.Split(strings.TrimSpace(p.text()), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}

// runProgram runs the program to its end and returns exit code and output.
func runProgram(t *testing.T, args ...string) (int, string) {
	t.Helper()
	path, err := programPath()
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out)
	}
	must(t, err)
	return 0, string(out)
}
