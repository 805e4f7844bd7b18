//go:build unix

package folderlock

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
)

// TestALockOnARemovedFileIsNone opens the lock file before its holder removes it and locks it
// after: the moment where two could hold the folder.
func TestALockOnARemovedFileIsNone(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "lock")
	first, err := Acquire(filepath.Join(folder, "lock"), "testing here")
	if err != nil {
		t.Fatal(err)
	}
	early, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	third, err := Acquire(filepath.Join(folder, "lock"), "testing here")
	if err != nil {
		t.Fatal(err)
	}
	defer third.Release()
	if l, err := lockOpened(early, path, "testing here"); l != nil || err != nil {
		t.Errorf("locked a file without a name: %v, %v", l, err)
	}
}

// TestReleaseRemovesItsOwnFileOnly: somebody removed the lock by hand, and another training has the
// folder since.
func TestReleaseRemovesItsOwnFileOnly(t *testing.T) {
	folder := t.TempDir()
	first, err := Acquire(filepath.Join(folder, "lock"), "testing here")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "lock")); err != nil {
		t.Fatal(err)
	}
	second, err := Acquire(filepath.Join(folder, "lock"), "testing here")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Release()
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := Acquire(filepath.Join(folder, "lock"), "testing here"); !errors.Is(err, ErrLocked) {
		t.Errorf("the second lock is gone: %v", err)
	}
}

// TestAReleasedLockLeavesNoFile: the next training would say that it took the folder over.
func TestAReleasedLockLeavesNoFile(t *testing.T) {
	folder := t.TempDir()
	for range 2 {
		l, err := Acquire(filepath.Join(folder, "lock"), "testing here")
		if err != nil || l.TakenFrom != "" {
			t.Fatal(l, err)
		}
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
		if names, _ := os.ReadDir(folder); len(names) > 0 {
			t.Errorf("%v left", names)
		}
	}
}

// TestALockThatIsNoFileIsRefused: a pipe would never answer.
func TestALockThatIsNoFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Skip(err)
	}
	if l, err := Acquire(path, "testing here"); l != nil || !errors.Is(err, atomicfile.ErrIO) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}
