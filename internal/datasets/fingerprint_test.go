package datasets_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"resnet/internal/datasets"
)

// printOf is the fingerprint of a data set that is opened anew.
func printOf(t *testing.T, c datasets.Config) datasets.Fingerprint {
	t.Helper()
	d, err := datasets.Open(t.Context(), c, 1)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Fingerprint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFingerprintSeesWhatHasChangedInAFolder(t *testing.T) {
	flip := func(t *testing.T, path string, at int) { // another byte of the same file size
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)+at] ^= 1
		write(t, path, data)
	}
	rename := func(t *testing.T, from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name        string
		change      func(t *testing.T, dir string)
		train, test string
	}{
		{"nothing but times", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "train", "ant", "notes.txt"), []byte("not an image"))
			data, _ := os.ReadFile(filepath.Join(dir, "train", "ant", "00.png"))
			write(t, filepath.Join(dir, "train", "ant", "00.png"), data)
		}, "", ""},
		{"an image more", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "train", "ant", "99.png"), pngBytes(t, picture(9, 9, 1)))
		}, datasets.OtherNumber, ""},
		{"an image of another name", func(t *testing.T, dir string) {
			rename(t, filepath.Join(dir, "train", "ant", "00.png"), filepath.Join(dir, "train", "ant", "0.png"))
		}, datasets.OtherNames, ""},
		{"an image of another class", func(t *testing.T, dir string) {
			rename(t, filepath.Join(dir, "train", "ant", "00.png"), filepath.Join(dir, "train", "bee", "000.png"))
		}, datasets.OtherNames, ""},
		{"classes in another order", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "classes.txt"), []byte("bee\nant\ncat\n"))
		}, datasets.OtherNames, datasets.OtherNames},
		{"a longer file", func(t *testing.T, dir string) {
			data, _ := os.ReadFile(filepath.Join(dir, "train", "ant", "00.png"))
			write(t, filepath.Join(dir, "train", "ant", "00.png"), append(data, 0))
		}, datasets.OtherSizes, ""},
		{"other contents", func(t *testing.T, dir string) {
			found, _ := filepath.Glob(filepath.Join(dir, "test", "cat", "*.JPEG"))
			flip(t, found[0], -20)
		}, "", datasets.OtherContent},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := t.TempDir(), t.TempDir()
			imageFolder(t, a)
			imageFolder(t, b)
			c.change(t, b)
			f, g := printOf(t, datasets.Config{Name: "folder", Dir: a, Size: 8}), printOf(t, datasets.Config{Name: "folder", Dir: b, Size: 8})
			if got := f[datasets.Train].Differs(g[datasets.Train]); got != c.train {
				t.Errorf("training: %q, want %q", got, c.train)
			}
			if got := f[datasets.Test].Differs(g[datasets.Test]); got != c.test {
				t.Errorf("test: %q, want %q", got, c.test)
			}
			if f[datasets.Train].N != 15 || f[datasets.Test].N != 6 || f[datasets.Train].Contents == "" {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestALargeSetIsNotRead has two sparse files of 40 MB.
func TestALargeSetIsNotRead(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	grow := func(name string, bytes int64) {
		if err := os.Truncate(filepath.Join(dir, "train", "ant", name), bytes); err != nil {
			t.Fatal(err)
		}
	}
	grow("00.png", 40<<20)
	grow("01.png", 40<<20)
	c := datasets.Config{Name: "folder", Dir: dir, Size: 8}
	f := printOf(t, c)
	if f[datasets.Train].Contents != "" || f[datasets.Test].Contents != "" {
		t.Errorf("more than %d bytes were read: %+v", datasets.MaxContents, f)
	}
	grow("01.png", 41<<20)
	if got := f[datasets.Train].Differs(printOf(t, c)[datasets.Train]); got != datasets.OtherSizes {
		t.Errorf("another size: %q", got)
	}
	grow("00.png", 1<<20)
	grow("01.png", 1<<20)
	if printOf(t, c)[datasets.Train].Contents == "" {
		t.Error("a small set is not read")
	}
}

// TestAnArchiveHasTheFingerprintOfItsFolders: a training on the one goes on with the other.
func TestAnArchiveHasTheFingerprintOfItsFolders(t *testing.T) {
	ids := datasets.ImageNetClasses()
	folders, archives := t.TempDir(), t.TempDir()
	var outer []string
	var inner [][]byte
	for c := range 3 {
		var names []string
		var files [][]byte
		for i := range 2 {
			data := jpegBytes(t, picture(30+i, 25, uint64(3*c+i)))
			name := fmt.Sprintf("%s_%d.JPEG", ids[c].ID, i)
			names, files = append(names, name), append(files, data)
			write(t, filepath.Join(folders, "train", ids[c].ID, name), data)
		}
		outer, inner = append(outer, ids[c].ID+".tar"), append(inner, tarOf(t, names, files))
	}
	archive := filepath.Join(archives, "ILSVRC2012_img_train.tar")
	write(t, archive, tarOf(t, outer, inner))
	f, g := printOf(t, datasets.Config{Name: "imagenet", Dir: folders, Size: 16}), printOf(t, datasets.Config{Name: "imagenet", Dir: archives, Size: 16})
	if f[datasets.Train] != g[datasets.Train] || f[datasets.Train].N != 6 || f[datasets.Train].Contents == "" {
		t.Errorf("%+v and %+v", f, g)
	}
	inner[1] = tarOf(t, []string{ids[1].ID + "_0.JPEG", ids[1].ID + "_1.JPEG"}, [][]byte{jpegBytes(t, picture(30, 25, 3)), jpegBytes(t, picture(31, 25, 77))})
	write(t, archive, tarOf(t, outer, inner))
	if g := printOf(t, datasets.Config{Name: "imagenet", Dir: archives, Size: 16}); f[datasets.Train].Differs(g[datasets.Train]) == "" {
		t.Error("another image in the archive is not seen")
	}
}

func TestTheFingerprintOfAPackIsItsManifests(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	imageFolder(t, a)
	imageFolder(t, b)
	write(t, filepath.Join(b, "train", "ant", "00.png"), pngBytes(t, picture(20, 20, 999)))
	prints := make([]datasets.Fingerprint, 3)
	for i, dir := range []string{a, a, b} {
		out, _, err := packOf(t, dir, 18, "")
		if err != nil {
			t.Fatal(err)
		}
		prints[i] = printOf(t, datasets.Config{Name: "packed", Dir: out, Size: 8})
	}
	if prints[0][datasets.Train] != prints[1][datasets.Train] {
		t.Errorf("the same pack twice: %+v and %+v", prints[0], prints[1])
	}
	if prints[0][datasets.Train].Differs(prints[2][datasets.Train]) == "" {
		t.Error("a pack of another image is not seen")
	}
}

func TestTheFingerprintOfImagesInMemoryIsOfTheirPixels(t *testing.T) {
	f := printOf(t, datasets.Config{Name: "fashion-sample", Downsample: 2})
	if f[datasets.Train].N != 5000 || f[datasets.Test].N != 1000 {
		t.Errorf("%+v", f)
	}
	if got := f[datasets.Train].Differs(printOf(t, datasets.Config{Name: "fashion-sample", Downsample: 2, Validation: 7, Limit: 50})[datasets.Train]); got != "" {
		t.Errorf("held out or left out images: %q", got)
	}
	if got := f[datasets.Test].Differs(printOf(t, datasets.Config{Name: "fashion-sample", Downsample: 4})[datasets.Test]); got != datasets.OtherSizes {
		t.Errorf("other pixels: %q", got)
	}
}

// TestAFileThatDoesNotReadIsLeftToItsPolicy: data.on_corrupt may put another image in its place.
func TestAFileThatDoesNotReadIsLeftToItsPolicy(t *testing.T) {
	dir := t.TempDir()
	id := datasets.ImageNetClasses()[0].ID
	for i := range 3 {
		write(t, filepath.Join(dir, "train", id, fmt.Sprintf("%d.JPEG", i)), jpegBytes(t, picture(30, 25, uint64(i))))
	}
	c := datasets.Config{Name: "imagenet", Dir: dir, Size: 16, OnCorrupt: datasets.CorruptSkip}
	whole := printOf(t, c)[datasets.Train]
	if err := os.Symlink("nowhere", filepath.Join(dir, "train", id, "3.JPEG")); err != nil {
		t.Fatal(err)
	}
	if f := printOf(t, c)[datasets.Train]; f.N != 4 || f.Contents != "" || whole.Contents == "" || f.Sizes == whole.Sizes {
		t.Errorf("%+v", f)
	}
}

func TestAFingerprintEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 8}, 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Fingerprint(ctx); err == nil {
		t.Error("it goes on")
	}
	if _, err := d.Fingerprint(t.Context()); err != nil {
		t.Errorf("and cannot be taken any more: %v", err)
	}
}
