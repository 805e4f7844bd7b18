package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
)

// perImage runs an operator's reference on row-major tensors, unit by unit.
func (c *compiler) perImage(n *gorgonia.Node, op graph.PerImage) error {
	st := &step{name: n.Op().String(), backward: c.backward(n)}
	var from []source
	for _, in := range c.in[n] {
		s, err := c.source(in)
		if err != nil {
			return err
		}
		if s.v == nil && s.p == nil { // a whole batch's result: after the step that makes it
			return c.reference(n, op.Run32)
		}
		if s.v != nil {
			st.reads = append(st.reads, s.v)
		}
		from = append(from, s)
	}
	t, err := c.plainTensor(n)
	if err != nil {
		return err
	}
	to := t.plain
	st.writes = []*value{to}
	st.run = func(w *worker, _, first, n int) {
		src := make([][]float32, len(from))
		for i, s := range from {
			if s.p != nil {
				src[i] = s.p.Data
			} else {
				src[i] = w.images(s.v, first, n)
			}
		}
		graph.Images(op, first, n).Run32(w.images(to, first, n), src...)
	}
	c.add(st)
	return nil
}
