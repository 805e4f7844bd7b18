package datasets_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

// TestEveryFormatGivesPillowsBytes: the pixels of files that Pillow wrote, and one of text that it
// reads.
func TestEveryFormatGivesPillowsBytes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(images, "*.*.rgb.png"))
	if err != nil || len(files) < 28 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, f := range files {
		want := filepath.Base(f)
		name := strings.TrimSuffix(want, ".rgb.png")
		if most, mean := levels(t, load(t, name), load(t, want)); most != 0 {
			t.Errorf("%s: differs from Pillow by up to %d levels, %.4f in the mean", name, most, mean)
		}
	}
}

// TestTheOrientationOfEXIFIsObeyedOrNot: as Pillow's exif_transpose, or as the pixels are stored.
func TestTheOrientationOfEXIFIsObeyedOrNot(t *testing.T) {
	for k, ending := range []string{"jpg", "png", "webp", "tif", "jpg", "png", "webp", "tif"} {
		name := fmt.Sprintf("exif-%d.%s", k+1, ending)
		if most, _ := levels(t, load(t, name), load(t, fmt.Sprintf("exif-%d.upright.png", k+1))); most != 0 {
			t.Errorf("%s: up to %d levels off", name, most)
		}
		data, err := os.ReadFile(filepath.Join(images, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []string{"", datasets.OrientStored} {
			p, err := datasets.Preprocessing{Orientation: o}.Decode(bytes.NewReader(data), name)
			if err != nil || p.Width != 9 || p.Height != 6 {
				t.Errorf("%s as stored (%q): %d×%d, want 9×6 (%v)", name, o, p.Width, p.Height, err)
			}
		}
	}
}

// TestAFolderIsTurnedAndTheRecordSaysSo: one photograph in two views of the set, and the record of
// what was trained.
func TestAFolderIsTurnedAndTheRecordSaysSo(t *testing.T) {
	dir := t.TempDir()
	for _, class := range []string{"a", "b"} {
		data, err := os.ReadFile(filepath.Join(images, "exif-6.png"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "train", class, "x.png"), data)
	}
	for orientation, want := range map[string][2]int{"": {6, 9}, "exif": {6, 9}, "stored": {9, 6}} {
		d, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 4, Orientation: orientation}, 0)
		if err != nil {
			t.Fatal(err)
		}
		p, err := d.Picture(datasets.Train, 0)
		if err != nil || p.Width != want[0] || p.Height != want[1] {
			t.Errorf("%q: %d×%d, want %v (%v)", orientation, p.Width, p.Height, want, err)
		}
		record, err := datasets.DecodePreprocessing(d.Preprocessing(datasets.Normalizer{}).Encode())
		if err != nil || (record.Orientation == datasets.OrientExif) != (want[0] == 6) {
			t.Errorf("%q: the record says %q (%v)", orientation, record.Orientation, err)
		}
		for o, want := range map[string][2]int{datasets.OrientExif: {6, 9}, datasets.OrientStored: {9, 6}, "": {9, 6}, datasets.OrientData: want} {
			if p, err := d.PictureFor(datasets.Train, 1, datasets.Preprocessing{Orientation: o}); err != nil || p.Width != want[0] {
				t.Errorf("%q for a network of %q: %d wide, want %d (%v)", orientation, o, p.Width, want[0], err)
			}
		}
		// The views differ as the pictures do.
		own, other := make([]byte, 48), make([]byte, 48)
		if _, err := d.Image(datasets.Train, 0, own); err != nil {
			t.Fatal(err)
		}
		copy(other, d.Preprocessing(datasets.Normalizer{}).View(p))
		if !bytes.Equal(own, other) {
			t.Errorf("%q: Image and View of the Picture differ", orientation)
		}
	}
}

// TestAPackOfATurnedFolderIsUpright: what is packed needs no turning, and its record says exif.
func TestAPackOfATurnedFolderIsUpright(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	for _, name := range []string{"exif-5.jpg", "exif-1.jpg"} {
		data, err := os.ReadFile(filepath.Join(images, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "train", "a", name), data)
	}
	d, err := datasets.Open(t.Context(), datasets.Config{Name: "folder", Dir: dir, Size: 4}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := datasets.Pack(t.Context(), d, datasets.PackOptions{Dir: out, Shorter: 100, Quality: 90}); err != nil {
		t.Fatal(err)
	}
	packed, err := datasets.Open(t.Context(), datasets.Config{Name: "packed", Dir: out, Size: 4}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{9, 6} { // wide: exif-1, and exif-5 turned
		p, err := packed.PictureFor(datasets.Train, i, datasets.Preprocessing{Orientation: datasets.OrientStored})
		if err != nil || p.Width != want {
			t.Errorf("%s: %d wide as stored, want %d (%v)", packed.ID(datasets.Train, i), p.Width, want, err)
		}
	}
	if o := packed.Preprocessing(datasets.Normalizer{}).Orientation; o != datasets.OrientExif {
		t.Errorf("the pack's networks are of %q", o)
	}
}

// TestWhatIsNotReadIsNamed by its first bytes.
func TestWhatIsNotReadIsNamed(t *testing.T) {
	box := func(brand string) []byte { return append([]byte("\x00\x00\x00\x20ftyp"+brand), make([]byte, 64)...) }
	for want, data := range map[string][]byte{
		"an empty file":               {},
		"an AVIF image":               box("avif"),
		"a HEIC image":                box("heix"),
		"a video (MP4":                box("isom"),
		"a JPEG XL image":             {0xff, 0x0a, 1, 2, 3},
		"a JPEG 2000 image":           []byte("\x00\x00\x00\x0cjP  \r\n\x87\n"),
		"a Photoshop image":           []byte("8BPS\x00\x01"),
		"an SVG drawing":              []byte("<?xml version=\"1.0\"?>\n<!-- x -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
		"a web page (HTML)":           []byte("\n <!DOCTYPE HTML><title>403</title>"),
		"a pointer of Git LFS":        []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
		"a PDF":                       []byte("%PDF-1.7\n"),
		"a text (JSON)":               []byte(`{"error": "not found"}`),
		"a text":                      []byte("no such image\n"),
		"zero bytes alone":            make([]byte, 100),
		"macOS's metadata":            []byte("\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"),
		"begins with 80 81 82":        {0x80, 0x81, 0x82, 0x83},
		"not a readable WebP":         []byte("RIFF\x10\x00\x00\x00WEBPVP8 "),
		"not a readable GIF":          []byte("GIF89a"),
		"which cannot be in 80 bytes": append([]byte("BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x00\x10\x00\x00\x00\x10\x00\x00\x01\x00\x18\x00"), make([]byte, 50)...),
		"which cannot be in 17 bytes": []byte("P6 8000 8000 255\n"),
	} {
		_, err := datasets.DecodePicture(bytes.NewReader(data), "x.jpg")
		if !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
