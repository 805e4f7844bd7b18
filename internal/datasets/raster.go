package datasets

import (
	"bytes"
	"image"
	"image/draw"
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

// decode reads a PNG or a JPEG, whatever its name. Headers are checked before pixels are
// allocated.
func decode(data []byte) (rows, error) {
	if err := checkHeaderOf(bytes.NewReader(data), int64(len(data))); err != nil {
		return nil, err
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, faultf(ErrData, "%w", err)
	}
	b := img.Bounds()
	if long, short := max(b.Dx(), b.Dy()), min(b.Dx(), b.Dy()); long > maxAspect*short {
		return nil, faultf(ErrData, "an image of %d×%d pixels: its sides are more than %d to 1", b.Dx(), b.Dy(), maxAspect)
	}
	switch m := img.(type) {
	case *image.YCbCr:
		return newYCC(m), nil
	case *image.Gray:
		return grey{m}, nil
	case *image.CMYK:
		return cmyk{m}, nil
	}
	return flatten(opaque(img)), nil
}

// flatten copies any image to RGB.
func flatten(img image.Image) Picture {
	b := img.Bounds()
	m, ok := img.(*image.RGBA)
	if !ok {
		m = image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
		draw.Draw(m, m.Rect, img, b.Min, draw.Src)
	}
	p := Picture{Width: b.Dx(), Height: b.Dy(), Pix: make([]byte, 3*b.Dx()*b.Dy())}
	for y := range p.Height {
		row := m.Pix[y*m.Stride:][:4*p.Width]
		out := p.Pix[3*p.Width*y:][:3*p.Width]
		for x := range p.Width {
			copy(out[3*x:3*x+3], row[4*x:4*x+3])
		}
	}
	return p
}

// whole is the image as a Picture.
func whole(src rows) Picture {
	if p, ok := src.(Picture); ok {
		return p
	}
	w, h := src.size()
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

// grey is an image of one channel, which all three become.
type grey struct{ *image.Gray }

func (g grey) size() (width, height int) { return g.Rect.Dx(), g.Rect.Dy() }

func (g grey) rgb(dst []byte, y, x0, x1 int) {
	for i, v := range g.Pix[y*g.Stride+x0 : y*g.Stride+x1] {
		p := dst[3*i : 3*i+3 : 3*i+3]
		p[0], p[1], p[2] = v, v, v
	}
}

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

// cmyk is an image of four inks, 255 meaning full ink (image/jpeg has undone Adobe's inversion).
// Without a colour profile, as in Pillow: red = (255 − cyan)·(255 − black)/255, and so on.
type cmyk struct{ *image.CMYK }

func (c cmyk) size() (width, height int) { return c.Rect.Dx(), c.Rect.Dy() }

func (c cmyk) rgb(dst []byte, y, x0, x1 int) {
	row := c.Pix[y*c.Stride+4*x0 : y*c.Stride+4*x1]
	for i := range x1 - x0 {
		light := uint32(255 - row[4*i+3])
		for k := range 3 {
			t := uint32(row[4*i+k])*light + 128
			dst[3*i+k] = byte(light - (t+t>>8)>>8)
		}
	}
}
