package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// windowRun is a run of outputs of a row whose windows have the same taps: all of them but those
// at the edges.
type windowRun struct {
	taps []int
	// Offsets of its first window's first pixel in the input plane, and of its first output.
	from, to int
	pixels   int
}

// windowRuns divides the outputs of a plane; nil where a window sees padding alone.
func windowRuns(s graph.PoolShape) []windowRun {
	oh, ow := s.OutH(), s.OutW()
	var runs []windowRun
	for i := range oh {
		i0, i1 := windowOf(s, i, s.H)
		for j := 0; j < ow; {
			j0, j1 := windowOf(s, j, s.W)
			if i0 >= i1 || j0 >= j1 {
				return nil
			}
			r := windowRun{from: (i0*s.W + j0) * block, to: (i*ow + j) * block, pixels: 1}
			for a := range i1 - i0 {
				for b := range j1 - j0 {
					r.taps = append(r.taps, (a*s.W+b)*block)
				}
			}
			for j++; j < ow; j++ {
				a, b := windowOf(s, j, s.W)
				if b-a != j1-j0 || a != j0+r.pixels*s.Stride {
					break
				}
				r.pixels++
			}
			runs = append(runs, r)
		}
	}
	return runs
}

// windowOf is the part [lo, hi) of an axis that output o covers.
func windowOf(s graph.PoolShape, o, size int) (lo, hi int) {
	lo = o*s.Stride - s.Pad
	return max(lo, 0), min(lo+s.Kernel, size)
}

// runParts is into how many parts the windows of a plane are divided, so that an image of so many
// planes has a part for each unit.
func runParts(planes int) int { return parts(Units, planes) }

// eachPlane calls f for the planes and their runs [lo, hi) in parts [from, to) of an image.
func eachPlane(runs []windowRun, planes, from, to int, f func(plane, lo, hi int)) {
	n := runParts(planes)
	for u := from; u < to; {
		plane := u / n
		end := min(to, (plane+1)*n)
		f(plane, u%n*len(runs)/n, (end-plane*n)*len(runs)/n)
		u = end
	}
}

// maxPool lowers max pooling of blocked planes.
func (c *compiler) maxPool(n *gorgonia.Node, op *graph.MaxPool) error {
	runs := windowRuns(op.PoolShape)
	if runs == nil {
		return c.fallback(n)
	}
	from := c.blocked(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	inPlane, outPlane, planes, stride := op.H*op.W*block, t.hw()*block, blocks(op.C), op.Stride*block
	c.widens(inPlane, outPlane)
	c.inParts(&step{name: "max pool", reads: []*value{from}, writes: []*value{to}}, planes*runParts(planes), t.blockedLen(), func(w *worker, img, first, end int) {
		k := &w.window
		k.XPixel = stride
		eachPlane(runs, planes, first, end, func(p, lo, hi int) {
			x, y := w.open(from, img, p*inPlane, inPlane, 0), w.place(to, img, p*outPlane, outPlane, 1)
			for i := lo; i < hi; i++ {
				r := &runs[i]
				k.X, k.Y, k.Taps, k.Pixels = x[r.from:], y[r.to:], r.taps, r.pixels
				k.Max()
			}
			w.close(to, img, p*outPlane, y)
		})
	})
	return nil
}

// maxPoolGrad lowers its derivative: input and output are compared again, so that no index is
// kept.
func (c *compiler) maxPoolGrad(n *gorgonia.Node, op *graph.MaxPoolGrad) error {
	runs, y := windowRuns(op.PoolShape), c.pooled(n, op)
	if runs == nil || y == nil {
		return c.fallback(n)
	}
	x, top, dy := c.blocked(c.tensors[c.in[n][0]]), c.blocked(y), c.blocked(c.tensors[c.in[n][1]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	inPlane, outPlane, planes, stride := op.H*op.W*block, y.hw()*block, blocks(op.C), op.Stride*block
	c.widens(inPlane, inPlane, outPlane, outPlane)
	c.add(&step{name: "max pool gradient", backward: true, reads: []*value{x, top, dy}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		k := &w.window
		k.XPixel = stride
		for u := range n * planes {
			i, in, out := first+u/planes, u%planes*inPlane, u%planes*outPlane
			xs, dxs := w.open(x, i, in, inPlane, 0), w.place(to, i, in, inPlane, 1)
			ys, ds := w.open(top, i, out, outPlane, 2), w.open(dy, i, out, outPlane, 3)
			clear(dxs)
			for j := range runs {
				r := &runs[j]
				k.X, k.DX = xs[r.from:], dxs[r.from:]
				k.Y, k.D, k.Taps, k.Pixels = ys[r.to:], ds[r.to:], r.taps, r.pixels
				k.MaxGrad()
			}
			w.close(to, i, in, dxs)
		}
	}})
	return nil
}

// pooled finds the result of the pooling whose derivative a node is.
func (c *compiler) pooled(n *gorgonia.Node, op *graph.MaxPoolGrad) *tensor {
	for _, u := range c.users[c.in[n][0]] {
		if p, ok := graph.OpOf(u).(*graph.MaxPool); ok && p.ID == op.ID {
			return c.tensors[u]
		}
	}
	return nil
}
