package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph/kernel"
)

// sigmoid lowers Sigmoid on blocks. Lanes behind the last channel become ½; nothing reads them.
func (c *compiler) sigmoid(n *gorgonia.Node) error {
	from := c.blocked(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	c.add(&step{name: "sigmoid", reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		kernel.Sigmoid(w.images(to, first, n), w.images(from, first, n))
	}})
	return nil
}

func (c *compiler) sigmoidGrad(n *gorgonia.Node) error {
	y, dy := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][1]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	c.add(&step{name: "sigmoid gradient", backward: true, reads: []*value{y, dy}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		kernel.SigmoidGrad(w.images(to, first, n), w.images(y, first, n), w.images(dy, first, n))
	}})
	return nil
}
