package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// watched runs a host's watch in a bubble on a file, and returns how often the
// bridge was asked to read it again since the last call.
func watched(t *testing.T, file string, f func(asked func() int, hangup chan os.Signal)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		_, level := newLogger(LogConfig{}, new(strings.Builder), false)
		h := newHost(Config{Files: []string{file}}, level, nil)
		hangup := make(chan os.Signal)
		stop := h.watch(t.Context(), hangup)
		defer stop()
		f(func() int {
			synctest.Wait()
			select {
			case <-h.changed:
				return 1
			default:
				return 0
			}
		}, hangup)
	})
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFilesAreWatched: a change counts once it is complete, whether the file is
// written or replaced, and nothing else counts.
func TestFilesAreWatched(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, "a")
	watched(t, file, func(asked func() int, _ chan os.Signal) {
		expect := func(after time.Duration, want int, why string) {
			t.Helper()
			time.Sleep(after)
			if got := asked(); got != want {
				t.Errorf("%s: asked %d times, want %d", why, got, want)
			}
		}
		expect(time.Hour, 0, "nothing has changed")
		write(t, file, "ab")
		expect(3*watchInterval/2, 0, "it may still be written")
		write(t, file, "abc")
		expect(watchInterval, 0, "it is still written")
		expect(2*watchInterval, 1, "it was written")
		expect(time.Hour, 0, "it was told")

		replacement := file + "~"
		write(t, replacement, "abcd")
		if err := os.Rename(replacement, file); err != nil {
			t.Fatal(err)
		}
		expect(3*watchInterval, 1, "it was replaced")
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		expect(3*watchInterval, 1, "it was removed")
		write(t, file, "abcd")
		expect(3*watchInterval, 1, "it is there again")
	})
}

// TestHangup: SIGHUP has the configuration read at once.
func TestHangup(t *testing.T) {
	t.Parallel()
	watched(t, filepath.Join(t.TempDir(), "config.yaml"), func(asked func() int, hangup chan os.Signal) {
		hangup <- syscall.SIGHUP
		if asked() != 1 {
			t.Error("nobody was asked")
		}
	})
}

// TestHostLoads: what a changed file says of the log counts, and a level that was
// set meanwhile stays as long as the file says the same.
func TestHostLoads(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	logger, level := newLogger(LogConfig{Level: "info"}, &log, false)
	next, failure := Config{Log: LogConfig{Level: "info"}, Files: []string{"a"}}, error(nil)
	h := newHost(next, level, func() (Config, error) { return next, failure })
	load := h.forBridge(logger).Load

	level.set("debug")
	if _, err := load(); err != nil || level.String() != "debug" {
		t.Errorf("%v, level %v, want what was set", err, level)
	}
	next.Log.Level, next.Files = "warn", []string{"a", "b"}
	if _, err := load(); err != nil || level.String() != "warn" || len(h.files) != 2 {
		t.Errorf("%v, level %v, files %q", err, level, h.files)
	}
	next.Log.Format = "json"
	if _, err := load(); err != nil || !strings.Contains(log.String(), "log.format has changed") {
		t.Errorf("%v, log %s", err, log.String())
	}
	next.Log.Level, next.Files, failure = "error", []string{"a", "b", "c"}, errors.New("broken")
	if _, err := load(); !errors.Is(err, failure) || level.String() != "warn" || len(h.files) != 3 {
		t.Errorf("%v, level %v, files %q", err, level, h.files)
	}
	logger.Info().Msg("too quiet")
	if strings.Contains(log.String(), "too quiet") {
		t.Errorf("log %s", log.String())
	}
}

// TestWhatIsReadDoesNotCountAgain: whoever changes the file and asks for it to be
// read has it read once.
func TestWhatIsReadDoesNotCountAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, "a")
	_, level := newLogger(LogConfig{}, new(strings.Builder), false)
	h := newHost(Config{Files: []string{file}}, level, func() (Config, error) { return Config{Files: []string{file}}, nil })
	load := h.forBridge(zerolog.Nop()).Load
	h.settled()
	for _, looked := range []bool{false, true} {
		write(t, file, strings.Repeat("b", len(file)))
		if looked && h.settled() {
			t.Error("it may still be written")
		}
		if _, err := load(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if h.settled() {
				t.Errorf("a change that was read counts again; it had been seen before: %v", looked)
			}
		}
		write(t, file, "c")
		if h.settled() || !h.settled() {
			t.Error("a change after that doesn't count")
		}
	}
}
