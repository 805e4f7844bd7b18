package schedule

import (
	"slices"

	"resnet/internal/graph/kernel"
)

// RoundMemory makes a float32 machine of one thread round what its steps write, where the narrow
// machine of the same graph has bfloat16, and take statistics and backward sums again from what is
// in memory then: the oracle of such a machine. Sums of convolutions in two stages and gradients of
// biases and slopes stay those of what was there before rounding.
func RoundMemory(m, narrow *Machine) {
	to := map[*value]bool{}
	for i, v := range m.values {
		to[v] = narrow.values[i].narrow
	}
	for i := range m.regions {
		for _, s := range m.regions[i].steps {
			round := func(w *worker, first, n int) {
				for _, v := range s.writes {
					for i := first; to[v.root()] && i < first+n; i++ {
						x := w.image(v, i)
						for j := range x {
							x[j] = kernel.ToBFloat16(x[j]).Float32()
						}
					}
				}
			}
			if run := s.run; run != nil {
				s.run = func(w *worker, u, first, n int) {
					run(w, u, first, n)
					round(w, first, n)
					for _, nm := range m.norms {
						nm.again(w, s, first, n)
					}
				}
			}
			if run := s.runInner; run != nil {
				s.runInner = func(w *worker, u int) {
					run(w, u)
					round(w, 0, m.g.N)
				}
			}
		}
	}
}

// again takes the sums that a step makes of images from memory.
func (n *norm) again(w *worker, s *step, first, count int) {
	if len(s.writes) == 0 || s.images > 0 { // nothing in memory, or a round of two stages
		return
	}
	g := s.writes[len(s.writes)-1]
	w.m.sizes.eachSum(first, count, func(u, images int) {
		first := u * w.m.sizes.sum
		if slices.Contains(s.makes, any(n.apply)) {
			n.begin(u, images*n.hw)
		} else if slices.Contains(s.makes, any(n.fromG)) {
			n.backward.begin(u)
		} else {
			return
		}
		for i := first; i < first+images; i++ {
			for cb := range blocks(n.c) {
				x := w.part(g, i, cb*n.hw, n.hw*block)
				if slices.Contains(s.makes, any(n.apply)) {
					n.observePart(w, u, cb, x, i == first)
					continue
				}
				z := w.part(s.reads[len(s.reads)-1], i, cb*n.hw, n.hw*block)
				p := pair{}
				(&kernel.Mask{D: x, G: x, Z: z, Mean: &n.mu[cb], S1: &p.first, S2: &p.second, Pixels: n.hw}).Run(kernel.MaskNone)
				n.backward.add(u, cb, &p)
			}
		}
	})
}
