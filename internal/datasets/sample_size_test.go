package datasets

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestTheMeanOfImageNetIsThatOfTenThousandImages, as the documentation says; of a folder it is that
// of all.
func TestTheMeanOfImageNetIsThatOfTenThousandImages(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "train", "n01440764", "0.png")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"imagenet": 10_000, "folder": 0} {
		d, err := Open(t.Context(), Config{Name: name, Dir: dir, Size: 8}, 1)
		if err != nil || d.about.meanImages != want {
			t.Errorf("%s: the mean of %d images (%v), want %d", name, d.about.meanImages, err, want)
		}
	}
}
