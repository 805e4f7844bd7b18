package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

// gate is what may follow the gradient of an activation: the sum at a join, the mask of a ReLU, the sums for a batch
// normalisation. Its value is the tensor at its end.
type gate struct {
	addend *gorgonia.Node // other side of the join
	relu   *gorgonia.Node // output of the ReLU whose mask applies
	sums   *gorgonia.Node // BatchNormSums
	end    *gorgonia.Node // the node whose value this is
}

// convGroup is the two gradients of one convolution.
type convGroup struct {
	dy             *gorgonia.Node
	weights, input *gorgonia.Node
	gate           gate
	emitted        bool
}

// findGroups claims the nodes of each convolution's gradients and of the gates behind them, before any of them is lowered, and
// makes their tensors.
func (c *compiler) findGroups(back []*gorgonia.Node) {
	byConv := map[uint32]*convGroup{}
	for _, n := range back {
		switch op := n.Op().(type) {
		case *graph.ConvWeightGrad:
			if c.ourConv(op.ConvShape, op.ID) {
				g := groupOf(byConv, op.ID)
				g.weights, g.dy = n, c.in[n][1]
			}
		case *graph.ConvInputGrad:
			if c.ourConv(op.ConvShape, op.ID) {
				g := groupOf(byConv, op.ID)
				g.input, g.dy = n, c.in[n][1]
			}
		}
	}
	for _, n := range back {
		g := c.groupAt(byConv, n)
		if g == nil || g.emitted {
			continue
		}
		g.emitted = true
		c.groups = append(c.groups, g)
		if g.weights != nil {
			c.claimed[g.weights] = true
		}
		if g.input != nil {
			c.claimed[g.input] = true
			g.gate = c.findGate(g.input)
		}
	}
	// Gates of gradients that no convolution computes begin at the join or the ReLU itself.
	for _, n := range back {
		if c.claimed[n] {
			continue
		}
		if _, ok := n.Op().(*graph.ReLUGrad); ok {
			g := c.extend(gate{relu: c.in[n][0], end: n})
			c.claimed[n] = true
			c.gates = append(c.gates, looseGate{c.in[n][1], g})
		}
	}
}

type looseGate struct {
	d *gorgonia.Node
	gate
}

func (c *compiler) groupAt(byConv map[uint32]*convGroup, n *gorgonia.Node) *convGroup {
	switch op := n.Op().(type) {
	case *graph.ConvWeightGrad:
		return byConv[op.ID]
	case *graph.ConvInputGrad:
		return byConv[op.ID]
	}
	return nil
}

func groupOf(m map[uint32]*convGroup, id uint32) *convGroup {
	if m[id] == nil {
		m[id] = &convGroup{}
	}
	return m[id]
}

// ourConv reports whether the convolution of a gradient node has a step of its own.
func (c *compiler) ourConv(s graph.ConvShape, id uint32) bool {
	if !shapeOf(s).Supported() {
		return false
	}
	for _, n := range c.nodes {
		if op, ok := n.Op().(*graph.Conv); ok && op.ID == id {
			return !op.Bias
		}
	}
	return false
}

// findGate follows the gradient of an activation through the nodes that can be taken into the step that computes it.
func (c *compiler) findGate(n *gorgonia.Node) gate {
	g := gate{end: n}
	if u := c.soleUser(g.end); u != nil && graph.IsSum(u) && !c.claimed[u] {
		a, b := c.in[u][0], c.in[u][1]
		if a == g.end {
			a, b = b, a
		}
		if a != g.end {
			g.addend, g.end = a, u
			c.claimed[u] = true
		}
	}
	if u := c.soleUser(g.end); u != nil && !c.claimed[u] {
		if _, ok := u.Op().(*graph.ReLUGrad); ok && c.in[u][1] == g.end {
			g.relu, g.end = c.in[u][0], u
			c.claimed[u] = true
		}
	}
	return c.extend(g)
}

func (c *compiler) soleUser(n *gorgonia.Node) *gorgonia.Node {
	if len(c.users[n]) == 1 && !c.isGrad(n) {
		return c.users[n][0]
	}
	return nil
}

func (c *compiler) isGrad(n *gorgonia.Node) bool {
	for _, p := range c.g.Params {
		if p.Grad == n {
			return true
		}
	}
	return false
}

