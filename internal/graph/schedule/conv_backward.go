package schedule

import (
	"fmt"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// partsFor splits the batch for a weight gradient: each part has an accumulator, all of them
// together at most a few megabytes.
func partsFor(units []span, accumulator int) []span {
	const budget = 1 << 20 // float32 values
	n := len(units)
	for n > 4 && n*accumulator > budget {
		n = (n + 1) / 2
	}
	parts := make([]span, 0, n)
	for i := range n {
		from, to := i*len(units)/n, (i+1)*len(units)/n
		if from == to {
			continue
		}
		last := units[to-1]
		parts = append(parts, span{units[from].first, last.first + last.n - units[from].first})
	}
	return parts
}

// lowerConvGradients lowers both gradients of a convolution, or the one that there is, and the
// backward epilogue of that of its input.
func (c *compiler) lowerConvGradients(g *convGradients) error {
	if g.weights == nil {
		return c.lowerConvInputGrad(g)
	}
	op := graph.OpOf(g.weights).(*graph.ConvWeightGrad)
	s := shapeOf(op.ConvShape)
	x := c.lazy(c.tensors[c.in[g.weights][0]])
	w := c.gradOf(g.weights)
	if w == nil {
		return fmt.Errorf("schedule: %v is not the gradient of a parameter", op)
	}
	dyTensor := c.tensors[g.dy]
	if dyTensor == nil {
		return fmt.Errorf("schedule: the gradient behind %v has not been computed", op)
	}
	dy := c.lazy(dyTensor)
	choice := c.m.choose(s)
	st := &step{name: "conv gradients", shape: s.String(), algorithm: choice.Weights.String(), backward: true, grads: []*graph.Param{w}}
	if g.input != nil && choice.DataGrad != choice.Weights {
		st.algorithm += " and " + choice.DataGrad.String()
	}
	plan := conv.NewPlan(s, choice, g.input != nil)
	st.reads = append(append(st.reads, x.reads()...), dy.reads()...)
	st.need(x.a, x.b, dy.a, dy.b)
	if sg := conv.NewTwoStageGrad(plan.Weights, c.g.N, c.m.limits); sg != nil {
		sp := conv.NewTwoStage(plan.DataGrad, c.g.N, c.m.limits)
		if g.input == nil || sp != nil && sp.Round == sg.Round() {
			c.twoStageGradients(g, st, plan, x, dy, w, sg, sp)
			return nil
		}
	}
	parts := partsFor(c.m.units, plan.Weights.Len())
	st.spans = parts
	per := max(plan.X.Len(), plan.DY.Len())
	k := group(per, parts[0].n)
	c.need = c.need.Max(plan.Weights.Need(k))
	c.x, c.dy = max(c.x, k*plan.X.Len()), max(c.dy, k*plan.DY.Len())
	var input *inputGradient
	if g.input != nil {
		input = c.inputGradient(st, g, s, plan, w, k, len(parts))
	}
	length := plan.Weights.Len()
	c.acc = max(c.acc, len(parts)*length)
	accs := make([][]float32, len(parts))
	st.run = func(wk *worker, u, first, n int) {
		acc := wk.m.acc[u*length : (u+1)*length]
		accs[u] = acc
		clear(acc)
		input.begin(u)
		for at := 0; at < n; at += k {
			count := min(k, n-at)
			wk.fill(plan.DY, &wk.dy, dy, first+at, count)
			wk.fill(plan.X, &wk.x, x, first+at, count)
			plan.Weights.Add(wk.conv, acc, wk.x.data, wk.dy.data, count)
			input.run(wk, u, first+at, count)
		}
	}
	st.inner = plan.Weights.Units()
	st.runInner = func(wk *worker, u int) {
		plan.Weights.Finish(wk.conv, u, accs, w.Grad, wk.m.options.Accumulate)
	}
	c.add(st)
	return nil
}
