package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"resnet/internal/input"
)

// FS is the file system as the writers use it; tests inject faults through it. Paths are those of
// package filepath.
type FS interface {
	// MkdirAll makes a folder and those above it that are not there, durably.
	MkdirAll(dir string, perm fs.FileMode) error
	// Resolve follows symbolic links to the file that path stands for, which need not be there. It
	// fails when there is something else than a regular file.
	Resolve(path string) (string, error)
	// Create makes a file that is not there yet; otherwise it fails with fs.ErrExist. perm is
	// subject to the umask.
	Create(path string, perm fs.FileMode) (WriteHandle, error)
	// Append opens a file for writing at its end, and makes it when it is not there.
	Append(path string, perm fs.FileMode) (WriteHandle, error)
	Open(path string) (ReadHandle, error)
	// ReadDir returns the names in a folder, sorted.
	ReadDir(dir string) ([]string, error)
	// Rename replaces what is at to.
	Rename(from, to string) error
	// Link gives a file a second name, and fails with fs.ErrExist when that is taken.
	Link(from, to string) error
	Remove(path string) error
	// Claim says that this process writes a temporary file, until the claim is closed or the
	// process ends. It fails with fs.ErrExist when another process has taken the file for
	// abandoned.
	Claim(path string) (io.Closer, error)
	// RemoveAbandoned removes a temporary file if its owner does not live any more, and reports
	// whether it did.
	RemoveAbandoned(path string, o Owner) bool
	// SyncDir makes the creations, renames and removals in a folder durable.
	SyncDir(dir string) error
	// Free is the number of bytes that may still be written in a folder; known is false where that
	// cannot be told.
	Free(dir string) (bytes uint64, known bool)
}

// WriteHandle is a file that is open for writing.
type WriteHandle interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

// ReadHandle is a file that is open for reading.
type ReadHandle interface {
	io.ReadCloser
	Size() (int64, error)
}

const (
	// Perm are the permissions of a new file, less the umask.
	Perm fs.FileMode = 0o644
	// DirPerm are those of a new folder.
	DirPerm fs.FileMode = 0o755

	maxLinks = 40 // that lead to one another; as in Linux
)

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

func (osFS) MkdirAll(dir string, perm fs.FileMode) error {
	var hold []string // the folders that get a new one, the deepest first
	for at := filepath.Clean(dir); filepath.Dir(at) != at; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		hold = append(hold, filepath.Dir(at))
	}
	if err := os.MkdirAll(dir, perm); err != nil {
		return err
	}
	for _, parent := range hold {
		// What may be written to and not read cannot be synced.
		if err := syncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

func (osFS) Resolve(path string) (string, error) {
	// Before the links are read: those of /proc/self/fd name pipes that have no path.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", input.Refuse(info.Mode())
	}
	for range maxLinks {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(link) {
			// "..", in a folder that is a link, is above its target.
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			link = filepath.Join(dir, link)
		}
		path = link
	}
	return "", syscall.ELOOP
}

func (osFS) Create(path string, perm fs.FileMode) (WriteHandle, error) {
	return openFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

func (osFS) Append(path string, perm fs.FileMode) (WriteHandle, error) {
	return openFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, perm)
}

func (osFS) Open(path string) (ReadHandle, error) { return openFile(path, os.O_RDONLY, 0) }

func openFile(path string, flag int, perm fs.FileMode) (*osFile, error) {
	f, err := input.OpenFile(path, flag, perm)
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
func (osFS) Link(from, to string) error                 { return os.Link(from, to) }
func (osFS) Remove(path string) error                   { return os.Remove(path) }
func (osFS) SyncDir(dir string) error                   { return syncDir(dir) }
func (osFS) Free(dir string) (bytes uint64, known bool) { return freeBytes(dir) }

// maxRead is far above the size of what is written here and read whole again, in bytes.
const maxRead = 1 << 30

// ReadFile reads a whole file, of a gigabyte at most.
func ReadFile(fsys FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size, err := f.Size(); err == nil && size > maxRead {
		return nil, &fs.PathError{Op: "read", Path: path, Err: input.ErrTooLarge}
	}
	return io.ReadAll(f)
}
