package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// average lowers global average pooling: blocked planes to [N, C].
func (c *compiler) average(n *gorgonia.Node) error {
	x := c.tensors[c.in[n][0]]
	from := c.blocked(x)
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	to, hw := t.plain, x.hw()
	c.widens(hw * block)
	c.add(&step{name: "average", reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		m, sums := &w.moments, &w.sums
		m.Pixels, m.K, m.S1, m.S2 = hw, &zeros, &sums.first, &sums.second
		for i := first; i < first+n; i++ {
			y := w.image(to, i)
			for cb := range blocks(len(y)) {
				*sums = pair{}
				m.X = w.open(from, i, cb*hw*block, hw*block, 0)
				m.Run()
				for j := range min(block, len(y)-cb*block) {
					y[cb*block+j] = sums.first[j] / float32(hw)
				}
			}
		}
	}})
	return nil
}

func (c *compiler) averageGrad(n *gorgonia.Node) error {
	dy := c.rows(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, hw, ch := t.lazy.x, t.hw(), t.c
	c.widens(hw * block)
	c.add(&step{name: "average gradient", backward: true, reads: []*value{dy}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			src := w.image(dy, i)
			for cb := range blocks(ch) {
				var v kernel.Vec
				for j := range min(block, ch-cb*block) {
					v[j] = src[cb*block+j] / float32(hw)
				}
				plane := w.place(to, i, cb*hw*block, hw*block, 0)
				for p := 0; p < len(plane); p += block {
					*(*kernel.Vec)(plane[p:]) = v
				}
				w.close(to, i, cb*hw*block, plane)
			}
		}
	}})
	return nil
}

// trained is p if a gradient of it is wanted, else nil.
func (c *compiler) trained(p *graph.Param) *graph.Param {
	for _, q := range c.g.Params {
		if q.Param == p && q.Grad != nil {
			return p
		}
	}
	return nil
}

// gradOf is the parameter whose gradient a node is.
func (c *compiler) gradOf(n *gorgonia.Node) *graph.Param {
	for _, p := range c.g.Params {
		if p.Grad == n {
			return p.Param
		}
	}
	return nil
}
