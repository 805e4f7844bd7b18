package datasets_test

import (
	"testing"

	"resnet/internal/datasets"
)

// TestFoldersNamedByRankAreImageNetV2: by their number, and not in the order of text.
func TestFoldersNamedByRankAreImageNetV2(t *testing.T) {
	dir := t.TempDir()
	files(t, dir, map[string]string{"2/a.jpeg": "", "10/b.jpeg": "", "999/c.jpeg": ""})
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "imagenet", Dir: dir, Size: 8}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 10, 999} {
		if got := d.Label(datasets.Test, i); got != want {
			t.Errorf("image %d: label %d, want %d", i, got, want)
		}
	}
	files(t, dir, map[string]string{"1000/d.jpeg": ""})
	_, err = datasets.Open(t.Context(), datasets.Config{Name: "imagenet", Dir: dir, Size: 8}, 0)
	wantError(t, err, datasets.ErrMissing, "holds neither")
}
