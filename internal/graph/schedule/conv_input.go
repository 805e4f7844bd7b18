package schedule

import (
	"fmt"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// inputGradient computes the gradient of a convolution's input from the padded gradient of its
// output in a worker's buffer, and applies the backward epilogue to it. Without one there is
// nothing to do.
type inputGradient struct {
	plan   *conv.Plan
	packed []float32
	whole  *conv.Split // hands the result over in parts; nil where the algorithm makes whole images
	sums   sink
	apply  eachPart
	sizes  sizes
	plane  int // values of a block of channels
	len    int // values of an image
}

// inputGradient prepares that of group g, k images at a time.
func (c *compiler) inputGradient(st *step, g *convGradients, s conv.Shape, plan *conv.Plan, w *graph.Param, k int) *inputGradient {
	d := &inputGradient{plan: plan, packed: c.packed(plan.DataGrad, w), whole: conv.NewParts(plan.DataGrad), plane: s.H * s.W * block, len: s.InLen(), sizes: c.m.sizes}
	st.writes = append(st.writes, c.tensors[g.epilogue.end].lazy.x)
	st.weights = len(d.packed)
	c.need = c.need.Max(plan.DataGrad.Need(k))
	if d.whole != nil {
		c.need = c.need.Max(d.whole.Need())
	} else {
		c.y = max(c.y, k*d.len)
	}
	d.sums, d.apply = c.withEpilogue(st, g.epilogue, c.sums())
	return d
}

// begin clears the sums of images.
func (d *inputGradient) begin(first, n int) {
	if d != nil && d.sums != nil {
		d.sizes.eachSum(first, n, func(u, _ int) { d.sums.begin(u) })
	}
}

// run does n images, of which the padded gradients are in the worker's buffer.
func (d *inputGradient) run(w *worker, first, n int) {
	if d == nil {
		return
	}
	if d.whole != nil {
		per := d.plan.DY.Len()
		for i := range n {
			p := d.sizes.part(first + i)
			d.whole.Image(w.conv, w.dy.data[i*per:(i+1)*per], d.packed, func(cb, from int, y []float32) {
				d.apply(w, part{unit: p.unit, image: p.image, cb: cb, from: from}, y)
			})
		}
		return
	}
	d.plan.DataGrad.Run(w.conv, w.y, w.dy.data, n, d.packed)
	for i := range n {
		d.apply.blocks(w, d.sizes.part(first+i), w.y[i*d.len:(i+1)*d.len], d.plane)
	}
}

// lowerConvInputGrad lowers the gradient of a convolution's input alone, where its weights are
// frozen.
func (c *compiler) lowerConvInputGrad(g *convGradients) error {
	op := graph.OpOf(g.input).(*graph.ConvInputGrad)
	weights := c.param[c.in[g.input][0]]
	if weights == nil {
		return fmt.Errorf("schedule: %v does not read a parameter", op)
	}
	from := c.tensors[g.dy]
	if from == nil {
		return fmt.Errorf("schedule: the gradient behind %v has not been computed", op)
	}
	s, dy := shapeOf(op.ConvShape), c.lazy(from)
	choice := c.m.choose(s)
	plan := conv.NewPlan(s, choice, true)
	st := &step{name: "conv input gradient", shape: s.String(), algorithm: choice.DataGrad.String(), backward: true, reads: dy.reads()}
	st.multiplies(s, choice.DataGrad, conv.DataGradPass)
	st.need(dy.a, dy.b)
	k, unit := c.m.sizes.groupsOf(plan.DY.Len(), blocks(s.C), c.m.sizes.whole)
	if unit != c.m.sizes.unit {
		st.spans = spansWithin(spansOf(c.g.N, c.m.sizes.whole), unit)
	}
	c.dy = max(c.dy, k*plan.DY.Len())
	input := c.inputGradient(st, g, s, plan, weights, k)
	st.run = func(w *worker, _, first, n int) {
		input.begin(first, n)
		for at := 0; at < n; at += k {
			count := min(k, n-at)
			w.fill(plan.DY, &w.dy, dy, first+at, count)
			input.run(w, first+at, count)
		}
	}
	c.add(st)
	return nil
}
