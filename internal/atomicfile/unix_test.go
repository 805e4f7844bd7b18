//go:build unix

package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
)

func TestANewFileHas0644LessTheUmask(t *testing.T) {
	for umask, want := range map[int]os.FileMode{0o022: 0o644, 0o077: 0o600, 0: 0o644} {
		path := filepath.Join(t.TempDir(), "x")
		old := syscall.Umask(umask)
		err := os.WriteFile(path, nil, 0o666) // what was there does not matter
		if err == nil {
			err = atomicfile.WriteFile(atomicfile.OS, path, "test", []byte("x"))
		}
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("umask %03o: %v, %v, want %v", umask, info.Mode(), err, want)
		}
	}
}

func TestTheFreeSpaceOfARealFolderIsKnown(t *testing.T) {
	dir := t.TempDir()
	free, known := atomicfile.OS.Free(dir)
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	// Other processes write meanwhile.
	if want := float64(s.Bavail) * float64(s.Bsize); known && (float64(free) < 0.9*want-1e9 || float64(free) > 1.1*want+1e9) {
		t.Errorf("%d bytes, statfs says %v", free, want)
	}
	if _, known := atomicfile.OS.Free(filepath.Join(dir, "none")); known {
		t.Error("the space of a folder that is not there")
	}
}

func TestAFolderThatCannotBeSyncedIsNoError(t *testing.T) {
	if err := atomicfile.OS.SyncDir(t.TempDir()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("/proc/self"); err == nil {
		// Which says EINVAL, as some network file systems do.
		if err := atomicfile.OS.SyncDir("/proc"); err != nil {
			t.Error(err)
		}
	}
	if err := atomicfile.OS.SyncDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
