package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph/kernel"
)

// gate is what may follow the gradient of an activation: the sum at a join, the mask of a ReLU, the sums for a batch
// normalisation. Its value is the tensor at its end.
type gate struct {
	addend *gorgonia.Node // other side of the join
	relu   *gorgonia.Node // output of the ReLU whose mask applies
	sums   *gorgonia.Node // BatchNormSums
	end    *gorgonia.Node // the node whose value this is
}

// gated prepares a step's use of a gate and returns the function that applies it to one image.
func (c *compiler) gated(st *step, g gate, units int) eachImage {
	var addend, rectified, z *value
	var by kernel.MaskBy
	var mask *affine
	nm := c.normOf(g.sums)
	if g.addend != nil {
		addend = c.blocked(c.tensors[g.addend])
		st.reads = append(st.reads, addend)
	}
	if g.relu != nil {
		before := c.in[g.relu][0]
		if nm := c.tensors[before].norm; nm != nil {
			by, mask, z = kernel.MaskZ, nm.apply, c.blocked(c.tensors[c.in[before][0]])
		} else {
			by, rectified = kernel.MaskY, c.blocked(c.tensors[g.relu])
			st.reads = append(st.reads, rectified)
		}
	}
	if nm != nil {
		sz := c.blocked(c.tensors[c.in[g.sums][0]])
		if z != nil && z != sz {
			// The gate and the sums look at different tensors: gate by the ReLU's output instead.
			by, mask, rectified = kernel.MaskY, nil, c.blocked(c.tensors[g.relu])
			st.reads = append(st.reads, rectified)
		}
		z = sz
		c.sumsIn(st, nm, units)
	}
	if z != nil {
		st.reads = append(st.reads, z)
	}
	if mask != nil {
		st.need(mask)
	}
	if addend == nil && by == kernel.MaskNone && nm == nil {
		return func(w *worker, _, _ int, y, d []float32, _ int) { w.copyOut(y, d) }
	}
	t := c.tensors[g.end]
	hw, per, cbs := t.hw(), t.blockedLen(), blocks(t.c)
	return func(w *worker, u, first int, y, d []float32, image int) {
		m := &w.mask
		m.Pixels, m.S1, m.S2, m.Mean = hw, &w.s1, &w.sum2, &zeros
		pick := func(v *value) []float32 { return w.images(v, first, image+1)[image*per:] }
		var r, out []float32
		zs := d
		g := y
		if addend != nil {
			r = pick(addend)
		}
		if rectified != nil {
			out = pick(rectified)
		}
		if z != nil {
			zs = pick(z)
		}
		for cb := range cbs {
			from, to := cb*hw*block, (cb+1)*hw*block
			m.D, m.G, m.Z, m.R, m.Y = d[from:to], g[from:to], zs[from:to], nil, nil
			if r != nil {
				m.R = r[from:to]
			}
			if out != nil {
				m.Y = out[from:to]
			}
			if mask != nil {
				m.S, m.T = &mask.s[cb], &mask.t[cb]
			}
			w.s1, w.sum2 = kernel.Vec{}, kernel.Vec{}
			if nm != nil {
				m.Mean = &nm.mu[cb]
			}
			m.Run(by)
			if nm != nil {
				nm.add(w, u, cb)
			}
		}
	}
}

// sumsIn makes a step of so many units compute the backward sums of a norm.
func (c *compiler) sumsIn(st *step, nm *norm, units int) {
	nm.units(units)
	st.makes = append(st.makes, nm.fromG, nm.fromZ)
	st.needs = append(st.needs, nm.apply)
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

// emitGate lowers a gate in front of which no convolution stands: d is gated into a value of its own.
func (c *compiler) emitGate(d *gorgonia.Node, g gate) error {
	from := c.tensors[d]
	if from == nil {
		return fmt.Errorf("schedule: the gradient of %v has not been computed", d.Op())
	}
	r := *c.recipe(from)
	t := c.tensors[g.end]
	v := t.how.x
	st := &step{name: "gate", backward: true, reads: r.reads(), writes: []*value{v}}
	st.need(r.a, r.b)
	f := c.gated(st, g, len(c.m.units))
	nm := c.normOf(g.sums)
	hw, per := t.hw(), t.blockedLen()
	st.run = func(w *worker, u, first, n int) {
		if nm != nil {
			nm.begin(u)
		}
		y := w.images(v, first, n)
		w.materialise(y, &r, hw, first, n)
		for i := range n {
			f(w, u, first, y[i*per:(i+1)*per], y[i*per:(i+1)*per], i)
		}
	}
	c.add(st)
	return nil
}
