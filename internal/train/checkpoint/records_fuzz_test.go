package checkpoint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"resnet/internal/text"
)

// FuzzRecords: whatever env.json and lock hold, they are refused or say what can be shown.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"version":"1","seed":1,"command":["resnet","train"],"kernels":{"all":"avx2"},"samples":{"train":1}}`))
	f.Add([]byte(`{"pid":12,"host":"\u001b[2Jhost","since":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"pid":-1,"host":"a b"}`))
	f.Add([]byte(`[1]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		for _, name := range []string{"env.json", "lock"} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if h, ok := readHolder(filepath.Join(dir, "lock")); ok {
			if said := h.String(); said != text.Printable(said) {
				t.Fatalf("%q", said)
			}
		}
		if e, err := ReadEnv(dir); err == nil {
			if _, err := json.Marshal(e); err != nil {
				t.Fatal(err)
			}
		}
	})
}
