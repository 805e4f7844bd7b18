package datasets_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/datasetstest"
)

// tarOf is an archive of files.
func tarOf(t testing.TB, names []string, contents [][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(contents[i])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		w.Write(contents[i])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImageNetPassesTheSuite(t *testing.T) {
	ids := datasets.ImageNetClasses()
	folders, archives := t.TempDir(), t.TempDir()
	var outer []string
	var inner [][]byte
	for c := range 5 {
		var names []string
		var files [][]byte
		for i := range 3 {
			data := jpegBytes(t, picture(30+i, 25, uint64(3*c+i)))
			name := fmt.Sprintf("%s_%d.JPEG", ids[c].ID, i)
			names, files = append(names, name), append(files, data)
			write(t, filepath.Join(folders, "train", ids[c].ID, name), data)
		}
		outer, inner = append(outer, ids[c].ID+".tar"), append(inner, tarOf(t, names, files))
		data := pngBytes(t, picture(40, 25, uint64(c)))
		for _, dir := range []string{folders, archives} {
			write(t, filepath.Join(dir, "val", ids[c].ID, "PNG in spite of its name.JPEG"), data)
		}
	}
	archive := filepath.Join(archives, "ILSVRC2012_img_train.tar")
	write(t, archive, tarOf(t, outer, inner))
	for name, c := range map[string]struct {
		dir    string
		damage string
	}{
		"folders":  {folders, filepath.Join(folders, "train", ids[2].ID, ids[2].ID+"_1.JPEG")},
		"archives": {archives, archive},
	} {
		t.Run(name, func(t *testing.T) {
			datasetstest.Run(t, datasetstest.Case{
				Open: func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
					return datasets.Open(context.Background(), datasets.Config{Name: "imagenet", Dir: c.dir, Size: 16, Validation: float64(val), MeanImages: 4}, seed)
				},
				Want:   datasets.Info{Name: "imagenet", Classes: datasets.ClassNames("imagenet"), Channels: 3, Height: 16, Width: 16, Train: 15, Test: 5},
				Damage: func(t testing.TB) { cutInHalf(t, c.damage) },
			})
		})
	}
}

// What the suite says of positions, for the augmentations of images of any size.
func TestPhotosAreTheSameForAnyNumberOfWorkers(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 16, Downsample: 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []datasets.Augment{
		{Crop: datasets.CropShorterSide, ShorterMin: 16, ShorterMax: 30, Flip: true, Color: 0.1},
		{Crop: datasets.CropResized, Flip: true},
		{Pad: 2, Flip: true, Color: 0.1},
	} {
		o := datasets.LoaderOptions{Split: datasets.Train, Batch: 4, Seed: 7, Shuffle: true, Augment: a, Workers: 1, Epochs: 2}
		index, want, err := readEpochs(t, d, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) != 30*3*8*8 || bytes.Equal([]byte(fmt.Sprint(want[:192])), []byte(fmt.Sprint(want[192:384]))) {
			t.Fatalf("%+v: %d values", a, len(want))
		}
		for _, workers := range []int{2, 5, 0} {
			o.Workers = workers
			again, got, err := readEpochs(t, d, o)
			if err != nil || fmt.Sprint(again) != fmt.Sprint(index) || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%+v: %d workers give other batches (%v)", a, workers, err)
			}
		}
		o.Workers, o.StartEpoch = 1, 1
		if _, rest, err := readEpochs(t, d, o); err != nil || fmt.Sprint(rest) != fmt.Sprint(want[len(want)/2:]) {
			t.Errorf("%+v: started at the second epoch, the batches are others (%v)", a, err)
		}
	}
}
