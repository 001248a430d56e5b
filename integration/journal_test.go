package integration

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

func TestJournalKeepsTheLastPut(t *testing.T) {
	t.Parallel()
	j := newJournal(filepath.Join(t.TempDir(), "state"), zerolog.Nop())
	j.put("printers/left", []int{1})
	j.put("printers/left", []int{2})
	if !j.flush() {
		t.Fatal("not written")
	}
	var got []int
	if !j.load("printers/left", &got) || !reflect.DeepEqual(got, []int{2}) {
		t.Errorf("read back %v", got)
	}
	if left, _ := filepath.Glob(filepath.Join(j.dir, "printers", ".new-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestJournalAfterACrashAtAnyByte cuts a new file short at every byte: the old
// document stays, since only a complete file takes its place, and a file that is
// damaged otherwise is put aside.
func TestJournalAfterACrashAtAnyByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var log bytes.Buffer
	j := newJournal(dir, zerolog.New(&log))
	j.put("a", "old")
	j.flush()
	whole, err := os.ReadFile(j.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(filepath.Join(dir, ".new-1"), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		var got string
		if !j.load("a", &got) || got != "old" {
			t.Fatalf("cut at byte %d: read %q", n, got)
		}
		if err := os.WriteFile(j.path("b"), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if j.load("b", &got) {
			t.Fatalf("a file cut at byte %d was read as %q", n, got)
		}
		if _, err := os.Stat(j.path("b") + ".unreadable"); err != nil {
			t.Fatalf("a damaged file is not put aside: %v", err)
		}
	}
	if !strings.Contains(log.String(), "put aside") {
		t.Errorf("nothing is said about it: %s", &log)
	}
}

func TestJournalOfAnotherVersionIsPutAside(t *testing.T) {
	t.Parallel()
	j := newJournal(t.TempDir(), zerolog.Nop())
	if err := os.WriteFile(j.path("a"), []byte(`{"version":2,"data":"new"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var got string
	if j.load("a", &got) {
		t.Errorf("read %q", got)
	}
	if _, err := os.Stat(j.path("a") + ".unreadable"); err != nil {
		t.Error(err)
	}
}

// TestJournalThatCannotBeWritten goes on without, says so once, and writes what
// is due when it can again.
func TestJournalThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		logs := new(logBuffer)
		j := newJournal(dir, zerolog.New(logs))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { j.run(ctx); close(done) }()
		for i := range 5 {
			j.put("a", i)
			time.Sleep(time.Minute)
		}
		if n := strings.Count(logs.String(), "can't be written"); n != 1 {
			t.Errorf("said %d times that it can't write:\n%s", n, logs)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(journalRetry + time.Second)
		synctest.Wait()
		var got int
		if !j.load("a", &got) || got != 4 {
			t.Errorf("read back %d", got)
		}
		if n := strings.Count(logs.String(), "can be written again"); n != 1 {
			t.Errorf("said %d times that it can write again:\n%s", n, logs)
		}
		cancel()
		<-done
	})
}

func TestJournalWithoutAFolderKeepsNothing(t *testing.T) {
	t.Parallel()
	j := newJournal("", zerolog.Nop())
	j.put("a", 1)
	var got int
	if !j.flush() || j.load("a", &got) || len(j.due) != 0 {
		t.Error("it keeps something")
	}
}

func TestJournalTidiesUp(t *testing.T) {
	t.Parallel()
	j := newJournal(t.TempDir(), zerolog.Nop())
	j.put("printers/left", 1)
	j.put("printers/sold", 2)
	j.flush()
	half := filepath.Join(j.dir, "printers", unfinished+"1")
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	j.tidy("printers", func(name string) bool { return name == "left" })
	var got int
	if !j.load("printers/left", &got) || j.load("printers/sold", &got) {
		t.Error("it does not keep exactly what is to be kept")
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("half a file is left: %v", err)
	}
}
