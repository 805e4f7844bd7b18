package datasets

import (
	"bytes"
	"fmt"
	"image"
	_ "image/png" // for DecodeConfig and Decode
	"io"
	"os"
	"path/filepath"

	"resnet/internal/datasets/jpeg"
)

const (
	// maxImageFile and maxImagePixels bound what one image may cost, and maxDecode follows from
	// them. The largest photographs of ILSVRC-2012 stay below.
	maxImageFile   = 64 << 20
	maxImagePixels = 64 << 20
)

// maxDensity is the most pixels that a byte of a file can hold: a header that claims more is wrong.
// JPEG: a progressive scan spends at least a bit on a block of 8×8 (512 a byte); PNG: 8 one-bit
// pixels a byte, deflate's limit 1032:1 (8256).
var maxDensity = map[string]int64{"jpeg": 1024, "png": 9000}

// checkImage reads the header of an open image file and fails unless it can be decoded within
// bounds. No pixel buffer is allocated. The file is left at its start.
func checkImage(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() > maxImageFile {
		return faultf(ErrData, "%d bytes, and an image file may have %d", st.Size(), maxImageFile)
	}
	if _, err := checkHeaderOf(f, st.Size()); err != nil {
		return err
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// header is what the beginning of an image file says.
type header struct {
	format        string // png or jpeg
	width, height int
	memory        int64 // bytes that decoding takes at most, as RGB in the end
}

// isJPEG tells a JPEG by its first marker.
func isJPEG(head []byte) bool { return bytes.HasPrefix(head, []byte{0xff, 0xd8}) }

// plainJPEG tells a JPEG whose colours every reader takes alike from CMYK, Adobe's RGB and other
// formats.
func plainJPEG(data []byte) bool {
	if !isJPEG(data) {
		return false
	}
	h, err := jpeg.ReadHeader(bytes.NewReader(data))
	return err == nil && (h.Space == jpeg.YCbCr || h.Space == jpeg.Grey)
}

func readHeader(r io.Reader) (header, error) {
	head := make([]byte, 2)
	n, err := io.ReadFull(r, head)
	r = io.MultiReader(bytes.NewReader(head[:n]), r)
	if err == nil && isJPEG(head) {
		h, err := jpeg.ReadHeader(r)
		return header{"jpeg", h.Width, h.Height, h.Memory() + 3*int64(h.Width)*int64(h.Height)}, err
	}
	var seen bytes.Buffer
	c, format, err := image.DecodeConfig(io.TeeReader(r, &seen))
	return header{format, c.Width, c.Height, memoryOfPNG(seen.Bytes(), int64(c.Width)*int64(c.Height))}, err
}

// checkHeaderOf checks the header of an image of so many bytes.
func checkHeaderOf(r io.Reader, size int64) (header, error) {
	h, err := readHeader(r)
	if err != nil {
		return header{}, faultf(ErrData, "not a readable PNG or JPEG: %w", err)
	}
	switch pixels := int64(h.width) * int64(h.height); {
	case h.width < 1 || h.height < 1:
		return header{}, faultf(ErrData, "an image of %d×%d pixels", h.width, h.height)
	case pixels > maxImagePixels:
		return header{}, faultf(ErrData, "an image of %d×%d pixels, and %d at most are read", h.width, h.height, maxImagePixels)
	case pixels > size*maxDensity[h.format]:
		return header{}, faultf(ErrData, "the header claims %d×%d pixels, which cannot be in %d bytes", h.width, h.height, size)
	}
	if h.memory > maxDecode {
		return header{}, faultf(ErrData, "an image of %d×%d pixels that takes %d MB to decode, and %d MB at most are used: save it smaller, or not progressive or interlaced",
			h.width, h.height, h.memory>>20, int64(maxDecode)>>20)
	}
	return h, nil
}

// memoryOfPNG is what decoding takes at most, in bytes. head is the file's beginning: behind its
// signature and the name of the first chunk are width, height, bits, kind of colours, compression,
// filter, interlacing.
func memoryOfPNG(head []byte, pixels int64) int64 {
	const bits, interlaced = 24, 28
	n := 4 * pixels
	if len(head) > bits && head[bits] == 16 {
		n = 8 * pixels
	}
	if len(head) > interlaced && head[interlaced] != 0 {
		n *= 2 // its passes are images of their own
	}
	return n
}

// DecodeFile reads a PNG or JPEG file, whatever its name, as [3, size, size] bytes of red,
// green and blue: the shorter side is resized to size pixels (see Picture.Resize) and the centre is
// cut out. Grey and CMYK become RGB; transparency is dropped, as by Pillow's convert("RGB"). EXIF
// rotation is not applied, as in torchvision. dst has 3·size·size bytes.
//
// Files that are too large, claim more pixels than they can hold, or do not decode are ErrData,
// before memory is spent.
func DecodeFile(path string, size int, dst []byte) error {
	if len(dst) != 3*size*size {
		return fmt.Errorf("%s: a buffer of %d bytes for 3×%d×%d", path, len(dst), size, size)
	}
	one := &photoSet{
		name: "image", properties: properties{view: NewPreprocessing(3, size, 0, Normalizer{})},
		splits: map[Split]photos{Test: &fileList{set: "image", root: filepath.Dir(path), names: []string{filepath.Base(path)}, labels: []int32{0}}},
	}
	return one.image(new(scratch), Test, 0, dst)
}
