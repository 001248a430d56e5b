//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// runServers runs servers.sh, which starts or stops one of the servers.
func runServers(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("./servers.sh", args...).CombinedOutput(); err != nil {
		t.Fatalf("servers.sh %v: %v\n%s", args, err, out)
	}
}

// startServers does the same beside the test; wait returns when it is done.
func startServers(t *testing.T, args ...string) (wait func()) {
	t.Helper()
	cmd := exec.Command("./servers.sh", args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	return func() {
		t.Helper()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("servers.sh %v: %v\n%s", args, err, out.String())
		}
	}
}

// server is a running process that is no child of ours.
type server struct {
	pidFile string
	word    string // in its command line: the number may be somebody else's by now
}

// send sends it a signal and, if that kills it, waits until it is gone.
func (s server) send(t *testing.T, signal syscall.Signal) {
	t.Helper()
	pid := s.pid(t)
	must(t, syscall.Kill(pid, signal))
	if signal != syscall.SIGKILL {
		return
	}
	eventually(t, s.word+" has ended", soon, func() (bool, string) {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		return err != nil || strings.Contains(string(stat), ") Z "), string(stat)
	})
}

func (s server) pid(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(s.pidFile)
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	command, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	must(t, err)
	if !strings.Contains(string(command), s.word) {
		t.Fatalf("process %d is not %s but %q", pid, s.word, command)
	}
	return pid
}

// inCache returns a path below the folder where everything lies.
func inCache(t *testing.T, parts ...string) string {
	t.Helper()
	dir, err := cacheDir()
	must(t, err)
	return filepath.Join(append([]string{dir}, parts...)...)
}

func brokerServer(t *testing.T) server {
	t.Helper()
	return server{pidFile: inCache(t, "run", "mosquitto.pid"), word: "mosquitto"}
}

func (o *octoPrint) process(t *testing.T) server {
	t.Helper()
	return server{pidFile: inCache(t, "octoprint", "run", strconv.Itoa(o.server.Port)+".pid"), word: "octoprint"}
}

// kill ends OctoPrint as a crash would.
func (o *octoPrint) kill(t *testing.T) {
	t.Helper()
	o.process(t).send(t, syscall.SIGKILL)
}

// up starts OctoPrint again and waits until its printer is connected.
func (o *octoPrint) up(t *testing.T) {
	t.Helper()
	runServers(t, "octoprint-up", strconv.Itoa(o.server.Port), o.server.Version)
}

// hold makes a server stand still; the function that it returns lets it go on, as the end of the test does.
func (s server) hold(t *testing.T) (goOn func()) {
	t.Helper()
	held := true
	s.send(t, syscall.SIGSTOP)
	goOn = func() {
		if held {
			held = false
			s.send(t, syscall.SIGCONT)
		}
	}
	t.Cleanup(goOn)
	return goOn
}
