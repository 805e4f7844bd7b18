package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// meanScales are the factors of a plane's runs of windows: one by the number of values, with the
// padding where that counts.
func meanScales(s graph.PoolShape, runs []windowRun, withPad bool) []float32 {
	scales := make([]float32, len(runs))
	padded := func(o, size int) int { return min(s.Kernel, size+2*s.Pad-o*s.Stride) }
	for i, r := range runs {
		n := len(r.taps)
		if withPad {
			out := r.to / block
			n = padded(out/s.OutW(), s.H) * padded(out%s.OutW(), s.W)
		}
		scales[i] = 1 / float32(n)
	}
	return scales
}

// meanPool lowers average pooling of blocked planes.
func (c *compiler) meanPool(n *gorgonia.Node, op *graph.AvgPool) error {
	runs := windowRuns(op.PoolShape)
	if runs == nil {
		return c.fallback(n)
	}
	x := c.viewed(c.tensors[c.in[n][0]])
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	to, err := c.valueOf(n, t)
	if err != nil {
		return err
	}
	t.lazy = &lazy{x: to}
	scales := meanScales(op.PoolShape, runs, op.CountIncludePad)
	inPlane, outPlane, planes, stride := op.H*op.W*block, t.hw()*block, blocks(op.C), op.Stride*block
	c.widens(inPlane, outPlane)
	c.inParts(&step{name: "average pool", reads: []*value{x}, writes: []*value{to}}, planes*runParts(planes), t.blockedLen(), func(w *worker, img, first, end int) {
		k := &w.window
		k.XPixel = stride
		eachPlane(runs, planes, first, end, func(p, lo, hi int) {
			xs, ys := w.open(x, img, p*inPlane, inPlane, 0), w.place(to, img, p*outPlane, outPlane, 1)
			for i := lo; i < hi; i++ {
				r := &runs[i]
				k.X, k.Y, k.Taps, k.Pixels, k.Scale = xs[r.from:], ys[r.to:], r.taps, r.pixels, scales[i]
				k.Sum()
			}
			w.close(to, img, p*outPlane, ys)
		})
	})
	return nil
}

func (c *compiler) meanPoolGrad(n *gorgonia.Node, op *graph.AvgPoolGrad) error {
	runs := windowRuns(op.PoolShape)
	if runs == nil {
		return c.fallback(n)
	}
	dy := c.tensors[c.in[n][0]]
	d := c.viewed(dy)
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, scales := t.lazy.x, meanScales(op.PoolShape, runs, op.CountIncludePad)
	inPlane, outPlane, planes, stride := op.H*op.W*block, dy.hw()*block, blocks(op.C), op.Stride*block
	c.widens(inPlane, outPlane)
	c.add(&step{name: "average pool gradient", backward: true, reads: []*value{d}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		k := &w.window
		k.XPixel = stride
		for i := first; i < first+n; i++ {
			for p := range planes {
				in, out := w.place(to, i, p*inPlane, inPlane, 0), w.open(d, i, p*outPlane, outPlane, 1)
				clear(in)
				for j := range runs {
					r := &runs[j]
					k.DX, k.D, k.Taps, k.Pixels, k.Scale = in[r.from:], out[r.to:], r.taps, r.pixels, scales[j]
					k.Spread()
				}
				w.close(to, i, p*inPlane, in)
			}
		}
	}})
	return nil
}
