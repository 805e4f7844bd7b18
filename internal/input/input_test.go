package input_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/input"
)

func TestARegularFileIsReadThroughLinksAndWithinBounds(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Skip(err)
	}
	for _, p := range []string{path, link} {
		if b, err := input.Read(p, 5); string(b) != "12345" || err != nil {
			t.Errorf("%s: %q, %v", p, b, err)
		}
		if b, err := input.Read(p, 4); b != nil || !errors.Is(err, input.ErrTooLarge) || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %q, %v", p, b, err)
		}
	}
	f, err := input.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(3, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); string(b) != "45" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := input.Open(filepath.Join(dir, "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := input.Open(dir); !errors.Is(err, input.ErrNotRegular) || err.Error() != "open "+dir+": not a regular file but a folder: name a file in it" {
		t.Error(err)
	}
}
