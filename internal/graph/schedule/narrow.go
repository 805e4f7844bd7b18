package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

// In a training of precision bfloat16, activations and their gradients in blocks are bfloat16 in
// memory: a narrow value. What is computed of them is float32, in cache: kernels widen what they
// load, or a strip of a value is widened to a buffer of the worker; what goes to memory is rounded
// on the way. Statistics and sums are those of the rounded values.
//
// The image that convolutions alone read, row-major values, losses, statistics and all that belongs
// to parameters are float32. So is everything in evaluation, where activations stay in a worker's
// cache, and in networks of sequences, of which half has no step on narrow values.

// keepsNarrow reports whether a machine has narrow values.
func (m *Machine) keepsNarrow() bool { return m.g.Mode == graph.Train && m.g.Sequences == nil }

// newBlocked makes a value in blocks.
func (c *compiler) newBlocked(name string, per int) *value {
	v := c.newValue(name, per)
	v.narrow = c.m.narrow
	return v
}

// convolvedAlone reports whether convolutions are all that reads a node, with their gradients.
func (c *compiler) convolvedAlone(n *gorgonia.Node) bool {
	for _, u := range c.users[n] {
		switch op := graph.OpOf(u).(type) {
		case *graph.Conv:
			if !shapeOf(op.ConvShape).Supported() {
				return false
			}
		case *graph.ConvWeightGrad:
		default:
			return false
		}
	}
	return true
}

// strip is how many values are widened together: 16 KB, so that several strips are in the
// first-level cache.
const strip = 4 << 10

// wideSizes are the lengths of a worker's buffers for float32 values of narrow ones.
type wideSizes [4]int

func (s wideSizes) floats() int { return s[0] + s[1] + s[2] + s[3] }

func (s wideSizes) alloc() (b wideBuffers) {
	for i, n := range s {
		b[i] = kernel.Alloc(n)
	}
	return b
}

type wideBuffers [len(wideSizes{})][]float32

func (b *wideBuffers) sizes() (s wideSizes) {
	for i := range b {
		s[i] = len(b[i])
	}
	return s
}

// widens says how many values a step opens or makes at a time in each buffer.
func (c *compiler) widens(sizes ...int) {
	if c.m.narrow {
		for i, n := range sizes {
			c.wide[i] = max(c.wide[i], n)
		}
	}
}

// narrowWork are a worker's argument structs of kernels on narrow values.
type narrowWork struct {
	aff     kernel.NarrowAffine
	mask    kernel.NarrowMask
	moments kernel.NarrowMoments
}

// halves is n values of an image of a narrow value or view.
func (w *worker) halves(v *value, image, from, n int) []kernel.BFloat16 {
	return kernel.BFloat16s(w.image(v, image))[from:][:n]
}

// open returns n values of an image to read: in memory, or of a narrow value in one of the worker's
// buffers.
func (w *worker) open(v *value, image, from, n, buffer int) []float32 {
	if !v.narrow {
		return w.image(v, image)[from:][:n]
	}
	y, a := w.wide[buffer][:n], &w.narrow.aff
	a.X, a.Y, a.Rows, a.Pixels, a.XPixel = w.halves(v, image, from, n), y, 1, n/block, block
	a.Copy()
	return y
}

// place returns where to make n values of an image, which close takes to memory.
func (w *worker) place(v *value, image, from, n, buffer int) []float32 {
	if !v.narrow {
		return w.image(v, image)[from:][:n]
	}
	return w.wide[buffer][:n]
}

// close takes to memory what was made in its place.
func (w *worker) close(v *value, image, from int, made []float32) {
	if v.narrow {
		w.round(v, image, from, made)
	}
}

// round writes values of an image of a narrow value.
func (w *worker) round(v *value, image, from int, x []float32) {
	m := &w.narrow.moments
	m.X, m.Y, m.Pixels = x, w.halves(v, image, from, len(x)), len(x)/block
	m.Round()
}

// elementwise adds a step whose result's values follow from those at their places in one or two
// others: f makes values of an image.
func (c *compiler) elementwise(st *step, to, a, b *value, f func(image int, y, a, b []float32)) {
	c.widens(strip, strip, strip)
	st.reads, st.writes = []*value{a}, []*value{to}
	if b != nil {
		st.reads = append(st.reads, b)
	}
	size := to.per
	if to.narrow {
		size = strip
	}
	st.run = func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			for at := 0; at < to.per; at += size {
				k := min(size, to.per-at)
				x, y := w.open(a, i, at, k, 0), w.place(to, i, at, k, 2)
				var other []float32
				if b != nil {
					other = w.open(b, i, at, k, 1)
				}
				f(i, y, x, other)
				w.close(to, i, at, y)
			}
		}
	}
	c.add(st)
}

