package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph/kernel"
)

// backwardEpilogue is what is done with the gradient of an activation while it is in cache: the sum
// at a join, the mask of a ReLU or the slopes of PReLU, the sums for a batch normalisation or for a
// bias. Its value is the tensor at its end.
type backwardEpilogue struct {
	addend *gorgonia.Node // other side of the join
	relu   *gorgonia.Node // output of the ReLU whose mask applies
	prelu  *gorgonia.Node // or the PReLUInputGrad
	slope  *gorgonia.Node // with its PReLUSlopeGrad
	sums   *gorgonia.Node // BatchNormSums
	bias   *gorgonia.Node // or ConvBiasGrad
	end    *gorgonia.Node // the node whose value this is
}

// epilogueReads are what a backward epilogue reads besides the gradient itself.
type epilogueReads struct {
	by                   kernel.MaskBy
	addend, rectified, z *value
	mask                 *affine      // with MaskZ
	slope                []kernel.Vec // with MaskSlope
}

// maskOf finds how a backward epilogue tells where its ReLU was open: by what was in front of it,
// if that is in memory and the output is not, else by its output.
func (c *compiler) maskOf(g backwardEpilogue, in *epilogueReads) {
	if g.prelu != nil {
		in.by, in.slope = kernel.MaskSlope, c.perChannel(c.param[c.in[g.prelu][1]]).values()
		in.z = c.viewed(c.tensors[c.in[g.prelu][0]])
	}
	if g.relu == nil {
		return
	}
	before, after := c.in[g.relu][0], c.tensors[g.relu]
	if nm := c.tensors[before].norm; nm != nil {
		in.by, in.mask, in.z = kernel.MaskZ, nm.apply, c.viewed(c.tensors[c.in[before][0]])
	} else if r := after.lazy; r != nil && r.act == relu && r.r == nil {
		in.by, in.mask, in.z = kernel.MaskZ, r.a, r.x
		if r.a == nil {
			in.mask = identity(after.c)
		}
	} else {
		in.by, in.rectified = kernel.MaskY, c.viewed(after)
	}
}

// identity is the map that changes nothing.
func identity(c int) *affine {
	a := newAffine(c)
	for i := range a.s {
		a.s[i] = ones
	}
	return a
}

// withEpilogue gives a step a backward epilogue. It returns where its sums go, or nil, and the
// function that applies it to a part of the gradient.
func (c *compiler) withEpilogue(st *step, g backwardEpilogue, units int) (sink, eachPart) {
	var in epilogueReads
	if g.addend != nil {
		in.addend = c.viewed(c.tensors[g.addend])
	}
	c.maskOf(g, &in)
	t := c.tensors[g.end]
	var sums sink
	nm := c.normOf(g.sums)
	if nm != nil {
		z := c.viewed(c.tensors[c.in[g.sums][0]])
		if in.z != nil && in.z != z {
			// The mask and the sums look at different tensors: mask by the ReLU's output instead.
			in.by, in.mask, in.rectified = kernel.MaskY, nil, c.viewed(c.tensors[g.relu])
		}
		in.z, sums = z, &nm.backward
		c.sumsIn(st, nm, units)
	} else if g.bias != nil || g.slope != nil {
		s := newChannelSums(t.c, units)
		if g.bias != nil {
			s.bias = c.gradOf(g.bias)
		}
		if g.slope != nil {
			s.slope = c.gradOf(g.slope)
		}
		s.finishIn(c, st)
		sums = s
	}
	for _, v := range []*value{in.addend, in.rectified, in.z} {
		if v != nil {
			st.reads = append(st.reads, v)
		}
	}
	st.need(in.mask)
	return sums, in.apply(t, nm, sums)
}

// gate is what the mask reads of block cb besides values.
func (in epilogueReads) gate(cb int) (s, t *kernel.Vec) {
	if in.mask != nil {
		s, t = &in.mask.s[cb], &in.mask.t[cb]
	}
	if in.slope != nil {
		s = &in.slope[cb]
	}
	return s, t
}

// apply returns the function that takes a part of the gradient through the epilogue to its place.
func (in epilogueReads) apply(t *tensor, nm *norm, sums sink) eachPart {
	to, hw := t.lazy.x, t.hw()
	if in.addend == nil && in.by == kernel.MaskNone && sums == nil {
		return func(w *worker, p part, d []float32) {
			w.copyOut(to, p.image, p.cb*hw+p.from, d)
		}
	}
	if to.narrow {
		return in.applyNarrow(t, nm, sums)
	}
	return func(w *worker, p part, d []float32) {
		image, cb, at := p.image, p.cb, p.cb*hw+p.from
		m := &w.mask
		m.Pixels, m.S1, m.S2, m.Mean = len(d)/block, &w.sums.first, &w.sums.second, &zeros
		m.D, m.G, m.Z, m.R, m.Y = d, w.part(to, image, at, len(d)), d, nil, nil
		if in.addend != nil {
			m.R = w.part(in.addend, image, at, len(d))
		}
		if in.rectified != nil {
			m.Y = w.part(in.rectified, image, at, len(d))
		}
		if in.z != nil {
			m.Z = w.part(in.z, image, at, len(d))
		}
		m.S, m.T = in.gate(cb)
		w.sums = pair{}
		if nm != nil {
			m.Mean = &nm.mu[cb]
		}
		m.Run(in.by)
		if sums != nil {
			sums.add(p.unit, cb, &w.sums)
		}
	}
}

// sumsIn makes a step of so many units compute the backward sums of a norm.
func (c *compiler) sumsIn(st *step, nm *norm, units int) {
	nm.backward = newUnitSums(nm.c, units)
	st.makes = append(st.makes, nm.fromG, nm.fromZ)
	st.needs = append(st.needs, nm.apply)
	st.writesGrad(nm.trainedGamma, nm.trainedBeta)
	images, m := c.g.N, c.m
	c.eachChannels(st, nm, units, func(from, to int) { nm.gradients(from, to, units, images, m.options.Accumulate) })
}

func (c *compiler) normOf(sums *gorgonia.Node) *norm {
	if sums == nil {
		return nil
	}
	return c.norms[c.in[sums][1]]
}

// lowerEpilogue lowers a backward epilogue without a convolution in front of it: from d to a value
// of its own.
func (c *compiler) lowerEpilogue(g looseEpilogue) error {
	from := c.tensors[g.d]
	if from == nil {
		return fmt.Errorf("schedule: the gradient of %v has not been computed", g.d.Op())
	}
	r := *c.lazy(from)
	t := c.tensors[g.end]
	v := t.lazy.x
	st := &step{name: "backward epilogue", backward: true, reads: r.reads(), writes: []*value{v}}
	st.need(r.a, r.b)
	sums, f := c.withEpilogue(st, g.backwardEpilogue, c.sums())
	hw, plain, sizes := t.hw(), r.plain(), c.m.sizes
	st.run = func(w *worker, _, first, n int) {
		if sums != nil {
			sizes.eachSum(first, n, func(u, _ int) { sums.begin(u) })
		}
		for i := first; i < first+n; i++ {
			p := sizes.part(i)
			if v.narrow {
				for cb := range v.per / (hw * block) {
					w.eachStrip(&r, hw, i, cb, func(from int, d []float32) {
						f(w, part{p.unit, p.image, cb, from, false}, d)
					})
				}
				continue
			}
			d := w.image(v, i)
			if plain {
				d = w.image(r.x, i)
			} else {
				w.materialise(v, &r, hw, i, 1)
			}
			f.blocks(w, p, d, hw*block)
		}
	}
	c.add(st)
	return nil
}
