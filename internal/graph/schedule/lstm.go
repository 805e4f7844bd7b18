package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/kernel/ref"
)

// lstmGroup is how many utterances go through a recurrence together: the weights are read once for
// all of them at each frame. It follows from nothing but the batch, so that results do not depend
// on the threads.
const lstmGroup = 4

// lstmSpans divides a batch into groups.
func lstmSpans(n int) (spans []span) {
	for at := 0; at < n; at += lstmGroup {
		spans = append(spans, span{at, min(lstmGroup, n-at)})
	}
	return spans
}

// hiddenShape is the product of the recurrent weights with the hidden states of a group: a 1×1
// convolution whose pixels are utterances.
func hiddenShape(u int) conv.Shape {
	return conv.Shape{C: u, K: 4 * u, H: 1, W: lstmGroup, R: 1, S: 1, Stride: 1}
}

// blockedIndex is the place of channel ch of pixel p in a blocked image of hw pixels.
func blockedIndex(ch, p, hw int) int { return (ch/block*hw+p)*block + ch%block }

// lstm lowers the forward pass of a recurrent layer of one direction.
func (c *compiler) lstm(n *gorgonia.Node, op *graph.LSTM) error {
	weights := c.param[c.in[n][1]]
	pass := conv.NewForward(hiddenShape(op.U), conv.Direct)
	if weights == nil || pass.Input().Len() != blocks(op.U)*lstmGroup*block {
		return c.fallback(n)
	}
	from := c.blocked(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, packed, spans := t.lazy.x, c.packed(pass, weights), lstmSpans(op.N)
	hidden, gates := buffers(len(spans), pass.Input().Len()), buffers(len(spans), blocks(4*op.U)*lstmGroup*block)
	c.scratch = max(c.scratch, lstmScratch*op.U)
	c.add(&step{name: "LSTM", products: recurrent(op.T, op.U, conv.ForwardPass), weights: len(packed), spans: spans, reads: []*value{from}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		h, g := hidden[first/lstmGroup], gates[first/lstmGroup]
		clear(h)
		xs, ys := w.images(from, first, n), w.images(to, first, n)
		lengths := op.State.Lengths[first : first+n]
		for k := range longest(lengths) {
			if k > 0 {
				pass.Run(w.conv, g, h, 1, packed)
			}
			for i, length := range lengths {
				if k < int(length) {
					lstmFrame(op, ys[i*to.per:(i+1)*to.per], xs[i*from.per:(i+1)*from.per], h, g, w.scratch, i, k, int(length))
				}
			}
		}
		for i, length := range lengths {
			for b := range to.per / (op.T * block) {
				clear(ys[i*to.per+(b*op.T+int(length))*block : i*to.per+(b+1)*op.T*block])
			}
		}
	}})
	return nil
}

// lstmScratch is how many values a frame needs of a worker for each unit.
const lstmScratch = 8

// lstmFrame computes the k-th frame of utterance i of a group and puts its hidden state into h. s
// is scratch.
func lstmFrame(op *graph.LSTM, y, x, h, g, s []float32, i, k, length int) {
	t, before := ref.LSTMStep(k, length, op.Reverse)
	u, frames := op.U, op.T
	gates, cell, hidden := s[:4*u], s[4*u:5*u], s[5*u:6*u]
	gather(gates, x, 0, t, frames)
	if k > 0 {
		recurrent := s[4*u : 8*u]
		gather(recurrent, g, 0, i, lstmGroup)
		for j, v := range recurrent {
			gates[j] += v
		}
		gather(cell, y, ref.LSTMCell*u, before, frames)
	}
	kernel.TanhOf(gates[:u], gates[:u])
	kernel.Sigmoid(gates[u:], gates[u:])
	a, in, f, o := gates[:u], gates[u:2*u], gates[2*u:3*u], gates[3*u:]
	for j := range cell {
		c := in[j] * a[j]
		if k > 0 {
			c += f[j] * cell[j]
		}
		cell[j] = c
	}
	kernel.TanhOf(hidden, cell)
	for j := range hidden {
		hidden[j] *= o[j]
	}
	for _, row := range []struct {
		of int
		v  []float32
	}{{ref.LSTMHidden, hidden}, {ref.LSTMCell, cell}, {ref.LSTMCandidate, a}, {ref.LSTMInput, in}, {ref.LSTMForget, f}, {ref.LSTMOutput, o}} {
		scatter(y, row.v, row.of*u, t, frames)
	}
	scatter(h, hidden, 0, i, lstmGroup)
}

