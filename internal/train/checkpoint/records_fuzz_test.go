package checkpoint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// FuzzRecords: whatever env.json holds, it is refused or can be written again.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"version":"1","seed":1,"command":["resnet","train"],"kernels":{"all":"avx2"},"samples":{"train":1}}`))
	f.Add([]byte(`[1]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "env.json"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if e, err := ReadEnv(dir); err == nil {
			if _, err := json.Marshal(e); err != nil {
				t.Fatal(err)
			}
		}
	})
}
