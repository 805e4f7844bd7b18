package atomicfile_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

func content(version int) []byte {
	// More than the buffer.
	return []byte(strings.Repeat(fmt.Sprintf("version %d\n", version), 10_000))
}

func TestAFileIsReplacedWholeOrNotAtAll(t *testing.T) {
	for name, onOS := range map[string]bool{"memory": false, "system": true} {
		t.Run(name, func(t *testing.T) {
			atomicfiletest.Run(t, atomicfiletest.Writer{
				Files: []string{"report.html"}, OnOS: onOS,
				Write: func(fsys atomicfile.FS, dir string, version int) error {
					return atomicfile.WriteFile(fsys, filepath.Join(dir, "report.html"), "report", content(version))
				},
			})
		})
	}
}

// TestAFullDiskIsToldWithoutTheTemporaryName: the user knows the path alone.
func TestAFullDiskIsToldWithoutTheTemporaryName(t *testing.T) {
	for _, kind := range []string{"create", "write", "sync", "close", "rename"} {
		d := disk(t)
		d.Op = fail(kind, syscall.ENOSPC)
		err := atomicfile.WriteFile(d, "/out/x.csv", "test", content(1))
		if want := "write /out/x.csv: no space left on device"; err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", kind, err, want)
		}
		if !errors.Is(err, atomicfile.ErrIO) || !errors.Is(err, syscall.ENOSPC) || len(d.Files) > 0 {
			t.Errorf("%s: %#v, files %v", kind, err, d.Files)
		}
	}
}

func disk(t *testing.T) *atomicfiletest.Disk {
	t.Helper()
	d := atomicfiletest.NewDisk()
	if err := d.MkdirAll("/out", atomicfile.DirPerm); err != nil {
		t.Fatal(err)
	}
	return d
}

// fail fails the operations of some kinds.
func fail(kinds string, err error) func(kind, path string) error {
	return func(kind, _ string) error {
		if strings.Contains(kinds, kind) {
			return err
		}
		return nil
	}
}

func TestTheOrderOfOperations(t *testing.T) {
	d := disk(t)
	if err := atomicfile.WriteFile(d, "/out/x", "test", []byte("x")); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, l := range d.Log {
		kinds = append(kinds, strings.Fields(l)[0])
	}
	if got := strings.Join(kinds, " "); got != "mkdir resolve readdir create write sync close rename syncdir" {
		t.Error(got)
	}
	temp := strings.TrimPrefix(d.Log[3], "create ")
	if filepath.Dir(temp) != "/out" || !atomicfile.IsTemp(filepath.Base(temp), "test") || !strings.HasPrefix(filepath.Base(temp), ".x.tmp-test-") {
		t.Errorf("temporary file %s", temp)
	}
}

func TestATemporaryFileThatStaysIsNamed(t *testing.T) {
	d := disk(t)
	d.Op = fail("write remove", syscall.EIO)
	err := atomicfile.WriteFile(d, "/out/x", "test", []byte("x"))
	if len(d.Temps()) != 1 || !strings.Contains(err.Error(), d.Temps()[0]) || !strings.Contains(err.Error(), "write /out/x: input/output error") {
		t.Errorf("%v stays, error %v", d.Temps(), err)
	}
}

func TestWhatTheWritingFunctionSaysIsReported(t *testing.T) {
	d := disk(t)
	broken := errors.New("broken")
	err := atomicfile.Write(d, "/out/x", "test", func(w io.Writer) error {
		if _, err := w.Write(content(1)); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) || !errors.Is(err, atomicfile.ErrIO) || err.Error() != "write /out/x: broken" || len(d.Files) > 0 {
		t.Errorf("%v, files %v", err, d.Files)
	}
}

func TestAFileIsUsedOnce(t *testing.T) {
	d := disk(t)
	f, err := atomicfile.Create(d, "/out/x", "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Finish(), f.Finish(), f.Commit()); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	if d.Files["/out/x"] == nil || len(d.Files) != 1 {
		t.Errorf("after Commit and Discard: %v", d.Files)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write after Commit: %v", err)
	}
	if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a second Commit: %v", err)
	}
	if f, err = atomicfile.Create(d, "/out/y", "test"); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	f.Discard()
	(*atomicfile.File)(nil).Discard()
	if len(d.Files) != 1 {
		t.Errorf("after Discard: %v", d.Files)
	}
}

