package datasets

import (
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // for DecodeConfig and Decode
	_ "image/png"  // for DecodeConfig and Decode
	"io"
	"os"
	"path/filepath"
)

const (
	// maxImageFile and maxImagePixels bound what one image may cost. The largest photographs of
	// ILSVRC-2012 stay below.
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
	if !st.Mode().IsRegular() {
		return faultf(ErrData, "not a regular file")
	}
	if st.Size() > maxImageFile {
		return faultf(ErrData, "%d bytes, and an image file may have %d", st.Size(), maxImageFile)
	}
	if err := checkHeaderOf(f, st.Size()); err != nil {
		return err
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// checkHeaderOf checks the header of an image of so many bytes.
func checkHeaderOf(r io.Reader, bytes int64) error {
	c, format, err := image.DecodeConfig(r)
	if err != nil {
		return faultf(ErrData, "not a readable PNG or JPEG: %w", err)
	}
	switch pixels := int64(c.Width) * int64(c.Height); {
	case c.Width < 1 || c.Height < 1:
		return faultf(ErrData, "an image of %d×%d pixels", c.Width, c.Height)
	case pixels > maxImagePixels:
		return faultf(ErrData, "an image of %d×%d pixels, and %d at most are read", c.Width, c.Height, maxImagePixels)
	case pixels > bytes*maxDensity[format]:
		return faultf(ErrData, "the header claims %d×%d pixels, which cannot be in %d bytes", c.Width, c.Height, bytes)
	}
	return nil
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

// opaque sets every alpha to full, keeping the colour that was stored below it.
func opaque(img image.Image) image.Image {
	switch m := img.(type) {
	case *image.NRGBA:
		for i := 3; i < len(m.Pix); i += 4 {
			m.Pix[i] = 0xff
		}
	case *image.NRGBA64:
		for i := 6; i+1 < len(m.Pix); i += 8 {
			m.Pix[i], m.Pix[i+1] = 0xff, 0xff
		}
	case *image.Paletted:
		for i, c := range m.Palette {
			if n, ok := c.(color.NRGBA); ok {
				n.A = 0xff
				m.Palette[i] = n
			}
		}
	}
	return img
}
