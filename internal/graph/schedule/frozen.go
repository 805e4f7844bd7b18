package schedule

import (
	"fmt"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// emitDataGrad lowers the gradient of a convolution's input where its weights are frozen, and the gate behind it: emitConv without the half that
// reads the input again.
func (c *compiler) emitDataGrad(g *convGroup) error {
	op := g.input.Op().(*graph.ConvInputGrad)
	weights := c.param[c.in[g.input][0]]
	if weights == nil {
		return fmt.Errorf("schedule: %v does not read a parameter", op)
	}
	from := c.tensors[g.dy]
	if from == nil {
		return fmt.Errorf("schedule: the gradient behind %v has not been computed", op)
	}
	s, dy := shapeOf(op.ConvShape), c.recipe(from)
	plan := conv.NewPlan(s, c.m.choose(s), true)
	v := c.tensors[g.gate.end].how.x
	st := &step{name: "conv input gradient " + s.String(), backward: true, reads: dy.reads(), writes: []*value{v}}
	st.need(dy.a, dy.b)
	k := group(plan.DY.Len(), c.m.units[0].n)
	c.need = c.need.Max(plan.DataGrad.Need(k))
	inLen := s.InLen()
	c.dy, c.y = max(c.dy, k*plan.DY.Len()), max(c.y, k*inLen)
	packed := c.packed(plan.DataGrad, weights)
	sums, apply := c.gated(st, g.gate, len(c.m.units))
	st.run = func(w *worker, u, first, n int) {
		if sums != nil {
			sums.begin(u)
		}
		for at := 0; at < n; at += k {
			c := min(k, n-at)
			w.fill(plan.DY, &w.dy, dy, first+at, c)
			plan.DataGrad.Run(w.conv, w.y, w.dy.data, c, packed)
			for i := range c {
				apply.parts(w, u, first+at+i, w.y[i*inLen:(i+1)*inLen], s.H*s.W*block)
			}
		}
	}
	c.add(st)
	return nil
}
