package datasets_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/datasetstest"
)

// packOf packs a folder of images and gives the pack's folder.
func packOf(t testing.TB, folder string, shorter int, onCorrupt string) (string, datasets.PackReport, error) {
	t.Helper()
	d, err := datasets.Open(context.Background(), datasets.Config{Name: "folder", Dir: folder, OnCorrupt: onCorrupt}, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "pack")
	r, err := datasets.Pack(context.Background(), d, datasets.PackOptions{Dir: out, Shorter: shorter, Quality: 95})
	return out, r, err
}

func TestPackedPassesTheSuite(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	out, r, err := packOf(t, dir, 18, "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Images[datasets.Train] != 15 || r.Images[datasets.Test] != 6 || r.Resized != 15 {
		t.Errorf("report %+v: want 15 and 6 images, and the 15 of more than 18 pixels made smaller", r)
	}
	datasetstest.Run(t, datasetstest.Case{
		Open: func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
			return datasets.Open(context.Background(), datasets.Config{Name: "packed", Dir: out, Size: 16, Validation: float64(val), MeanImages: 4}, seed)
		},
		Want:   datasets.Info{Name: "packed", Classes: []string{"ant", "bee", "cat"}, Channels: 3, Height: 16, Width: 16, Train: 15, Test: 6},
		Damage: func(t testing.TB) { cutInHalf(t, filepath.Join(out, "train.data")) },
	})
}

func TestAPackHasTheImagesOfWhatWasPackedInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	out, r, err := packOf(t, dir, 4096, "") // nothing is made smaller
	if err != nil || r.Resized != 0 {
		t.Fatal(r, err)
	}
	from, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 16, Resize: 18}, 1)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := datasets.Open(t.Context(), datasets.Config{Name: "packed", Dir: out, Size: 16, Resize: 18}, 1)
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for _, s := range []datasets.Split{datasets.Train, datasets.Test} {
		if from.Len(s) != packed.Len(s) {
			t.Fatalf("%s: %d images, packed %d", s, from.Len(s), packed.Len(s))
		}
		for i := range from.Len(s) {
			if from.ID(s, i) != packed.ID(s, i) || from.Label(s, i) != packed.Label(s, i) {
				t.Fatalf("%s %d: %s of class %d, packed %s of class %d", s, i, from.ID(s, i), from.Label(s, i), packed.ID(s, i), packed.Label(s, i))
			}
			a, b := make([]byte, 3*16*16), make([]byte, 3*16*16)
			if _, err := from.Image(s, i, a); err != nil {
				t.Fatal(err)
			}
			if _, err := packed.Image(s, i, b); err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(a, b) {
				same++
			}
		}
	}
	if same != 12 { // 6 training and 6 test images are JPEG, copied byte for byte; PNG become JPEG
		t.Errorf("%d images have the same pixels, want the 12 JPEG files", same)
	}
}

func TestCorruptImagesEndAPackOrAreNamed(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	bad := filepath.Join(dir, "train", "bee", "03.png")
	good, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	write(t, bad, good[:len(good)-40]) // its header is whole
	out, _, err := packOf(t, dir, 18, datasets.CorruptError)
	if !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "03.png") {
		t.Errorf("got %v, want ErrData naming the image", err)
	}
	if _, err := datasets.Open(t.Context(), datasets.Config{Name: "packed", Dir: out}, 0); !errors.Is(err, datasets.ErrMissing) {
		t.Errorf("a packing that failed opens with %v, want ErrMissing", err)
	}
	if left, _ := filepath.Glob(filepath.Join(out, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	out, r, err := packOf(t, dir, 18, datasets.CorruptSkip)
	if err != nil || fmt.Sprint(r.Skipped) != "[train/bee/03.png]" || r.Images[datasets.Train] != 14 {
		t.Fatalf("%+v, %v", r, err)
	}
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "packed", Dir: out, Size: 16}, 0)
	if err != nil || d.Len(datasets.Train) != 14 || !strings.Contains(strings.Join(d.Notes(), "\n"), "train/bee/03.png") {
		t.Errorf("%v: notes %v", err, d.Notes())
	}
}

func TestDamageToAPackIsFound(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	out, _, err := packOf(t, dir, 18, "")
	if err != nil {
		t.Fatal(err)
	}
	flip := func(name string, at int) (undo func()) {
		path := filepath.Join(out, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		was := bytes.Clone(b)
		b[at] ^= 1
		write(t, path, b)
		return func() { write(t, path, was) }
	}
	open := func() (*datasets.Dataset, error) {
		return datasets.Open(t.Context(), datasets.Config{Name: "packed", Dir: out, Size: 16}, 0)
	}
	undo := flip("train.index", 5)
	if _, err := open(); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "train.index") {
		t.Errorf("index: %v", err)
	}
	undo()
	undo = flip("train.data", 300) // of the first image
	d, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Image(datasets.Train, 0, make([]byte, 3*16*16)); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("data: %v", err)
	}
	r, err := datasets.Verify(t.Context(), "packed", out)
	if err != nil || r.Err() == nil {
		t.Errorf("verify found nothing: %+v, %v", r, err)
	}
	undo()
	if r, err := datasets.Verify(t.Context(), "packed", out); err != nil || r.Err() != nil {
		t.Errorf("whole again: %+v, %v", r, err)
	}
	if _, err := datasets.Pack(t.Context(), d, datasets.PackOptions{Dir: out, Shorter: 18, Quality: 95}); !errors.Is(err, datasets.ErrConfig) {
		t.Errorf("packed over a pack: %v", err)
	}
	for _, o := range []datasets.PackOptions{{Shorter: 0, Quality: 95}, {Shorter: 18, Quality: 101}, {Shorter: 5000, Quality: 1}} {
		o.Dir = t.TempDir()
		if _, err := datasets.Pack(t.Context(), d, o); !errors.Is(err, datasets.ErrConfig) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
