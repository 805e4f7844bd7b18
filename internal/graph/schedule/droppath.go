package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/ref"
)

// dropPath lowers DropPath and its derivative, which is the same function, on blocked images.
func (c *compiler) dropPath(n *gorgonia.Node, p float64, state *graph.DropoutState, stream uint64) error {
	from := c.blocked(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	c.elementwise(&step{name: "drop path", backward: c.backward(n)}, to, from, nil, func(image int, y, x, _ []float32) {
		ref.DropImages(y, x, 1, p, state.Key(stream), uint64(image))
	})
	return nil
}
