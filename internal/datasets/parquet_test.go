package datasets_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/datasetstest"
)

const parquetFixtures = "../../testdata/parquet"

func openParquet(t testing.TB, dir string) (*datasets.Dataset, error) {
	t.Helper()
	return datasets.Open(context.Background(), datasets.Config{Name: "parquet", Dir: dir, Size: 5}, 0)
}

// copyTree copies fixtures to a folder of the test's own.
func copyTree(t testing.TB, from string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestParquetPassesTheSuite(t *testing.T) {
	dir := copyTree(t, filepath.Join(parquetFixtures, "hub"))
	datasetstest.Run(t, datasetstest.Case{
		Open: func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
			return datasets.Open(context.Background(), datasets.Config{Name: "parquet", Dir: dir, Size: 16, Validation: float64(val)}, seed)
		},
		Want:   datasets.Info{Name: "parquet", Classes: []string{"ant", "bee", "cat"}, Channels: 3, Height: 16, Width: 16, Train: 12, Test: 4},
		Damage: func(t testing.TB) { cutInHalf(t, filepath.Join(dir, "data/train-00001-of-00002.parquet")) },
	})
}

// TestParquetPixels holds every image to what testdata/parquet/generate.py drew: the central 5 of 6
// columns, of red 10n, green 40 times the column, blue 50 times the row.
func TestParquetPixels(t *testing.T) {
	for _, c := range []struct {
		dir     string
		classes string
		of      map[datasets.Split][2]int // first n, and how many
	}{
		{"hub", "ant bee cat", map[datasets.Split][2]int{datasets.Train: {0, 12}, datasets.Test: {12, 4}}},
		{"converted", "0 1 2", map[datasets.Split][2]int{datasets.Train: {0, 6}, datasets.Test: {6, 3}}},
	} {
		d, err := openParquet(t, filepath.Join(parquetFixtures, c.dir))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.Info().Classes, " "); got != c.classes {
			t.Errorf("%s: classes %s, want %s", c.dir, got, c.classes)
		}
		for s, want := range c.of {
			if d.Len(s) != want[1] {
				t.Fatalf("%s %s: %d images, want %d", c.dir, s, d.Len(s), want[1])
			}
			buf := make([]byte, 75)
			// Backwards, and each twice: the order of reading does not matter.
			for k := 2*want[1] - 1; k >= 0; k-- {
				i := k % want[1]
				n := want[0] + i
				label, err := d.Image(s, i, buf)
				if err != nil {
					t.Fatal(err)
				}
				left := int(buf[25]) / 40
				for y := range 5 {
					for x := range 5 {
						got := [3]byte{buf[5*y+x], buf[25+5*y+x], buf[50+5*y+x]}
						if want := [3]byte{byte(10 * n), byte(40 * (x + left)), byte(50 * y)}; got != want || label != n%3 || left > 1 {
							t.Fatalf("%s %s image %d (%s): label %d, pixel (%d, %d) %v, want %v", c.dir, s, i, d.ID(s, i), label, x, y, got, want)
						}
					}
				}
			}
		}
	}
}

func TestParquetWithoutLabelsOrImages(t *testing.T) {
	d, err := openParquet(t, filepath.Join(parquetFixtures, "hub"))
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(d.Notes(), "\n"); !strings.Contains(notes, "none of the 3 images of test has a label") || !strings.Contains(notes, "test-00000-of-00001.parquet, row 0") {
		t.Errorf("notes %q", notes)
	}
	if d, err = openParquet(t, filepath.Join(parquetFixtures, "nulls")); err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(d.Notes(), "\n"); d.Len(datasets.Train) != 4 || !strings.Contains(notes, "1 image of train without a label, the first") || !strings.Contains(notes, "train.parquet, row 3") {
		t.Errorf("%d images, notes %q", d.Len(datasets.Train), notes)
	}
	_, err = d.Image(datasets.Train, 1, make([]byte, 75))
	if !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "train.parquet, row 1: there is no image") {
		t.Errorf("a null image: error %v", err)
	}
	if label, err := d.Image(datasets.Train, 3, make([]byte, 75)); label != 1 || err != nil || d.ID(datasets.Train, 3) != "train.parquet#4" {
		t.Errorf("row 4: label %d, ID %s, error %v", label, d.ID(datasets.Train, 3), err)
	}
	r, err := datasets.Verify(t.Context(), "parquet", filepath.Join(parquetFixtures, "nulls"))
	if err != nil || len(r.Files) != 1 || !strings.Contains(r.Files[0].Path, "row 1") {
		t.Errorf("verify: %+v, error %v", r, err)
	}
}

