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
	c.elementwise(&step{name: "sigmoid"}, to, from, nil, func(_ int, y, x, _ []float32) { kernel.Sigmoid(y, x) })
	return nil
}

func (c *compiler) sigmoidGrad(n *gorgonia.Node) error {
	y, dy := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][1]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	c.elementwise(&step{name: "sigmoid gradient", backward: true}, to, y, dy, func(_ int, dx, y, dy []float32) { kernel.SigmoidGrad(dx, y, dy) })
	return nil
}
