package datasets

import (
	"bytes"
	"image"
	"image/gif"
	"image/png"
	"io"
	"slices"
	"strings"

	"golang.org/x/image/bmp"

	"resnet/internal/datasets/jpeg"
)

// format is a kind of image file that is read. A file is known by its first bytes, whatever its
// name.
type format struct {
	name  string
	names []string // endings of file names, with the point
	is    func(head []byte) bool
	// header reads what the file's beginning says, without allocating pixels.
	header func(r *io.SectionReader) (header, error)
	// decode makes the image; sc has the memory for it.
	decode func(sc *scratch, data []byte) (rows, error)
	// density is the most pixels that a byte of a file can hold: a header that claims more is
	// wrong. 0 means that there is no such limit.
	density int64
	// orientation is the EXIF orientation, 1 to 8; nil where the format has none.
	orientation func(data []byte) int
}

// header is what the beginning of an image file says.
type header struct {
	format        *format
	width, height int
	memory        int64 // bytes that decoding takes at most, as RGB in the end
}

// formats are those that are read. JPEG: a progressive scan spends at least a bit on a block of 8×8
// (512 pixels a byte); PNG: 8 one-bit pixels a byte, deflate's limit 1032:1 (8256); GIF: a code of
// 12 bits stands for 4096 pixels at most. A lossless WebP of one colour, and a TIFF whose strips
// are all the same bytes, may be of any size.
var formats = []format{
	{
		name: "JPEG", names: []string{".jpg", ".jpeg", ".jpe", ".jfif"}, is: isJPEG, density: 1024,
		header: headerOfJPEG, decode: decodeJPEG, orientation: jpegOrientation,
	},
	{
		name: "PNG", names: []string{".png"}, is: prefixed("\x89PNG\r\n\x1a\n"), density: 9000,
		header: headerOfPNG, decode: decoder(png.Decode), orientation: pngOrientation,
	},
	{
		name: "WebP", names: []string{".webp"}, is: isWebP,
		header: headerOfWebP, decode: decodeWebP, orientation: webpOrientation,
	},
	{
		name: "GIF", names: []string{".gif"}, is: prefixed("GIF87a", "GIF89a"), density: 2800,
		header: configured(gif.DecodeConfig, 6), decode: decodeGIF,
	},
	{
		name: "BMP", names: []string{".bmp", ".dib"}, is: isBMP, density: 8,
		header: configured(bmp.DecodeConfig, 4), decode: decoder(bmp.Decode),
	},
	{
		name: "TIFF", names: []string{".tif", ".tiff"}, is: prefixed("II*\x00", "MM\x00*"),
		header: headerOfTIFF, decode: decodeTIFF, orientation: tiffOrientation,
	},
	{
		name: "PNM", names: []string{".ppm", ".pgm", ".pbm", ".pnm"}, is: isPNM, density: 8,
		header: headerOfPNM, decode: decodePNM,
	},
}

// Endings are the endings of the names of image files, in small letters, with the point.
func Endings() []string {
	var list []string
	for _, f := range formats {
		list = append(list, f.names...)
	}
	return list
}

// imageEndings is Endings, made once.
var imageEndings = Endings()

// formatNames are the formats in words.
func formatNames() string {
	var list []string
	for _, f := range formats {
		list = append(list, f.name)
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

func prefixed(magic ...string) func([]byte) bool {
	return func(head []byte) bool {
		return slices.ContainsFunc(magic, func(m string) bool { return bytes.HasPrefix(head, []byte(m)) })
	}
}

// isJPEG tells a JPEG by its first marker.
func isJPEG(head []byte) bool { return bytes.HasPrefix(head, []byte{0xff, 0xd8}) }

// isBMP looks at the size of the header behind the name of two letters, which texts begin with too.
func isBMP(head []byte) bool {
	return len(head) >= 18 && string(head[:2]) == "BM" && head[14] >= 12 && head[14] <= 124 && head[15] == 0 && head[16] == 0 && head[17] == 0
}

// headBytes is how much of a file names its format.
const headBytes = 512

// formatOf is the format of a file, or nil.
func formatOf(head []byte) *format {
	for i := range formats {
		if formats[i].is(head) {
			return &formats[i]
		}
	}
	return nil
}

// readHeader reads the header of an image of so many bytes. A file of another format is named.
func readHeader(r io.ReaderAt, size int64) (header, error) {
	head := make([]byte, min(headBytes, size))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return header{}, err
	}
	f := formatOf(head)
	if f == nil {
		return header{}, foreign(head)
	}
	h, err := f.header(io.NewSectionReader(r, 0, size))
	if err != nil {
		return header{}, faultf(ErrData, "not a readable %s: %w", f.name, err)
	}
	h.format = f
	return h, nil
}

// decoder makes the decoder of a format of one that is given the whole file.
func decoder(decode func(io.Reader) (image.Image, error)) func(*scratch, []byte) (rows, error) {
	return func(_ *scratch, data []byte) (rows, error) {
		m, err := decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return rowsOf(m), nil
	}
}

// configured makes the header of a format of a function that reads the size, where decoding takes
// so many bytes a pixel.
func configured(config func(io.Reader) (image.Config, error), memory int64) func(*io.SectionReader) (header, error) {
	return func(r *io.SectionReader) (header, error) {
		c, err := config(r)
		return header{width: c.Width, height: c.Height, memory: memory * int64(c.Width) * int64(c.Height)}, err
	}
}

func headerOfJPEG(r *io.SectionReader) (header, error) {
	h, err := jpeg.ReadHeader(r)
	return header{width: h.Width, height: h.Height, memory: h.Memory() + 3*int64(h.Width)*int64(h.Height)}, err
}

func decodeJPEG(sc *scratch, data []byte) (rows, error) {
	if sc.jpeg == nil {
		sc.jpeg = new(jpeg.Decoder)
	}
	m, err := sc.jpeg.Decode(data)
	if err != nil {
		return nil, err
	}
	return photograph{m}, nil
}

// headerOfPNG asks for the kind of pixels and for interlacing, whose passes are images of their
// own: behind the signature and the name of the first chunk are width, height, bits, kind of
// colours, compression, filter, interlacing.
func headerOfPNG(r *io.SectionReader) (header, error) {
	const bits, interlaced = 24, 28
	c, err := png.DecodeConfig(r)
	if err != nil {
		return header{}, err
	}
	var head [interlaced + 1]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return header{}, err
	}
	n := 4 * int64(c.Width) * int64(c.Height)
	if head[bits] == 16 {
		n *= 2
	}
	if head[interlaced] != 0 {
		n *= 2
	}
	return header{width: c.Width, height: c.Height, memory: n}, nil
}
