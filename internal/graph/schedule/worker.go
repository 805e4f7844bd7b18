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
	}
	w.mapBlock = func(cb int) { w.apply(w.filling, cb) }
	return w
}

// images returns the part of a value that holds n images from first.
func (w *worker) images(v *value, first, n int) []float32 {
	if v.own {
		at := v.offset + (first-w.base)*v.per
		return w.arena[at : at+n*v.per]
	}
	at := v.offset + first*v.per
	return w.m.arena[at : at+n*v.per]
}

// image returns one image of a value or of a view.
func (w *worker) image(v *value, i int) []float32 {
	r := v.root()
	if r.own {
		at := r.offset + (i-w.base)*r.per + v.at
		return w.arena[at : at+v.per]
	}
	at := r.offset + i*r.per + v.at
	return w.m.arena[at : at+v.per]
}

// part is n values of an image of a blocked value or view, from a pixel counted over its blocks of
// channels.
func (w *worker) part(v *value, image, pixel, n int) []float32 {
	return w.image(v, image)[pixel*block:][:n]
}

// apply runs a lazy expression on the rows that aff describes, channel block cb.
func (w *worker) apply(r *lazy, cb int) {
	a := &w.aff
	if r.plain() {
		a.Copy()
		return
	}
	a.S, a.T, a.S2 = &ones, &zeros, &ones
	if r.a != nil {
		a.S, a.T = &r.a.s[cb], &r.a.t[cb]
	}
	if r.act == prelu {
		a.S2 = &r.slope[cb]
		a.MapPReLU()
		return
	}
	if r.r == nil {
		a.Map(r.act == relu)
		return
	}
	if r.b != nil {
		a.S2 = &r.b.s[cb]
		for i := range w.offsets {
			w.offsets[i] = a.T[i] + r.b.t[cb][i]
		}
		a.T = &w.offsets
	}
	a.Map2(r.act == relu)
}

// fill prepares n images of a lazy expression, from first, as the input of a convolution.
func (w *worker) fill(p *conv.Padded, dst *padded, r *lazy, first, n int) {
	w.filling = r
	dst.clearMargins(p, n)
	for i := range n {
		var other []float32
		if r.r != nil {
			other = w.image(r.r, first+i)
		}
		p.Fill(&w.aff, dst.data[i*p.Len():(i+1)*p.Len()], w.image(r.x, first+i), other, w.mapBlock)
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
	w.filling = r
	var other []float32
	if r.r != nil {
		other = w.image(r.r, image)
	}
	p.FillBlock(&w.aff, dst, w.image(r.x, image), other, cb, w.mapBlock)
}

// materialise writes n images of a lazy expression to y, which may be one of the values it reads.
func (w *worker) materialise(y []float32, r *lazy, hw, first, n int) {
	a := &w.aff
	a.Rows, a.Pixels, a.XPixel = 1, hw, block
	for i := range n {
		out, x := y[i*r.x.per:(i+1)*r.x.per], w.image(r.x, first+i)
		var other []float32
		if r.r != nil {
			other = w.image(r.r, first+i)
		}
		for cb := range len(out) / (hw * block) {
			from := cb * hw * block
			a.X, a.Y = x[from:from+hw*block], out[from:from+hw*block]
			if other != nil {
				a.R = other[from : from+hw*block]
			}
			w.apply(r, cb)
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

// copyOut takes n values, a multiple of a block, from cache to memory.
func (w *worker) copyOut(y, x []float32) {
	a := &w.aff
	a.Rows, a.Pixels, a.XPixel, a.X, a.Y = 1, len(x)/block, block, x, y
	a.Copy()
}
