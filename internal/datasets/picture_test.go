package datasets_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault/faulttest"
)

// images holds pictures and what Pillow makes of them: see generate.py there.
const images = "../../testdata/images"

func load(t testing.TB, name string) datasets.Picture {
	t.Helper()
	f, err := os.Open(filepath.Join(images, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := datasets.DecodePicture(f, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stored is load without regard to EXIF.
func stored(t testing.TB, name string) datasets.Picture {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(images, name))
	if err != nil {
		t.Fatal(err)
	}
	p, err := datasets.Preprocessing{}.Decode(bytes.NewReader(data), name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// levels gives the largest and the mean difference of two pictures of one size.
func levels(t testing.TB, a, b datasets.Picture) (most int, mean float64) {
	t.Helper()
	if a.Width != b.Width || a.Height != b.Height || len(a.Pix) != len(b.Pix) || len(a.Pix) != 3*a.Width*a.Height {
		t.Fatalf("%d×%d in %d bytes, want %d×%d in %d", a.Width, a.Height, len(a.Pix), b.Width, b.Height, len(b.Pix))
	}
	sum := 0
	for i := range a.Pix {
		d := max(int(a.Pix[i])-int(b.Pix[i]), int(b.Pix[i])-int(a.Pix[i]))
		most, sum = max(most, d), sum+d
	}
	return most, float64(sum) / float64(len(a.Pix))
}

func TestResizingGivesPillowsBytes(t *testing.T) {
	source := load(t, "source.png")
	for _, s := range [][2]int{{61, 47}, {30, 23}, {7, 5}, {122, 94}, {200, 154}, {24, 47}, {61, 20}} {
		want := load(t, fmt.Sprintf("resized-%dx%d.png", s[0], s[1]))
		if most, mean := levels(t, source.Resize(s[0], s[1]), want); most != 0 {
			t.Errorf("%v: differs from Pillow by up to %d levels, %.4f in the mean", s, most, mean)
		}
	}
}

func TestBicubicResizingGivesPillowsBytes(t *testing.T) {
	source := load(t, "source.png")
	for _, s := range [][2]int{{30, 23}, {7, 5}, {122, 94}, {61, 20}} {
		want := load(t, fmt.Sprintf("bicubic-%dx%d.png", s[0], s[1]))
		got := source.ResizeBy(datasets.Bicubic, s[0], s[1])
		if most, mean := levels(t, got, want); most != 0 {
			t.Errorf("%v: differs from Pillow by up to %d levels, %.4f in the mean", s, most, mean)
		}
	}
	p := datasets.NewPreprocessing(3, 20, 23, datasets.Normalizer{})
	p.Interpolation = datasets.Bicubic
	cut := make([]byte, 3*20*20)
	source.ResizeBy(datasets.Bicubic, 29, 23).CropCHW(cut, 4, 2, 20, 20, false) // 61·23/47 = 29.85
	if !bytes.Equal(p.View(source), cut) {
		t.Error("the view of a bicubic preprocessing is not the centre of the picture so resized")
	}
}

func TestDecodingGivesPillowsBytes(t *testing.T) {
	for _, name := range []string{"yuv444", "yuv422", "yuv420", "progressive", "grey", "cmyk", "narrow", "turned"} {
		if most, mean := levels(t, stored(t, name+".jpg"), load(t, name+".rgb.png")); most != 0 {
			t.Errorf("%s: differs from Pillow by up to %d levels, %.4f in the mean", name, most, mean)
		}
	}
}

func TestAShorterSideKeepsTheProportions(t *testing.T) {
	for _, c := range []struct{ w, h, size, wantW, wantH int }{
		{500, 375, 256, 341, 256}, {375, 500, 256, 256, 341}, {333, 333, 224, 224, 224}, {3, 200, 6, 6, 400}, {10, 11, 3, 3, 3}, {3, 4, 2, 2, 2}, {4, 3, 2, 2, 2},
	} {
		p := datasets.Picture{Width: c.w, Height: c.h, Pix: make([]byte, 3*c.w*c.h)}.ResizeShorter(c.size)
		if p.Width != c.wantW || p.Height != c.wantH {
			t.Errorf("%d×%d to %d: %d×%d, want %d×%d", c.w, c.h, c.size, p.Width, p.Height, c.wantW, c.wantH)
		}
	}
	// torchvision rounds 58.5 to 58 and 59.5 to 60.
	for _, c := range [][3]int{{256, 224, 16}, {341, 224, 58}, {343, 224, 60}, {9, 4, 2}, {11, 4, 4}, {4, 4, 0}} {
		if got := datasets.CentreOffset(c[0], c[1]); got != c[2] {
			t.Errorf("CentreOffset(%d, %d) = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestCropsAreCutSeparatedAndMirrored(t *testing.T) {
	p := datasets.Picture{Width: 5, Height: 4, Pix: noise(60, 3)}
	const x, y, w, h = 1, 2, 3, 2
	for _, flip := range []bool{false, true} {
		got := make([]byte, 3*w*h)
		p.CropCHW(got, x, y, w, h, flip)
		for c := range 3 {
			for i := range h {
				for j := range w {
					from := x + j
					if flip {
						from = x + w - 1 - j
					}
					if want := p.Pix[3*((y+i)*p.Width+from)+c]; got[(c*h+i)*w+j] != want {
						t.Fatalf("flip %v: channel %d, row %d, column %d is %d, want %d", flip, c, i, j, got[(c*h+i)*w+j], want)
					}
				}
			}
		}
	}
	cut := p.Crop(x, y, w, h)
	a, b := make([]byte, 3*w*h), make([]byte, 3*w*h)
	cut.CropCHW(a, 0, 0, w, h, false)
	p.CropCHW(b, x, y, w, h, false)
	if !bytes.Equal(a, b) {
		t.Error("Crop and CropCHW cut out different pixels")
	}
	defer func() {
		if recover() == nil {
			t.Error("a crop that leaves the picture gives an image")
		}
	}()
	p.CropCHW(a, 3, 0, w, h, false)
}

func TestHostilePicturesAreRefusedBeforeMemoryIsSpent(t *testing.T) {
	for name, data := range map[string][]byte{
		"PNG, 65535×65535 in 2 KB":  hugePNG(65535, 65535, 2048),
		"JPEG, 65535×65535 in 2 KB": hugeJPEG(65535, 65535, 2048),
		"JPEG, within bounds":       hugeJPEG(8000, 8000, 2048),
		"PPM, 60000×60000":          []byte("P6\n60000 60000\n255\n"),
		"PPM, no height":            []byte("P6\n60 0\n255\n"),
		"PPM, negative":             []byte("P6\n-6 -6\n255\n"),
		"PPM, cut off":              []byte("P6\n6 6\n255\nabc"),
		"a line of 65500×1":         pngBytes(t, image.NewGray(image.Rect(0, 0, 65500, 1))),
		"empty":                     nil,
	} {
		n := faulttest.Allocated(func() {
			if _, err := datasets.DecodePicture(bytes.NewReader(data), name); !errors.Is(err, datasets.ErrData) {
				t.Errorf("%s: error %v, want ErrData", name, err)
			}
		})
		if n > 4<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

func TestPicturesOfADataSetHaveTheirOwnSize(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "train", "a", "x.png"), pngBytes(t, picture(20, 10, 1)))
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 8}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := d.Picture(datasets.Train, 0); err != nil || p.Width != 20 || p.Height != 10 || !slices.Equal(p.Pix[3:6], []byte{12, 0, 17}) {
		t.Errorf("folder: %d×%d, %v", p.Width, p.Height, err)
	}
	if _, err := d.Picture(datasets.Train, 1); err == nil {
		t.Error("a picture past the end is no error")
	}
	grey, err := datasets.Open(t.Context(), datasets.Config{Name: "fashion-sample"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]byte, 28*28)
	shown, err := grey.Picture(datasets.Test, 0)
	if _, e := grey.Image(datasets.Test, 0, values); err != nil || e != nil {
		t.Fatal(err, e)
	}
	for i, v := range values {
		if !bytes.Equal(shown.Pix[3*i:3*i+3], []byte{v, v, v}) {
			t.Fatalf("pixel %d of a grey image is %v, want three times %d", i, shown.Pix[3*i:3*i+3], v)
		}
	}
	small := t.TempDir()
	cifarFolder(t, small, 2)
	cifar, err := datasets.OpenSmallCIFAR(datasets.NewSmallCIFAR(false, 2), datasets.Config{Name: "cifar10", Dir: small}, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := cifar.Picture(datasets.Train, 1)
	planes, again := make([]byte, 3072), make([]byte, 3072)
	if _, e := cifar.Image(datasets.Train, 1, planes); err != nil || e != nil {
		t.Fatal(err, e)
	}
	if p.CropCHW(again, 0, 0, 32, 32, false); !bytes.Equal(planes, again) {
		t.Error("a CIFAR picture is not the image")
	}
}

func TestImageNetClassesAreSortedAndNamed(t *testing.T) {
	classes := datasets.ImageNetClasses()
	if len(classes) != 1000 || !slices.IsSortedFunc(classes, func(a, b datasets.Class) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) }) {
		t.Fatalf("%d classes, or not sorted", len(classes))
	}
	// The labels of the first validation images in Caffe's val.txt, and the two ends.
	for i, want := range map[int]datasets.Class{
		0: {ID: "n01440764", Name: "tench"}, 2: {ID: "n01484850", Name: "great white shark"}, 65: {ID: "n01751748", Name: "sea snake"},
		970: {ID: "n09193705", Name: "alp"}, 809: {ID: "n04263257", Name: "soup bowl"}, 999: {ID: "n15075141", Name: "toilet tissue"},
	} {
		if classes[i] != want {
			t.Errorf("class %d is %+v, want %+v", i, classes[i], want)
		}
	}
	for name, n := range map[string]int{"cifar10": 10, "cifar100": 100, "mnist": 10, "fashion-mnist": 10, "fashion-sample": 10, "imagenet": 1000, "folder": 0} {
		if got := len(datasets.ClassNames(name)); got != n {
			t.Errorf("%s: %d names, want %d", name, got, n)
		}
	}
}

// FuzzDecodePicture: whatever the bytes, a picture whose sides agree with its pixels, or ErrData.
func FuzzDecodePicture(f *testing.F) {
	for _, name := range []string{"yuv420.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "narrow.jpg", "resized-7x5.png"} {
		data, err := os.ReadFile(filepath.Join(images, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte("P6\n2 1\n255\nabcdef"))
	f.Add(hugeJPEG(8000, 8000, 2048))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := datasets.DecodePicture(bytes.NewReader(data), "x")
		if err != nil {
			if !errors.Is(err, datasets.ErrData) {
				t.Fatalf("error %v, want ErrData", err)
			}
			return
		}
		if p.Width < 1 || p.Height < 1 || len(p.Pix) != 3*p.Width*p.Height {
			t.Fatalf("%d×%d in %d bytes", p.Width, p.Height, len(p.Pix))
		}
		small := p.ResizeShorter(4)
		small.CropCHW(make([]byte, 48), datasets.CentreOffset(small.Width, 4), datasets.CentreOffset(small.Height, 4), 4, 4, true)
	})
}
