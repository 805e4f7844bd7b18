package atomicfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"resnet/internal/atomicfile"
)

// link makes a symbolic link, or skips where that is not allowed.
func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skip(err)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

// names lists a tree's files below dir.
func names(t *testing.T, dir string) string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

func TestALinkAsOutputStaysAndItsTargetIsReplaced(t *testing.T) {
	for _, c := range []struct {
		name  string
		make  func(t *testing.T, dir string) // makes dir/link
		files string
		at    string // where the contents go
	}{
		{"to a file", func(t *testing.T, dir string) {
			put(t, dir+"/far/x", "old")
			link(t, filepath.Join(dir, "far/x"), dir+"/link")
		}, "far/x link", "far/x"},
		{"relative", func(t *testing.T, dir string) {
			put(t, dir+"/far/x", "old")
			link(t, "far/x", dir+"/link")
		}, "far/x link", "far/x"},
		{"through two links", func(t *testing.T, dir string) {
			put(t, dir+"/far/x", "old")
			link(t, "x", dir+"/far/second")
			link(t, "far/second", dir+"/link")
		}, "far/second far/x link", "far/x"},
		{"to nothing", func(t *testing.T, dir string) {
			put(t, dir+"/far/other", "")
			link(t, "far/x", dir+"/link")
		}, "far/other far/x link", "far/x"},
		{"up from a folder that is a link", func(t *testing.T, dir string) {
			put(t, dir+"/far/deep/y", "")
			link(t, "../x", dir+"/far/deep/second") // far/x
			link(t, "far/deep", dir+"/near")
			link(t, "near/second", dir+"/link")
		}, "far/deep/second far/deep/y far/x link near", "far/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.make(t, dir)
			path := filepath.Join(dir, "link")
			if err := atomicfile.WriteFile(atomicfile.OS, path, "test", []byte("new")); err != nil {
				t.Fatal(err)
			}
			if got := names(t, dir); got != c.files {
				t.Errorf("files %q, want %q", got, c.files)
			}
			if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
				t.Errorf("the link is gone: %v, %v", info, err)
			}
			if info, err := os.Lstat(filepath.Join(dir, c.at)); err != nil || !info.Mode().IsRegular() {
				t.Errorf("%s: %v, %v", c.at, info, err)
			}
			if got := read(t, path); got != "new" {
				t.Errorf("through the link: %q", got)
			}
		})
	}
}

func TestALinkThatLeadsNowhereIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "link")
	link(t, "none/x", path)
	err := atomicfile.WriteFile(atomicfile.OS, path, "test", []byte("new"))
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, atomicfile.ErrIO) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), filepath.Join("none", "x")) {
		t.Errorf("into a folder that is not there: %v", err)
	}
	round := filepath.Join(dir, "round")
	link(t, "round", round)
	if err := atomicfile.WriteFile(atomicfile.OS, round, "test", nil); !errors.Is(err, atomicfile.ErrIO) || !strings.Contains(err.Error(), round) {
		t.Errorf("a link to itself: %v", err)
	}
	if got := names(t, dir); got != "link round" {
		t.Errorf("files %q", got)
	}
}

func TestWhatIsNoRegularFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	list := []string{filepath.Join(dir, "folder"), filepath.Join(dir, "link")}
	if err := os.Mkdir(list[0], 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, "folder", list[1])
	if runtime.GOOS != "windows" {
		list = append(list, "/dev/null")
	}
	for _, path := range list {
		err := atomicfile.WriteFile(atomicfile.OS, path, "test", nil)
		if !errors.Is(err, atomicfile.ErrIO) || !strings.HasPrefix(err.Error(), "write "+path+": not a regular file but a ") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := names(t, dir); got != "link" {
		t.Errorf("files %q", got)
	}
}

// TestWritersOfOneFileDoNotMeet: the last to commit wins, and nobody writes into another's file.
func TestWritersOfOneFileDoNotMeet(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		group.Go(func() {
			errs[i] = atomicfile.WriteFile(atomicfile.OS, path, "test", []byte(strings.Repeat(fmt.Sprint(i), 200_000)))
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	got := read(t, path)
	if len(got) != 200_000 || strings.Trim(got, got[:1]) != "" || names(t, dir) != "x" {
		t.Errorf("%d bytes, files %q", len(got), names(t, dir))
	}
}

func TestANameAsLongAsAllowedCanBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 255))
	if err := atomicfile.WriteFile(atomicfile.OS, path, "test", []byte("new")); err != nil || read(t, path) != "new" {
		t.Error(err)
	}
}
