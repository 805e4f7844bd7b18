package datasets

import (
	"fmt"
	"slices"
)

// photos are the encoded images of one split, in an order of their own. Its methods may be called
// by several goroutines at once.
type photos interface {
	count() int
	label(i int) int
	// id names image i for people, the same on every machine; place names it on this one, for
	// messages.
	id(i int) string
	place(i int) string
	// read gives the file's contents, in buf if there is room: valid until buf is used again.
	read(i int, buf []byte) ([]byte, error)
}

// photoSet is a source of images that have sizes of their own and are decoded when they are asked
// for: those of folders, archives and packs.
type photoSet struct {
	name   string
	names  []string
	frame  framing
	splits map[Split]photos
	notes  []string
	stamp  string // changes with the contents, where that is known
	// meanImages is how many images the normaliser is measured on when the configuration does not
	// say; 0 means all.
	meanImages int
	// fixed is the normaliser that the kind channel-mean-std means, or nil where it is measured.
	fixed *Normalizer
}

// framing says which part of an image is shown when nothing is drawn at random: the shorter side is
// made `resize` pixels long and the centre of size×size pixels is cut out, of which blocks of
// downsample² pixels are averaged.
type framing struct {
	size, resize, downsample int
}

// newFraming takes the sizes of a configuration; side is the size that 0 means, and resizeFor gives
// the shorter side for a size.
func newFraming(c Config, side int, resizeFor func(size int) int) (framing, error) {
	f := framing{size: c.Size, resize: c.Resize, downsample: max(c.Downsample, 1)}
	if f.size == 0 {
		f.size = side
	}
	if f.resize == 0 {
		f.resize = resizeFor(f.size)
	}
	switch {
	case f.size%f.downsample != 0:
		return framing{}, faultf(ErrConfig, "%s: data.downsample is %d, which does not divide data.size %d", c.Name, f.downsample, f.size)
	case f.resize < f.size:
		return framing{}, faultf(ErrConfig, "%s: data.resize is %d, and a crop of data.size %d does not fit into that", c.Name, f.resize, f.size)
	}
	return f, nil
}

func (p *photoSet) split(s Split) photos {
	if l, ok := p.splits[s]; ok && l != nil {
		return l
	}
	return noPhotos{}
}

func (p *photoSet) classes() []string        { return p.names }
func (p *photoSet) count(s Split) int        { return p.split(s).count() }
func (p *photoSet) label(s Split, i int) int { return p.split(s).label(i) }
func (p *photoSet) id(s Split, i int) string { return p.split(s).id(i) }

func (p *photoSet) shape() (channels, height, width int) {
	side := p.frame.size / p.frame.downsample
	return 3, side, side
}

// image writes the central view.
func (p *photoSet) image(s Split, i int, dst []byte) error {
	return p.show(new(darkroom), s, i, dst, func(w, h int) shot { return p.frame.centre(w, h) })
}

func (p *photoSet) picture(s Split, i int) (Picture, error) {
	img, err := p.decode(nil, s, i)
	if err != nil {
		return Picture{}, err
	}
	return whole(img), nil
}

// decode reads and decodes image i, with the file's contents in buf if it is given.
func (p *photoSet) decode(buf *[]byte, s Split, i int) (rows, error) {
	list := p.split(s)
	var own []byte
	if buf == nil {
		buf = &own
	}
	data, err := list.read(i, *buf)
	if err != nil {
		return nil, err
	}
	*buf = data
	img, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", p.name, list.place(i), err)
	}
	return img, nil
}

// darkroom is what one goroutine needs to make images: buffers that serve again.
type darkroom struct {
	file []byte
	resampler
	pixels []byte // RGB
	planes []byte
}

// show makes the view of image i that choose picks once the image's size is known, as [3, H, W]
// bytes.
func (p *photoSet) show(d *darkroom, s Split, i int, dst []byte, choose func(w, h int) shot) error {
	img, err := p.decode(&d.file, s, i)
	if err != nil {
		return err
	}
	n := p.frame.size
	choose(img.size()).take(d, img, n)
	out := dst
	if p.frame.downsample > 1 {
		d.planes = grow(d.planes, 3*n*n)
		out = d.planes
	}
	for y := range n {
		separate(out[y*n:], d.pixels[3*n*y:][:3*n], n*n, false)
	}
	if p.frame.downsample > 1 {
		average(dst, out, 3, n, n, p.frame.downsample)
	}
	return nil
}

// A shot is the part of an image that is shown: the source's rectangle from (left, top), w×h
// pixels, is resized to width×height, of which the square at (x, y) is kept.
type shot struct {
	left, top, w, h int
	width, height   int
	x, y            int
}

// take writes the square of n×n pixels to d.pixels.
func (s shot) take(d *darkroom, img rows, n int) {
	d.pixels = grow(d.pixels, 3*n*n)
	if w, h := img.size(); s.left != 0 || s.top != 0 || s.w != w || s.h != h {
		img = cutout{img, s}
	}
	d.region(d.pixels, img, s.width, s.height, s.x, s.y, n, n)
}

// cutout is a rectangle of an image as an image: what lies outside has no influence on its edges,
// as when an image is cropped first and resized then.
type cutout struct {
	rows
	shot shot
}

func (c cutout) size() (width, height int) { return c.shot.w, c.shot.h }

func (c cutout) rgb(dst []byte, y, x0, x1 int) {
	c.rows.rgb(dst, c.shot.top+y, c.shot.left+x0, c.shot.left+x1)
}

// scaled is the shot of a whole image whose shorter side becomes so many pixels; the square is at
// its top left.
func scaled(w, h, shorter int) shot {
	s := shot{w: w, h: h}
	s.width, s.height = shorterTo(w, h, shorter)
	return s
}

// centre is the view of evaluation.
func (f framing) centre(w, h int) shot {
	s := scaled(w, h, f.resize)
	s.x, s.y = CentreOffset(s.width, f.size), CentreOffset(s.height, f.size)
	return s
}

// noPhotos is a split without images.
type noPhotos struct{}

func (noPhotos) count() int                       { return 0 }
func (noPhotos) label(int) int                    { return 0 }
func (noPhotos) id(int) string                    { return "" }
func (noPhotos) place(int) string                 { return "" }
func (noPhotos) read(int, []byte) ([]byte, error) { return nil, faultf(ErrMissing, "no images") }

// firstOfEach orders images so that any first part has about as many of each class: by rank within
// their class, then as they are.
func firstOfEach(all []int32, label func(i int32) int, classes int) {
	seen := make([]int, classes)
	rank := make(map[int32]int, len(all))
	for _, i := range all {
		l := label(i)
		rank[i] = seen[l]
		seen[l]++
	}
	slices.SortStableFunc(all, func(a, b int32) int { return rank[a] - rank[b] })
}
