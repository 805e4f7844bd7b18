package datasets

import (
	"bytes"
	"fmt"
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

// checkImage reads the header of an open image file and fails unless it can be decoded within
// bounds. No pixel buffer is allocated.
func checkImage(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() > maxImageFile {
		return faultf(ErrData, "%d bytes, and an image file may have %d", st.Size(), maxImageFile)
	}
	_, err = checkHeaderOf(f, st.Size())
	return err
}

// plainJPEG tells a JPEG whose colours every reader takes alike from CMYK, Adobe's RGB and other
// formats; where EXIF is obeyed, one that is upright.
func plainJPEG(data []byte, exif bool) bool {
	if !isJPEG(data) || exif && jpegOrientation(data) != upright {
		return false
	}
	h, err := jpeg.ReadHeader(bytes.NewReader(data))
	return err == nil && (h.Space == jpeg.YCbCr || h.Space == jpeg.Grey)
}

// checkHeaderOf checks the header of an image of so many bytes.
func checkHeaderOf(r io.ReaderAt, size int64) (header, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return header{}, err
	}
	switch pixels := int64(h.width) * int64(h.height); {
	case h.width < 1 || h.height < 1:
		return header{}, faultf(ErrData, "an image of %d×%d pixels", h.width, h.height)
	case pixels > maxImagePixels:
		return header{}, faultf(ErrData, "an image of %d×%d pixels, and %d at most are read", h.width, h.height, maxImagePixels)
	case h.format.density > 0 && pixels > size*h.format.density:
		return header{}, faultf(ErrData, "the header claims %d×%d pixels, which cannot be in %d bytes", h.width, h.height, size)
	}
	if h.memory > maxDecode {
		return header{}, faultf(ErrData, "an image of %d×%d pixels that takes %d MB to decode, and %d MB at most are used: save it smaller, or not progressive or interlaced",
			h.width, h.height, h.memory>>20, int64(maxDecode)>>20)
	}
	return h, nil
}

// DecodeFile reads an image file of a format that is read, whatever its name, as [3, size, size]
// bytes of red, green and blue: the shorter side is resized to size pixels (see Picture.Resize) and
// the centre is cut out. Grey and CMYK become RGB; transparency is dropped, as by Pillow's
// convert("RGB"). The EXIF orientation is not obeyed, as in torchvision. dst has 3·size·size bytes.
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
