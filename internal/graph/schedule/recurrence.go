package schedule

import (
	"math"

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

// recurrence is how a layer goes through its frames: at each one every thread computes a slice of
// the units of all utterances, and then waits for the others. So it reads its part of the weights
// alone, at each frame once for all.
type recurrence struct {
	pass   *conv.Split
	shape  graph.LSTMShape
	slices []slice
	packed []float32
	// products are those of the recurrent weights, of every group. state is what they multiply: of
	// the frame before, and of this one.
	products [][]float32
	state    [2][][]float32
}

// slice is units [from, from+n) of a layer, and the units of the split product that they need.
type slice struct {
	from, n  int
	products []int
}

// sliceUnits is the least that a thread computes: a pair of blocks, which kernels take together.
const sliceUnits = 2 * block

// recurrence divides a product over frames, which makes to times as many values as the layer has
// units from from times as many; nil where it does not fit.
func (c *compiler) recurrence(p conv.Pass, w *graph.Param, s graph.LSTMShape, from, to int) *recurrence {
	r := &recurrence{pass: conv.NewSplit(p, max(1, to*s.U/sliceUnits)), shape: s}
	if r.pass == nil || w == nil || p.Input().Len() != blocks(from*s.U)*lstmGroup*block {
		return nil
	}
	r.divide(c.m.threads, to)
	r.packed = c.packed(p, w)
	groups := parts(s.N, lstmGroup)
	r.products = buffers(groups, blocks(to*s.U)*lstmGroup*block)
	for i := range r.state {
		r.state[i] = buffers(groups, p.Input().Len())
	}
	c.need = c.need.Max(r.pass.Need())
	c.scratch = max(c.scratch, lstmScratch*s.U)
	return r
}

// divide makes slices for so many threads, in whole pairs of blocks; one where there are none. The
// product makes so many rows of units.
func (r *recurrence) divide(threads, rows int) {
	pairs := r.shape.U / sliceUnits
	if r.shape.U%sliceUnits != 0 {
		whole := slice{n: r.shape.U}
		for u := range r.pass.Units() {
			whole.products = append(whole.products, u)
		}
		r.slices = []slice{whole}
		return
	}
	for i, n := 0, min(threads, pairs); i < n; i++ {
		first, last := i*pairs/n, (i+1)*pairs/n
		s := slice{from: first * sliceUnits, n: (last - first) * sliceUnits}
		for row := range rows {
			for pair := first; pair < last; pair++ {
				s.products = append(s.products, row*pairs+pair)
			}
		}
		r.slices = append(r.slices, s)
	}
}

// drive has a step go through the frames of a batch: in each round f does a slice.
func (r *recurrence) drive(st *step, of *graph.Sequences, f func(w *worker, s slice, lengths []int32)) {
	st.weights, st.inner = len(r.packed), len(r.slices)
	st.rounds = func(n int) int { return longest(of.Lengths[:n]) }
	st.runInner = func(w *worker, u int) { f(w, r.slices[u], of.Lengths[:w.m.count]) }
}

// multiply computes the products of a slice with the state of the groups that are longer than k
// frames. Every other frame it goes through the weights backwards: those that it has read last are
// still in the cache.
func (r *recurrence) multiply(w *worker, of slice, state [][]float32, lengths []int32, k int) {
	for i := range of.products {
		if k%2 == 1 {
			i = len(of.products) - 1 - i
		}
		for g, x := range state {
			if k < longest(groupLengths(lengths, g)) {
				r.pass.ComputeTo(w.conv, r.products[g], x, of.products[i], r.packed)
			}
		}
	}
}

// touch reads a value of every line that a slice will write of the k-th frame, in so many rows of
// units. They lie far apart, so a store to each in turn would wait for memory, where reads go side
// by side.
func (r *recurrence) touch(w *worker, to *value, of slice, rows int, lengths []int32, k int, reverse bool) {
	bits := uint32(0)
	for i, length := range lengths {
		if k >= int(length) {
			continue
		}
		y := w.images(to, i, 1)
		t, _ := ref.LSTMStep(k, int(length), reverse)
		for row := range rows {
			first := row*r.shape.U + of.from
			for ch := first; ch < first+of.n; ch += block {
				bits |= math.Float32bits(y[blockedIndex(ch, t, r.shape.T)])
			}
		}
	}
	w.touched = bits
}

// clearFrames puts zeros behind the end of an utterance, in a slice of so many rows of units.
func (r *recurrence) clearFrames(y []float32, of slice, rows, length int) {
	frames, perRow := r.shape.T, r.shape.U/block
	if r.shape.U%block != 0 { // rows end within a block, and the slice is all of them
		rows, perRow, of.n = 1, 0, len(y)/frames
	}
	for row := range rows {
		for b := of.from / block; b < (of.from+of.n)/block; b++ {
			at := row*perRow + b
			clear(y[(at*frames+length)*block : (at+1)*frames*block])
		}
	}
}

// groupOf is the group of an utterance, and its place there.
func groupOf(utterance int) (group, place int) { return utterance / lstmGroup, utterance % lstmGroup }

// groupLengths are those of a group; none where the batch has ended before it.
func groupLengths(lengths []int32, g int) []int32 {
	return lengths[min(len(lengths), g*lstmGroup):min(len(lengths), (g+1)*lstmGroup)]
}

// blockedIndex is the place of channel ch of pixel p in a blocked image of hw pixels.
func blockedIndex(ch, p, hw int) int { return (ch/block*hw+p)*block + ch%block }

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