// extend adds the sums of the first batch normalisation behind the gate, and makes the gate's tensor.
func (c *compiler) extend(g gate) gate {
	for _, u := range c.users[g.end] {
		if _, ok := u.Op().(*graph.BatchNormSums); ok && c.norms[c.in[u][1]] != nil && !c.claimed[u] {
			g.sums = u
			c.claimed[u] = true
			break
		}
	}
	if _, err := c.blockedTensor(g.end); err != nil && c.err == nil {
		c.err = err
	}
	return g
}

// gradient lowers one node of the backward half that is not in a group.
func (c *compiler) gradient(n *gorgonia.Node) error {
	switch op := n.Op().(type) {
	case *graph.BatchNormSums:
		return c.looseSums(n)
	case *graph.Row:
		if c.norms[c.in[c.in[n][0]][1]] != nil {
			c.sunk[n] = true // written with the sums
			return nil
		}
	case *graph.BatchNormInputGrad:
		return c.normGrad(n)
	case *graph.ShortcutPadGrad:
		return c.shortcutGrad(n, op)
	case *graph.GlobalAvgPoolGrad:
		return c.averageGrad(n)
	case *graph.LinearInputGrad:
		return c.linearInputGrad(n, op)
	case *graph.LinearWeightGrad:
		return c.linearWeightGrad(n, op)
	case *graph.SoftmaxCrossEntropyGrad:
		return c.softmax(n, op)
	}
	if graph.IsSum(n) {
		return c.join(n)
	}
	return c.foreignStep(n)
}

// normGrad makes the recipe of the gradient of a normalisation's input: a linear map of two tensors.
func (c *compiler) normGrad(n *gorgonia.Node) error {
	nm := c.norms[c.in[n][1]]
	if nm == nil {
		return c.foreignStep(n)
	}
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	z, g := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][4]])
	t.how = &recipe{x: g, a: nm.fromG, r: z, b: nm.fromZ}
	return nil
}

// join lowers a sum of gradients that no group took in.
func (c *compiler) join(n *gorgonia.Node) error {
	if len(n.Shape()) != 4 {
		return c.foreignJoin(n)
	}
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	a, b := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][1]])
	t.how = &recipe{x: a, r: b}
	c.blocked(t)
	return nil
}

