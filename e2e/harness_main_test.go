//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// keepServers is the environment variable that leaves the servers running at
// the end, and takes them over, if they still run, at the next start.
const keepServers = "OCTOPRINT2MQTT_E2E_KEEP"

// servers is what servers.sh says about what it started.
type servers struct {
	Broker struct {
		Host string
		Port int
	}
	HomeAssistant struct{ URL, Folder, Token, Log string }
	OctoPrint     []octoPrintServer
	SparePort     int    `json:"spare_port"` // first of nine that nobody listens on
	Versions      string // of OctoPrint, to be tested one after the other
	VersionPort   int    `json:"version_port"` // that they listen on
}

type octoPrintServer struct {
	Port      int
	Version   string
	URL       string
	Folder    string
	Keys      map[string]string
	Passwords map[string]string
	Connect   map[string]any // the request that connects its printer
	Secrets   []string       // of its printer's connection, which nobody else may be told
}

func TestMain(m *testing.M) {
	code, err := runSuite(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runSuite(m *testing.M) (code int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	lock, err := lockCache()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := buildProgram(ctx); err != nil {
		return 1, err
	}
	up := []string{"up", "--fresh"}
	if os.Getenv(keepServers) != "" {
		up = up[:1]
	} else {
		defer func() { err = errors.Join(err, serversScript(context.Background(), "down")) }()
	}
	if err := serversScript(ctx, up...); err != nil {
		return 1, err
	}
	return runUnlessInterrupted(ctx, m)
}

// runUnlessInterrupted runs the tests; the first signal ends it early, so that
// the servers are stopped all the same.
func runUnlessInterrupted(ctx context.Context, m *testing.M) (int, error) {
	done := make(chan int, 1)
	go func() { done <- m.Run() }()
	select {
	case code := <-done:
		return code, nil
	case <-ctx.Done():
		return 1, fmt.Errorf("stopped by a signal: %w", ctx.Err())
	}
}

// cacheDir is where everything lies that the suite installs, builds and
// writes; settings.sh has the same rule.
func cacheDir() (string, error) {
	if dir := os.Getenv("OCTOPRINT2MQTT_E2E_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "octoprint2mqtt-e2e"), err
}

// lockCache keeps a second run from using the same servers at the same time.
func lockCache() (io.Closer, error) {
	dir, err := cacheDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("another run uses %s: %w", dir, errors.Join(err, file.Close()))
	}
	return file, nil
}

// serversScript runs servers.sh and shows its output as it comes.
func serversScript(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "./servers.sh", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("servers.sh %v: %w", args, err)
	}
	return nil
}

// programPath is where buildProgram puts the binary.
func programPath() (string, error) {
	dir, err := cacheDir()
	return filepath.Join(dir, "octoprint2mqtt"), err
}

func buildProgram(ctx context.Context) error {
	path, err := programPath()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", path, "../cmd/octoprint2mqtt")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building the program: %w", err)
	}
	return nil
}

// runningServers reads, once, what servers.sh wrote.
var runningServers = sync.OnceValues(func() (servers, error) {
	var found servers
	dir, err := cacheDir()
	if err != nil {
		return found, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "servers.json"))
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(text, &found)
})

// mustServers returns what runs. A test that needs more than the test of versions is skipped where only that is wanted.
func mustServers(t *testing.T) servers {
	t.Helper()
	found := anyServers(t)
	if len(found.OctoPrint) == 0 {
		t.Skip("only versions of OctoPrint are tested")
	}
	return found
}

func anyServers(t *testing.T) servers {
	t.Helper()
	found, err := runningServers()
	if err != nil {
		t.Fatalf("reading servers.json: %v", err)
	}
	return found
}
