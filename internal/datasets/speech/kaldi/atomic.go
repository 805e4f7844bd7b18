package kaldi

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
)

// ErrWrite marks a file that could not be written.
var ErrWrite = errors.New("writing failed")

// atomicFile is written beside its target and gets its name by commit, complete or not at all.
type atomicFile struct {
	*bufio.Writer
	f    *os.File // nil once committed or discarded
	path string
}

func createFile(path string) (*atomicFile, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file: name a file", ErrWrite, path)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	var err error
	for range 100 {
		var f *os.File
		temp := filepath.Join(filepath.Dir(path), fmt.Sprintf(".tmp-%016x", rand.Uint64()))
		if f, err = os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err == nil {
			return &atomicFile{bufio.NewWriterSize(f, 1<<16), f, path}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	var p *fs.PathError
	if errors.As(err, &p) { // the temporary name says nothing to the user
		err = p.Err
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrWrite, path, err)
}

// finish makes the contents durable under the temporary name.
func (a *atomicFile) finish() error {
	if err := errors.Join(a.Flush(), a.f.Sync()); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrWrite, a.path, err)
	}
	return nil
}

// commit gives the file its name, after finish.
func (a *atomicFile) commit() error {
	temp := a.f.Name()
	err := a.f.Close()
	if err == nil {
		err = os.Rename(temp, a.path)
	}
	a.f = nil
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrWrite, a.path, errors.Join(err, os.Remove(temp)))
	}
	if runtime.GOOS == "windows" { // it cannot sync a folder
		return nil
	}
	dir, err := os.Open(filepath.Dir(a.path))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrWrite, a.path, err)
	}
	return nil
}

// discard removes what was written; after commit it does nothing.
func (a *atomicFile) discard() {
	if a != nil && a.f != nil {
		a.f.Close()
		_ = os.Remove(a.f.Name()) // best effort: the name says that it is temporary
		a.f = nil
	}
}
