package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/kernel/ref"
)

// lstm lowers the forward pass of a recurrent layer of one direction.
func (c *compiler) lstm(n *gorgonia.Node, op *graph.LSTM) error {
	r := c.recurrence(conv.NewForward(hiddenShape(op.U), conv.Direct), c.param[c.in[n][1]], op.LSTMShape, 1, 4)
	if r == nil {
		return c.fallback(n)
	}
	from := c.blocked(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	st := &step{name: "LSTM", products: recurrent(op.T, op.U, conv.ForwardPass), reads: []*value{from}, writes: []*value{to}}
	r.drive(st, op.State, func(w *worker, of slice, lengths []int32) {
		k := w.m.round
		before, after := r.state[k%2], r.state[(k+1)%2]
		r.touch(w, to, of, ref.LSTMRows, lengths, k, op.Reverse)
		if k == 0 {
			for i, length := range lengths {
				r.clearFrames(w.images(to, i, 1), of, ref.LSTMRows, int(length))
			}
		} else {
			r.multiply(w, of, before, lengths, k)
		}
		for i, length := range lengths {
			if k < int(length) {
				g, place := groupOf(i)
				lstmFrame(op, of, w.images(to, i, 1), w.images(from, i, 1), after[g], r.products[g], w.scratch, place, k, int(length))
			}
		}
	})
	c.add(st)
	return nil
}

// lstmScratch is how many values a frame needs of a worker for each unit.
const lstmScratch = 8

// lstmFrame computes the k-th frame of a slice of an utterance's units, and puts its hidden state
// into h at its place in the group, where g has the products of the frame before. s is scratch.
func lstmFrame(op *graph.LSTM, of slice, y, x, h, g, s []float32, place, k, length int) {
	t, before := ref.LSTMStep(k, length, op.Reverse)
	u, n, frames := op.U, of.n, op.T
	gates, cell, hidden := s[:4*n], s[4*n:5*n], s[5*n:6*n]
	for row := range 4 {
		gather(gates[row*n:(row+1)*n], x, row*u+of.from, t, frames)
	}
	if k > 0 {
		recurrent := s[4*n : 8*n]
		for row := range 4 {
			gather(recurrent[row*n:(row+1)*n], g, row*u+of.from, place, lstmGroup)
		}
		for j, v := range recurrent {
			gates[j] += v
		}
		gather(cell, y, ref.LSTMCell*u+of.from, before, frames)
	}
	kernel.TanhOf(gates[:n], gates[:n])
	kernel.Sigmoid(gates[n:], gates[n:])
	a, in, f, o := gates[:n], gates[n:2*n], gates[2*n:3*n], gates[3*n:]
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
		scatter(y, row.v, row.of*u+of.from, t, frames)
	}
	scatter(h, hidden, of.from, place, lstmGroup)
}

