package checkpoint

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"resnet/internal/atomicfile/atomicfiletest"
)

// TestASaveIsDurableInItsOrderOnTheRealDisk traces a process that saves: contents, then names, then
// the folder, file by file, the manifest last.
func TestASaveIsDurableInItsOrderOnTheRealDisk(t *testing.T) {
	calls, dir := atomicfiletest.Trace(t, func(dir string) {
		run := filepath.Join(dir, "run")
		if err := os.Mkdir(run, 0o755); err != nil {
			t.Fatal(err)
		}
		s, err := Open(run, Options{Producer: "test"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Save(snapshot(7)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	names := atomicfiletest.RequireDurable(t, calls, dir)
	want := []string{"run/checkpoints/step-000007.safetensors", "run/checkpoints/step-000007.state.safetensors", "run/checkpoints/step-000007.json"}
	if !slices.Equal(names, want) {
		t.Errorf("files got names in the order %q, want %q", names, want)
	}
	made := slices.IndexFunc(calls, func(c atomicfiletest.Call) bool {
		return c.Name == "mkdir" && c.Path == filepath.Join(dir, "run", "checkpoints")
	})
	named := slices.IndexFunc(calls, func(c atomicfiletest.Call) bool { return c.Name == "rename" })
	if made < 0 || !slices.Contains(calls[made:named], atomicfiletest.Call{Name: "fsync", Path: filepath.Join(dir, "run")}) {
		t.Errorf("the new folder was not synced before the first file got its name: %+v", calls)
	}
}
