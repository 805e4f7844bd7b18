package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/ref"
)

// The operators on rows [N, C] between fully connected layers, image by image.

// rowStep lowers an operator of one or two tensors of one shape as a function of an image's rows.
func (c *compiler) rowStep(n *gorgonia.Node, name string, f func(image int, dst []float32, a, b []float32)) error {
	var from []*value
	for _, in := range c.in[n] {
		from = append(from, c.rows(c.tensors[in]))
	}
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	to := t.plain
	c.add(&step{name: name, backward: c.backward(n), reads: from, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			a := w.image(from[0], i)
			b := a
			if len(from) > 1 {
				b = w.image(from[1], i)
			}
			f(i, w.image(to, i), a, b)
		}
	}})
	return nil
}

func (c *compiler) rectifyRows(n *gorgonia.Node) error {
	return c.rowStep(n, "rectify rows", func(_ int, y, x, _ []float32) { ref.ReLU(y, x) })
}

func (c *compiler) rectifyRowsGrad(n *gorgonia.Node) error {
	return c.rowStep(n, "rectify rows gradient", func(_ int, dx, y, dy []float32) { ref.ReLUGrad(dx, y, dy) })
}

// dropout lowers Dropout and its derivative, which is the same function: an element's mask does not
// depend on who asks for it.
func (c *compiler) dropout(n *gorgonia.Node, p float64, state *graph.DropoutState, stream uint64) error {
	per := n.Shape().TotalSize() / c.g.N
	return c.rowStep(n, "dropout", func(image int, y, x, _ []float32) {
		key := ref.DropoutKey{Seed: state.Seed, Step: state.Step, Stream: stream}
		ref.DropoutFrom(y, x, p, key, uint64(image*per))
	})
}

// flatten puts the row-major images side by side; of one image that is what it is already.
func (c *compiler) flatten(n *gorgonia.Node) error {
	var from []*value
	for _, in := range c.in[n] {
		from = append(from, c.rows(c.tensors[in]))
	}
	if len(from) == 1 {
		t, err := c.newTensor(n)
		if err == nil {
			t.plain = from[0]
		}
		return err
	}
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	to := t.plain
	c.add(&step{name: "flatten", reads: from, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			y := w.image(to, i)
			for _, v := range from {
				y = y[copy(y, w.image(v, i)):]
			}
		}
	}})
	return nil
}

// flattenGrad makes blocks of a part of a row.
func (c *compiler) flattenGrad(n *gorgonia.Node, op *graph.FlattenGrad) error {
	dy := c.rows(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, ch, hw := t.lazy.x, t.c, t.hw()
	c.widens(to.per)
	c.add(&step{name: "flatten gradient", backward: true, reads: []*value{dy}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		for i := first; i < first+n; i++ {
			y := w.place(to, i, 0, to.per, 0)
			blockImage(y, w.image(dy, i)[op.From:op.From+ch*hw], ch, hw)
			w.close(to, i, 0, y)
		}
	}})
	return nil
}

// slopeRows lowers the gradient of PReLU's slopes after a fully connected layer: a slope has one
// owner.
func (c *compiler) slopeRows(n *gorgonia.Node) error {
	p := c.gradOf(n)
	if p == nil || len(c.in[n][0].Shape()) != 2 {
		return c.fallback(n)
	}
	x, dy := c.rows(c.tensors[c.in[n][0]]), c.rows(c.tensors[c.in[n][1]])
	st := &step{name: "slope gradient", backward: true, whole: true, reads: []*value{x, dy}}
	st.writesGrad(p)
	channels, images := len(p.Grad), c.g.N
	st.inner = parts(channels, linearColumns)
	st.runInner = func(w *worker, u int) {
		xs, ds := w.images(x, 0, images), w.images(dy, 0, images)
		for ch := u * linearColumns; ch < min((u+1)*linearColumns, channels); ch++ {
			sum := 0.
			for at := ch; at < len(xs); at += channels {
				if xs[at] <= 0 {
					sum += float64(xs[at]) * float64(ds[at])
				}
			}
			put(p.Grad, ch, float32(sum), w.m.options.Accumulate)
		}
	}
	c.add(st)
	return nil
}
