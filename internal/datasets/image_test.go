package datasets_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault/faulttest"
)

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
		"PNG, too large, not lying":  hugePNG(10000, 10000, 20000),
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
			n := faulttest.Allocated(func() {
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

func TestEveryKindOfImageBecomesRGB(t *testing.T) {
	rect := image.Rect(0, 0, 8, 8)
	fill := func(m interface {
		image.Image
		Set(x, y int, c color.Color)
	}, c color.Color,
	) image.Image {
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

// cmykJPEG is a JPEG of 16×16 pixels and four components of one value each, as Adobe stores CMYK
// (255 means no ink). Go has no encoder for it. Quantisation is by 8, so a block is its DC
// difference, value − 128, and an end of block.
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
		// The whole image is resized before it is cut, so the outermost pixels have something of
		// what was beside them.
		for name, c := range map[string]struct{ at, plane int }{"top left is red": {size + 1, 0}, "bottom right is green": {n - size - 2, 1}} {
			for p := range 3 {
				if want := map[bool]byte{true: 255, false: 0}[p == c.plane]; dst[p*n+c.at] != want {
					t.Errorf("%d pixels: %s: plane %d is %d, want %d", size, name, p, dst[p*n+c.at], want)
				}
			}
		}
	}
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
