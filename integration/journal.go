package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// journalVersion is written into every file. A file of another version is put
// aside and not read.
const journalVersion = 1

// unfinished is how the names of files begin that are being written.
const unfinished = ".new-"

// journalRetry is how long the journal waits after it could not write.
const journalRetry = 10 * time.Second

// journal keeps a small JSON document under each of some names in a folder, so
// that it is there after a restart. A document is replaced as a whole, so that
// what is read is always what was once written, wherever a crash happened. Where
// the folder can't be written, the bridge goes on without and says so once.
//
// Puts don't block: one goroutine writes what is due, in no particular order, the
// last put of a name only. The zero journal, without a folder, keeps nothing.
type journal struct {
	dir  string
	log  zerolog.Logger
	wake chan struct{} // holds one element while something is due

	mu     sync.Mutex
	due    map[string][]byte // nil: to be removed
	held   bool              // nothing is written for now
	failed bool              // the last attempt to write
}

func newJournal(dir string, log zerolog.Logger) *journal {
	return &journal{dir: dir, log: log, wake: make(chan struct{}, 1), due: make(map[string][]byte)}
}

// entry is what is in a file.
type entry struct {
	Version int             `json:"version"`
	Data    json.RawMessage `json:"data"`
}

// load reads a document. It is false if there is none, or none that can be
// understood; that one is put aside.
func (j *journal) load(name string, into any) bool {
	err := j.read(name, into)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		aside := j.path(name) + ".unreadable"
		j.log.Warn().Err(err).Str("file", j.path(name)).Msg("a file of the state folder can't be read: it is put aside, and what it knew is forgotten")
		_ = os.Rename(j.path(name), aside) // if that fails too it is overwritten
		return false
	}
	return true
}

// read is load that changes nothing.
func (j *journal) read(name string, into any) error {
	if j.dir == "" {
		return fs.ErrNotExist
	}
	b, err := os.ReadFile(j.path(name))
	if err != nil {
		return err
	}
	var e entry
	if err := json.Unmarshal(b, &e); err != nil {
		return err
	}
	if e.Version != journalVersion {
		return fmt.Errorf("it has version %d, not %d", e.Version, journalVersion)
	}
	if err := json.Unmarshal(e.Data, into); err != nil {
		return err
	}
	if v, ok := into.(interface{ check() error }); ok {
		return v.check()
	}
	return nil
}

// tidy removes the documents of a folder whose names are not to be kept, and what
// a crash has left half written. It is called before anything is put.
func (j *journal) tidy(folder string, keep func(name string) bool) {
	if j.dir == "" {
		return
	}
	files, err := os.ReadDir(filepath.Join(j.dir, folder))
	if err != nil {
		return // there is none yet
	}
	for _, f := range files {
		name, document := strings.CutSuffix(f.Name(), ".json")
		if strings.HasPrefix(f.Name(), unfinished) || document && !keep(name) {
			_ = os.Remove(filepath.Join(j.dir, folder, f.Name())) // what stays is only in the way
		}
	}
}

// drop has a document removed.
func (j *journal) drop(name string) {
	if j.dir != "" {
		j.plan(name, nil)
	}
}

// put has a document written.
func (j *journal) put(name string, v any) {
	if j.dir == "" {
		return
	}
	j.plan(name, []byte(mustMarshal(entry{Version: journalVersion, Data: json.RawMessage(mustMarshal(v))})))
}

// plan makes a document due; nil removes it.
func (j *journal) plan(name string, b []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.due[name] = b
	j.signal()
}

// hold has nothing written until it is called with false: what is due waits.
func (j *journal) hold(held bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.held = held
	j.signal()
}

func (j *journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default: // the writer has one waiting
	}
}

// run writes what is due until ctx ends, and then what is left.
func (j *journal) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			j.flush()
			return
		case <-j.wake:
		}
		if !j.flush() && wait(ctx, journalRetry) {
			j.signal()
		}
	}
}

// flush writes everything that is due. It stops at the first failure; what isn't
// written stays due.
func (j *journal) flush() bool {
	for {
		name, b, ok := j.next()
		if !ok {
			j.report(nil)
			return true
		}
		if err := j.write(name, b); err != nil {
			j.restore(name, b)
			j.report(err)
			return false
		}
	}
}

func (j *journal) next() (name string, b []byte, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.held {
		return "", nil, false
	}
	for name, b := range j.due {
		delete(j.due, name)
		return name, b, true
	}
	return "", nil, false
}

// restore puts back what could not be written, unless something newer is due.
func (j *journal) restore(name string, b []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, newer := j.due[name]; !newer {
		j.due[name] = b
	}
}

// report logs the first failure after a success and the first success after a
// failure.
func (j *journal) report(err error) {
	j.mu.Lock()
	before := j.failed
	j.failed = err != nil
	j.mu.Unlock()
	switch {
	case err != nil && !before:
		j.log.Error().Err(err).Msg("the state folder can't be written: the bridge goes on, but a restart would forget the last prints and events on their way; check that the disk has room and the folder may be written")
	case err == nil && before:
		j.log.Info().Msg("the state folder can be written again")
	}
}

// write replaces a file so that at each moment either the old or the new one is
// there in full. Without bytes it removes the file.
func (j *journal) write(name string, b []byte) error {
	path := j.path(name)
	if b == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), unfinished+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has been renamed
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename last through a power cut.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (j *journal) path(name string) string { return filepath.Join(j.dir, name+".json") }
