package datasets

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"io"
	"io/fs"
)

// Picture is a decoded image: Pix holds red, green and blue of each pixel, interleaved, row by row:
// 3·Width·Height bytes.
type Picture struct {
	Width, Height int
	Pix           []byte

	memory *permit
}

// Release lets the process decode others in the memory of a picture that came from DecodePicture or
// a Dataset. It must not be used any more then, and until then its holder waits for no other
// picture.
func (p Picture) Release() {
	if p.memory != nil {
		p.memory.release()
	}
}

// DecodePicture reads an image of any format that is read, whatever its name, at its own size. Grey
// and CMYK become RGB, transparency is dropped, and the EXIF orientation is obeyed. name is for
// messages. Preprocessing.Decode does as a network was trained.
//
// What is too large, claims more pixels than it can hold, is more than a hundred times as long as
// wide, or does not decode is ErrData, before memory is spent on pixels.
func DecodePicture(r io.Reader, name string) (Picture, error) {
	return Preprocessing{Orientation: OrientExif}.Decode(r, name)
}

// Decode is DecodePicture for a network of this preprocessing: upright, or as the pixels are
// stored.
func (p Preprocessing) Decode(r io.Reader, name string) (Picture, error) {
	var b bytes.Buffer
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if st, err := f.Stat(); err == nil {
			if st.Size() > maxImageFile {
				return Picture{}, faultf(ErrData, "%s: %d bytes, and an image file may have %d", name, st.Size(), maxImageFile)
			}
			b.Grow(int(st.Size()) + bytes.MinRead)
		}
	}
	_, err := b.ReadFrom(io.LimitReader(r, maxImageFile+1))
	data := b.Bytes()
	if err != nil {
		return Picture{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxImageFile {
		return Picture{}, faultf(ErrData, "%s: more than %d bytes, and an image file may have as many", name, maxImageFile)
	}
	return p.DecodeBytes(data, name)
}

// DecodePictureBytes is DecodePicture for a file whose bytes are in memory.
func DecodePictureBytes(data []byte, name string) (Picture, error) {
	return Preprocessing{Orientation: OrientExif}.DecodeBytes(data, name)
}

// DecodeBytes is Decode for a file whose bytes are in memory.
func (p Preprocessing) DecodeBytes(data []byte, name string) (Picture, error) {
	sc := new(scratch)
	img, err := decode(sc, data, p.turns(byFiles))
	if err != nil {
		return Picture{}, fmt.Errorf("%s: %w", name, err)
	}
	return sc.picture(img), nil
}

// PictureOf copies an image that is in memory. Transparency is dropped, and the colour below it
// kept. It fails with ErrData for an image without pixels, one that is more than a hundred times as
// long as wide, or larger than an image file may be.
func PictureOf(img image.Image) (Picture, error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	switch long, short := max(w, h), min(w, h); {
	case short < 1:
		return Picture{}, faultf(ErrData, "an image of %d×%d pixels", w, h)
	case long > maxAspect*short:
		return Picture{}, faultf(ErrData, "an image of %d×%d pixels: its sides are more than %d to 1", w, h, maxAspect)
	case int64(w)*int64(h) > maxImagePixels:
		return Picture{}, faultf(ErrData, "an image of %d×%d pixels: at most %d are read", w, h, maxImagePixels)
	}
	if m, ok := img.(interface{ Opaque() bool }); ok && m.Opaque() {
		return copied(img), nil
	}
	m := image.NewNRGBA(image.Rect(0, 0, w, h)) // not RGBA, whose colours transparency has darkened
	draw.Draw(m, m.Rect, img, b.Min, draw.Src)
	return squeezed(m.Pix, m.Stride, m.Rect, 4, 1), nil
}

// Resize makes an image of w×h pixels, at least 1×1, with the antialiased bilinear filter of
// Pillow: the same bytes.
func (p Picture) Resize(w, h int) Picture {
	return p.ResizeBy(Bilinear, w, h)
}

// ResizeBy is Resize by Bilinear or Bicubic, both with the antialiasing of Pillow: the same bytes.
func (p Picture) ResizeBy(interpolation string, w, h int) Picture {
	w, h = max(w, 1), max(h, 1)
	return p.part(interpolation, w, h, 0, 0, w, h)
}

// ResizeShorter makes the shorter side so many pixels long and keeps the proportions; the longer
// side is rounded down, as by torchvision's Resize.
func (p Picture) ResizeShorter(size int) Picture {
	return p.ResizeShorterBy(Bilinear, size)
}

// ResizeShorterBy is ResizeShorter by Bilinear or Bicubic.
func (p Picture) ResizeShorterBy(interpolation string, size int) Picture {
	w, h := shorterTo(p.Width, p.Height, size)
	return p.ResizeBy(interpolation, w, h)
}

// Crop cuts out the rectangle [x, x+w) × [y, y+h), which must lie inside.
func (p Picture) Crop(x, y, w, h int) Picture {
	return p.part(Bilinear, p.Width, p.Height, x, y, w, h)
}

// part is a rectangle of the picture resized to width×height.
func (p Picture) part(interpolation string, width, height, x, y, w, h int) Picture {
	p.check(width, height, x, y, w, h)
	return part(p, filterOf(interpolation), width, height, x, y, w, h)
}

func part(img rows, f filter, width, height, x, y, w, h int) Picture {
	out := Picture{Width: w, Height: h, Pix: make([]byte, 3*w*h)}
	new(resampler).region(out.Pix, img, f, width, height, x, y, w, h)
	return out
}

// CropCHW writes the rectangle [x, x+w) × [y, y+h), which must lie inside, to dst as [3, h, w],
// row-major; flip mirrors it left to right.
func (p Picture) CropCHW(dst []byte, x, y, w, h int, flip bool) {
	p.check(p.Width, p.Height, x, y, w, h)
	if len(dst) != 3*w*h {
		panic("datasets: the buffer does not fit the crop")
	}
	for row := range h {
		separate(dst[row*w:], p.Pix[3*((y+row)*p.Width+x):][:3*w], w*h, flip)
	}
}

// check panics for a rectangle outside: a programming error, which must not become a black image.
func (p Picture) check(width, height, x, y, w, h int) {
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > width || y+h > height || len(p.Pix) != 3*p.Width*p.Height {
		panic("datasets: a crop outside the picture")
	}
}

// separate writes the three colours of a row of RGB to dst, plane values apart.
func separate(dst, row []byte, plane int, flip bool) {
	w := len(row) / 3
	red, green, blue := dst[:w], dst[plane:][:w], dst[2*plane:][:w]
	for i := range red {
		p := row[3*i : 3*i+3 : 3*i+3]
		j := i
		if flip {
			j = w - 1 - i
		}
		red[j], green[j], blue[j] = p[0], p[1], p[2]
	}
}

// shorterTo gives the sides of w×h resized so that the shorter one has size pixels.
func shorterTo(w, h, size int) (width, height int) {
	if w <= h {
		return size, max(size, size*h/w)
	}
	return max(size, size*w/h), size
}

// CentreOffset is where a centred crop of size pixels begins on a side of n: (n − size)/2, halves
// rounded to even as by torchvision's CenterCrop.
func CentreOffset(n, size int) int {
	d := n - size
	half := d >> 1
	if d&1 == 1 {
		half += half & 1
	}
	return half
}

// Picture is image i of a split as it is stored, before any resizing; for sets of one size that
// size. Grey images have three equal channels. It fails with ErrData for a file that does not
// decode. It is upright, or as its pixels are stored, as the data set says.
func (d *Dataset) Picture(s Split, i int) (Picture, error) {
	return d.PictureFor(s, i, d.about.view)
}

// PictureFor is Picture as a network of the preprocessing p looks at it.
func (d *Dataset) PictureFor(s Split, i int, p Preprocessing) (Picture, error) {
	from, k, err := d.place(s, i)
	if err != nil {
		return Picture{}, err
	}
	sc := new(scratch)
	img, err := d.src.decode(sc, from, k, p.turns(d.about.view))
	if err != nil {
		return Picture{}, err
	}
	return sc.picture(img), nil
}
