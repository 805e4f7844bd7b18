//go:build unix && !solaris && !aix

package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Try takes the lock of an open file, which ends with it; false means that another has it.
func Try(f *os.File) (bool, error) {
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
			return false, ErrUnsupported
		}
		return false, err
	}
}

// Remove removes the name of a file while its lock is held, and lets go: who has opened the file
// before finds out by Same.
func Remove(f *os.File, path string) error {
	var err error
	if Same(f, path) { // else somebody removed ours, and the name is another's
		err = os.Remove(path)
	}
	return errors.Join(err, f.Close())
}
