package datasets_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault/faulttest"
)

const record = 3073

// patch overwrites bytes of a file.
func patch(t *testing.T, path string, at int64, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(data, at); err != nil {
		t.Fatal(err)
	}
}

// cutOff removes the last n bytes of a file.
func cutOff(t *testing.T, path string, n int64) {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, st.Size()-n); err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, kind error, parts ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error %v, want one that is %v", err, kind)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
}

func TestCIFARFaultsNameFileRecordAndOffset(t *testing.T) {
	const n = 7
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		kind   error
		says   []string
	}{
		{
			"missing file", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "data_batch_3.bin")) },
			datasets.ErrMissing,
			[]string{"data_batch_3.bin", "resnet data fetch cifar10"},
		},
		{"a folder in its place", func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "data_batch_3.bin"))
			os.Mkdir(filepath.Join(dir, "data_batch_3.bin"), 0o755)
		}, datasets.ErrData, []string{"data_batch_3.bin", "not a regular file"}},
		{
			"last record cut off", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "test_batch.bin"), n*record-1) },
			datasets.ErrData,
			[]string{"test_batch.bin", "21510 bytes, want 21511", "record 6, from byte offset 18438"},
		},
		{
			"a record too few", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "test_batch.bin"), (n-1)*record) },
			datasets.ErrData,
			[]string{"test_batch.bin", "record 6, from byte offset 18438"},
		},
		{
			"empty", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "data_batch_1.bin"), 0) },
			datasets.ErrData,
			[]string{"data_batch_1.bin", "record 0, from byte offset 0"},
		},
		{
			"extra byte", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "data_batch_5.bin"), n*record+1) },
			datasets.ErrData,
			[]string{"data_batch_5.bin", "byte offset 21511, after record 6"},
		},
		{"label out of range", func(t *testing.T, dir string) {
			patch(t, filepath.Join(dir, "data_batch_2.bin"), 4*record, []byte{10})
		}, datasets.ErrData, []string{"data_batch_2.bin", "record 4 at byte offset 12292", "label 10 > 9"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			cifarFolder(t, dir, n)
			c.damage(t, dir)
			_, err := datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(false, n), datasets.Config{Name: "cifar10", Dir: dir}, 0)
			wantError(t, err, c.kind, c.says...)
		})
	}
}

func TestCIFAR100ChecksBothLabels(t *testing.T) {
	for at, says := range map[int64]string{2 * 3074: "record 2 at byte offset 6148: label 20 > 19", 2*3074 + 1: "record 2 at byte offset 6149: label 100 > 99"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "train.bin"), cifarRecords(4, true, 1))
		write(t, filepath.Join(dir, "test.bin"), cifarRecords(4, true, 2))
		patch(t, filepath.Join(dir, "train.bin"), at, []byte{map[bool]byte{true: 20, false: 100}[at%2 == 0]})
		_, err := datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(true, 4), datasets.Config{Name: "cifar100", Dir: dir}, 0)
		wantError(t, err, datasets.ErrData, "train.bin", says)
	}
}

func TestTheOfficialCountsAreRequired(t *testing.T) {
	dir := t.TempDir()
	cifarFolder(t, dir, 2)
	_, err := datasets.Open(t.Context(), datasets.Config{Name: "cifar10", Dir: dir}, 0)
	wantError(t, err, datasets.ErrData, "data_batch_1.bin", "10000 records")
}

func TestMissingDataSaysWhereAndHow(t *testing.T) {
	empty := t.TempDir()
	for _, name := range []string{"cifar10", "cifar100", "mnist", "fashion-mnist"} {
		_, err := datasets.Open(t.Context(), datasets.Config{Name: name, Dir: empty}, 0)
		wantError(t, err, datasets.ErrMissing, empty, "resnet data fetch "+name)
		_, err = datasets.Open(t.Context(), datasets.Config{Name: name, Dir: filepath.Join(empty, "nowhere")}, 0)
		wantError(t, err, datasets.ErrMissing, "nowhere")
	}
	_, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: empty}, 0)
	wantError(t, err, datasets.ErrMissing, empty)
}

func TestIDXFaultsNameFileRecordAndOffset(t *testing.T) {
	images := func(change func(b []byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "train-images-idx3-ubyte.gz"), zipped(t, change(idx(noise(5*9, 1), 5, 3, 3))))
		}
	}
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		kind   error
		says   []string
	}{
		{"missing file", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "t10k-images.idx3-ubyte")) }, datasets.ErrMissing, []string{"t10k-images-idx3-ubyte"}},
		{"another magic", images(func(b []byte) []byte { b[2] = 13; return b }), datasets.ErrData, []string{"train-images", "byte offset 0"}},
		{"another count", images(func(b []byte) []byte { b[7]++; return b }), datasets.ErrData, []string{"byte offset 4: dimension 0 is 6, want 5"}},
		{"a count of gigabytes", images(func(b []byte) []byte { binary.BigEndian.PutUint32(b[4:], 1<<32-1); return b }), datasets.ErrData, []string{"dimension 0 is 4294967295"}},
		{"another width", images(func(b []byte) []byte { b[15] = 4; return b }), datasets.ErrData, []string{"byte offset 12: dimension 2 is 4, want 3"}},
		{"header cut off", images(func(b []byte) []byte { return b[:9] }), datasets.ErrData, []string{"header is cut off"}},
		{"no bytes", images(func(b []byte) []byte { return nil }), datasets.ErrData, []string{"header is cut off"}},
		{"last record cut off", images(func(b []byte) []byte { return b[:len(b)-1] }), datasets.ErrData, []string{"record 4 of 5, from byte offset 52"}},
		{"extra byte", images(func(b []byte) []byte { return append(b, 0) }), datasets.ErrData, []string{"byte offset 61, after record 4"}},
		{"gzip cut off", func(t *testing.T, dir string) { cutInHalf(t, filepath.Join(dir, "train-images-idx3-ubyte.gz")) }, datasets.ErrData, []string{"cut off"}},
		{"gzip checksum", func(t *testing.T, dir string) {
			path := filepath.Join(dir, "train-images-idx3-ubyte.gz")
			st, _ := os.Stat(path)
			patch(t, path, st.Size()-8, []byte{1, 2, 3, 4})
		}, datasets.ErrData, []string{"checksum"}},
		{"label out of range", func(t *testing.T, dir string) {
			patch(t, filepath.Join(dir, "train-labels-idx1-ubyte"), 8+3, []byte{10})
		}, datasets.ErrData, []string{"train-labels", "record 3 at byte offset 11: label 10 > 9"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			idxFolder(t, dir, 5, 2, 3)
			c.damage(t, dir)
			_, err := datasets.OpenSmallIDX(5, 2, 3, datasets.Config{Name: "fashion-mnist", Dir: dir}, 0)
			wantError(t, err, c.kind, c.says...)
		})
	}
}

func TestAnIDXBombStaysCompressed(t *testing.T) {
	dir := t.TempDir()
	idxFolder(t, dir, 5, 2, 3)
	bomb := zipped(t, append(idx(noise(5*9, 1), 5, 3, 3), make([]byte, 64<<20)...))
	write(t, filepath.Join(dir, "train-images-idx3-ubyte.gz"), bomb)
	n := faulttest.Allocated(func() {
		_, err := datasets.OpenSmallIDX(5, 2, 3, datasets.Config{Name: "fashion-mnist", Dir: dir}, 0)
		wantError(t, err, datasets.ErrData, "byte offset 61")
	})
	if n > 4<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}