// gather copies the channels from the given one of pixel p of a blocked image of hw pixels.
func gather(dst, src []float32, from, p, hw int) {
	for len(dst) > 0 {
		n := copy(dst[:min(len(dst), block-from%block)], src[blockedIndex(from, p, hw):])
		dst, from = dst[n:], from+n
	}
}

// scatter is the reverse of gather.
func scatter(dst, src []float32, from, p, hw int) {
	for len(src) > 0 {
		n := copy(dst[blockedIndex(from, p, hw):], src[:min(len(src), block-from%block)])
		src, from = src[n:], from+n
	}
}

func longest(lengths []int32) int {
	most := int32(0)
	for _, l := range lengths {
		most = max(most, l)
	}
	return int(most)
}

func buffers(n, size int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = kernel.Alloc(size)
	}
	return out
}

// lstmGrad lowers the gradient of the gates' inputs.
func (c *compiler) lstmGrad(n *gorgonia.Node, op *graph.LSTMGrad) error {
	weights := c.param[c.in[n][0]]
	pass := conv.NewPlan(hiddenShape(op.U), conv.Choices{}, true).DataGrad
	if weights == nil || pass.Input().Len() != blocks(4*op.U)*lstmGroup*block {
		return c.fallback(n)
	}
	y, dh := c.blocked(c.tensors[c.in[n][1]]), c.blocked(c.tensors[c.in[n][2]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, packed, spans := t.lazy.x, c.packed(pass, weights), lstmSpans(op.N)
	back, cell, gates := buffers(len(spans), blocks(op.U)*lstmGroup*block), buffers(len(spans), lstmGroup*op.U), buffers(len(spans), pass.Input().Len())
	c.scratch = max(c.scratch, lstmScratch*op.U)
	c.add(&step{name: "LSTM gradient", products: recurrent(op.T, op.U, conv.DataGradPass), weights: len(packed), backward: true, spans: spans, reads: []*value{y, dh}, writes: []*value{to}, run: func(w *worker, _, first, n int) {
		s := first / lstmGroup
		clear(cell[s])
		clear(gates[s])
		ys, ds, out := w.images(y, first, n), w.images(dh, first, n), w.images(to, first, n)
		clear(out)
		lengths := op.State.Lengths[first : first+n]
		// Utterances end at the same step and begin at their own: the state of a shorter one is 0
		// until it does.
		for k := longest(lengths) - 1; k >= 0; k-- {
			pass.Run(w.conv, back[s], gates[s], 1, packed)
			for i, length := range lengths {
				if k < int(length) {
					lstmFrameGrad(op, out[i*to.per:(i+1)*to.per], ys[i*y.per:(i+1)*y.per], ds[i*dh.per:(i+1)*dh.per], back[s], cell[s][i*op.U:(i+1)*op.U], gates[s], w.scratch, i, k, int(length))
				}
			}
		}
	}})
	return nil
}

// lstmFrameGrad computes the gradients of the gates of the k-th frame of utterance i, to dx and to
// the group's image. s is scratch.
func lstmFrameGrad(op *graph.LSTMGrad, dx, y, dh, back, cell, gates, s []float32, i, k, length int) {
	t, before := ref.LSTMStep(k, length, op.Reverse)
	u, frames := op.U, op.T
	row := func(r int) []float32 { return s[r*u : (r+1)*u] }
	a, in, f, o, c, previous, d, from := row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)
	for _, of := range []struct {
		v  []float32
		at int
	}{{a, ref.LSTMCandidate}, {in, ref.LSTMInput}, {f, ref.LSTMForget}, {o, ref.LSTMOutput}, {c, ref.LSTMCell}} {
		gather(of.v, y, of.at*u, t, frames)
	}
	kernel.TanhOf(c, c)
	if k > 0 {
		gather(previous, y, ref.LSTMCell*u, before, frames)
	} else {
		clear(previous)
	}
	gather(d, dh, 0, t, frames)
	gather(from, back, 0, i, lstmGroup)
	for j := range u {
		d := d[j] + from[j]
		a0, in0, f0, o0, c := a[j], in[j], f[j], o[j], c[j]
		dc := cell[j] + d*o0*(1-c*c)
		cell[j] = dc * f0
		a[j], in[j], f[j], o[j] = dc*in0*(1-a0*a0), dc*a0*in0*(1-in0), dc*previous[j]*f0*(1-f0), d*c*o0*(1-o0)
	}
	scatter(dx, s[:4*u], 0, t, frames)
	scatter(gates, s[:4*u], 0, i, lstmGroup)
}

// lstmWeightGrad lowers the gradient of the recurrent weights: that of a 1×1 convolution of the
// hidden states, each moved to the frame that it acts on.
func (c *compiler) lstmWeightGrad(n *gorgonia.Node, op *graph.LSTMWeightGrad) error {
	p := c.gradOf(n)
	shape := conv.Shape{C: op.U, K: 4 * op.U, H: 1, W: op.T, R: 1, S: 1, Stride: 1}
	pass, ok := conv.NewPlan(shape, conv.Choices{}, false).Weights.(conv.DividedGrad)
	if p == nil || !ok || pass.Input().Len() != shape.InLen() || pass.OutputGrad().Len() != shape.OutLen() {
		return c.fallback(n)
	}
	y, dx := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][1]])
	c.need = c.need.Max(pass.Need(1))
	moved, acc := kernel.Alloc(shape.InLen()), kernel.Alloc(pass.Len())
	parts, in, out := [][]float32{acc}, blocks(op.U), conv.Blocks{To: blocks(4 * op.U)}
	// A unit is a block of hidden states with all gates, of all utterances: nothing is added up
	// among units.
	st := &step{name: "LSTM weight gradient", products: recurrent(op.T, op.U, conv.WeightGradPass), backward: true, whole: true, grads: []*graph.Param{p}, reads: []*value{y, dx}}
	st.inner = in
	st.runInner = func(w *worker, u int) {
		of := conv.Blocks{From: u, To: u + 1}
		pass.ClearBlocks(acc, of, out)
		ys, gs := w.images(y, 0, op.N), w.images(dx, 0, op.N)
		for i := range op.N {
			moveHidden(moved, ys[i*y.per:(i+1)*y.per], op, int(op.State.Lengths[i]), u)
			pass.AddBlocks(w.conv, acc, moved, gs[i*dx.per:(i+1)*dx.per], 1, of, out)
		}
		each := pass.Units() / in
		for i := range each {
			pass.Finish(w.conv, u*each+i, 1, parts, p.Grad, w.m.options.Accumulate)
		}
	}
	c.add(st)
	return nil
}

// moveHidden puts at each frame a block of the hidden state of the frame computed before it, and
// zeros where there is none.
func moveHidden(dst, y []float32, op *graph.LSTMWeightGrad, length, cb int) {
	to, from := dst[cb*op.T*block:(cb+1)*op.T*block], y[cb*op.T*block:(cb+1)*op.T*block]
	clear(to)
	if op.Reverse {
		copy(to[:(length-1)*block], from[block:])
	} else {
		copy(to[block:length*block], from)
	}
}
