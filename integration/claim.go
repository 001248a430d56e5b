package integration

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockName is the file of the state folder that its user has locked.
const lockName = "lock"

// claim locks the folder, for as long as the process lives or until release is
// called. It reports whether nobody else has it: then all who wrote here before have
// ended, however they did. Where that can't be known, it isn't so.
func (j *journal) claim() (alone bool, release func()) {
	if j.dir == "" || os.MkdirAll(j.dir, 0o700) != nil {
		return false, func() {}
	}
	lock := flock.New(filepath.Join(j.dir, lockName), flock.SetPermissions(0o600))
	alone, err := lock.TryLock()
	if !alone && err == nil {
		j.log.Warn().Str("folder", j.dir).Msg("another octoprint2mqtt uses this state folder, and each would overwrite what the other keeps: give each its own state_dir")
	}
	return alone && err == nil, func() { _ = lock.Close() }
}
