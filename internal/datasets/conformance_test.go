package datasets_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/datasetstest"
)

var (
	tenClasses     = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
	fashionClasses = []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
)

// noise is n reproducible bytes.
func noise(n int, seed uint64) []byte {
	g := rand.New(rand.NewPCG(seed, 1))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(g.Uint32())
	}
	return out
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// cutInHalf truncates a file.
func cutInHalf(t testing.TB, path string) {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, st.Size()/2); err != nil {
		t.Fatal(err)
	}
}

// cifarRecords has labels 0, 1, 2, … and, for CIFAR-100, superclass 3.
func cifarRecords(n int, hundred bool, seed uint64) []byte {
	var b bytes.Buffer
	for i := range n {
		if hundred {
			b.WriteByte(3)
		}
		b.WriteByte(byte(i % 10))
		b.Write(noise(3072, seed+uint64(i)))
	}
	return b.Bytes()
}

func cifarFolder(t testing.TB, dir string, perFile int) {
	for i, name := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"} {
		write(t, filepath.Join(dir, name), cifarRecords(perFile, false, uint64(100*i)))
	}
}

func TestCIFAR10PassesTheSuite(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "cifar-10-batches-bin")
	cifarFolder(t, inside, 7)
	datasetstest.Run(t, datasetstest.Case{
		Open: func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
			return datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(false, 7), datasets.Config{Name: "cifar10", Dir: dir, Validation: float64(val)}, seed)
		},
		Want:   datasets.Info{Name: "cifar10", Classes: tenClasses, Channels: 3, Height: 32, Width: 32, Train: 35, Test: 7},
		Damage: func(t testing.TB) { cutInHalf(t, filepath.Join(inside, "data_batch_4.bin")) },
	})
}

func TestCIFAR100PassesTheSuite(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "train.bin"), cifarRecords(20, true, 1))
	write(t, filepath.Join(dir, "test.bin"), cifarRecords(20, true, 2))
	open := func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
		return datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(true, 20), datasets.Config{Name: "cifar100", Dir: dir, Validation: float64(val)}, seed)
	}
	d, err := open(t, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	classes := d.Info().Classes
	if len(classes) != 100 || classes[0] != "apple" || classes[50] != "mouse" || classes[99] != "worm" {
		t.Errorf("%d classes, of which the first, fiftieth and last are %q, %q, %q", len(classes), classes[0], classes[50], classes[99])
	}
	datasetstest.Run(t, datasetstest.Case{
		Open:   open,
		Want:   datasets.Info{Name: "cifar100", Classes: classes, Channels: 3, Height: 32, Width: 32, Train: 20, Test: 20},
		Damage: func(t testing.TB) { cutInHalf(t, filepath.Join(dir, "test.bin")) },
	})
}

// idx builds an IDX file.
func idx(values []byte, dims ...uint32) []byte {
	out := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, d)
	}
	return append(out, values...)
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func labels(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i % 10)
	}
	return out
}

// idxFolder mixes what is found in the wild: gzip and plain, a dash and a point in the name.
func idxFolder(t testing.TB, dir string, train, test, size int) {
	s := uint32(size)
	write(t, filepath.Join(dir, "train-images-idx3-ubyte.gz"), zipped(t, idx(noise(train*size*size, 1), uint32(train), s, s)))
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte"), idx(labels(train), uint32(train)))
	write(t, filepath.Join(dir, "t10k-images.idx3-ubyte"), idx(noise(test*size*size, 2), uint32(test), s, s))
	write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte.gz"), idx(labels(test), uint32(test)))
}

func TestIDXPassesTheSuite(t *testing.T) {
	dir := t.TempDir()
	idxFolder(t, filepath.Join(dir, "raw"), 41, 9, 28)
	datasetstest.Run(t, datasetstest.Case{
		Open: func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
			return datasets.OpenSmallIDX(41, 9, 28, datasets.Config{Name: "fashion-mnist", Dir: dir, Validation: float64(val)}, seed)
		},
		Want:   datasets.Info{Name: "fashion-mnist", Classes: fashionClasses, Channels: 1, Height: 28, Width: 28, Train: 41, Test: 9},
		Damage: func(t testing.TB) { cutInHalf(t, filepath.Join(dir, "raw", "train-images-idx3-ubyte.gz")) },
	})
}

func TestEmbeddedSamplePassesTheSuite(t *testing.T) {
	datasetstest.Run(t, datasetstest.Case{
		Open: func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
			return datasets.Open(context.Background(), datasets.Config{Name: "fashion-sample", Validation: float64(val), Downsample: 2}, seed)
		},
		Want: datasets.Info{Name: "fashion-sample", Classes: fashionClasses, Channels: 1, Height: 14, Width: 14, Train: 5000, Test: 1000},
	})
}

// picture is a smooth RGBA image.
func picture(w, h int, seed uint64) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{byte(x * 255 / w), byte(y * 255 / h), byte(17 * seed), 255})
		}
	}
	return m
}

func pngBytes(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegBytes(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// imageFolder has 3 classes, 5 training and 2 test images each, PNG and JPEG, and things to ignore.
func imageFolder(t testing.TB, dir string) {
	for k, class := range []string{"bee", "ant", "cat"} {
		for i := range 5 {
			seed := uint64(k*10 + i)
			name := filepath.Join(dir, "train", class, fmt.Sprintf("%02d.png", i))
			if i%2 == 0 {
				write(t, name, pngBytes(t, picture(20+i, 30, seed)))
			} else {
				// A JPEG that says it is a PNG, as there is in ImageNet the other way round.
				write(t, name, jpegBytes(t, picture(33, 20+i, seed)))
			}
		}
		for i := range 2 {
			write(t, filepath.Join(dir, "test", class, fmt.Sprintf("%d.JPEG", i)), jpegBytes(t, picture(16, 16, uint64(i))))
		}
		write(t, filepath.Join(dir, "train", class, ".DS_Store"), []byte("x"))
		write(t, filepath.Join(dir, "train", class, "._00.png"), []byte("x")) // macOS's
		write(t, filepath.Join(dir, "train", class, "notes.txt"), []byte("x"))
	}
	write(t, filepath.Join(dir, "train", "README"), []byte("x"))
}

func TestFolderPassesTheSuite(t *testing.T) {
	dir := t.TempDir()
	imageFolder(t, dir)
	datasetstest.Run(t, datasetstest.Case{
		Open: func(t testing.TB, val int, seed uint64) (*datasets.Dataset, error) {
			return datasets.Open(context.Background(), datasets.Config{Name: "folder", Dir: dir, Size: 16, Validation: float64(val)}, seed)
		},
		Want:   datasets.Info{Name: "folder", Classes: []string{"ant", "bee", "cat"}, Channels: 3, Height: 16, Width: 16, Train: 15, Test: 6},
		Damage: func(t testing.TB) { cutInHalf(t, filepath.Join(dir, "train", "bee", "03.png")) },
	})
}