func TestANewFileReplacesNone(t *testing.T) {
	write := func(fsys atomicfile.FS, text string) error {
		return atomicfile.WriteNewFile(fsys, "/out/x", "test", []byte(text))
	}
	for name, op := range map[string]func(kind, path string) error{
		"with links":                      nil,
		"without links":                   fail("link", syscall.EPERM),
		"without links, another error":    fail("link", syscall.ENOTSUP),
		"and another process was quicker": nil,
	} {
		d := disk(t)
		d.Op = op
		if name == "and another process was quicker" {
			d.Files["/out/x"] = &atomicfiletest.Content{Data: []byte("first")}
		} else if err := write(d, "first"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := write(d, "second"); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "/out/x") {
			t.Errorf("%s: %v", name, err)
		}
		if got := string(d.Files["/out/x"].Data); got != "first" || len(d.Files) != 1 {
			t.Errorf("%s: %q, %d files", name, got, len(d.Files))
		}
	}
	atomicfiletest.Run(t, atomicfiletest.Writer{
		Files: []string{"x"},
		Write: func(fsys atomicfile.FS, dir string, version int) error {
			path := filepath.Join(dir, "x")
			if f, err := fsys.Open(path); err == nil {
				if err := errors.Join(f.Close(), fsys.Remove(path)); err != nil {
					return atomicfile.Error(err)
				}
			}
			return atomicfile.WriteNewFile(fsys, path, "test", content(version))
		},
		Fits: func(_, _, _ map[string]string) bool { return true },
	})
}

func TestSweepTakesItsOwnKindAlone(t *testing.T) {
	d := disk(t)
	mine := []string{filepath.Base(atomicfile.TempName("x.json", "run")), ".step-000001.safetensors.tmp-run-17-0123abcd"}
	others := []string{
		filepath.Base(atomicfile.TempName("x.json", "report")), ".tmp-0123456789abcdef", ".tmp-x.json", "x.tmp-run-17-0123abcd",
		".x.tmp-run", ".x.tmp-run-17-0123abcd.txt", ".x.tmp-runs-17-0123abcd", "run",
	}
	for _, name := range append(mine, others...) {
		d.Files["/out/"+name] = &atomicfiletest.Content{}
	}
	removed, err := atomicfile.Sweep(d, "/out", "run")
	if err != nil || len(removed) != len(mine) {
		t.Errorf("removed %q (%v)", removed, err)
	}
	for _, name := range others {
		if d.Files["/out/"+name] == nil {
			t.Errorf("%s was removed", name)
		}
	}
	if removed, err := atomicfile.Sweep(d, "/none", "run"); err != nil || removed != nil {
		t.Errorf("a folder that is not there: %v, %v", removed, err)
	}
	d.Files["/out/"+mine[0]] = &atomicfiletest.Content{}
	d.Op = fail("remove", syscall.EACCES)
	if _, err := atomicfile.Sweep(d, "/out", "run"); !errors.Is(err, atomicfile.ErrIO) || !strings.Contains(err.Error(), mine[0]) {
		t.Errorf("what cannot be removed: %v", err)
	}
}

func TestTemporaryNamesFitAndDiffer(t *testing.T) {
	long := strings.Repeat("ä", 127) // 254 bytes
	a, b := filepath.Base(atomicfile.TempName(long, "run")), filepath.Base(atomicfile.TempName(long, "run"))
	if a == b || len(a) > 255 || !atomicfile.IsTemp(a, "run") || strings.ContainsRune(a, '\uFFFD') {
		t.Errorf("%q (%d bytes) and %q", a, len(a), b)
	}
}
