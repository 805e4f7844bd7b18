// Package filelock locks open files through the operating system. The lock belongs to the open file
// and ends with it, however its process ends, so that a lock is never stale. It holds between
// machines where the file system carries it (NFS does); where there are no such locks, Try says
// ErrUnsupported.
package filelock

import (
	"errors"
	"os"
)

// ErrUnsupported means that files cannot be locked here.
var ErrUnsupported = errors.New("file locks are not supported here")

// Same reports whether path still leads to the open file: a lock on a file whose name is gone keeps
// nobody out.
func Same(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}
