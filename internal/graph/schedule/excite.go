package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph/kernel"
)

// excite lowers squeeze-and-excitation's scaling of channels, and its derivative with respect to
// the map, which is the same function of the gradient: a map of each image's own.
func (c *compiler) excite(n *gorgonia.Node) error {
	x, s := c.blocked(c.tensors[c.in[n][0]]), c.rows(c.tensors[c.in[n][1]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, hw, ch := t.lazy.x, t.hw(), t.c
	c.widens(hw*block, hw*block)
	c.add(&step{name: "excite", backward: c.backward(n), reads: []*value{x, s}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		a, scale := &w.aff, &w.scale
		a.S, a.T, a.Rows, a.Pixels, a.XPixel = scale, &zeros, 1, hw, block
		for i := first; i < first+n; i++ {
			for cb := range blocks(ch) {
				*scale = logistics(w.image(s, i), cb)
				at, plane := cb*hw*block, hw*block
				a.X, a.Y = w.open(x, i, at, plane, 0), w.place(to, i, at, plane, 1)
				a.Map(false)
				w.close(to, i, at, a.Y)
			}
		}
	}})
	return nil
}

// logistics are the factors of a block of channels, 0 past their end.
func logistics(s []float32, cb int) (v kernel.Vec) {
	for j := range min(block, len(s)-cb*block) {
		v[j] = kernel.Logistic(s[cb*block+j])
	}
	return v
}

// exciteScaleGrad lowers the derivative with respect to the factors.
func (c *compiler) exciteScaleGrad(n *gorgonia.Node) error {
	of := c.tensors[c.in[n][0]]
	x, s, dy := c.blocked(of), c.rows(c.tensors[c.in[n][1]]), c.blocked(c.tensors[c.in[n][2]])
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	to, hw, ch := t.plain, of.hw(), of.c
	c.widens(hw*block, hw*block)
	c.add(&step{name: "excite gradient", backward: true, reads: []*value{x, s, dy}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		m, sums := &w.mask, &w.sums
		m.Pixels, m.R, m.Mean, m.S1, m.S2 = hw, nil, &zeros, &sums.first, &sums.second
		for i := first; i < first+n; i++ {
			factors, out := w.image(s, i), w.image(to, i)
			for cb := range blocks(ch) {
				*sums = pair{}
				at, plane := cb*hw*block, hw*block
				d := w.open(dy, i, at, plane, 0)
				// The sums alone are wanted: what is written is what was read.
				m.D, m.G, m.Z = d, d, w.open(x, i, at, plane, 1)
				m.Run(kernel.MaskNone)
				f := logistics(factors, cb)
				for j := range min(block, ch-cb*block) {
					out[cb*block+j] = sums.second[j] * f[j] * (1 - f[j])
				}
			}
		}
	}})
	return nil
}
