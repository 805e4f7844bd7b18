//go:build unix && !solaris && !aix

package checkpoint

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes an exclusive flock, which belongs to the open file and ends with it.
func tryLock(f *os.File) (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOLCK):
			return false, errNoLocks
		}
		return false, err
	}
}

// releaseLock removes the name while the lock is held: who opens the file before that finds out by
// sameFile.
func releaseLock(f *os.File, path string) error {
	var err error
	if sameFile(f, path) { // else somebody removed ours, and the name is another's
		err = os.Remove(path)
	}
	return errors.Join(err, f.Close())
}
