package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts below run this program as a command.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"octoprint2mqtt": main})
}

// TestCommandLine runs the scripts of testdata/script: what a user types, and
// what it answers.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	docs, err := filepath.Abs("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitcode},
		Setup: func(e *testscript.Env) error {
			e.Setenv("DOCS", docs)
			return nil
		},
	})
}

// TestEveryCommandCanRun: that is found out when one is called, not by the compiler.
func TestEveryCommandCanRun(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[commandLine]().Fields() {
		if !field.Type.Implements(reflect.TypeFor[command]()) || field.Tag.Get("help") == "" {
			t.Errorf("%s is no command, or has no line of help", field.Name)
		}
	}
}

// exitcode runs a program and wants it to end with a code: exitcode 2 program ...
func exitcode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := args[0]; strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// output is a writer that tells when a text has been written.
type output struct {
	mu     sync.Mutex
	b      bytes.Buffer
	wanted string
	seen   chan struct{}
}

func newOutput(wanted string) *output { return &output{wanted: wanted, seen: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := strings.Contains(o.b.String(), o.wanted)
	n, err := o.b.Write(p)
	if !before && strings.Contains(o.b.String(), o.wanted) {
		close(o.seen)
	}
	return n, err
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// runUntil runs the program until it has logged a text, and returns its exit code
// and what it printed.
func runUntil(t *testing.T, logged string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, log := newOutput(""), newOutput(logged)
	done := make(chan int)
	go func() { done <- run(ctx, args, surroundings{stdout: out, stderr: log, lookup: os.LookupEnv}) }()
	select {
	case <-log.seen:
	case <-ctx.Done():
		t.Errorf("not logged: %s", logged)
	}
	cancel()
	return <-done, out.String(), log.String()
}

// TestDemo: the demo needs nothing, says what it started and what to type next,
// and ends when it is told to.
func TestDemo(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := runUntil(t, "connected to the MQTT broker", "demo", "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0")
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"5 simulated printers", "mosquitto_sub -h 127.0.0.1 -p ", "Prusa left", "Stop:"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, stdout)
		}
	}
	for _, id := range []string{"left", "right", "twin", "voron", "mini"} {
		if !strings.Contains(stderr, `"printer":"`+id+`","octoprint":`) {
			t.Errorf("%s is not connected:\n%s", id, stderr)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(stderr), `"message":"stopped"}`) {
		t.Errorf("it does not end with having stopped:\n%s", stderr)
	}
}

func TestDemoWithManyPrinters(t *testing.T) {
	t.Parallel()
	code, stdout, _ := runUntil(t, "connected to the MQTT broker", "demo", "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0", "--printers", "12")
	if code != exitOK || !strings.Contains(stdout, "12 simulated printers") {
		t.Errorf("exit code %d:\n%s", code, stdout)
	}
}

// TestRunGoesOnWithoutBrokerAndPrinter: what can't be reached is told once and
// tried again.
func TestRunGoesOnWithoutBrokerAndPrinter(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "mqtt: {url: 'mqtt://127.0.0.1:1'}\nprinters: [{id: left, url: 'http://127.0.0.1:1', api_key: canary-key}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := runUntil(t, "no connection to the MQTT broker", "run", "--config", file)
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if n := strings.Count(stderr, "No answer from 127.0.0.1:1 "); n != 1 {
		t.Errorf("told %d times about the printer:\n%s", n, stderr)
	}
	if strings.Contains(stderr, "canary") {
		t.Errorf("the API key is in the log:\n%s", stderr)
	}
}
