package schedule

import (
	"math"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/kernel/ref"
)

// lstmGroup is how many utterances a recurrence multiplies together. It follows from nothing, so
// that results do not depend on the batch.
const lstmGroup = 8

// hiddenShape is the product of the recurrent weights with the hidden states of a group: a 1×1
// convolution whose pixels are utterances.
func hiddenShape(u int) conv.Shape {
	return conv.Shape{C: u, K: 4 * u, H: 1, W: lstmGroup, R: 1, S: 1, Stride: 1}
}

// recurrence is how a layer of n utterances and u units goes through its frames: at each one every
// thread computes a slice of the units of all utterances, and then waits for the others. So it
// reads its part of the weights alone, at each frame once for all.
type recurrence struct {
	pass   *conv.Split
	u      int
	slices int
	groups int
	packed []float32
	// products are those of the recurrent weights, of every group. state is what they multiply: of
	// the frame before, and of this one.
	products [][]float32
	state    [2][][]float32
}

// sliceUnits is the least that a thread computes: a pair of blocks, which kernels take together.
const sliceUnits = 2 * block

// recurrence divides a product over frames. of is the values of a group that it makes, and from
// those that it multiplies.
func (c *compiler) recurrence(p conv.Pass, w *graph.Param, n, u, from, of int) *recurrence {
	r := &recurrence{u: u, slices: 1, groups: parts(n, lstmGroup)}
	if r.pass = conv.NewSplit(p, max(1, of/sliceUnits)); r.pass == nil || w == nil || p.Input().Len() != blocks(from)*lstmGroup*block {
		return nil
	}
	if u%sliceUnits == 0 {
		r.slices = min(c.m.threads, u/sliceUnits)
	}
	r.packed = c.packed(p, w)
	r.products = buffers(r.groups, blocks(of)*lstmGroup*block)
	for i := range r.state {
		r.state[i] = buffers(r.groups, p.Input().Len())
	}
	c.need = c.need.Max(r.pass.Need())
	c.scratch = max(c.scratch, lstmScratch*u)
	return r
}

// slice is units [from, from+n) of a layer.
type slice struct{ from, n int }

// slice is the i-th one, in whole pairs of blocks.
func (r *recurrence) slice(i int) slice {
	pairs := max(1, r.u/sliceUnits)
	from, to := i*pairs/r.slices*sliceUnits, (i+1)*pairs/r.slices*sliceUnits
	if r.slices == 1 {
		return slice{0, r.u}
	}
	return slice{from, to - from}
}

// multiply computes the products of a slice with the state of frame k-1 or k+1. Every other frame
// it goes through the weights backwards: those that it has read last are still in the cache.
func (r *recurrence) multiply(w *worker, of slice, rows, k int, state [][]float32, isActive func(group int) bool) {
	each := r.pass.Units()
	if r.slices > 1 {
		each = of.n / sliceUnits * rows
	}
	for i := range each {
		unit := i
		if k%2 == 1 {
			unit = each - 1 - i
		}
		if r.slices > 1 {
			pairs := of.n / sliceUnits
			unit = (unit/pairs*r.u+of.from)/sliceUnits + unit%pairs
		}
		for g, x := range state {
			if isActive(g) {
				r.pass.ComputeTo(w.conv, r.products[g], x, unit, r.packed)
			}
		}
	}
}

// groupOf is the group of an utterance, and its place there.
func groupOf(utterance int) (group, place int) { return utterance / lstmGroup, utterance % lstmGroup }

// blockedIndex is the place of channel ch of pixel p in a blocked image of hw pixels.
func blockedIndex(ch, p, hw int) int { return (ch/block*hw+p)*block + ch%block }

