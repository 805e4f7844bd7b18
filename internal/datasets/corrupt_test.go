package datasets_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

// manyPhotos is a folder of n training and 2 test images of one class; those listed are damaged
// behind their headers.
func manyPhotos(t *testing.T, n int, damaged ...int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i := range n {
		data := jpegBytes(t, picture(16, 16, uint64(i%15)))
		if slices.Contains(damaged, i) {
			data = data[:len(data)-40]
		}
		write(t, filepath.Join(dir, "train", "a", fmt.Sprintf("%04d.jpg", i)), data)
	}
	for i := range 2 {
		write(t, filepath.Join(dir, "test", "a", fmt.Sprintf("%d.jpg", i)), jpegBytes(t, picture(16, 16, uint64(i))))
	}
	return dir
}

// readEpochs reads all batches and returns the images that were in them.
func readEpochs(t *testing.T, d *datasets.Dataset, o datasets.LoaderOptions) (index []int, values []float32, err error) {
	t.Helper()
	l, err := datasets.NewLoader(d, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for {
		b, err := l.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return index, values, nil
		}
		if err != nil {
			return nil, nil, err
		}
		index, values = append(index, b.Index...), append(values, b.X...)
		l.Recycle(b)
	}
}

func TestCorruptTrainingImagesAreSkippedByPolicyAloneAndNamed(t *testing.T) {
	dir := manyPhotos(t, 30, 7)
	config := datasets.Config{Name: "folder", Dir: dir, Size: 8}
	options := datasets.LoaderOptions{
		Split: datasets.Train, Batch: 7, Seed: 3, Shuffle: true, Epochs: 2, Workers: 3,
		Augment: datasets.Augment{Crop: datasets.CropShorterSide, ShorterMin: 8, ShorterMax: 12, Flip: true, Color: 0.1},
	}
	open := func(c datasets.Config) *datasets.Dataset {
		t.Helper()
		d, err := datasets.Open(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	_, _, err := readEpochs(t, open(config), options)
	wantError(t, err, datasets.ErrData, "0007.jpg")

	config.OnCorrupt = datasets.CorruptSkip
	var reported []string
	options.OnSkip = func(id string, err error) {
		reported = append(reported, fmt.Sprintf("%s: %v", id, errors.Is(err, datasets.ErrData)))
	}
	d := open(config)
	index, values, err := readEpochs(t, d, options)
	if err != nil || len(index) != 60 || slices.Contains(index, 7) {
		t.Fatalf("%d images, number 7 among them: %v; %v", len(index), slices.Contains(index, 7), err)
	}
	// What takes the place of image 7 follows from seed, epoch and image, and does not change
	// between versions.
	intact, _, err := readEpochs(t, open(datasets.Config{Name: "folder", Dir: manyPhotos(t, 30), Size: 8}), options)
	if err != nil {
		t.Fatal(err)
	}
	var substitutes []int
	for at, i := range intact {
		if i == 7 {
			substitutes = append(substitutes, index[at])
		} else if index[at] != i {
			t.Errorf("image %d is %d, though %d decodes", at, index[at], i)
		}
	}
	if !slices.Equal(substitutes, []int{12, 13}) {
		t.Errorf("the substitutes are %v, want 12 and 13", substitutes)
	}
	if want := "[train/a/0007.jpg: true]"; fmt.Sprint(reported) != want || d.Skipped() != 1 {
		t.Errorf("%v reported, %d skipped, want %s once in two epochs", reported, d.Skipped(), want)
	}
	for at := 0; at < len(values); at += 192 {
		if black := !slices.ContainsFunc(values[at:at+192], func(v float32) bool { return v > 0.02 }); black {
			t.Errorf("image %d of the batches is black", at/192)
		}
	}
	options.Workers = 1
	again, same, err := readEpochs(t, open(config), options)
	if err != nil || !slices.Equal(again, index) || !slices.Equal(same, values) {
		t.Errorf("with one worker the substitutes differ (%v)", err)
	}
	if _, err := datasets.FitNormalizer(t.Context(), open(config), datasets.PixelMean); err != nil {
		t.Errorf("the mean: %v", err)
	}
}

func TestManyCorruptImagesOrOneOfAnEvaluationAreErrors(t *testing.T) {
	dir := manyPhotos(t, 30, 7, 20)
	config := datasets.Config{Name: "folder", Dir: dir, Size: 8, OnCorrupt: datasets.CorruptSkip}
	open := func() *datasets.Dataset {
		t.Helper()
		d, err := datasets.Open(t.Context(), config, 1)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	_, _, err := readEpochs(t, open(), datasets.LoaderOptions{Split: datasets.Train, Batch: 10, Epochs: 1})
	wantError(t, err, datasets.ErrData, "more than 1 of 30", ".jpg")

	write(t, filepath.Join(dir, "test", "a", "9.jpg"), jpegBytes(t, picture(16, 16, 1))[:len(jpegBytes(t, picture(16, 16, 1)))-40])
	_, _, err = readEpochs(t, open(), datasets.LoaderOptions{Split: datasets.Test, Batch: 2, Epochs: 1})
	wantError(t, err, datasets.ErrData, "9.jpg")

	// A file that has gone is no corrupt image.
	d := open()
	for _, i := range []int{7, 20, 3} {
		os.Remove(filepath.Join(dir, "train", "a", fmt.Sprintf("%04d.jpg", i)))
	}
	_, _, err = readEpochs(t, d, datasets.LoaderOptions{Split: datasets.Train, Batch: 10, Epochs: 1})
	wantError(t, err, datasets.ErrMissing, ".jpg")
}

func TestAugmentationThatDoesNotFitTheImagesIsRefused(t *testing.T) {
	folder, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: manyPhotos(t, 2), Size: 8}, 1)
	if err != nil {
		t.Fatal(err)
	}
	grey, err := datasets.Open(t.Context(), datasets.Config{Name: "fashion-sample"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for says, c := range map[string]struct {
		d *datasets.Dataset
		a datasets.Augment
	}{
		"shorter_min": {folder, datasets.Augment{Crop: datasets.CropShorterSide, ShorterMin: 7, ShorterMax: 12}},
		"any size":    {grey, datasets.Augment{Crop: datasets.CropResized}},
		"red, green":  {grey, datasets.Augment{Color: 0.1}},
	} {
		_, err := datasets.NewLoader(c.d, datasets.LoaderOptions{Split: datasets.Test, Batch: 1, Augment: c.a})
		wantError(t, err, datasets.ErrConfig)
		if !strings.Contains(err.Error(), strings.Split(says, ",")[0]) {
			t.Errorf("error %q does not say %q", err, says)
		}
	}
}

func TestTheMeanOfImageNetIsSampledAndKept(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	dir := t.TempDir()
	ids := datasets.ImageNetClasses()
	for i := range 12 {
		write(t, filepath.Join(dir, "train", ids[i].ID, "x.JPEG"), jpegBytes(t, picture(20, 16, uint64(i))))
	}
	open := func(images int) *datasets.Dataset {
		t.Helper()
		d, err := datasets.Open(t.Context(), datasets.Config{Name: "imagenet", Dir: dir, Size: 8, MeanImages: images}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	fit := func(d *datasets.Dataset, kind string) datasets.Normalizer {
		t.Helper()
		n, err := datasets.FitNormalizer(t.Context(), d, kind)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := fit(open(0), datasets.ChannelMeanStd); fmt.Sprint(n.Mean, n.Std) != "[0.485 0.456 0.406] [0.229 0.224 0.225]" {
		t.Errorf("channel means %v, deviations %v, want torchvision's", n.Mean, n.Std)
	}
	all, five := fit(open(0), datasets.PixelMean), fit(open(5), datasets.PixelMean)
	if slices.Equal(all.Mean, five.Mean) {
		t.Error("the mean of 5 images is that of 12")
	}
	kept, err := filepath.Glob(filepath.Join(cache, "resnet", "means", "*.json"))
	if err != nil || len(kept) == 0 {
		t.Skipf("no cache folder on this system: %v, %v", kept, err)
	}
	if len(kept) != 2 {
		t.Fatalf("kept %v, want two means", kept)
	}
	// Kept means are read and not measured again: a mark in them comes back.
	for _, path := range kept {
		mark(t, path, 0.125)
	}
	for _, images := range []int{0, 5} {
		if m := fit(open(images), datasets.PixelMean).Mean; m[0] != 0.125 || m[len(m)-1] != 0.125 {
			t.Errorf("the mean of %d images was measured again", images)
		}
	}
	// A damaged one is measured again.
	for _, path := range kept {
		cutInHalf(t, path)
	}
	if !slices.Equal(fit(open(0), datasets.PixelMean).Mean, all.Mean) || !slices.Equal(fit(open(5), datasets.PixelMean).Mean, five.Mean) {
		t.Error("the means after damage are others")
	}
	// Without the images there is no mean, kept or not.
	d := open(0)
	if err := os.RemoveAll(filepath.Join(dir, "train")); err != nil {
		t.Fatal(err)
	}
	if _, err := datasets.FitNormalizer(t.Context(), d, datasets.PixelMean); !errors.Is(err, datasets.ErrMissing) {
		t.Errorf("without images: %v", err)
	}
}

// mark makes every value of a kept mean the same.
func mark(t *testing.T, path string, value float64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		Normalizer json.RawMessage `json:"normalizer"`
		SHA256     string          `json:"sha256"`
	}
	var inner map[string]any
	if err := errors.Join(json.Unmarshal(text, &kept), json.Unmarshal(kept.Normalizer, &inner)); err != nil {
		t.Fatal(err)
	}
	for i := range inner["mean"].([]any) {
		inner["mean"].([]any)[i] = value
	}
	if kept.Normalizer, err = json.Marshal(inner); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(kept.Normalizer)
	kept.SHA256 = hex.EncodeToString(sum[:])
	if text, err = json.Marshal(kept); err != nil {
		t.Fatal(err)
	}
	write(t, path, text)
}

// TestAKeptMeanIsThatOfTheImages changes the images under their names: others, others of the same
// size with the old time, others by a rename. The mean is always that of a set that nobody knows
// yet.
func TestAKeptMeanIsThatOfTheImages(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	dir := t.TempDir()
	ids := datasets.ImageNetClasses()
	path := func(i int) string { return filepath.Join(dir, "train", ids[i].ID, "x.JPEG") }
	fit := func(dir string) []float32 {
		t.Helper()
		d, err := datasets.Open(t.Context(), datasets.Config{Name: "imagenet", Dir: dir, Size: 8}, 1)
		if err != nil {
			t.Fatal(err)
		}
		n, err := datasets.FitNormalizer(t.Context(), d, datasets.PixelMean)
		if err != nil {
			t.Fatal(err)
		}
		return n.Mean
	}
	fresh := func() []float32 { // of a copy, elsewhere
		t.Helper()
		other := t.TempDir()
		if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		return fit(other)
	}
	for i := range 4 {
		write(t, path(i), pngBytes(t, picture(9, 9, uint64(i)))) // whatever its name
	}
	before := fit(dir)
	// Behind the end nothing is read: all files get one size.
	long := bytes.Repeat([]byte{0}, 20_000)
	pad := func(data []byte) []byte { return append(data, long[:20_000-len(data)]...) }
	for name, change := range map[string]func(){
		"others": func() { write(t, path(0), pad(pngBytes(t, picture(9, 9, 100)))) },
		"of the same size and time": func() {
			write(t, path(1), pad(pngBytes(t, picture(9, 9, 101))))
			fit(dir)
			info, err := os.Stat(path(1))
			if err != nil {
				t.Fatal(err)
			}
			write(t, path(1), pad(pngBytes(t, picture(9, 9, 102))))
			if err := os.Chtimes(path(1), info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
		"two that changed places": func() {
			write(t, path(2), pad(pngBytes(t, picture(9, 9, 103))))
			write(t, path(3), pad(pngBytes(t, image.NewGray(image.Rect(0, 0, 30, 30)))))
			fit(dir)
			if err := errors.Join(os.Rename(path(2), path(2)+".other"), os.Rename(path(3), path(2)), os.Rename(path(2)+".other", path(3))); err != nil {
				t.Fatal(err)
			}
		},
		"two names": func() {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path(2)), "y.JPEG"), pngBytes(t, picture(9, 9, 104)), 0o644); err != nil {
				t.Fatal(err)
			}
		},
	} {
		change()
		got, want := fit(dir), fresh()
		if !slices.Equal(got, want) {
			t.Errorf("%s: a mean of other images", name)
		}
		if name != "two that changed places" && slices.Equal(got, before) {
			t.Errorf("%s: the change does not change the mean: a bad test", name)
		}
		before = got
	}
}
