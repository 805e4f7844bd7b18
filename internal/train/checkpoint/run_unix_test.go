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
