package schedule

import (
	"math"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// Local response normalisation. The sum over a window of channels is the product of a pixel's
// squares with a band of ones, so the tile kernel of the convolutions does it: an output block
// reads the blocks around it. Some pixels at a time, so that squares and sums stay in cache.

// lrnStrip is the number of pixels that go through together.
const lrnStrip = 64

// band is a matrix that sums windows of channels: one 16 × 16 part for each block from -reach to
// +reach.
type band struct {
	reach   int
	weights []float32
	taps    []int // of all blocks of a strip
}

// newBand sums, for channel c, the channels from c-before to c+after, times a factor.
func newBand(before, after, channels int, factor float32) *band {
	b := &band{reach: (max(before, after) + block - 1) / block}
	for d := -b.reach; d <= b.reach; d++ {
		for i := range block {
			for o := range block {
				v := float32(0)
				if at := d*block + i - o; at >= -before && at <= after {
					v = factor
				}
				b.weights = append(b.weights, v)
			}
		}
	}
	for cb := range blocks(channels) {
		b.taps = append(b.taps, cb*lrnStrip*block)
	}
	return b
}

// sum computes the windows of n pixels of block cb from x, blocks lrnStrip pixels apart.
func (b *band) sum(t *kernel.Tile, y, x []float32, cb, n int) {
	from, to := max(0, cb-b.reach), min(len(b.taps), cb+b.reach+1)
	t.X, t.W, t.Y = x, b.weights[(from-cb+b.reach)*block*block:], y
	t.Taps, t.In, t.Planes, t.YPixel = b.taps[from:to], block, 1, block
	t.RunFlat(n, 1)
}

// response is one layer's forward pass over a strip: squares of all blocks, and of each block the
// sums and what follows.
type response struct {
	graph.LRNShape
	sums *band
}

func newResponse(s graph.LRNShape) response {
	return response{s, newBand(s.Size/2, (s.Size-1)/2, s.C, float32(s.Alpha/float64(s.Size)))}
}

// scratch is what a strip needs of the worker: squares, parts of the derivative, and the sums of a
// block.
func (r response) scratch() int { return (2*blocks(r.C) + 1) * lrnStrip * block }

func (r response) buffers(w *worker) (squares, parts, sums []float32) {
	n := blocks(r.C) * lrnStrip * block
	return w.scratch[:n], w.scratch[n : 2*n], w.scratch[2*n : 2*n+lrnStrip*block]
}

// count is the number of strips of an image.
func (r response) count() int { return parts(r.Area(), lrnStrip) }

// strips calls f with the first pixel and the number of pixels of strips [from, to), after filling
// squares.
func (r response) strips(squares, x []float32, from, to int, f func(at, n int)) {
	hw := r.Area()
	for at := from * lrnStrip; at < min(to*lrnStrip, hw); at += lrnStrip {
		n := min(lrnStrip, hw-at)
		for cb := range blocks(r.C) {
			square(squares[cb*lrnStrip*block:][:n*block], x[(cb*hw+at)*block:][:n*block])
		}
		f(at, n)
	}
}

func square(dst, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = v * v
	}
}

// apply and grad are the elementwise parts, for any exponent.
func (r response) apply(k *kernel.Response) {
	if r.Beta == 0.75 {
		k.Apply()
		return
	}
	for i, v := range k.X[:k.N] {
		k.Y[i] = v * float32(math.Pow(float64(k.K+k.S[i]), -r.Beta))
	}
}

func (r response) grad(k *kernel.Response) {
	if r.Beta == 0.75 {
		k.Grad()
		return
	}
	for i, v := range k.X[:k.N] {
		scale := k.K + k.S[i]
		g := k.D[i] * float32(math.Pow(float64(scale), -r.Beta))
		k.Y[i], k.T[i] = g, g*v/scale
	}
}

// lrn lowers local response normalisation.
func (c *compiler) lrn(n *gorgonia.Node, op *graph.LRN) error {
	x := c.viewed(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, r, hw := t.lazy.x, newResponse(op.LRNShape), t.hw()
	c.scratch = max(c.scratch, r.scratch())
	c.widens(to.per, to.per)
	c.inParts(&step{name: "LRN", reads: []*value{x}, writes: []*value{to}}, r.count(), t.blockedLen(), func(w *worker, img, first, end int) {
		squares, _, sums := r.buffers(w)
		k := &w.response
		k.K = float32(op.Bias)
		xs, ys := w.open(x, img, 0, x.per, 0), w.place(to, img, 0, to.per, 1)
		r.strips(squares, xs, first, end, func(at, n int) {
			for cb := range blocks(op.C) {
				r.sums.sum(&w.tile, sums, squares, cb, n)
				from := (cb*hw + at) * block
				k.X, k.S, k.Y, k.N = xs[from:], sums, ys[from:], n*block
				r.apply(k)
			}
		})
		w.close(to, img, 0, ys)
	})
	return nil
}

// lrnGrad lowers its derivative: the sums are taken again, nothing is kept.
func (c *compiler) lrnGrad(n *gorgonia.Node, op *graph.LRNGrad) error {
	x, dy := c.viewed(c.tensors[c.in[n][0]]), c.viewed(c.tensors[c.in[n][1]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, r, hw := t.lazy.x, newResponse(op.LRNShape), t.hw()
	back := newBand((op.Size-1)/2, op.Size/2, op.C, float32(2*op.Alpha*op.Beta/float64(op.Size)))
	c.scratch = max(c.scratch, r.scratch())
	c.widens(to.per, to.per, to.per)
	c.add(&step{name: "LRN gradient", backward: true, reads: []*value{x, dy}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		squares, parts, sums := r.buffers(w)
		k := &w.response
		k.K = float32(op.Bias)
		for i := first; i < first+n; i++ {
			xs, ds, dx := w.open(x, i, 0, x.per, 0), w.open(dy, i, 0, dy.per, 1), w.place(to, i, 0, to.per, 2)
			r.strips(squares, xs, 0, r.count(), func(at, n int) {
				for cb := range blocks(op.C) {
					r.sums.sum(&w.tile, sums, squares, cb, n)
					from := (cb*hw + at) * block
					k.X, k.S, k.Y, k.D, k.T, k.N = xs[from:], sums, dx[from:], ds[from:], parts[cb*lrnStrip*block:], n*block
					r.grad(k)
				}
				for cb := range blocks(op.C) {
					back.sum(&w.tile, sums, parts, cb, n)
					from := (cb*hw + at) * block
					subtractProduct(dx[from:][:n*block], xs[from:][:n*block], sums)
				}
			})
			w.close(to, i, 0, dx)
		}
	}})
	return nil
}

// subtractProduct is y -= a·b.
func subtractProduct(y, a, b []float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] -= a[i] * b[i]
	}
}
