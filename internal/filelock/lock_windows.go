package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockOffset is far behind the content: a locked range cannot be read by others, and they want to
// read who holds it.
const lockOffset = 1 << 30

// Try takes the lock of an open file, which ends with it; false means that another has it.
func Try(f *os.File) (bool, error) {
	at := &windows.Overlapped{OffsetHigh: lockOffset}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return false, nil
	case errors.Is(err, windows.ERROR_NOT_SUPPORTED), errors.Is(err, windows.ERROR_INVALID_FUNCTION):
		return false, ErrUnsupported
	}
	return false, err
}

// Remove empties the file, so that the next holder does not think that this one died, and lets go.
// The name stays: an open file cannot be removed here, and one that is closed may be another's
// already.
func Remove(f *os.File, _ string) error {
	return errors.Join(f.Truncate(0), f.Close())
}
