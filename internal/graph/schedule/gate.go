package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph/kernel"
)

// gate is what may follow the gradient of an activation: the sum at a join, the mask of a ReLU or
// the slopes of PReLU, the sums for a batch normalisation or for a bias. Its value is the tensor at
// its end.
type gate struct {
	addend *gorgonia.Node // other side of the join
	relu   *gorgonia.Node // output of the ReLU whose mask applies
	prelu  *gorgonia.Node // or the PReLUInputGrad
	slope  *gorgonia.Node // with its PReLUSlopeGrad
	sums   *gorgonia.Node // BatchNormSums
	bias   *gorgonia.Node // or ConvBiasGrad
	end    *gorgonia.Node // the node whose value this is
}

// gateTensors are what a gate reads besides the gradient itself.
type gateTensors struct {
	by                   kernel.MaskBy
	addend, rectified, z *value
	mask                 *affine      // with MaskZ
	slope                []kernel.Vec // with MaskSlope
}

// maskOf finds how a gate tells where its ReLU was open: by what was in front of it, if that is in
// memory and the output is not, else by its output.
func (c *compiler) maskOf(g gate, in *gateTensors) {
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
	} else if r := after.how; r != nil && r.relu && r.r == nil {
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

// gated prepares a step's use of a gate. It returns where its sums go, or nil, and the function
// that applies it to a part of the gradient.
func (c *compiler) gated(st *step, g gate, units int) (sink, eachPart) {
	var in gateTensors
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
			// The gate and the sums look at different tensors: gate by the ReLU's output instead.
			in.by, in.mask, in.rectified = kernel.MaskY, nil, c.viewed(c.tensors[g.relu])
		}
		in.z, sums = z, nm
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
			st.reads = append(st.reads, v.root())
		}
	}
	st.need(in.mask)
	return sums, in.apply(t, nm, sums)
}

// apply returns the function that takes a part of the gradient through the gate to its place.
func (in gateTensors) apply(t *tensor, nm *norm, sums sink) eachPart {
	to, hw := t.how.x, t.hw()
	if in.addend == nil && in.by == kernel.MaskNone && sums == nil {
		return func(w *worker, _, image, cb, from int, d []float32) {
			w.copyOut(w.part(to, image, cb*hw+from, len(d)), d)
		}
	}
	return func(w *worker, u, image, cb, from int, d []float32) {
		at := cb*hw + from
		m := &w.mask
		m.Pixels, m.S1, m.S2, m.Mean = len(d)/block, &w.s1, &w.sum2, &zeros
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
		if in.mask != nil {
			m.S, m.T = &in.mask.s[cb], &in.mask.t[cb]
		}
		if in.slope != nil {
			m.S = &in.slope[cb]
		}
		w.s1, w.sum2 = kernel.Vec{}, kernel.Vec{}
		if nm != nil {
			m.Mean = &nm.mu[cb]
		}
		m.Run(in.by)
		if sums != nil {
			sums.add(w, u, cb)
		}
	}
}

// sumsIn makes a step of so many units compute the backward sums of a norm.
func (c *compiler) sumsIn(st *step, nm *norm, units int) {
	nm.units(units)
	st.makes = append(st.makes, nm.fromG, nm.fromZ)
	st.needs = append(st.needs, nm.apply)
	st.writesGrad(nm.trainedGamma, nm.trainedBeta)
	old := st.finish
	images := c.g.N
	st.finish = func() {
		if old != nil {
			old()
		}
		nm.gradients(units, images, c.m.options.Accumulate)
	}
}

func (c *compiler) normOf(sums *gorgonia.Node) *norm {
	if sums == nil {
		return nil
	}
	return c.norms[c.in[sums][1]]
}

// emitGate lowers a gate in front of which no convolution stands: d is gated into a value of its
// own.
func (c *compiler) emitGate(g looseGate) error {
	from := c.tensors[g.d]
	if from == nil {
		return fmt.Errorf("schedule: the gradient of %v has not been computed", g.d.Op())
	}
	r := *c.recipe(from)
	t := c.tensors[g.end]
	v := t.how.x
	st := &step{name: "gate", backward: true, reads: r.reads(), writes: []*value{v}}
	st.need(r.a, r.b)
	sums, f := c.gated(st, g.gate, len(c.m.units))
	hw, plain := t.hw(), r.plain()
	st.run = func(w *worker, u, first, n int) {
		if sums != nil {
			sums.begin(u)
		}
		for i := range n {
			y := w.image(v, first+i)
			d := y
			if plain {
				d = w.image(r.x, first+i)
			} else {
				w.materialise(y, &r, hw, first+i, 1)
			}
			f.parts(w, u, first+i, d, hw*block)
		}
	}
	c.add(st)
	return nil
}
