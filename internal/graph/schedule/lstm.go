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
					lstmFrame(op, ys[i*to.per:(i+1)*to.per], xs[i*from.per:(i+1)*from.per], h, g, i, k, int(length))
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

// lstmFrame computes the k-th frame of utterance i of a group and puts its hidden state into h.
func lstmFrame(op *graph.LSTM, y, x, h, g []float32, i, k, length int) {
	t, before := ref.LSTMStep(k, length, op.Reverse)
	u, frames := op.U, op.T
	gate := func(ch int) float32 {
		v := x[blockedIndex(ch, t, frames)]
		if k > 0 {
			v += g[blockedIndex(ch, i, lstmGroup)]
		}
		return v
	}
	for j := range u {
		a, in := kernel.Tanh(gate(j)), kernel.Logistic(gate(u+j))
		f, o := kernel.Logistic(gate(2*u+j)), kernel.Logistic(gate(3*u+j))
		cell := in * a
		if k > 0 {
			cell += f * y[blockedIndex(ref.LSTMCell*u+j, before, frames)]
		}
		v := o * kernel.Tanh(cell)
		y[blockedIndex(ref.LSTMHidden*u+j, t, frames)] = v
		y[blockedIndex(ref.LSTMCell*u+j, t, frames)] = cell
		y[blockedIndex(ref.LSTMCandidate*u+j, t, frames)] = a
		y[blockedIndex(ref.LSTMInput*u+j, t, frames)] = in
		y[blockedIndex(ref.LSTMForget*u+j, t, frames)] = f
		y[blockedIndex(ref.LSTMOutput*u+j, t, frames)] = o
		h[blockedIndex(j, i, lstmGroup)] = v
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
					lstmFrameGrad(op, out[i*to.per:(i+1)*to.per], ys[i*y.per:(i+1)*y.per], ds[i*dh.per:(i+1)*dh.per], back[s], cell[s][i*op.U:(i+1)*op.U], gates[s], i, k, int(length))
				}
			}
		}
	}})
	return nil
}

// lstmFrameGrad computes the gradients of the gates of the k-th frame of utterance i, to dx and to
// the group's image.
func lstmFrameGrad(op *graph.LSTMGrad, dx, y, dh, back, cell, gates []float32, i, k, length int) {
	t, before := ref.LSTMStep(k, length, op.Reverse)
	u, frames := op.U, op.T
	for j := range u {
		at := func(row int) float32 { return y[blockedIndex(row*u+j, t, frames)] }
		var previous float32
		if k > 0 {
			previous = y[blockedIndex(ref.LSTMCell*u+j, before, frames)]
		}
		d := dh[blockedIndex(j, t, frames)] + back[blockedIndex(j, i, lstmGroup)]
		a, in, f, o, c := at(ref.LSTMCandidate), at(ref.LSTMInput), at(ref.LSTMForget), at(ref.LSTMOutput), kernel.Tanh(at(ref.LSTMCell))
		dc := cell[j] + d*o*(1-c*c)
		cell[j] = dc * f
		for row, v := range [4]float32{dc * in * (1 - a*a), dc * a * in * (1 - in), dc * previous * f * (1 - f), d * c * o * (1 - o)} {
			dx[blockedIndex(row*u+j, t, frames)] = v
			gates[blockedIndex(row*u+j, i, lstmGroup)] = v
		}
	}
}

// lstmWeightGrad lowers the gradient of the recurrent weights: that of a 1×1 convolution of the
// hidden states, each moved to the frame that it acts on.
func (c *compiler) lstmWeightGrad(n *gorgonia.Node, op *graph.LSTMWeightGrad) error {
	p := c.gradOf(n)
	shape := conv.Shape{C: op.U, K: 4 * op.U, H: 1, W: op.T, R: 1, S: 1, Stride: 1}
	pass := conv.NewPlan(shape, conv.Choices{}, false).Weights
	if p == nil || pass.Input().Len() != shape.InLen() || pass.OutputGrad().Len() != shape.OutLen() {
		return c.fallback(n)
	}
	y, dx := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][1]])
	c.need = c.need.Max(pass.Need(1))
	moved, acc := kernel.Alloc(shape.InLen()), kernel.Alloc(pass.Len())
	parts := [][]float32{acc}
	c.add(&step{name: "LSTM weight gradient", products: recurrent(op.T, op.U, conv.WeightGradPass), backward: true, whole: true, grads: []*graph.Param{p}, reads: []*value{y, dx}, run: func(w *worker, _, _, _ int) {
		clear(acc)
		ys, gs := w.images(y, 0, op.N), w.images(dx, 0, op.N)
		for i := range op.N {
			moveHidden(moved, ys[i*y.per:(i+1)*y.per], op, int(op.State.Lengths[i]))
			pass.Add(w.conv, acc, moved, gs[i*dx.per:(i+1)*dx.per], 1)
		}
		for u := range pass.Units() {
			pass.Finish(w.conv, u, parts, p.Grad, w.m.options.Accumulate)
		}
	}})
	return nil
}

// moveHidden puts at each frame the hidden state of the frame computed before it, and zeros where
// there is none.
func moveHidden(dst, y []float32, op *graph.LSTMWeightGrad, length int) {
	for cb := range blocks(op.U) {
		to, from := dst[cb*op.T*block:(cb+1)*op.T*block], y[cb*op.T*block:(cb+1)*op.T*block]
		clear(to)
		if op.Reverse {
			copy(to[:(length-1)*block], from[block:])
		} else {
			copy(to[block:length*block], from)
		}
	}
}
