package octoprinttest

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"
)

// entry is a file on the local storage with the history of its prints.
type entry struct {
	File
	success, failure int
	last             object
	times            []time.Duration // of successful prints
}

// base is the file's own name, without its folders.
func (e *entry) base() string { return path.Base(e.Path) }

func (e *entry) printed(success bool, took time.Duration, now time.Time) {
	e.last = object{"date": epoch(now), "success": success}
	if success {
		e.success++
		e.times = append(e.times, took)
		e.last["printTime"] = seconds(took)
	} else {
		e.failure++
	}
}

// average is how long successful prints took, 0 when there was none.
func (e *entry) average() time.Duration {
	if len(e.times) == 0 {
		return 0
	}
	var sum time.Duration
	for _, t := range e.times {
		sum += t
	}
	return sum / time.Duration(len(e.times))
}

// store is the local storage.
type store struct {
	entries map[string]*entry
	folders map[string]bool
}

func newStore() *store {
	return &store{entries: map[string]*entry{}, folders: map[string]bool{}}
}

// add puts a file into the storage, replacing one of the same path. The history of its prints stays if it is the same.
func (s *store) add(f File, now time.Time, user string) *entry {
	f.Path = strings.Trim(f.Path, "/")
	f.Name = cmp.Or(f.Name, path.Base(f.Path))
	f.User = cmp.Or(f.User, user)
	f.Size = cmp.Or(f.Size, int64(len(f.Contents)), 1_000_000)
	f.PrintTime = cmp.Or(f.PrintTime, 10*time.Minute)
	f.Estimate = cmp.Or(f.Estimate, f.PrintTime)
	f.Height, f.LayerHeight = cmp.Or(f.Height, 10), cmp.Or(f.LayerHeight, 0.2)
	f.Header = cmp.Or(f.Header, 0.05)
	if f.Date.IsZero() {
		f.Date = now
	}
	for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
		s.folders[dir] = true
	}
	e := &entry{File: f}
	if old := s.entries[f.Path]; old != nil && string(old.Contents) == string(f.Contents) {
		e.success, e.failure, e.last, e.times = old.success, old.failure, old.last, old.times
	}
	s.entries[f.Path] = e
	return e
}

// paths lists what lies directly in a folder, "" being the root.
func (s *store) paths(folder string) []string {
	var found []string
	in := func(p string) bool {
		dir := path.Dir(p)
		return dir == folder || dir == "." && folder == ""
	}
	for p := range s.entries {
		if in(p) {
			found = append(found, p)
		}
	}
	for p := range s.folders {
		if in(p) {
			found = append(found, p)
		}
	}
	slices.Sort(found)
	return found
}
