package datasets

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"runtime"

	"resnet/internal/datasets/jpeg"
)

// rows is a decoded image whose pixels can be had as RGB, part by part: converting only what a crop
// needs is most of the speed.
type rows interface {
	size() (width, height int)
	// rgb writes pixels [x0, x1) of row y to dst, interleaved.
	rgb(dst []byte, y, x0, x1 int)
}

// maxAspect bounds the ratio of the sides: the longer side of a resized image is the shorter one
// times this. No photograph comes near.
const maxAspect = 100

// decode reads an image of one of the formats, whatever its name, and turns it as its EXIF
// orientation says where exif is set. Headers are checked before pixels are allocated, and what the
// pixels take is asked of the process's budget: the caller releases sc when it needs the image no
// more, and waits for nothing before that. A JPEG is valid until sc serves again.
func decode(sc *scratch, data []byte, exif bool) (img rows, err error) {
	c, err := checkHeaderOf(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	if long, short := max(c.width, c.height), min(c.width, c.height); long > maxAspect*short {
		return nil, faultf(ErrData, "an image of %d×%d pixels: its sides are more than %d to 1", c.width, c.height, maxAspect)
	}
	orientation := upright
	if exif && c.format.orientation != nil {
		orientation = c.format.orientation(data)
	}
	if orientation != upright {
		c.memory = min(c.memory+3*int64(c.width)*int64(c.height), maxDecode)
	}
	sc.take(c.memory)
	defer func() {
		if err != nil {
			sc.release()
		}
	}()
	if img, err = c.format.decode(sc, data); err != nil {
		return nil, faultf(ErrData, "%w", err)
	}
	return turn(img, orientation), nil
}

// rowsOf takes an image as it was decoded. Transparency is dropped, and the colour below it kept.
func rowsOf(img image.Image) rows {
	switch m := img.(type) {
	case *image.Gray:
		return grey{m}
	case *image.RGBA: // PNG's are opaque
		return squeezed(m.Pix, m.Stride, m.Rect, 4, 1)
	case *image.NRGBA:
		return squeezed(m.Pix, m.Stride, m.Rect, 4, 1)
	case *image.RGBA64:
		return squeezed(m.Pix, m.Stride, m.Rect, 8, 2)
	case *image.NRGBA64:
		return squeezed(m.Pix, m.Stride, m.Rect, 8, 2)
	case *image.Gray16:
		return grey16{m}
	case *image.Paletted:
		return newPaletted(m)
	}
	return copied(img)
}

// squeezed makes RGB of pixels of so many bytes, whose colours are so many bytes apart and begin
// with their greater byte, in place: a large picture would not fit twice.
func squeezed(pix []byte, stride int, r image.Rectangle, pixel, apart int) Picture {
	w, h, i := r.Dx(), r.Dy(), 0
	for y := range h {
		for j := y * stride; j < y*stride+w*pixel; j += pixel {
			pix[i], pix[i+1], pix[i+2] = pix[j], pix[j+apart], pix[j+2*apart]
			i += 3
		}
	}
	return Picture{Width: w, Height: h, Pix: pix[:i:i]}
}

// copied copies any image to RGB.
func copied(img image.Image) Picture {
	b := img.Bounds()
	m := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(m, m.Rect, img, b.Min, draw.Src)
	return squeezed(m.Pix, m.Stride, m.Rect, 4, 1)
}

// whole is the image as a Picture.
func whole(src rows) Picture {
	if p, ok := src.(Picture); ok {
		return p
	}
	w, h := src.size()
	if 3*int64(w)*int64(h) > largePicture {
		runtime.GC() // of what decoding needed besides the image
	}
	p := Picture{Width: w, Height: h, Pix: make([]byte, 3*w*h)}
	for y := range h {
		src.rgb(p.Pix[3*w*y:][:3*w], y, 0, w)
	}
	return p
}

func (p Picture) size() (width, height int) { return p.Width, p.Height }

func (p Picture) rgb(dst []byte, y, x0, x1 int) {
	copy(dst[:3*(x1-x0)], p.Pix[3*(y*p.Width+x0):])
}

// photograph is a JPEG.
type photograph struct{ *jpeg.Image }

func (p photograph) size() (width, height int) { return p.Width, p.Height }

func (p photograph) rgb(dst []byte, y, x0, x1 int) { p.RGB(dst, y, x0, x1) }

// grey is an image of one channel, which all three become.
type grey struct{ *image.Gray }

func (g grey) size() (width, height int) { return g.Rect.Dx(), g.Rect.Dy() }

func (g grey) rgb(dst []byte, y, x0, x1 int) {
	for i, v := range g.Pix[y*g.Stride+x0 : y*g.Stride+x1] {
		p := dst[3*i : 3*i+3 : 3*i+3]
		p[0], p[1], p[2] = v, v, v
	}
}

// grey16 is grey of 16 bits, whose greater byte counts.
type grey16 struct{ *image.Gray16 }

func (g grey16) size() (width, height int) { return g.Rect.Dx(), g.Rect.Dy() }

func (g grey16) rgb(dst []byte, y, x0, x1 int) {
	row := g.Pix[y*g.Stride+2*x0 : y*g.Stride+2*x1]
	for i := range x1 - x0 {
		v := row[2*i]
		dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
	}
}

// paletted is an image whose pixels name a colour of a table.
type paletted struct {
	*image.Paletted
	colours [256][3]byte
}

func newPaletted(m *image.Paletted) *paletted {
	p := &paletted{Paletted: m}
	for i, c := range m.Palette {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		if straight, ok := c.(color.NRGBA); ok { // also where it is all transparent
			n = straight
		}
		p.colours[i] = [3]byte{n.R, n.G, n.B}
	}
	return p
}

func (p *paletted) size() (width, height int) { return p.Rect.Dx(), p.Rect.Dy() }

func (p *paletted) rgb(dst []byte, y, x0, x1 int) {
	for i, v := range p.Pix[y*p.Stride+x0 : y*p.Stride+x1] {
		copy(dst[3*i:3*i+3], p.colours[v][:])
	}
}

// largePicture is when a collection is worth its time, in bytes.
const largePicture = 64 << 20

// planar is an image of c planes [h, w], three or one, which all three colours become.
type planar struct {
	pix     []byte
	c, h, w int
}

func (p planar) size() (width, height int) { return p.w, p.h }

func (p planar) rgb(dst []byte, y, x0, x1 int) {
	for k := range 3 {
		from := p.pix[(k%p.c*p.h+y)*p.w:][x0:x1]
		for i, v := range from {
			dst[3*i+k] = v
		}
	}
}
