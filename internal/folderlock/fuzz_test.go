package folderlock

import (
	"os"
	"path/filepath"
	"testing"

	"resnet/internal/text"
)

// FuzzHolder: whatever a lock file holds, it names a holder that can be shown, or none.
func FuzzHolder(f *testing.F) {
	f.Add([]byte(`{"pid":12,"host":"\u001b[2Jhost","since":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"pid":-1,"host":"a b"}`))
	f.Add([]byte(`[1]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "lock")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		h, ok := readHolder(path)
		if !ok {
			return
		}
		if said := h.String(); said != text.Printable(said) {
			t.Fatalf("%q", said)
		}
	})
}
