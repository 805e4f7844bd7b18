package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"strings"
	"testing"
)

func TestTheShapeOfAJPEGIsReadFromItsSegments(t *testing.T) {
	for name, want := range map[string]struct {
		progressive bool
		colours     int
		scans       int
		values      int64 // of whole blocks
	}{
		// 61×47 pixels are 4×3 units of 16×16, 8×3 of 8×16 (4:2:2 has 4×6) or 8×6 of 8×8.
		"yuv420": {false, 3, 1, 4 * 3 * (4 + 1 + 1) * 64}, "yuv422": {false, 3, 1, 4 * 6 * (2 + 1 + 1) * 64}, "yuv444": {false, 3, 1, 8 * 6 * 3 * 64},
		"grey": {false, 1, 1, 8 * 6 * 64}, "progressive": {true, 3, 10, 4 * 3 * 6 * 64},
	} {
		data, err := os.ReadFile("../../testdata/images/" + name + ".jpg")
		if err != nil {
			t.Fatal(err)
		}
		s := shapeOfJPEG(data)
		if s.width != 61 || s.height != 47 || s.progressive != want.progressive || len(s.colours) != want.colours || s.scans != want.scans || s.samples() != want.values {
			t.Errorf("%s: %+v, %d values", name, s, s.samples())
		}
	}
}

// flatHeader is a PNG without pixels.
func flatHeader(w, h uint32) []byte {
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, 16, 6, 0, 0, 1)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
	return append(b, make([]byte, 1<<16)...)
}

// jpegHeader is a frame and the beginnings of so many scans.
func jpegHeader(marker byte, w, h int, ids string, sampling byte, adobe bool, scans int) []byte {
	b := []byte{0xff, 0xd8}
	if adobe {
		b = append(b, "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"...)
	}
	b = append(b, 0xff, marker, 0, byte(8+3*len(ids)), 8, byte(h>>8), byte(h), byte(w>>8), byte(w), byte(len(ids)))
	for i, id := range []byte(ids) {
		s := byte(0x11)
		if i == 0 {
			s = sampling
		}
		b = append(b, id, s, 0)
	}
	for range scans {
		b = append(b, "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00\x12\xff\x00\x34\xff\xd0\x56"...)
	}
	return b
}

// TestMemoryOfADecoderIsForeseen: bytes a pixel by format, and what is above the limit is refused
// from the header alone.
func TestMemoryOfADecoderIsForeseen(t *testing.T) {
	const side = 1600
	for name, c := range map[string]struct {
		data []byte
		want float64 // bytes a pixel
	}{
		"baseline 4:2:0":    {jpegHeader(0xc0, side, side, "\x01\x02\x03", 0x22, false, 1), 4.5},
		"baseline 4:4:4":    {jpegHeader(0xc0, side, side, "\x01\x02\x03", 0x11, false, 1), 6},
		"grey":              {jpegHeader(0xc0, side, side, "\x01", 0x11, false, 1), 4},
		"progressive 4:2:0": {jpegHeader(0xc2, side, side, "\x01\x02\x03", 0x22, false, 1), 7.5},
		"progressive 4:4:4": {jpegHeader(0xc2, side, side, "\x01\x02\x03", 0x11, false, 1), 15},
		"RGB by its names":  {jpegHeader(0xc0, side, side, "RGB", 0x11, false, 1), 7},
		"RGB of Adobe":      {jpegHeader(0xc0, side, side, "\x01\x02\x03", 0x11, true, 1), 7},
		"CMYK":              {jpegHeader(0xc0, side, side, "\x01\x02\x03\x04", 0x11, true, 1), 8},
		"progressive CMYK":  {jpegHeader(0xc2, side, side, "\x01\x02\x03\x04", 0x11, true, 1), 24},
	} {
		if got := float64(shapeOfJPEG(c.data).memory()) / side / side; got != c.want {
			t.Errorf("%s: %g bytes a pixel, want %g", name, got, c.want)
		}
	}
	if got := memoryOfPNG(flatHeader(100, 100), 10_000); got != 160_000 {
		t.Errorf("an interlaced PNG of 16 bits: %d bytes", got)
	}
	pad := make([]byte, 1<<20)
	for name, data := range map[string][]byte{
		"CMYK":       append(jpegHeader(0xc2, 8000, 8000, "\x01\x02\x03\x04", 0x11, true, 1), pad...),
		"interlaced": append(flatHeader(8000, 8000), pad...),
	} {
		if _, err := checkHeaderOf(bytes.NewReader(data), int64(len(data))); !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "MB to decode") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestScansAreBoundedByTheSizeOfAJPEG: each costs a few bytes of the file and a pass over all
// blocks.
func TestScansAreBoundedByTheSizeOfAJPEG(t *testing.T) {
	many := jpegHeader(0xc2, 4096, 4096, "\x01\x02\x03", 0x11, false, 86) // 786,432 blocks
	if s := shapeOfJPEG(many); s.scans != 86 || !errors.Is(s.bounded(), ErrData) {
		t.Errorf("%d scans: %v", s.scans, s.bounded())
	}
	for name, data := range map[string][]byte{
		"85 scans":     jpegHeader(0xc2, 4096, 4096, "\x01\x02\x03", 0x11, false, 85),
		"small":        jpegHeader(0xc2, 16, 16, "\x01\x02\x03", 0x11, false, 3000),
		"baseline":     jpegHeader(0xc0, 4096, 4096, "\x01\x02\x03", 0x11, false, 3000),
		"behind a end": append(jpegHeader(0xc2, 4096, 4096, "\x01\x02\x03", 0x11, false, 10), append([]byte{0xff, 0xd9}, many...)...),
	} {
		if err := shapeOfJPEG(data).bounded(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
