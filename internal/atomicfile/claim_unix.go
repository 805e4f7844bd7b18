//go:build unix

package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"resnet/internal/filelock"
	"resnet/internal/input"
)

// Claim locks the file through a descriptor of its own, which outlasts the one that writes: the
// lock has to hold until the rename.
func (osFS) Claim(path string) (io.Closer, error) {
	f, err := input.OpenFile(path, os.O_RDWR, 0) // NFS locks only what is open for writing
	if err != nil {
		return nil, errors.Join(fs.ErrExist, err)
	}
	locked, err := filelock.Try(f)
	if err != nil { // there are no locks here
		f.Close()
		return noClaim{}, nil
	}
	if !locked || !filelock.Same(f, path) { // another process took it for abandoned
		f.Close()
		return nil, fs.ErrExist
	}
	return f, nil
}

func (osFS) RemoveAbandoned(path string, o Owner) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := input.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	locked, err := filelock.Try(f)
	if err == nil && !locked || !o.abandoned(err == nil, time.Since(info.ModTime())) || !filelock.Same(f, path) {
		return false
	}
	return os.Remove(path) == nil
}

// processRuns reports whether this machine has a process of this number.
func processRuns(pid int) bool {
	err := unix.Kill(pid, 0)
	return err == nil || errors.Is(err, unix.EPERM)
}
