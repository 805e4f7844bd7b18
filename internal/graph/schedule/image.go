package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// input adds the step that brings the network's input into blocks, for those who read it so.
func (c *compiler) input(t *tensor) {
	v := c.newBlocked("input", t.blockedLen())
	v.narrow = v.narrow && !c.convolvedAlone(c.g.Input)
	if v.narrow {
		c.widens(v.per)
	}
	t.lazy = &lazy{x: v}
	hw, ch := t.hw(), t.c
	c.add(&step{name: "input", writes: []*value{v}, run: func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			y := w.place(v, i, 0, v.per, 0)
			blockImage(y, w.m.x[i*ch*hw:(i+1)*ch*hw], ch, hw)
			w.close(v, i, 0, y)
		}
	}})
}

// imageConvolution lowers the first convolution of images as they are.
func (c *compiler) imageConvolution(n *gorgonia.Node, s conv.Shape, f *conv.BF16Image, x *tensor, w *graph.Param, intra bool) error {
	out, bias, err := c.resultOf(n)
	if err != nil {
		return err
	}
	packed := c.packed(f, w)
	st := &step{name: "conv", shape: s.String(), algorithm: conv.BF16.String(), weights: len(packed)}
	st.multiplies(s, conv.BF16, conv.ForwardPass)
	e, err := c.epilogueOf(n, s, out, bias, st, c.sums())
	if err != nil {
		return err
	}
	sizes, hw, chw, units := c.m.sizes, out.hw(), x.c*x.hw(), f.Units()
	compute := func(w *worker, image, u int) {
		p := sizes.part(image)
		f.Compute(w.conv, w.m.x[image*chw:(image+1)*chw], u, packed, func(cb, from int, y []float32) {
			e.each(w, part{p.unit, p.image, cb, from, p.first && from == 0}, y)
		})
	}
	if intra {
		st.algorithm += ", intra-image"
		st.inner = c.g.N * units
		st.runInner = func(w *worker, u int) {
			if image := u / units; image < w.m.count {
				compute(w, image, u%units)
			}
		}
	} else {
		st.run = func(w *worker, _, first, count int) {
			sizes.eachSum(first, count, func(u, images int) { e.begin(u, images*hw) })
			for image := first; image < first+count; image++ {
				for u := range units {
					compute(w, image, u)
				}
			}
		}
	}
	c.add(st)
	return nil
}
