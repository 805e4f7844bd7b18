package datasets

import (
	"bytes"
	"image"
	"io"

	"golang.org/x/image/tiff"
)

const (
	tagCompression  = 0x0103
	tagPhotometric  = 0x0106
	tagRowsPerStrip = 0x0116
	tagTileWidth    = 0x0142
	tagTileLength   = 0x0143
)

// decodeTIFF makes the first page. Fax compression has runs of white, which are zeros: where zero
// is black, libtiff shows them black, and the decoder white.
func decodeTIFF(_ *scratch, data []byte) (rows, error) {
	m, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	d, _ := readIFD(bytes.NewReader(data))
	compression, _ := d.number(tagCompression)
	photometric, _ := d.number(tagPhotometric)
	if grey, ok := m.(*image.Gray); ok && (compression == 3 || compression == 4) && photometric == 1 {
		for i := range grey.Pix {
			grey.Pix[i] = ^grey.Pix[i]
		}
	}
	return rowsOf(m), nil
}

// headerOfTIFF adds to the size what decoding takes: the pixels, and the unpacked contents of a
// strip or a tile while they grow.
func headerOfTIFF(r *io.SectionReader) (header, error) {
	h, err := configured(tiff.DecodeConfig, 8)(r)
	if err != nil {
		return h, err
	}
	d, _ := readIFD(r)
	block := int64(h.width) * int64(h.height)
	if w, ok := d.number(tagTileWidth); ok {
		l, _ := d.number(tagTileLength)
		block = int64(min(w, 1<<20)) * int64(min(l, 1<<20))
	} else if rows, ok := d.number(tagRowsPerStrip); ok && rows > 0 {
		block = int64(h.width) * min(int64(rows), int64(h.height))
	}
	h.memory += 3 * 8 * block
	return h, nil
}
