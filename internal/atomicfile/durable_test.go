package atomicfile_test

import (
	"path/filepath"
	"slices"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

// TestFilesAreDurableOnTheRealDisk traces the system calls of a process that writes: a file system
// in memory cannot tell whether the real one is asked to sync.
func TestFilesAreDurableOnTheRealDisk(t *testing.T) {
	calls, dir := atomicfiletest.Trace(t, func(dir string) {
		if err := atomicfile.WriteFile(atomicfile.OS, filepath.Join(dir, "a"), "test", []byte("one")); err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.WriteNewFile(atomicfile.OS, filepath.Join(dir, "b"), "test", []byte("two")); err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.WriteFile(atomicfile.OS, filepath.Join(dir, "a"), "test", []byte("three")); err != nil {
			t.Fatal(err)
		}
		deep := filepath.Join(dir, "new", "newer")
		if err := atomicfile.OS.MkdirAll(deep, atomicfile.DirPerm); err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.WriteFile(atomicfile.OS, filepath.Join(deep, "c"), "test", nil); err != nil {
			t.Fatal(err)
		}
	})
	if names := atomicfiletest.RequireDurable(t, calls, dir); !slices.Equal(names, []string{"a", "b", "a", "new/newer/c"}) {
		t.Errorf("files got names in the order %q: %+v", names, calls)
	}
}
