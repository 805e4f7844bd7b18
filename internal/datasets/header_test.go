package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"
)

// flatHeader is a PNG without pixels.
func flatHeader(w, h uint32) []byte {
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, 16, 6, 0, 0, 1)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
	return append(b, make([]byte, 1<<16)...)
}

// jpegHeader is a frame.
func jpegHeader(marker byte, w, h, components int, sampling byte) []byte {
	b := []byte{0xff, 0xd8, 0xff, marker, 0, byte(8 + 3*components), 8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(components)}
	for i := range components {
		s := byte(0x11)
		if i == 0 {
			s = sampling
		}
		b = append(b, byte(i+1), s, 0)
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
		"baseline 4:2:0":    {jpegHeader(0xc0, side, side, 3, 0x22), 1.5 + 3},
		"baseline 4:4:4":    {jpegHeader(0xc0, side, side, 3, 0x11), 3 + 3},
		"grey":              {jpegHeader(0xc0, side, side, 1, 0x11), 1 + 3},
		"progressive 4:2:0": {jpegHeader(0xc2, side, side, 3, 0x22), 1.5*2.125 + 3},
		"progressive 4:4:4": {jpegHeader(0xc2, side, side, 3, 0x11), 3*2.125 + 3},
		"CMYK":              {jpegHeader(0xc0, side, side, 4, 0x11), 4 + 3},
		"progressive CMYK":  {jpegHeader(0xc2, side, side, 4, 0x11), 4*2.125 + 3},
	} {
		h, err := readHeader(bytes.NewReader(c.data), int64(len(c.data)))
		// Rows and tables are the rest.
		if got := float64(h.memory) / side / side; err != nil || got < c.want || got > c.want+0.1 {
			t.Errorf("%s: %g bytes a pixel, want %g (%v)", name, got, c.want, err)
		}
	}
	flat := flatHeader(100, 100)
	if h, err := readHeader(bytes.NewReader(flat), int64(len(flat))); err != nil || h.memory != 160_000 {
		t.Errorf("an interlaced PNG of 16 bits: %d bytes (%v)", h.memory, err)
	}
	pad := make([]byte, 1<<20)
	for name, data := range map[string][]byte{
		"CMYK":       append(jpegHeader(0xc2, 8000, 8000, 4, 0x11), pad...),
		"interlaced": append(flatHeader(8000, 8000), pad...),
	} {
		if _, err := checkHeaderOf(bytes.NewReader(data), int64(len(data))); !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "MB to decode") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
