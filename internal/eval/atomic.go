package eval

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
)

// ErrIO marks a file that could not be written.
var ErrIO = errors.New("input/output error")

// atomicFile is a file that appears under its name complete or not at all: it is written beside the
// target, synced and renamed by Commit.
type atomicFile struct {
	*bufio.Writer
	f    *os.File // nil once committed or discarded
	path string
}

// createAtomic starts the file. A symbolic link is followed; what is there and is not a regular
// file is refused, because a rename would replace a device or pipe.
func createAtomic(path string) (*atomicFile, error) {
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file: name a file", ErrIO, path)
	}
	var err error
	for range 100 {
		var f *os.File
		temp := filepath.Join(filepath.Dir(target), fmt.Sprintf(".tmp-%016x", rand.Uint64()))
		// 0666 less the umask, as for any file that the user creates.
		if f, err = os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err == nil {
			return &atomicFile{bufio.NewWriterSize(f, 1<<16), f, target}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return nil, fmt.Errorf("%w: write %s: %w", ErrIO, path, err)
}

// Commit makes the file appear. After an error the target is as it was, and nothing is left beside
// it.
func (a *atomicFile) Commit() error {
	if a.f == nil {
		return fmt.Errorf("%w: write %s: closed already", ErrIO, a.path)
	}
	err := a.Flush()
	if err == nil {
		err = a.f.Sync()
	}
	temp := a.f.Name()
	if err = errors.Join(err, a.f.Close()); err == nil {
		err = os.Rename(temp, a.path)
	}
	a.f = nil
	if err == nil {
		err = syncDir(filepath.Dir(a.path))
	} else {
		err = errors.Join(err, os.Remove(temp))
	}
	if err != nil {
		return fmt.Errorf("%w: write %s: %w", ErrIO, a.path, err)
	}
	return nil
}

// Discard removes what was written. After Commit it does nothing.
func (a *atomicFile) Discard() {
	if a.f != nil {
		a.f.Close()
		_ = os.Remove(a.f.Name()) // best effort: a file that cannot be removed has a name that says temporary
		a.f = nil
	}
}

// syncDir makes a rename durable. Windows cannot sync a folder.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// WriteFileAtomic writes a whole file.
func WriteFileAtomic(path string, write func(io.Writer) error) error {
	f, err := createAtomic(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := write(f); err != nil {
		return fmt.Errorf("%w: write %s: %w", ErrIO, path, err)
	}
	return f.Commit()
}
