package datasets

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// FuzzFormats: whatever the bytes of a WebP, GIF, BMP, TIFF or PNM, decoding takes no more memory
// than its header foresees, and fails with ErrData or gives all pixels.
func FuzzFormats(f *testing.F) {
	for _, name := range []string{
		"lossy-odd.webp", "lossless.webp", "few-colours.webp", "alpha-lossy.webp", "animated.webp", "exif-7.webp", "frames.gif", "transparent.gif", "corner-transparent.gif",
		"rgb.bmp", "palette.bmp", "bits.bmp", "raw.tif", "tiff_lzw.tif", "tiff_adobe_deflate.tif", "packbits.tif", "group4.tif", "palette.tif", "exif-8.tif", "rgb.ppm",
		"grey.pgm", "bits.pbm", "text.ppm", "text.pbm",
	} {
		data, err := os.ReadFile(filepath.Join("../../testdata/images", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	// What decoders hold besides: tables, and buffers of their input.
	const besides = 4 << 20
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := checkHeaderOf(bytes.NewReader(data), int64(len(data)))
		if err != nil || h.memory > 64<<20 { // larger ones are slow, and no others
			return
		}
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		img, err := decode(new(scratch), data, true)
		if err != nil {
			if !errors.Is(err, ErrData) {
				t.Fatalf("error %v, want ErrData", err)
			}
		} else if p := whole(img); len(p.Pix) != 3*h.width*h.height {
			t.Fatalf("%d×%d in %d bytes", h.width, h.height, len(p.Pix))
		}
		runtime.ReadMemStats(&b)
		if got, most := int64(b.TotalAlloc-a.TotalAlloc), h.memory+3*int64(h.width)*int64(h.height)+3*int64(len(data))+besides; got > most {
			t.Fatalf("%s of %d×%d: %d bytes allocated, %d foreseen", h.format.name, h.width, h.height, got, most)
		}
	})
}
