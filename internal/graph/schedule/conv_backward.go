package schedule

import (
	"fmt"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// partsFor splits the batch for a weight gradient: each part has an accumulator, all of them
// together at most a few megabytes. Small ones are more than units, for more threads.
func partsFor(images int, s sizes, accumulator int) []span {
	const budget = 1 << 20 // float32 values
	units := spansOf(images, s.whole)
	n := len(units)
	for _, most := range []int{maxSums, maxSums / 2} {
		if n < most && s.sums(images) >= most && most*accumulator <= budget*5/8 {
			n, units = most, spansOf(images, s.sum)
		}
	}
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

// share is what one thread does of a part of a weight gradient: that between some input and some
// output channels.
type share struct {
	part    int
	in, out conv.Blocks
}

// shares divides the parts of a weight gradient among more threads than there are parts, or returns
// nil where that is not needed or not possible. A weight has one owner in each part, who adds in
// the same order as one for all would.
func (c *compiler) shares(plan *conv.Plan, parts int) (list []share) {
	if _, ok := plan.Weights.(conv.DividedGrad); !ok || c.m.threads <= parts {
		return nil
	}
	want := (c.m.threads + parts - 1) / parts
	in := min(plan.X.CB, want)
	out := min(plan.DY.CB, (want+in-1)/in)
	for p := range parts {
		for i := range in {
			for o := range out {
				list = append(list, share{p, evenly(plan.X.CB, in, i), evenly(plan.DY.CB, out, o)})
			}
		}
	}
	return list
}

// evenly is part i of n blocks in so many parts.
func evenly(n, parts, i int) conv.Blocks {
	return conv.Blocks{From: i * n / parts, To: (i + 1) * n / parts}
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
	st.multiplies(s, choice.Weights, conv.WeightGradPass)
	if g.input != nil {
		st.multiplies(s, choice.DataGrad, conv.DataGradPass)
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
	parts := partsFor(c.g.N, c.m.sizes, plan.Weights.Len())
	st.spans = parts
	per := max(plan.X.Len(), plan.DY.Len())
	k := group(per, parts[0].n)
	c.need = c.need.Max(plan.Weights.Need(k))
	c.x, c.dy = max(c.x, k*plan.X.Len()), max(c.dy, k*plan.DY.Len())
	var input *inputGradient
	if g.input != nil {
		input = c.inputGradient(st, g, s, plan, w, k)
	}
	length := plan.Weights.Len()
	c.acc = max(c.acc, len(parts)*length)
	accs := make([][]float32, len(parts))
	if shares := c.shares(plan, len(parts)); shares != nil {
		c.divided(st, plan, x, dy, accs, parts, shares, k, input)
	} else {
		st.run = func(wk *worker, u, first, n int) {
			acc := wk.m.acc[u*length : (u+1)*length]
			accs[u] = acc
			clear(acc)
			input.begin(first, n)
			for at := 0; at < n; at += k {
				count := min(k, n-at)
				wk.fill(plan.DY, &wk.dy, dy, first+at, count)
				wk.fill(plan.X, &wk.x, x, first+at, count)
				plan.Weights.Add(wk.conv, acc, wk.x.data, wk.dy.data, count)
				input.run(wk, first+at, count)
			}
		}
	}
	c.sumParts(st, plan.Weights, accs, w)
	c.add(st)
	return nil
}

// sumParts makes a step add the parts of a weight gradient when all are there; the backward sums
// are merged beside that.
func (c *compiler) sumParts(st *step, g conv.WeightGrad, accs [][]float32, w *graph.Param) {
	of := finishDivision(g.Units(), c.m.threads)
	st.inner, st.finishBeside = g.Units()*of, true
	st.runInner = func(wk *worker, u int) {
		g.Finish(wk.conv, u, of, accs, w.Grad, wk.m.options.Accumulate)
	}
}

// finishDivision is into how many parts each of so many units of a weight gradient's sum is
// divided, so that all threads have one.
func finishDivision(units, threads int) int {
	of := 1
	for of < conv.FinishDivision && units*of < threads {
		of *= 2
	}
	return of
}

// divided is the step of both gradients for more threads than parts: the weight gradient's shares
// first, which take longest, then the units of the input's gradient. Each fills its own buffers.
func (c *compiler) divided(st *step, plan *conv.Plan, x, dy *lazy, accs [][]float32, parts []span, shares []share, k int, input *inputGradient) {
	length, weights := plan.Weights.Len(), plan.Weights.(conv.DividedGrad)
	var spans []span
	groups := k
	for _, s := range shares {
		spans = append(spans, parts[s.part])
	}
	if input != nil {
		var unit int
		groups, unit = c.m.sizes.groupsOf(max(plan.X.Len(), plan.DY.Len()), plan.X.CB, parts[0].n)
		spans = append(spans, spansWithin(parts, unit)...)
	}
	st.spans = spans
	st.run = func(wk *worker, u, first, n int) {
		if u >= len(shares) {
			input.begin(first, n)
			for at := 0; at < n; at += groups {
				count := min(groups, n-at)
				wk.fill(plan.DY, &wk.dy, dy, first+at, count)
				input.run(wk, first+at, count)
			}
			return
		}
		s := shares[u]
		acc := wk.m.acc[s.part*length : (s.part+1)*length]
		weights.ClearBlocks(acc, s.in, s.out)
		for at := 0; at < n; at += k {
			count := min(k, n-at)
			wk.fillBlocks(plan.DY, &wk.dy, dy, first+at, count, s.out)
			wk.fillBlocks(plan.X, &wk.x, x, first+at, count, s.in)
			weights.AddBlocks(wk.conv, acc, wk.x.data, wk.dy.data, count, s.in, s.out)
		}
		if s.in.From == 0 && s.out.From == 0 {
			accs[s.part] = acc
		}
	}
}
