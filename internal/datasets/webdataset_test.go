package datasets_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/datasetstest"
)

// shards writes a set of two training shards and one of test: 9 and 4 images of three classes.
func shards(t testing.TB, dir string) {
	t.Helper()
	n := 0
	for _, s := range []struct {
		name   string
		images int
	}{{"train-000000.tar", 5}, {"train-000001.tar", 4}, {"test/x-000000.tar", 4}} {
		var names []string
		var files [][]byte
		for i := range s.images {
			key := fmt.Sprintf("part/%04d", i)
			names = append(names, key+".jpg", key+".mask.png", key+".cls")
			files = append(files, jpegBytes(t, picture(30+n, 25, uint64(n))), []byte("no image"), []byte(fmt.Sprintf("%d\n", n%3)))
			if i == 1 { // its label in another form, before the image
				names[len(names)-1], files[len(files)-1] = key+".json", []byte(fmt.Sprintf(`{"caption": "a", "label": %d}`, n%3))
			}
			n++
		}
		write(t, filepath.Join(dir, filepath.FromSlash(s.name)), tarOf(t, names, files))
	}
}

func openShards(dir string, val int, seed uint64) (*datasets.Dataset, error) {
	return datasets.Open(context.Background(), datasets.Config{Name: "webdataset", Dir: dir, Size: 16, Validation: float64(val), MeanImages: 4}, seed)
}

func TestWebdatasetPassesTheSuite(t *testing.T) {
	dir := t.TempDir()
	shards(t, dir)
	datasetstest.Run(t, datasetstest.Case{
		Open:   func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) { return openShards(dir, val, seed) },
		Want:   datasets.Info{Name: "webdataset", Classes: []string{"0", "1", "2"}, Channels: 3, Height: 16, Width: 16, Train: 9, Test: 4},
		Damage: func(t testing.TB) { cutInHalf(t, filepath.Join(dir, "train-000001.tar")) },
	})
}

// TestShardsHoldWhatTheFolderHolds, image by image: the pixels are those of the files, the labels
// those of .cls and .json.
func TestShardsHoldWhatTheFolderHolds(t *testing.T) {
	dir := t.TempDir()
	shards(t, dir)
	write(t, filepath.Join(dir, "classes.txt"), []byte("ant\nbee\ncat\n"))
	d, err := openShards(dir, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c := d.Info().Classes; !slices.Equal(c, []string{"ant", "bee", "cat"}) {
		t.Errorf("classes %v", c)
	}
	n := 0
	for _, s := range []datasets.Split{datasets.Train, datasets.Test} {
		for i := range d.Len(s) {
			want, err := datasets.DecodePictureBytes(jpegBytes(t, picture(30+n, 25, uint64(n))), "x")
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Picture(s, i)
			if err != nil || !slices.Equal(got.Pix, want.Pix) || d.Label(s, i) != n%3 {
				t.Errorf("%s %d: label %d, want %d; %v", s, i, d.Label(s, i), n%3, err)
			}
			got.Release()
			n++
		}
	}
	if id := d.ID(datasets.Train, 6); id != "train-000001.tar/part/0001.jpg" {
		t.Errorf("image 6 is %s", id)
	}
	if r, err := datasets.Verify(t.Context(), "webdataset", dir); err != nil || !r.OK() || len(r.Files) == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestBrokenShardsAreBadData(t *testing.T) {
	img := jpegBytes(t, picture(30, 25, 1))
	for name, c := range map[string]struct {
		names []string
		files [][]byte
		kind  error
		want  string
	}{
		"no label":         {[]string{"a.jpg"}, [][]byte{img}, datasets.ErrData, "no image with a label"},
		"a word":           {[]string{"a.jpg", "a.cls"}, [][]byte{img, []byte("cat")}, datasets.ErrData, `"cat" is no whole number`},
		"below zero":       {[]string{"a.jpg", "a.cls"}, [][]byte{img, []byte("-1")}, datasets.ErrData, "label -1 of 65536"},
		"too large":        {[]string{"a.jpg", "a.cls"}, [][]byte{img, []byte("65536")}, datasets.ErrData, "label 65536 of 65536"},
		"two images":       {[]string{"a.jpg", "a.png", "a.cls"}, [][]byte{img, img, []byte("1")}, datasets.ErrData, `the second image of "a"`},
		"two labels":       {[]string{"a.jpg", "a.cls", "a.CLS"}, [][]byte{img, []byte("1"), []byte("2")}, datasets.ErrData, "there twice"},
		"json without":     {[]string{"a.jpg", "a.json"}, [][]byte{img, []byte(`{"x": 1}`)}, datasets.ErrData, "no cls and no label"},
		"broken json":      {[]string{"a.jpg", "a.json"}, [][]byte{img, []byte(`{"label": [`)}, datasets.ErrData, "not an object"},
		"a json of words":  {[]string{"a.jpg", "a.json"}, [][]byte{img, []byte(`{"label": "cat"}`)}, datasets.ErrData, "label is a string, and a whole number is read"},
		"a label of 65 KB": {[]string{"a.jpg", "a.cls"}, [][]byte{img, make([]byte, 65<<10)}, datasets.ErrData, "a label may have 65536"},
		"leads outside":    {[]string{"../a.jpg", "../a.cls"}, [][]byte{img, []byte("1")}, datasets.ErrData, ""},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "train-0.tar"), tarOf(t, c.names, c.files))
		if _, err := openShards(dir, 0, 1); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openShards(t.TempDir(), 0, 1); !errors.Is(err, datasets.ErrMissing) {
		t.Errorf("an empty folder: %v", err)
	}
	// One without a label is left out and said.
	dir := t.TempDir()
	write(t, filepath.Join(dir, "train-0.tar"), tarOf(t, []string{"a.jpg", "b.jpg", "b.cls"}, [][]byte{img, img, []byte("0")}))
	d, err := openShards(dir, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(d.Notes(), "; "); d.Len(datasets.Train) != 1 || !strings.Contains(notes, "left out: 1 image of train without a label") {
		t.Errorf("%d images, %s", d.Len(datasets.Train), notes)
	}
	write(t, filepath.Join(dir, "classes.txt"), []byte("only\n"))
	if d, err = openShards(dir, 0, 1); err != nil || d.Info().Classes[0] != "only" {
		t.Errorf("%v", err)
	}
}

func FuzzShard(f *testing.F) {
	img := jpegBytes(f, picture(9, 8, 1))
	f.Add(tarOf(f, []string{"a.jpg", "a.cls"}, [][]byte{img, []byte("3")}))
	f.Add(tarOf(f, []string{"a.json", "a.jpg"}, [][]byte{[]byte(`{"cls": 2}`), img}))
	f.Add(tarOf(f, []string{"a/b.c.jpg", "a/b.cls"}, [][]byte{img, []byte("-1")}))
	f.Fuzz(func(t *testing.T, shard []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "train.tar"), shard)
		d, err := openShards(dir, 0, 1)
		if err == nil && d.Len(datasets.Train) == 0 {
			t.Error("a set without images")
		}
	})
}
