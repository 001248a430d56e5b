package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestReplaceFiles: all of them or none, and nothing is left lying about.
func TestReplaceFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(at(name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(name, text string, mode os.FileMode) {
		t.Helper()
		info, err := os.Stat(at(name))
		if text == "" {
			if err == nil {
				t.Errorf("%s is there", name)
			}
			return
		}
		if got, _ := os.ReadFile(at(name)); string(got) != text || err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %q, %v", name, got, info.Mode())
		}
	}
	write("a", "a1", 0o644)
	write("s", "s1", 0o644)
	if err := os.Symlink("a", at("link")); err != nil {
		t.Fatal(err)
	}

	err := replaceFiles([]fileChange{
		{path: at("s"), before: []byte("s1"), after: []byte("s2"), secret: true},
		{path: at("link"), before: []byte("a1"), after: []byte("a2")},
		{path: at("new"), after: []byte("n1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	holds("s", "s2", 0o640)
	holds("a", "a2", 0o644)
	holds("new", "n1", 0o600)
	if link, err := os.Readlink(at("link")); err != nil || link != "a" {
		t.Errorf("the link is %q, %v", link, err)
	}

	for name, last := range map[string]fileChange{
		"changed":     {path: at("a"), before: []byte("a1"), after: []byte("a3")},
		"made":        {path: at("a"), after: []byte("a3")},
		"gone":        {path: at("nothing"), before: []byte("x"), after: []byte("y")},
		"no folder":   {path: at("none/x"), after: []byte("y")},
		"not a file":  {path: dir, before: []byte("x"), after: []byte("y")},
		"not allowed": {path: "/proc/nothing", after: []byte("y")},
	} {
		err := replaceFiles([]fileChange{
			{path: at("s"), before: []byte("s2"), after: []byte("s3"), secret: true},
			{path: at("other"), after: []byte("o1")},
			last,
		})
		if err == nil || (name == "changed" || name == "made") && !errors.Is(err, errChangedMeanwhile) {
			t.Errorf("%s: %v", name, err)
		}
		holds("s", "s2", 0o640)
		holds("a", "a2", 0o644)
		holds("other", "", 0)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Errorf("%v, %v", entries, err)
	}
}
