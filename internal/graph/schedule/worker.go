package schedule

import (
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

// span is a range of images.
type span struct{ first, n int }

// worker is what one goroutine needs of its own: argument structs, padded images in cache and, in
// evaluation, activations.
type worker struct {
	m       *Machine
	need    conv.Need // what conv was made for
	conv    *conv.Work
	aff     kernel.Affine
	mask    kernel.Mask
	moments kernel.Moments
	narrow  narrowWork
	wide    wideBuffers
	window  kernel.Window
	dot     kernel.DotTile
	rows    kernel.RowTile
	tile    kernel.Tile
	// response is for local response normalisation, scratch for that and for what works on rows.
	response kernel.Response
	scratch  []float32
	x, dy    padded
	y        []float32 // results of a convolution, before they go to memory
	arena    []float32 // activations of the unit in hand, when the machine is local
	base     int       // its first image
	touched  uint32    // keeps reads that are made for the cache's sake

	// sums is where kernels leave their sums, until the caller takes them to a sink.
	sums pair
	// filling is the expression that mapBlock applies: Fill calls back for each block of channels,
	// and a closure made for each call would be allocated.
	filling  *lazy
	mapBlock func(cb int)
	offsets  kernel.Vec // of two affine maps, added
	// Maps of one utterance's channels.
	scale, scale2, offset kernel.Vec
}

// padded is a buffer of padded images. Filling writes the pixels alone, so margins that are zero
// stay zero while the layout is the same.
type padded struct {
	data    []float32
	layout  conv.Geometry
	cleared int // images whose margins are zero
}

func (b *padded) clearMargins(p *conv.Padded, n int) {
	if b.layout != p.Geometry {
		b.layout, b.cleared = p.Geometry, 0
	}
	for ; b.cleared < n; b.cleared++ {
		p.ClearMargins(b.data[b.cleared*p.Len() : (b.cleared+1)*p.Len()])
	}
}

var (
	ones  = kernel.Vec{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	zeros kernel.Vec
)

func newWorker(m *Machine, c *compiler, local int) *worker {
	w := &worker{
		m: m, need: c.need, conv: conv.NewWork(c.need), arena: kernel.Alloc(local), scratch: kernel.Alloc(c.scratch),
		x: padded{data: kernel.Alloc(c.x)}, dy: padded{data: kernel.Alloc(c.dy)}, y: kernel.Alloc(c.y),
		wide: c.wide.alloc(),
	}
	w.mapBlock = func(cb int) { w.apply(w.filling, cb) }
	return w
}

// images returns the memory of a value's n images from first.
func (w *worker) images(v *value, first, n int) []float32 {
	per := v.floats(v.per)
	if v.own {
		at := v.offset + (first-w.base)*per
		return w.arena[at : at+n*per]
	}
	at := v.offset + first*per
	return w.m.arena[at : at+n*per]
}

// image returns the memory of one image of a value or of a view.
func (w *worker) image(v *value, i int) []float32 {
	r := v.root()
	per, from, n := r.floats(r.per), r.floats(v.at), r.floats(v.per)
	if r.own {
		at := r.offset + (i-w.base)*per + from
		return w.arena[at : at+n]
	}
	at := r.offset + i*per + from
	return w.m.arena[at : at+n]
}

// part is n values of an image of a blocked value or view, from a pixel counted over its blocks of
// channels.
func (w *worker) part(v *value, image, pixel, n int) []float32 {
	return w.image(v, image)[pixel*block:][:n]
}

// mapper is a kernel that maps rows.
type mapper interface {
	Copy()
	Map(relu bool)
	MapPReLU()
	Map2(relu bool)
}

// apply runs a lazy expression on the rows that aff describes, channel block cb.
func (w *worker) apply(r *lazy, cb int) {
	a := &w.aff
	a.S, a.T, a.S2 = w.maps(r, cb)
	r.run(a)
}

// maps are the scale, shift and second scale or slopes of a lazy expression in block cb.
func (w *worker) maps(r *lazy, cb int) (s, t, s2 *kernel.Vec) {
	s, t, s2 = &ones, &zeros, &ones
	if r.a != nil {
		s, t = &r.a.s[cb], &r.a.t[cb]
	}
	if r.act == prelu {
		return s, t, &r.slope[cb]
	}
	if r.r != nil && r.b != nil {
		s2 = &r.b.s[cb]
		for i := range w.offsets {
			w.offsets[i] = t[i] + r.b.t[cb][i]
		}
		t = &w.offsets
	}
	return s, t, s2
}

// run maps the rows that are set already.
func (r *lazy) run(m mapper) {
	switch {
	case r.plain():
		m.Copy()
	case r.act == prelu:
		m.MapPReLU()
	case r.r == nil:
		m.Map(r.act == relu)
	default:
		m.Map2(r.act == relu)
	}
}

// fill prepares n images of a lazy expression, from first, as the input of a convolution.
func (w *worker) fill(p *conv.Padded, dst *padded, r *lazy, first, n int) {
	w.filling = r
	dst.clearMargins(p, n)
	for i := range n {
		to := dst.data[i*p.Len() : (i+1)*p.Len()]
		if r.x.narrow {
			w.fillNarrow(p, to, r, first+i, 0, p.CB)
			continue
		}
		var other []float32
		if r.r != nil {
			other = w.image(r.r, first+i)
		}
		p.Fill(&w.aff, to, w.image(r.x, first+i), other, w.mapBlock)
	}
}

// fillBlocks is fill for some blocks of channels.
func (w *worker) fillBlocks(p *conv.Padded, dst *padded, r *lazy, first, n int, of conv.Blocks) {
	dst.clearMargins(p, n)
	for i := range n {
		for cb := of.From; cb < of.To; cb++ {
			w.fillBlock(p, dst.data[i*p.Len():(i+1)*p.Len()], r, first+i, cb)
		}
	}
}

// fillBlock prepares channel block cb of an image of a lazy expression in dst, a padded image.
func (w *worker) fillBlock(p *conv.Padded, dst []float32, r *lazy, image, cb int) {
	if r.x.narrow {
		w.fillNarrow(p, dst, r, image, cb, cb+1)
		return
	}
	w.filling = r
	var other []float32
	if r.r != nil {
		other = w.image(r.r, image)
	}
	p.FillBlock(&w.aff, dst, w.image(r.x, image), other, cb, w.mapBlock)
}

// compute writes some pixels of a lazy expression to y: those of block cb of an image from the
// given one, counted over the blocks. y may be the memory of what it reads.
func (w *worker) compute(y []float32, r *lazy, image, cb, from int) {
	if r.x.narrow {
		w.computeNarrow(y, r, image, cb, from)
		return
	}
	var other []float32
	if r.r != nil {
		other = w.part(r.r, image, from, len(y))
	}
	w.mapPart(r, y, w.part(r.x, image, from, len(y)), other, cb)
}

// materialise writes n images of a lazy expression to a value or view, which may be one that it
// reads.
func (w *worker) materialise(to *value, r *lazy, hw, first, n int) {
	for i := first; i < first+n; i++ {
		for cb := range to.per / (hw * block) {
			if to.narrow {
				w.materialiseNarrow(to, r, hw, i, cb)
			} else {
				w.compute(w.part(to, i, cb*hw, hw*block), r, i, cb, cb*hw)
			}
		}
	}
}

// mapPart applies a lazy expression to some pixels of block cb.
func (w *worker) mapPart(r *lazy, y, x, other []float32, cb int) {
	a := &w.aff
	a.Rows, a.Pixels, a.XPixel = 1, len(x)/block, block
	a.X, a.R, a.Y = x, other, y
	w.apply(r, cb)
}

// copyOut takes pixels of an image from cache to memory.
func (w *worker) copyOut(to *value, image, from int, x []float32) {
	if to.narrow {
		w.round(to, image, from*block, x)
		return
	}
	a := &w.aff
	a.Rows, a.Pixels, a.XPixel, a.X, a.Y = 1, len(x)/block, block, x, w.part(to, image, from, len(x))
	a.Copy()
}