func TestParquetFaultsAreNamed(t *testing.T) {
	part := "data/train-00001-of-00002.parquet"
	for name, c := range map[string]struct {
		harm func(dir string)
		kind error
		want string
	}{
		"a part is missing": {func(dir string) { os.Remove(filepath.Join(dir, part)) }, datasets.ErrMissing, "1 of the 00002 files data/train-…-of-00002.parquet are there"},
		"a part is cut off": {func(dir string) { cutInHalf(t, filepath.Join(dir, part)) }, datasets.ErrData, part + ": it does not end as Parquet does"},
		"a pointer of Git LFS": {func(dir string) {
			write(t, filepath.Join(dir, part), []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"))
		}, datasets.ErrData, "git lfs pull"},
		"several configurations": {func(dir string) {
			data, _ := os.ReadFile(filepath.Join(dir, "data/validation-00000-of-00001.parquet"))
			write(t, filepath.Join(dir, "other/train/0000.parquet"), data)
		}, datasets.ErrConfig, "set data.dir to one of ., other"},
	} {
		dir := copyTree(t, filepath.Join(parquetFixtures, "hub"))
		c.harm(dir)
		if _, err := openParquet(t, dir); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := openParquet(t, t.TempDir()); !errors.Is(err, datasets.ErrMissing) || !strings.Contains(err.Error(), "no Parquet files") {
		t.Errorf("an empty folder: error %v", err)
	}
}

// TestParquetChecksums: a bit of a page with a checksum is an error about its row.
func TestParquetChecksums(t *testing.T) {
	dir := copyTree(t, filepath.Join(parquetFixtures, "hub"))
	path := filepath.Join(dir, "data/train-00001-of-00002.parquet")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("\x28\xb5\x2f\xfd")) // zstd's frame
	data[at+40] ^= 1
	write(t, path, data)
	d, err := openParquet(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Image(datasets.Train, 7, make([]byte, 75)); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "row 0") || !strings.Contains(err.Error(), "the checksum of the page at byte offset") {
		t.Errorf("error %v", err)
	}
}

func TestFolderOfParquetIsRecognised(t *testing.T) {
	for _, dir := range []string{"hub", "converted", "converted/default", "nulls"} {
		_, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: filepath.Join(parquetFixtures, dir), Size: 5}, 0)
		if !errors.Is(err, datasets.ErrMissing) || !strings.Contains(err.Error(), "set data.name to parquet") {
			t.Errorf("%s: error %v", dir, err)
		}
	}
}

// TestParquetFingerprint: the same files elsewhere are the same, others are not.
func TestParquetFingerprint(t *testing.T) {
	var prints []datasets.Fingerprint
	for _, dir := range []string{filepath.Join(parquetFixtures, "converted"), copyTree(t, filepath.Join(parquetFixtures, "converted")), filepath.Join(parquetFixtures, "hub")} {
		d, err := openParquet(t, dir)
		if err != nil {
			t.Fatal(err)
		}
		f, err := d.Fingerprint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		prints = append(prints, f)
	}
	a, b, c := prints[0][datasets.Train], prints[1][datasets.Train], prints[2][datasets.Train]
	if a != b || a.Contents == "" || a.Differs(c) != datasets.OtherNumber {
		t.Errorf("fingerprints %+v, %+v, %+v", a, b, c)
	}
}

// TestParquetFingerprintOfLargeFiles: beyond MaxContents the digest is of the footer, the pages'
// headers and samples of the pages, which are whole where these are small. Bytes that no page has
// make the file large.
func TestParquetFingerprintOfLargeFiles(t *testing.T) {
	const name = "default/test/0000.parquet"
	contents := func(harm func(data []byte)) string {
		t.Helper()
		dir := copyTree(t, filepath.Join(parquetFixtures, "converted"))
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		footer := len(data) - 8 - int(binary.LittleEndian.Uint32(data[len(data)-8:]))
		harm(data[:footer])
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, err1 := f.Write(data[:footer])
		_, err2 := f.WriteAt(data[footer:], int64(footer)+datasets.MaxContents)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		d, err := openParquet(t, dir)
		if err != nil {
			t.Fatal(err)
		}
		print, err := d.Fingerprint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if print[datasets.Train].Contents != print[datasets.Test].Contents {
			t.Errorf("%+v", print)
		}
		return print[datasets.Test].Contents
	}
	image := []byte("\x89PNG")
	whole := contents(func([]byte) {})
	if again := contents(func([]byte) {}); whole == "" || again != whole {
		t.Errorf("%q and %q", whole, again)
	}
	if other := contents(func(data []byte) { data[bytes.Index(data, image)+40] ^= 1 }); other == whole {
		t.Error("another bit of an image has the same fingerprint")
	}
}
