package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopTime is how long a program may take to end after SIGTERM.
const stopTime = 10 * time.Second

// process is a program that was started for the measurement.
type process struct {
	name   string
	cmd    *exec.Cmd
	output *tail
	ended  chan struct{}
}

// start starts a program. It is ended by stop or kill, and by the end of ctx.
func start(ctx context.Context, name string, command ...string) (*process, error) {
	p := &process{name: name, output: new(tail), ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTime
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	// Our own programs end with this pipe, so none outlives us.
	if _, err := p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is told by what is missed of it
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// failed reports, with the program's last words, if it has ended by itself.
func (p *process) failed() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended (%v); its last words:\n%s", p.name, p.cmd.ProcessState, p.output)
	default:
		return nil
	}
}

// stop asks the program to end and waits for that.
func (p *process) stop() { p.end(syscall.SIGTERM) }

// kill ends the program at once.
func (p *process) kill() { p.end(syscall.SIGKILL) }

func (p *process) end(s os.Signal) {
	_ = p.cmd.Process.Signal(s) // fails where it has ended already
	timer := time.AfterFunc(stopTime, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	<-p.ended
}

// tail keeps the beginning and the last kilobytes of a program's output.
type tail struct {
	mu   sync.Mutex
	head []byte
	last []byte
}

const tailSize = 4096

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := tailSize - len(t.head); room > 0 {
		t.head = append(t.head, b[:min(room, len(b))]...)
	}
	t.last = append(t.last, b...)
	t.last = t.last[max(0, len(t.last)-tailSize):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}

// line returns the first line of the output once it is complete.
func (t *tail) line() (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text, err := bufio.NewReader(bytes.NewReader(t.head)).ReadString('\n')
	return strings.TrimSpace(text), err == nil
}

// errLate means that something didn't happen in time.
var errLate = errors.New("did not happen in time")

// await waits until something is so, and returns when that was seen. It looks a
// hundred times a second.
func await(ctx context.Context, limit time.Duration, what string, so func() bool) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		if so() {
			return time.Now(), nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return time.Now(), fmt.Errorf("%s: %w (%v)", what, errLate, limit)
		}
	}
}

// pause lets time pass, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
