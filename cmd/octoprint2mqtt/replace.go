package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// fileChange is a file as it was read, and as it is to be.
type fileChange struct {
	path   string
	before []byte // nil: there is none
	after  []byte
	secret bool // others on this machine must not read it
}

// errChangedMeanwhile means that somebody else has written a file.
var errChangedMeanwhile = errors.New("it was changed by somebody else meanwhile; try again")

// errMounted means that a container was given just this file.
var errMounted = errors.New("it is mounted on its own, and can't be replaced then: mount its folder instead")

// replaceFiles changes files, in their order: each is replaced as a whole, so that
// nobody ever reads half of it, and if one can't be, those before it become what they
// were.
func replaceFiles(changes []fileChange) error {
	var done []fileChange
	for _, c := range changes {
		if err := c.replace(); err != nil {
			for _, d := range done {
				err = errors.Join(err, d.undo())
			}
			return fmt.Errorf("%s was not changed: %w", c.path, err)
		}
		done = append(done, c)
	}
	return nil
}

// replace puts the new content in place of the file.
func (c *fileChange) replace() error {
	path, info, err := c.target()
	if err != nil {
		return err
	}
	if c.before == nil && info != nil {
		return errChangedMeanwhile
	}
	if c.before != nil {
		now, err := os.ReadFile(path)
		if err != nil {
			return reason(err)
		}
		if !bytes.Equal(now, c.before) {
			return errChangedMeanwhile
		}
	}
	return c.write(path, info, c.after)
}

// undo makes the file what it was.
func (c *fileChange) undo() error {
	path, info, err := c.target()
	switch {
	case err != nil:
		return err
	case c.before == nil:
		return os.Remove(path)
	}
	return c.write(path, info, c.before)
}

// target returns the file that is meant, behind symbolic links, and what it is like;
// nil if there is none.
func (c *fileChange) target() (string, fs.FileInfo, error) {
	path := c.path
	if behind, err := filepath.EvalSymlinks(path); err == nil {
		path = behind
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil, nil
	case err != nil:
		return "", nil, reason(err)
	case !info.Mode().IsRegular():
		return "", nil, errors.New("it is not a file")
	}
	return path, info, nil
}

// write replaces a file. The new one has its rights and its owner; a file that is new,
// or that holds secrets, is not for others.
func (c *fileChange) write(path string, info fs.FileInfo, content []byte) (err error) {
	mode := fs.FileMode(0o600)
	if info != nil {
		mode = info.Mode().Perm()
		if c.secret {
			mode &^= 0o007
		}
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // readable by nobody else
	if err != nil {
		return reason(err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
			err = reason(err)
		}
	}()
	if _, err := file.Write(content); err != nil {
		return err
	}
	if info != nil {
		keepOwner(file, info)
	}
	if err := file.Chmod(mode); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); !errors.Is(err, syscall.EBUSY) {
		return err
	}
	return &fs.PathError{Op: "rename", Path: path, Err: errMounted}
}
