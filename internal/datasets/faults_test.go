package datasets_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/datasets"
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
		{"missing file", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "data_batch_3.bin")) },
			datasets.ErrMissing, []string{"data_batch_3.bin", "resnet data fetch cifar10"}},
		{"a folder in its place", func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "data_batch_3.bin"))
			os.Mkdir(filepath.Join(dir, "data_batch_3.bin"), 0o755)
		}, datasets.ErrData, []string{"data_batch_3.bin", "not a regular file"}},
		{"last record cut off", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "test_batch.bin"), n*record-1) },
			datasets.ErrData, []string{"test_batch.bin", "21510 bytes, want 21511", "record 6, from byte offset 18438"}},
		{"a record too few", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "test_batch.bin"), (n-1)*record) },
			datasets.ErrData, []string{"test_batch.bin", "record 6, from byte offset 18438"}},
		{"empty", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "data_batch_1.bin"), 0) },
			datasets.ErrData, []string{"data_batch_1.bin", "record 0, from byte offset 0"}},
		{"extra byte", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "data_batch_5.bin"), n*record+1) },
			datasets.ErrData, []string{"data_batch_5.bin", "byte offset 21511, after record 6"}},
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

// allocated runs f and returns the bytes that it allocated.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

func TestAnIDXBombStaysCompressed(t *testing.T) {
	dir := t.TempDir()
	idxFolder(t, dir, 5, 2, 3)
	bomb := zipped(t, append(idx(noise(5*9, 1), 5, 3, 3), make([]byte, 64<<20)...))
	write(t, filepath.Join(dir, "train-images-idx3-ubyte.gz"), bomb)
	n := allocated(func() {
		_, err := datasets.OpenSmallIDX(5, 2, 3, datasets.Config{Name: "fashion-mnist", Dir: dir}, 0)
		wantError(t, err, datasets.ErrData, "byte offset 61")
	})
	if n > 4<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

// hugePNG is a PNG whose header promises w×h pixels, padded to so many bytes.
func hugePNG(w, h uint32, size int) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	head = append(head, 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
	return append(b, make([]byte, max(0, size-len(b)))...)
}

// hugeJPEG is a JPEG whose frame header promises w×h pixels, padded to so many bytes.
func hugeJPEG(w, h uint16, size int) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xc0, 0, 17, 8}
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, h), w)
	b = append(b, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	return append(b, make([]byte, max(0, size-len(b)))...)
}

func TestHugeImagesAreRefusedBeforeMemoryIsSpent(t *testing.T) {
	for name, data := range map[string][]byte{
		"PNG, 65535×65535 in 2 KB":   hugePNG(65535, 65535, 2048),
		"PNG, 2^31 wide":             hugePNG(1<<31-1, 1, 2048),
		"PNG, within bounds, lying":  hugePNG(8000, 8000, 2048),
		"JPEG, 65535×65535 in 2 KB":  hugeJPEG(65535, 65535, 2048),
		"JPEG, within bounds, lying": hugeJPEG(8000, 8000, 2048),
		"no pixels":                  hugeJPEG(8, 0, 2048),
		"not an image":               []byte("GIF89a"),
		"empty":                      nil,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			imageFolder(t, dir)
			path := filepath.Join(dir, "train", "cat", "99.png")
			write(t, path, data)
			n := allocated(func() {
				_, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 8}, 0)
				wantError(t, err, datasets.ErrData, path)
			})
			if n > 8<<20 {
				t.Errorf("%d bytes allocated", n)
			}
			if err := datasets.DecodeFile(path, 8, make([]byte, 3*64)); !errors.Is(err, datasets.ErrData) {
				t.Errorf("DecodeFile: %v, want ErrData", err)
			}
		})
	}
}

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

func TestEveryKindOfImageBecomesRGB(t *testing.T) {
	rect := image.Rect(0, 0, 8, 8)
	fill := func(m interface {
		image.Image
		Set(x, y int, c color.Color)
	}, c color.Color) image.Image {
		for y := range 8 {
			for x := range 8 {
				m.Set(x, y, c)
			}
		}
		return m
	}
	clear := color.NRGBA{200, 100, 50, 0}
	paletted := image.NewPaletted(rect, color.Palette{color.NRGBA{200, 100, 50, 128}})
	for name, c := range map[string]struct {
		data []byte
		want [3]byte
	}{
		"grey PNG":                  {pngBytes(t, fill(image.NewGray(rect), color.Gray{77})), [3]byte{77, 77, 77}},
		"16-bit grey PNG":           {pngBytes(t, fill(image.NewGray16(rect), color.Gray16{0x4d4d})), [3]byte{77, 77, 77}},
		"RGBA PNG, transparent":     {pngBytes(t, fill(image.NewNRGBA(rect), clear)), [3]byte{200, 100, 50}},
		"16-bit RGBA PNG":           {pngBytes(t, fill(image.NewNRGBA64(rect), color.NRGBA64{0xc8c8, 0x6464, 0x3232, 7})), [3]byte{200, 100, 50}},
		"paletted PNG, see-through": {pngBytes(t, paletted), [3]byte{200, 100, 50}},
		"grey JPEG":                 {jpegBytes(t, fill(image.NewGray(rect), color.Gray{77})), [3]byte{77, 77, 77}},
	} {
		for _, size := range []int{8, 4, 16} {
			path := filepath.Join(t.TempDir(), "x.png")
			write(t, path, c.data)
			dst := make([]byte, 3*size*size)
			if err := datasets.DecodeFile(path, size, dst); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i, v := range dst {
				if want := c.want[i/(size*size)]; v != want {
					t.Fatalf("%s at %d pixels: value %d is %d, want %d", name, size, i, v, want)
				}
			}
		}
	}
}