// lstmGrad lowers the gradient of the gates' inputs.
func (c *compiler) lstmGrad(n *gorgonia.Node, op *graph.LSTMGrad) error {
	r := c.recurrence(conv.NewPlan(hiddenShape(op.U), conv.Choices{}, true).DataGrad, c.param[c.in[n][0]], op.LSTMShape, 4, 1)
	if r == nil {
		return c.fallback(n)
	}
	y, dh := c.blocked(c.tensors[c.in[n][1]]), c.blocked(c.tensors[c.in[n][2]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, cell := t.lazy.x, kernel.Alloc(op.N*op.U)
	st := &step{name: "LSTM gradient", products: recurrent(op.T, op.U, conv.DataGradPass), backward: true, reads: []*value{y, dh}, writes: []*value{to}}
	r.drive(st, op.State, func(w *worker, of slice, lengths []int32) {
		// Utterances end at the same round and begin at their own.
		k := longest(lengths) - 1 - w.m.round
		after, now := r.state[(k+1)%2], r.state[k%2]
		r.touch(w, to, of, 4, lengths, k, op.Reverse)
		if w.m.round == 0 {
			for i, length := range lengths {
				if op.U%block != 0 { // what is left of the last block is read, too
					length = 0
				}
				r.clearFrames(w.images(to, i, 1), of, 4, int(length))
				clear(cell[i*op.U+of.from:][:of.n])
			}
		}
		r.multiply(w, of, after, lengths, k+1)
		for i, length := range lengths {
			if k < int(length) {
				g, place := groupOf(i)
				lstmFrameGrad(op, of, w.images(to, i, 1), w.images(y, i, 1), w.images(dh, i, 1), r.products[g], cell[i*op.U+of.from:][:of.n], now[g], w.scratch, place, k, int(length))
			}
		}
	})
	c.add(st)
	return nil
}

// lstmFrameGrad computes the gradients of the gates of the k-th frame of a slice of an utterance's
// units, to dx and to the group's state. s is scratch.
func lstmFrameGrad(op *graph.LSTMGrad, of slice, dx, y, dh, back, cell, gates, s []float32, place, k, length int) {
	t, before := ref.LSTMStep(k, length, op.Reverse)
	u, n, frames := op.U, of.n, op.T
	row := func(r int) []float32 { return s[r*n : (r+1)*n] }
	a, in, f, o, c, previous, d, from := row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)
	for _, v := range []struct {
		v  []float32
		at int
	}{{a, ref.LSTMCandidate}, {in, ref.LSTMInput}, {f, ref.LSTMForget}, {o, ref.LSTMOutput}, {c, ref.LSTMCell}} {
		gather(v.v, y, v.at*u+of.from, t, frames)
	}
	kernel.TanhOf(c, c)
	if k > 0 {
		gather(previous, y, ref.LSTMCell*u+of.from, before, frames)
	} else {
		clear(previous)
	}
	gather(d, dh, of.from, t, frames)
	if k+1 < length {
		gather(from, back, of.from, place, lstmGroup)
	} else {
		clear(from)
	}
	for j := range n {
		d := d[j] + from[j]
		a0, in0, f0, o0, c := a[j], in[j], f[j], o[j], c[j]
		dc := cell[j] + d*o0*(1-c*c)
		cell[j] = dc * f0
		a[j], in[j], f[j], o[j] = dc*in0*(1-a0*a0), dc*a0*in0*(1-in0), dc*previous[j]*f0*(1-f0), d*c*o0*(1-o0)
	}
	for r := range 4 {
		scatter(dx, row(r), r*u+of.from, t, frames)
		scatter(gates, row(r), r*u+of.from, place, lstmGroup)
	}
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
	sums, in, out := [][]float32{acc}, blocks(op.U), blocks(4*op.U)
	// A unit is some blocks of hidden states with all gates, of all utterances: nothing is added up
	// among units.
	unit := max(1, min(hiddenBlocks, in/c.m.threads))
	st := &step{name: "LSTM weight gradient", products: recurrent(op.T, op.U, conv.WeightGradPass), backward: true, whole: true, grads: []*graph.Param{p}, reads: []*value{y, dx}}
	st.inner = parts(in, unit)
	st.runInner = func(w *worker, u int) {
		of := conv.Blocks{From: u * unit, To: min(in, (u+1)*unit)}
		pass.ClearBlocks(acc, of, conv.Blocks{To: out})
		ys, gs := w.images(y, 0, op.N), w.images(dx, 0, op.N)
		for i := range op.N {
			for cb := of.From; cb < of.To; cb++ {
				moveHidden(moved, ys[i*y.per:(i+1)*y.per], op, int(op.State.Lengths[i]), cb)
			}
			for ob := 0; ob < out; ob += gateBlocks {
				pass.AddBlocks(w.conv, acc, moved, gs[i*dx.per:(i+1)*dx.per], 1, of, conv.Blocks{From: ob, To: min(out, ob+gateBlocks)})
			}
		}
		each := pass.Units() / in
		for i := of.From * each; i < of.To*each; i++ {
			pass.Finish(w.conv, i, 1, sums, p.Grad, w.m.options.Accumulate)
		}
	}
	c.add(st)
	return nil
}

// How many blocks of hidden states and of gates go through a weight gradient together: the gates,
// which are all read for each hidden state, stay in the second-level cache meanwhile.
const (
	hiddenBlocks = 4
	gateBlocks   = 16
)

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
