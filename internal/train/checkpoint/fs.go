package checkpoint

import (
	"io"
	"io/fs"
	"os"
)

// FS is the file system as this package uses it; tests inject faults through it. Paths are those of
// package filepath.
type FS interface {
	MkdirAll(dir string, perm fs.FileMode) error
	// Create creates or truncates a file for writing; perm is subject to the umask.
	Create(path string, perm fs.FileMode) (File, error)
	// Append opens a file for writing at its end, creating it when it is not there.
	Append(path string, perm fs.FileMode) (File, error)
	Open(path string) (ReadFile, error)
	// ReadDir returns the names in a folder, sorted.
	ReadDir(dir string) ([]string, error)
	Rename(from, to string) error
	Remove(path string) error
	// SyncDir makes the creations, renames and removals in a folder durable.
	SyncDir(dir string) error
	// Free is the number of bytes that may still be written in a folder; known is false where that
	// cannot be told.
	Free(dir string) (bytes uint64, known bool)
}

// File is a file being written.
type File interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

// ReadFile is a file being read.
type ReadFile interface {
	io.ReadCloser
	Size() (int64, error)
}

// OS is the operating system's file system.
var OS FS = osFS{}

type osFS struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (osFS) MkdirAll(dir string, perm fs.FileMode) error { return os.MkdirAll(dir, perm) }

func (osFS) Create(path string, perm fs.FileMode) (File, error) {
	return openFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
}

func (osFS) Append(path string, perm fs.FileMode) (File, error) {
	return openFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, perm)
}

func (osFS) Open(path string) (ReadFile, error) { return openFile(path, os.O_RDONLY, 0) }

func openFile(path string, flag int, perm fs.FileMode) (*osFile, error) {
	f, err := os.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return &osFile{f}, nil
}

func (osFS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (osFS) Rename(from, to string) error               { return os.Rename(from, to) }
func (osFS) Remove(path string) error                   { return os.Remove(path) }
func (osFS) SyncDir(dir string) error                   { return syncDir(dir) }
func (osFS) Free(dir string) (bytes uint64, known bool) { return freeBytes(dir) }
