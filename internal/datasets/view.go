package datasets

import (
	"fmt"

	"resnet/internal/datasets/jpeg"
)

// scratch is what one goroutine needs to decode images and make views of them: buffers that serve
// again.
type scratch struct {
	file []byte
	permit
	jpeg *jpeg.Decoder
	resampler
	pixels []byte // RGB
	planes []byte
}

// release gives back what the image in hand has taken of the process's memory, which must not be
// used any more.
func (sc *scratch) release() {
	if sc.bytes > keptDecode {
		sc.jpeg = nil
	}
	sc.permit.release()
}

// picture is an image as RGB. The memory that was taken for it is the picture's.
func (sc *scratch) picture(img rows) Picture {
	p, memory := whole(img), sc.permit
	p.memory, sc.permit = &memory, permit{}
	return p
}

// A cropBox is the part of an image that is shown: the source's rectangle from (left, top), w×h
// pixels, is resized to width×height, of which the square at (x, y) is kept.
type cropBox struct {
	left, top, w, h int
	width, height   int
	x, y            int
}

// take writes the square of n×n pixels to sc.pixels.
func (b cropBox) take(sc *scratch, img rows, f filter, n int) {
	sc.pixels = grow(sc.pixels, 3*n*n)
	if w, h := img.size(); b.left != 0 || b.top != 0 || b.w != w || b.h != h {
		img = cutout{img, b}
	}
	sc.region(sc.pixels, img, f, b.width, b.height, b.x, b.y, n, n)
}

// cutout is a rectangle of an image as an image: what lies outside has no influence on its edges,
// as when an image is cropped first and resized then.
type cutout struct {
	rows
	box cropBox
}

func (c cutout) size() (width, height int) { return c.box.w, c.box.h }

func (c cutout) rgb(dst []byte, y, x0, x1 int) {
	c.rows.rgb(dst, c.box.top+y, c.box.left+x0, c.box.left+x1)
}

// scaled is the box of a whole image whose shorter side becomes so many pixels; the square is at
// its top left.
func scaled(w, h, shorter int) cropBox {
	b := cropBox{w: w, h: h}
	b.width, b.height = shorterTo(w, h, shorter)
	return b
}

// centre is the box of the single view of an image of w×h pixels.
func (p Preprocessing) centre(w, h int) cropBox {
	b := scaled(w, h, p.Resize)
	b.x, b.y = CentreOffset(b.width, p.Size), CentreOffset(b.height, p.Size)
	return b
}

// show writes what box holds of an image to dst, as [Channels, Side, Side] bytes.
func (p Preprocessing) show(sc *scratch, img rows, box cropBox, dst []byte) {
	n, side := p.Size, p.Side()
	box.take(sc, img, filterOf(p.Interpolation), n)
	planes := dst
	if side < n || p.Channels == 1 {
		sc.planes = grow(sc.planes, 3*n*n)
		planes = sc.planes
	}
	for y := range n {
		separate(planes[y*n:], sc.pixels[3*n*y:][:3*n], n*n, false)
	}
	if side < n {
		averaged := dst
		if p.Channels == 1 {
			averaged = planes
		}
		average(averaged, planes, 3, n, n, p.Downsample)
	}
	if p.Channels == 1 {
		luma(dst, planes[:3*side*side])
	}
}

// View makes the single view of a picture, [Channels, Side, Side] bytes: the one that training
// validates with. Check must have passed.
func (p Preprocessing) View(picture Picture) []byte {
	picture.check(picture.Width, picture.Height, 0, 0, picture.Width, picture.Height)
	dst := make([]byte, p.Channels*p.Side()*p.Side())
	p.show(new(scratch), picture, p.centre(picture.Width, picture.Height), dst)
	return dst
}

// Luma makes [1, H, W] bytes of luma out of [3, H, W] bytes of red, green and blue, as Pillow's
// convert("L") does (ITU-R BT.601):
//
//	y = (19595 r + 38470 g + 7471 b + 2^15) / 2^16
func Luma(rgb []byte) []byte {
	y := make([]byte, len(rgb)/3)
	luma(y, rgb)
	return y
}

func luma(dst, rgb []byte) {
	n := len(dst)
	r, g, b := rgb[:n], rgb[n:2*n], rgb[2*n:3*n]
	for i := range dst {
		dst[i] = byte((19595*uint32(r[i]) + 38470*uint32(g[i]) + 7471*uint32(b[i]) + 1<<15) >> 16)
	}
}

// Preprocessing is how the images of the data set become the input, with a Normalizer that fits
// them: the record that a training keeps.
func (d *Dataset) Preprocessing(n Normalizer) Preprocessing { return d.about.view.With(n) }

// place finds image i of a split in the source.
func (d *Dataset) place(s Split, i int) (from Split, k int, err error) {
	v := d.views[s]
	if i < 0 || i >= v.n {
		return "", 0, fmt.Errorf("%s: image %d of split %q, which has %d", d.info.Name, i, s, v.n)
	}
	return v.from, v.at(i), nil
}

// view writes image i of a split to dst as p shows it, [Channels, Side, Side] bytes, and returns
// its label.
func (d *Dataset) view(sc *scratch, s Split, i int, p Preprocessing, dst []byte) (label int, err error) {
	from, k, err := d.place(s, i)
	if err != nil {
		return 0, err
	}
	if want := p.Channels * p.Side() * p.Side(); len(dst) != want {
		return 0, fmt.Errorf("%s: a buffer of %d bytes for an image of %d", d.info.Name, len(dst), want)
	}
	if p.sameView(d.about.view) {
		return d.src.label(from, k), d.src.image(sc, from, k, dst)
	}
	img, err := d.src.decode(sc, from, k, p.turns(d.about.view))
	if err != nil {
		return 0, err
	}
	defer sc.release()
	p.show(sc, img, p.centre(img.size()), dst)
	return d.src.label(from, k), nil
}