// gated prepares a step's use of a gate and returns the function that applies it to one image.
func (c *compiler) gated(st *step, g gate, units int, spans func() int) eachImage {
	var addend, rectified, z *value
	var by kernel.MaskBy
	var mask *affine
	nm := c.normOf(g.sums)
	if g.addend != nil {
		addend = c.blocked(c.tensors[g.addend])
		st.reads = append(st.reads, addend)
	}
	if g.relu != nil {
		t := c.tensors[g.relu]
		if t.norm != nil {
			by, mask, z = kernel.MaskZ, t.norm.apply, c.blocked(c.tensors[c.in[c.normNode(g.relu)][0]])
		} else {
			by, rectified = kernel.MaskY, c.blocked(t)
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
		c.sumsIn(st, nm, units, spans)
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

// sumsIn makes a step compute the backward sums of a norm.
func (c *compiler) sumsIn(st *step, nm *norm, units int, spans func() int) {
	nm.units(units)
	st.makes = append(st.makes, nm.fromG, nm.fromZ)
	st.needs = append(st.needs, nm.apply)
	old := st.finish
	images := c.g.N
	st.finish = func() {
		if old != nil {
			old()
		}
		nm.gradients(spans(), images, c.m.options.Accumulate)
	}
}

func (c *compiler) normOf(sums *gorgonia.Node) *norm {
	if sums == nil {
		return nil
	}
	return c.norms[c.in[sums][1]]
}

// normNode is the BatchNorm node in front of a ReLU.
func (c *compiler) normNode(relu *gorgonia.Node) *gorgonia.Node { return c.in[relu][0] }

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
	units := len(c.m.units)
	f := c.gated(st, g, units, func() int { return units })
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

// looseSums lowers the sums of a batch normalisation that stands behind another one's gradient.
func (c *compiler) looseSums(n *gorgonia.Node) error {
	nm := c.norms[c.in[n][1]]
	if nm == nil {
		return c.foreignStep(n)
	}
	z, g := c.blocked(c.tensors[c.in[n][0]]), c.blocked(c.tensors[c.in[n][2]])
	st := &step{name: "sums", backward: true, reads: []*value{z, g}}
	units := len(c.m.units)
	c.sumsIn(st, nm, units, func() int { return units })
	hw := nm.hw
	st.run = func(w *worker, u, first, n int) {
		nm.begin(u)
		gs, zs := w.images(g, first, n), w.images(z, first, n)
		m := &w.mask
		m.Pixels, m.R = hw, nil
		for i := range n {
			for cb := range blocks(nm.c) {
				from := i*g.per + cb*hw*block
				m.D, m.G, m.Z = gs[from:from+hw*block], gs[from:from+hw*block], zs[from:from+hw*block]
				m.S1, m.S2, m.Mean = &w.s1, &w.sum2, &nm.mu[cb]
				w.s1, w.sum2 = kernel.Vec{}, kernel.Vec{}
				m.Run(kernel.MaskNone)
				nm.add(w, u, cb)
			}
		}
	}
	c.add(st)
	return nil
}

// partsFor splits the batch for a weight gradient: each part has an accumulator, all of them together at most a few megabytes.
func partsFor(units []span, accumulator int) []span {
	const budget = 1 << 20 // float32 values
	n := len(units)
	for n > 4 && n*accumulator > budget {
		n = (n + 1) / 2
	}
	parts := make([]span, 0, n)
	for i := range n {
		from, to := i*len(units)/n, (i+1)*len(units)/n
		if from == to {
			continue
		}
		last := units[to-1]
		parts = append(parts, span{units[from].first, last.first + last.n - units[from].first})
	}
	return parts
}

// emitConv lowers both gradients of a convolution and the gate behind the gradient of its input.
func (c *compiler) emitConv(g *convGroup) error {
	var s conv.Shape
	var x *recipe
	var w *graph.Param
	if g.weights == nil {
		return fmt.Errorf("schedule: a convolution has the gradient of its input but none of its weights")
	}
	op := g.weights.Op().(*graph.ConvWeightGrad)
	s = shapeOf(op.ConvShape)
	x = c.recipe(c.tensors[c.in[g.weights][0]])
	for _, p := range c.g.Params {
		if p.Grad == g.weights {
			w = p.Param
		}
	}
	if w == nil {
		return fmt.Errorf("schedule: %v is not the gradient of a parameter", op)
	}
	c.sunk[g.weights] = true
	dyTensor := c.tensors[g.dy]
	if dyTensor == nil {
		return fmt.Errorf("schedule: the gradient behind %v has not been computed", op)
	}
	dy := c.recipe(dyTensor)
	plan := conv.NewPlan(s, c.m.choose(s), g.input != nil)
	parts := partsFor(c.m.units, plan.Weights.Len())
	st := &step{name: "conv gradients " + s.String(), backward: true, spans: parts}
	st.reads = append(append(st.reads, x.reads()...), dy.reads()...)
	st.need(x.a, x.b, dy.a, dy.b)
	per := max(plan.X.Len(), plan.DY.Len())
	k := group(per, parts[0].n)
	c.need = c.need.Max(plan.Weights.Need(k))
	c.x, c.dy = max(c.x, k*plan.X.Len()), max(c.dy, k*plan.DY.Len())
	var apply eachImage
	var v *value
	var packed []float32
	var nm *norm
	if g.input != nil {
		v = c.tensors[g.gate.end].how.x
		st.writes = append(st.writes, v)
		packed = c.packed(plan.DataGrad, w)
		c.need = c.need.Max(plan.DataGrad.Need(k))
		c.y = max(c.y, k*s.InLen())
		apply = c.gated(st, g.gate, len(parts), func() int { return len(parts) })
		nm = c.normOf(g.gate.sums)
	}
	length, inLen := plan.Weights.Len(), s.InLen()
	c.acc = max(c.acc, len(parts)*length)
	accs := make([][]float32, len(parts))
	st.run = func(wk *worker, u, first, n int) {
		acc := wk.m.acc[u*length : (u+1)*length]
		accs[u] = acc
		clear(acc)
		if nm != nil {
			nm.begin(u)
		}
		for at := 0; at < n; at += k {
			c := min(k, n-at)
			wk.fill(plan.DY, &wk.dy, dy, first+at, c)
			wk.fill(plan.X, &wk.x, x, first+at, c)
			plan.Weights.Add(wk.conv, acc, wk.x.data, wk.dy.data, c)
			if v == nil {
				continue
			}
			d := wk.images(v, first+at, c)
			plan.DataGrad.Run(wk.conv, wk.y, wk.dy.data, c, packed)
			for i := range c {
				apply(wk, u, first+at, d[i*inLen:(i+1)*inLen], wk.y[i*inLen:(i+1)*inLen], i)
			}
		}
	}
	st.inner = plan.Weights.Units()
	st.runInner = func(wk *worker, u int) {
		plan.Weights.Finish(wk.conv, u, accs, w.Grad, wk.m.options.Accumulate)
	}
	c.add(st)
	return nil
}
