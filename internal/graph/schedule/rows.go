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
	c.add(&step{name: name, backward: backward(n), reads: from, writes: []*value{to}, run: func(w *worker, _, first, n int) {
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
	return c.rowStep(n, "gate rows", func(_ int, dx, y, dy []float32) { ref.ReLUGrad(dx, y, dy) })
}

// dropout lowers Dropout and its derivative, which is the same function: an element's mask does not depend on who asks for it.
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
