package datasets_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

func TestFolderFaultsNameThePlace(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		kind   error
		says   string
	}{
		{"a class without images", func(t *testing.T, dir string) { os.Mkdir(filepath.Join(dir, "train", "dog"), 0o755) }, datasets.ErrMissing, "dog"},
		{"a class that is only in test", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "test", "dog", "1.png"), pngBytes(t, picture(4, 4, 1)))
		}, datasets.ErrData, "dog"},
		{"a link that leads nowhere", func(t *testing.T, dir string) {
			os.Symlink("nowhere", filepath.Join(dir, "train", "cat", "x.png"))
		}, datasets.ErrMissing, "x.png"},
		{"no class folders", func(t *testing.T, dir string) {
			os.RemoveAll(filepath.Join(dir, "train"))
			os.Mkdir(filepath.Join(dir, "train"), 0o755)
		}, datasets.ErrMissing, "class folders"},
		{"a repeated class name", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "classes.txt"), []byte("ant\nbee\nant\n")) }, datasets.ErrData, "line 3"},
		{"a class that is not listed", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "classes.txt"), []byte("ant\nbee\n")) }, datasets.ErrData, "cat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			imageFolder(t, dir)
			c.damage(t, dir)
			_, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 8}, 0)
			wantError(t, err, c.kind, c.says)
		})
	}
}

func TestADamagedImageSurfacesInNext(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	cutOff(t, filepath.Join(dir, "train", "bee", "03.png"), 20)
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 8}, 0)
	if err != nil {
		t.Fatal(err)
	}
	l, err := datasets.NewLoader(d, datasets.LoaderOptions{Split: datasets.Train, Batch: 4, Workers: 3, Epochs: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	batches := 0
	for ; err == nil; batches++ {
		_, err = l.Next(t.Context())
	}
	wantError(t, err, datasets.ErrData, filepath.Join("bee", "03.png"))
	// Images are 5 ants, then bees: number 8 is in the third batch, and those before it arrive.
	if batches != 3 {
		t.Errorf("the error came as batch %d, want 3", batches)
	}
	if _, again := l.Next(t.Context()); again == nil || again.Error() != err.Error() {
		t.Errorf("the next call says %v", again)
	}
}

func TestFolderSplitsAndClassOrder(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	open := func() *datasets.Dataset {
		t.Helper()
		d, err := datasets.Open(context.Background(), datasets.Config{Name: "folder", Dir: dir, Size: 8}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := open(); d.ID(datasets.Train, 0) != "train/ant/00.png" || d.ID(datasets.Train, 14) != "train/cat/04.png" {
		t.Errorf("first %s, last %s", d.ID(datasets.Train, 0), d.ID(datasets.Train, 14))
	}
	write(t, filepath.Join(dir, "val", "ant", "1.png"), pngBytes(t, picture(9, 9, 1)))
	if d := open(); d.Len(datasets.Val) != 1 || d.Len(datasets.Test) != 6 {
		t.Errorf("with val/ and test/: %d validation, %d test images, want 1 and 6", d.Len(datasets.Val), d.Len(datasets.Test))
	}
	_, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 8, Validation: 2}, 0)
	wantError(t, err, datasets.ErrConfig, "data.validation")
	os.RemoveAll(filepath.Join(dir, "test"))
	if d := open(); d.Len(datasets.Val) != 0 || d.Len(datasets.Test) != 1 {
		t.Errorf("with val/ alone: %d validation, %d test images, want 0 and 1", d.Len(datasets.Val), d.Len(datasets.Test))
	}
	write(t, filepath.Join(dir, "classes.txt"), []byte("\ufeffdog\tDog, hound\r\ncat\r\nbee\r\nant\r\n"))
	if d := open(); fmt.Sprint(d.Info().Classes) != "[dog cat bee ant]" || d.Label(datasets.Test, 0) != 3 {
		t.Errorf("with classes.txt: classes %v, label of ant %d", d.Info().Classes, d.Label(datasets.Test, 0))
	}
}

func TestLimitTakesTheFirstImagesAndOfAFolderSomeOfEachClass(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 8, Limit: 7}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range d.Len(datasets.Train) {
		got = append(got, strings.TrimPrefix(d.ID(datasets.Train, i), "train/"))
	}
	if want := "[ant/00.png ant/01.png ant/02.png bee/00.png bee/01.png cat/00.png cat/01.png]"; fmt.Sprint(got) != want {
		t.Errorf("limit 7 keeps %v, want %v", got, want)
	}
	d, err = datasets.Open(t.Context(), datasets.Config{Name: "fashion-sample", Limit: 3, Validation: 100}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if d.Len(datasets.Train) != 3 || d.Len(datasets.Val) != 100 || d.Len(datasets.Test) != 1000 {
		t.Errorf("limit 3: %d, %d, %d images", d.Len(datasets.Train), d.Len(datasets.Val), d.Len(datasets.Test))
	}
}

func TestVerifyTellsOfficialConvertedAndDamagedApart(t *testing.T) {
	r, err := datasets.Verify(t.Context(), "fashion-sample", "")
	if err != nil || !r.OK() || r.Err() != nil {
		t.Errorf("embedded: %+v, %v", r, err)
	}
	dir := t.TempDir()
	r, err = datasets.Verify(t.Context(), "cifar10", dir)
	if err != nil || r.OK() || r.Usable() || len(r.Files) != 6 || r.Files[0].Status != datasets.StatusMissing {
		t.Errorf("nothing there: %+v, %v", r, err)
	}
	wantError(t, r.Err(), datasets.ErrMissing, "data_batch_1.bin")

	cifarFolder(t, dir, 4)
	small := datasets.NewSmallCIFAR(false, 4)
	files, err := datasets.VerifySmallCIFAR(small, dir)
	if err != nil || files[0].Status != datasets.StatusDiffers || !strings.Contains(files[0].Detail, "converted") || files[0].Got == files[0].Want {
		t.Errorf("other images: %+v, %v", files, err)
	}
	os.Truncate(filepath.Join(dir, "test_batch.bin"), 5)
	files, err = datasets.VerifySmallCIFAR(small, dir)
	if err != nil || files[5].Status != datasets.StatusBad || !strings.Contains(files[5].Detail, "cut off") {
		t.Errorf("cut off: %+v, %v", files, err)
	}
	imageFolder(t, dir)
	if r, err = datasets.Verify(t.Context(), "folder", dir); err != nil || !r.OK() || !strings.Contains(r.Files[0].Detail, "21 images") {
		t.Errorf("folder: %+v, %v", r, err)
	}
	cutOff(t, filepath.Join(dir, "train", "bee", "03.png"), 20)
	if r, err = datasets.Verify(t.Context(), "folder", dir); err != nil || r.Usable() || !strings.Contains(r.Files[0].Path, "03.png") {
		t.Errorf("folder with a damaged image: %+v, %v", r, err)
	}
	wantError(t, r.Err(), datasets.ErrData, "03.png")
}
