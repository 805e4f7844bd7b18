//go:build unix

package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
)

func TestFilesAndFoldersHonourTheUmask(t *testing.T) {
	for _, umask := range []int{0o027, 0o000} {
		folder := filepath.Join(t.TempDir(), "run")
		old := syscall.Umask(umask)
		s, err := Open(folder, Options{Producer: "resnet v0.1.0"})
		if err == nil {
			_, err = s.Save(snapshot(1))
		}
		if err == nil {
			err = WriteEnv(atomicfile.OS, folder, Env{})
		}
		if err == nil {
			var c *CSV
			if c, err = OpenCSV(atomicfile.OS, filepath.Join(folder, "metrics.csv"), columns, -1); err == nil {
				err = c.Close()
			}
		}
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o644)
			if d.IsDir() {
				want = 0o755
			}
			if got := info.Mode().Perm(); got != want&^fs.FileMode(umask) {
				t.Errorf("umask %04o: %s has %04o", umask, path, got)
			}
			return nil
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestALockOnARemovedFileIsNone opens the lock file before its holder removes it and locks it
// after: the moment where two could hold the folder.
func TestALockOnARemovedFileIsNone(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "lock")
	first, err := AcquireLock(folder)
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
	third, err := AcquireLock(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Release()
	if l, err := lockOpened(early, path); l != nil || err != nil {
		t.Errorf("locked a file without a name: %v, %v", l, err)
	}
}

// TestReleaseRemovesItsOwnFileOnly: somebody removed the lock by hand, and another training has the
// folder since.
func TestReleaseRemovesItsOwnFileOnly(t *testing.T) {
	folder := t.TempDir()
	first, err := AcquireLock(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "lock")); err != nil {
		t.Fatal(err)
	}
	second, err := AcquireLock(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Release()
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := AcquireLock(folder); !errors.Is(err, ErrLocked) {
		t.Errorf("the second lock is gone: %v", err)
	}
}

// TestAFileSizeLimitIsAFailedSave meets a limit of the real system: the kernel cuts the write short
// and then refuses.
func TestAFileSizeLimitIsAFailedSave(t *testing.T) {
	if folder := os.Getenv("RESNET_TEST_LIMIT_FOLDER"); folder != "" {
		s := openOS(t, folder)
		save(t, s, snapshot(1))
		big := snapshot(2)
		big.Model[0].Data = make([]float32, 1<<18)
		big.Model[0].Shape = []int{1 << 18}
		limit := syscall.Rlimit{Cur: 1 << 16, Max: 1 << 16}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Save(big); !errors.Is(err, ErrIO) || !errors.Is(err, syscall.EFBIG) {
			t.Errorf("error %v", err)
		}
		l, warnings, err := s.LoadLatest()
		if err != nil || len(warnings) > 0 {
			t.Fatal(err, warnings)
		}
		checkLoaded(t, l, 1)
		if names, _ := atomicfile.OS.ReadDir(s.dir); len(names) != 3 {
			t.Errorf("files %v", names)
		}
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestAFileSizeLimitIsAFailedSave$", "-test.v")
	cmd.Env = append(os.Environ(), "RESNET_TEST_LIMIT_FOLDER="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAReleasedLockLeavesNoFile: the next training would say that it took the folder over.
func TestAReleasedLockLeavesNoFile(t *testing.T) {
	folder := t.TempDir()
	for range 2 {
		l, err := AcquireLock(folder)
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