// lstm lowers the forward pass of a recurrent layer of one direction.
func (c *compiler) lstm(n *gorgonia.Node, op *graph.LSTM) error {
	r := c.recurrence(conv.NewForward(hiddenShape(op.U), conv.Direct), c.param[c.in[n][1]], op.N, op.U, op.U, 4*op.U)
	if r == nil {
		return c.fallback(n)
	}
	from := c.blocked(c.tensors[c.in[n][0]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to := t.lazy.x
	st := &step{name: "LSTM", products: recurrent(op.T, op.U, conv.ForwardPass), weights: len(r.packed), reads: []*value{from}, writes: []*value{to}}
	st.inner = r.slices
	st.rounds = func(n int) int { return longest(op.State.Lengths[:n]) }
	st.runInner = func(w *worker, u int) {
		of, k, lengths := r.slice(u), w.m.round, op.State.Lengths[:w.m.count]
		before, after := r.state[k%2], r.state[(k+1)%2]
		for i, length := range lengths {
			if k < int(length) {
				t, _ := ref.LSTMStep(k, int(length), op.Reverse)
				w.touch(w.images(to, i, 1), of, op.U, ref.LSTMRows, t, op.T)
			}
		}
		if k == 0 {
			for i, length := range lengths {
				clearFrames(w.images(to, i, 1), op.T, int(length), ref.LSTMRows, r, of)
			}
		} else {
			r.multiply(w, of, 4, k, before, func(g int) bool { return k < longest(groupLengths(lengths, g)) })
		}
		for i, length := range lengths {
			if k < int(length) {
				g, place := groupOf(i)
				lstmFrame(op, of, w.images(to, i, 1), w.images(from, i, 1), after[g], r.products[g], w.scratch, place, k, int(length))
			}
		}
	}
	c.add(st)
	return nil
}

// touch reads a value of every line that a slice has of a frame, in so many rows of u units. They
// lie far apart, so a store to each in turn would wait for memory, where reads go side by side.
func (w *worker) touch(y []float32, of slice, u, rows, t, frames int) {
	bits := uint32(0)
	for row := range rows {
		for ch := row*u + of.from; ch < row*u+of.from+of.n; ch += block {
			bits |= math.Float32bits(y[blockedIndex(ch, t, frames)])
		}
	}
	w.touched = bits
}

// groupLengths are those of a group; none where the batch has ended before it.
func groupLengths(lengths []int32, g int) []int32 {
	return lengths[min(len(lengths), g*lstmGroup):min(len(lengths), (g+1)*lstmGroup)]
}

// clearFrames puts zeros behind the end of an utterance, in a slice of so many rows of units.
func clearFrames(y []float32, frames, length, rows int, r *recurrence, of slice) {
	perRow := r.u / block
	if r.slices == 1 { // the units may end within a block
		rows, perRow, of = 1, len(y)/(frames*block), slice{0, len(y) / frames}
	}
	for row := range rows {
		for b := of.from / block; b < (of.from+of.n)/block; b++ {
			at := row*perRow + b
			clear(y[(at*frames+length)*block : (at+1)*frames*block])
		}
	}
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

// gather copies the channels from the given one of pixel p of a blocked image of hw pixels.
func gather(dst, src []float32, from, p, hw int) {
	for len(dst) > 0 {
		at := src[blockedIndex(from, p, hw):]
		if from%block == 0 && len(dst) >= block { // inline, while a copy would be a call
			*(*kernel.Vec)(dst) = *(*kernel.Vec)(at)
			dst, from = dst[block:], from+block
			continue
		}
		n := copy(dst[:min(len(dst), block-from%block)], at)
		dst, from = dst[n:], from+n
	}
}

// scatter is the reverse of gather.
func scatter(dst, src []float32, from, p, hw int) {
	for len(src) > 0 {
		at := dst[blockedIndex(from, p, hw):]
		if from%block == 0 && len(src) >= block {
			*(*kernel.Vec)(at) = *(*kernel.Vec)(src)
			src, from = src[block:], from+block
			continue
		}
		n := copy(at, src[:min(len(src), block-from%block)])
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
	r := c.recurrence(conv.NewPlan(hiddenShape(op.U), conv.Choices{}, true).DataGrad, c.param[c.in[n][0]], op.N, op.U, 4*op.U, op.U)
	if r == nil {
		return c.fallback(n)
	}
	y, dh := c.blocked(c.tensors[c.in[n][1]]), c.blocked(c.tensors[c.in[n][2]])
	t, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	to, cell := t.lazy.x, kernel.Alloc(op.N*op.U)
	st := &step{name: "LSTM gradient", products: recurrent(op.T, op.U, conv.DataGradPass), weights: len(r.packed), backward: true, reads: []*value{y, dh}, writes: []*value{to}}
	st.inner = r.slices
	st.rounds = func(n int) int { return longest(op.State.Lengths[:n]) }
	st.runInner = func(w *worker, u int) {
		of, lengths := r.slice(u), op.State.Lengths[:w.m.count]
		// Utterances end at the same round and begin at their own.
		k := longest(lengths) - 1 - w.m.round
		after, now := r.state[(k+1)%2], r.state[k%2]
		for i, length := range lengths {
			if k < int(length) {
				t, _ := ref.LSTMStep(k, int(length), op.Reverse)
				w.touch(w.images(to, i, 1), of, op.U, 4, t, op.T)
			}
		}
		if w.m.round == 0 {
			for i, length := range lengths {
				if op.U%block != 0 { // what is left of the last block is read, too
					length = 0
				}
				clearFrames(w.images(to, i, 1), op.T, int(length), 4, r, of)
				clear(cell[i*op.U+of.from:][:of.n])
			}
		}
		r.multiply(w, of, 1, k, after, func(g int) bool { return k+1 < longest(groupLengths(lengths, g)) })
		for i, length := range lengths {
			if k < int(length) {
				g, place := groupOf(i)
				lstmFrameGrad(op, of, w.images(to, i, 1), w.images(y, i, 1), w.images(dh, i, 1), r.products[g], cell[i*op.U+of.from:][:of.n], now[g], w.scratch, place, k, int(length))
			}
		}
	}
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
	parts, in, out := [][]float32{acc}, blocks(op.U), blocks(4*op.U)
	// A unit is some blocks of hidden states with all gates, of all utterances: nothing is added up
	// among units.
	unit := max(1, min(hiddenBlocks, in/c.m.threads))
	st := &step{name: "LSTM weight gradient", products: recurrent(op.T, op.U, conv.WeightGradPass), backward: true, whole: true, grads: []*graph.Param{p}, reads: []*value{y, dx}}
	st.inner = (in + unit - 1) / unit
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
			pass.Finish(w.conv, i, 1, parts, p.Grad, w.m.options.Accumulate)
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
