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
	c.add(&step{name: "drop path", backward: c.backward(n), reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		ref.DropImages(w.images(to, first, n), w.images(from, first, n), n, p, state.Key(stream), uint64(first))
	}})
	return nil
}
