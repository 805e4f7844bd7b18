package inspect

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
)

// FuzzFile: whatever a file holds, it is described or refused as fault.ErrData; as a script as
// well, whose entries then point into the file beside it.
func FuzzFile(f *testing.F) {
	for _, name := range []string{"kinds.ark", "kinds.txt", "integers.ark", "audio/pcm8.wav", "audio/flac8.flac"} {
		data, err := os.ReadFile(filepath.Join("../../../../testdata/speech", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte("a file:2\n"))
	}
	f.Add([]byte("a \x00BFM \x04\x01\x00\x00\x00\x04\x01\x00\x00\x00abcd"), []byte("a file:2[0:0]\nb file[0:1,0:1]\n"))
	f.Add([]byte("\x00\x00\x00\x01\x00\x01\x86\xa0\x00\x04\x00\x09abcd"), []byte("x cat file |\n"))
	// No file can have the name.
	f.Add([]byte("a 1 2\n"), []byte("x "+strings.Repeat("n", 5000)+"\n"))
	f.Fuzz(func(t *testing.T, data, script []byte) {
		dir := t.TempDir()
		file, scp := filepath.Join(dir, "file"), filepath.Join(dir, "x.scp")
		for path, b := range map[string][]byte{file: data, scp: script} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{file, scp} {
			items := 0
			r, err := File(t.Context(), path, func(Item) error { items++; return nil })
			if err != nil && !errors.Is(err, fault.ErrData) && !errors.Is(err, fault.ErrMissing) {
				t.Fatalf("%s: %v", path, err)
			}
			if err == nil && r.Entries != items {
				t.Fatalf("%s: %d entries, %d items", path, r.Entries, items)
			}
		}
	})
}