// cmykJPEG is a JPEG of 16×16 pixels and four components of one value each, as Adobe stores CMYK (255 means no ink).
// Go has no encoder for it. Quantisation is by 8, so a block is its DC difference, value − 128, and an end of block.
func cmykJPEG(values [4]byte) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xee, 0, 14}
	b = append(b, "Adobe\x00\x64\x00\x00\x00\x00\x00"...) // APP14, transform 0: CMYK
	b = append(b, 0xff, 0xdb, 0, 67, 0)                   // quantisation table 0
	b = append(b, bytes.Repeat([]byte{8}, 64)...)
	b = append(b, 0xff, 0xc0, 0, 20, 8, 0, 16, 0, 16, 4) // baseline frame, 4 components
	for k := range byte(4) {
		b = append(b, k+1, 0x11, 0)
	}
	b = append(b, 0xff, 0xc4, 0, 22, 0x00, 0, 3) // DC codes 00, 01, 10 for categories 0, 7, 8
	b = append(append(b, make([]byte, 14)...), 0, 7, 8)
	b = append(b, 0xff, 0xc4, 0, 20, 0x10, 1) // AC code 0 for the end of block
	b = append(append(b, make([]byte, 15)...), 0)
	b = append(b, 0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)
	var bits strings.Builder
	for block := range 4 {
		for _, v := range values {
			switch {
			case block > 0:
				bits.WriteString("00")
			case v == 255:
				bits.WriteString("01" + "1111111") // 127 in category 7
			case v == 0:
				bits.WriteString("10" + "01111111") // −128 in category 8
			}
			bits.WriteString("0")
		}
	}
	for bits.Len()%8 != 0 {
		bits.WriteString("1")
	}
	for text := bits.String(); text != ""; text = text[8:] {
		v, _ := strconv.ParseUint(text[:8], 2, 8)
		if b = append(b, byte(v)); v == 0xff {
			b = append(b, 0)
		}
	}
	return append(b, 0xff, 0xd9)
}

func TestCMYKBecomesRGB(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jpg")
	for name, c := range map[string]struct {
		stored [4]byte // 255 − ink
		want   [3]byte
	}{
		"magenta and yellow ink are red": {[4]byte{255, 0, 0, 255}, [3]byte{255, 0, 0}},
		"cyan ink is cyan":               {[4]byte{0, 255, 255, 255}, [3]byte{0, 255, 255}},
		"black ink is black":             {[4]byte{255, 255, 255, 0}, [3]byte{0, 0, 0}},
		"no ink is white":                {[4]byte{255, 255, 255, 255}, [3]byte{255, 255, 255}},
	} {
		write(t, path, cmykJPEG(c.stored))
		dst := make([]byte, 3*16*16)
		if err := datasets.DecodeFile(path, 16, dst); err != nil {
			t.Fatal(err)
		}
		for i, v := range dst {
			if want := c.want[i/256]; v != want {
				t.Fatalf("%s: value %d is %d, want %d", name, i, v, want)
			}
		}
	}
}

func TestResizingKeepsTheCentreOfTheLongerSide(t *testing.T) {
	// Left and right quarters are blue, the centre square has red above and green below.
	m := image.NewRGBA(image.Rect(0, 0, 64, 32))
	for y := range 32 {
		for x := range 64 {
			c := color.RGBA{0, 0, 255, 255}
			if x >= 16 && x < 48 {
				c = color.RGBA{255, 0, 0, 255}
				if y >= 16 {
					c = color.RGBA{0, 255, 0, 255}
				}
			}
			m.SetRGBA(x, y, c)
		}
	}
	path := filepath.Join(t.TempDir(), "x.png")
	write(t, path, pngBytes(t, m))
	for _, size := range []int{8, 32, 64} {
		dst := make([]byte, 3*size*size)
		if err := datasets.DecodeFile(path, size, dst); err != nil {
			t.Fatal(err)
		}
		n := size * size
		for name, c := range map[string]struct{ at, plane int }{"top left is red": {0, 0}, "bottom right is green": {n - 1, 1}} {
			for p := range 3 {
				if want := map[bool]byte{true: 255, false: 0}[p == c.plane]; dst[p*n+c.at] != want {
					t.Errorf("%d pixels: %s: plane %d is %d, want %d", size, name, p, dst[p*n+c.at], want)
				}
			}
		}
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
	write(t, filepath.Join(dir, "classes.txt"), []byte("dog\tDog, hound\r\ncat\r\nbee\r\nant\r\n"))
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

func TestAHighlyCompressedImageIsNotTakenForALie(t *testing.T) {
	for name, encode := range map[string]func(m image.Image) []byte{
		"png":  func(m image.Image) []byte { return pngBytes(t, m) },
		"jpeg": func(m image.Image) []byte { return jpegBytes(t, m) },
	} {
		data := encode(image.NewGray(image.Rect(0, 0, 3000, 3000)))
		path := filepath.Join(t.TempDir(), "blank."+name)
		write(t, path, data)
		if err := datasets.DecodeFile(path, 8, make([]byte, 3*64)); err != nil {
			t.Errorf("a blank %s of 3000×3000 pixels in %d bytes: %v", name, len(data), err)
		}
	}
}