// fillNarrow is fill for blocks [cb, end) of an image of an expression of narrow values.
func (w *worker) fillNarrow(p *conv.Padded, dst []float32, r *lazy, image, cb, end int) {
	a, plane := &w.narrow.aff, p.H*p.W*block
	a.XRow, a.RRow, a.YRow, a.XPixel = p.FromRow(), p.FromRow(), p.Row(), p.FromPixel()
	for ; cb < end; cb++ {
		a.S, a.T, a.S2 = w.maps(r, cb)
		x := w.halves(r.x, image, cb*plane, plane)
		var other []kernel.BFloat16
		if r.r != nil {
			other = w.halves(r.r, image, cb*plane, plane)
		}
		for _, v := range p.Views() {
			if v.Rows == 0 || v.Pixels == 0 {
				continue
			}
			a.X, a.Y, a.Rows, a.Pixels = x[v.From:], dst[v.To+cb*p.Plane():], v.Rows, v.Pixels
			if other != nil {
				a.R = other[v.From:]
			}
			r.run(a)
		}
	}
}

// computeNarrow is compute of narrow values.
func (w *worker) computeNarrow(y []float32, r *lazy, image, cb, from int) {
	a := &w.narrow.aff
	a.X, a.Y, a.Rows, a.Pixels, a.XPixel = w.halves(r.x, image, from*block, len(y)), y, 1, len(y)/block, block
	if r.r != nil {
		a.R = w.halves(r.r, image, from*block, len(y))
	}
	a.S, a.T, a.S2 = w.maps(r, cb)
	r.run(a)
}

// eachStrip calls f for the strips of block cb of an image of an expression, in float32.
func (w *worker) eachStrip(r *lazy, hw, image, cb int, f func(from int, d []float32)) {
	for at := 0; at < hw; at += strip / block {
		d := w.wide[0][:min(strip, (hw-at)*block)]
		w.compute(d, r, image, cb, cb*hw+at)
		f(at, d)
	}
}

// materialiseNarrow writes block cb of an image of an expression to a narrow value.
func (w *worker) materialiseNarrow(to *value, r *lazy, hw, image, cb int) {
	if r.plain() && r.x.narrow {
		copy(w.halves(to, image, cb*hw*block, hw*block), w.halves(r.x, image, cb*hw*block, hw*block))
		return
	}
	w.eachStrip(r, hw, image, cb, func(from int, d []float32) { w.round(to, image, (cb*hw+from)*block, d) })
}

// mapOut applies an expression to pixels d of block cb of an image, in cache, and takes the result
// to memory. What it adds is at the same place of r.r.
func (w *worker) mapOut(to *value, r *lazy, d []float32, image, cb, from int) {
	if !to.narrow {
		var other []float32
		if r.r != nil {
			other = w.part(r.r, image, from, len(d))
		}
		w.mapPart(r, w.part(to, image, from, len(d)), d, other, cb)
		return
	}
	for at := 0; at < len(d); at += strip {
		x := d[at:min(at+strip, len(d))]
		var other []float32
		if r.r != nil {
			other = w.open(r.r, image, from*block+at, len(x), 0)
		}
		w.mapPart(r, x, x, other, cb)
	}
	w.round(to, image, from*block, d)
}

// observeOut takes pixels of a convolution's result from cache to memory and adds the moments of
// what is written to a unit's.
func (n *norm) observeOut(w *worker, u int, to *value, image, cb, from int, d []float32, first bool) {
	if !to.narrow {
		n.observePart(w, u, cb, d, first)
		w.copyOut(to, image, from, d)
		return
	}
	if first {
		for i := range n.shift[cb][u] {
			n.shift[cb][u][i] = kernel.ToBFloat16(d[i]).Float32()
		}
	}
	m, sums := &w.narrow.moments, &w.sums
	*sums = pair{}
	m.X, m.Y, m.Pixels = d, w.halves(to, image, from*block, len(d)), len(d)/block
	m.K, m.S1, m.S2 = &n.shift[cb][u], &sums.first, &sums.second
	m.Run()
	n.moments.add(u, cb, sums)
}

// applyNarrow is apply where the gradient goes to a narrow value.
func (in epilogueReads) applyNarrow(t *tensor, nm *norm, sums sink) eachPart {
	to, hw := t.lazy.x, t.hw()
	z := in.z // or something that is read anyway, which the second sum is taken of and not used
	for _, v := range []*value{in.rectified, in.addend} {
		if z == nil {
			z = v
		}
	}
	return func(w *worker, p part, d []float32) {
		image, cb, from := p.image, p.cb, (p.cb*hw+p.from)*block
		g := w.halves(to, image, from, len(d))
		w.sums = pair{}
		if z == nil { // sums of the gradient alone
			m := &w.narrow.moments
			m.X, m.Y, m.Pixels, m.K, m.S1, m.S2 = d, g, len(d)/block, &zeros, &w.sums.first, &w.sums.second
			m.Run()
		} else {
			m := &w.narrow.mask
			m.Pixels, m.S1, m.S2, m.Mean = len(d)/block, &w.sums.first, &w.sums.second, &zeros
			m.D, m.G, m.Z, m.R, m.Y = d, g, w.halves(z, image, from, len(d)), nil, nil
			if in.addend != nil {
				m.R = w.halves(in.addend, image, from, len(d))
			}
			if in.rectified != nil {
				m.Y = w.halves(in.rectified, image, from, len(d))
			}
			m.S, m.T = in.gate(cb)
			if nm != nil {
				m.Mean = &nm.mu[cb]
			}
			m.Run(in.by)
		}
		if sums != nil {
			sums.add(p.unit, cb, &w.sums)
		}
	}
}
