package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

// forward lowers one node of the forward half.
func (c *compiler) forward(n *gorgonia.Node) error {
	switch op := n.Op().(type) {
	case *graph.Conv:
		if s := shapeOf(op.ConvShape); s.Supported() && !op.Bias {
			return c.convolution(n, s)
		}
	case *graph.BatchStats:
		return c.statistics(n)
	case *graph.BatchNorm:
		return c.normalise(n, op)
	case *graph.ReLU:
		return c.rectify(n)
	case *graph.Add:
		return c.addition(n)
	case *graph.ShortcutPad:
		return c.shortcut(n, op)
	case *graph.GlobalAvgPool:
		return c.average(n)
	case *graph.Linear:
		return c.linear(n, op)
	case *graph.SoftmaxCrossEntropy:
		return nil // computed with its gradient
	}
	return c.foreignStep(n)
}

func shapeOf(s graph.ConvShape) conv.Shape {
	return conv.Shape{C: s.C, K: s.K, H: s.H, W: s.W, R: s.R, S: s.S, Stride: s.Stride, PadH: s.PadH, PadW: s.PadW}
}

// group is how many of n images of a padded layout go through a convolution together: enough to fill the tile kernels, few enough to
// stay in the second-level cache, and n in equal parts.
func group(per, n int) int {
	const target = 52 << 10 // float32 values
	most := max(1, min(n, target/max(per, 1)))
	parts := (n + most - 1) / most
	return (n + parts - 1) / parts
}

// eachImage takes the result of a convolution for one image from the worker's cache to its place in memory, doing on the way what is
// done while it is in cache. A convolution that writes tiles straight to memory waits for it; a copy in order does not.
type eachImage func(w *worker, u, first int, y, result []float32, image int)

// convolution lowers y = x * w with the statistics of y, or in evaluation with what follows y.
func (c *compiler) convolution(n *gorgonia.Node, s conv.Shape) error {
	x, w := c.tensors[c.in[n][0]], c.param[c.in[n][1]]
	if w == nil {
		return fmt.Errorf("schedule: %v: its weights are not a parameter", n.Op())
	}
	fwd := conv.NewForward(s, c.m.choose(s).Forward)
	in := c.recipe(x)
	out, err := c.blockedTensor(n)
	if err != nil {
		return err
	}
	v, packed := out.how.x, c.packed(fwd, w)
	per := fwd.Input().Len()
	g := group(per, c.m.lane)
	c.need = c.need.Max(fwd.Need(g))
	c.x = max(c.x, g*per)
	st := &step{name: "conv " + s.String(), reads: in.reads(), writes: []*value{v}}
	st.need(in.a, in.b)
	c.y = max(c.y, g*s.OutLen())
	var each eachImage = func(w *worker, _, _ int, y, result []float32, _ int) { w.copyOut(y, result) }
	if stats := c.statsOf(n); stats != nil {
		nm := c.makeNorm(stats, s.K, s.OH()*s.OW())
		st.makes = append(st.makes, nm.apply)
		st.finish = func() { nm.merge(len(c.m.units), c.m.options.StatsMomentum) }
		each = func(w *worker, u, _ int, y, result []float32, _ int) {
			nm.observe(w, u, result)
			w.copyOut(y, result)
		}
		c.begin(st, nm)
	} else if c.g.Mode == graph.Eval {
		c.epilogue(n, out, st, &each)
	}
	outLen, begin := s.OutLen(), st.run
	st.run = func(w *worker, u, first, count int) {
		if begin != nil {
			begin(w, u, first, count)
		}
		y := w.images(v, first, count)
		for at := 0; at < count; at += g {
			k := min(g, count-at)
			w.fill(fwd.Input(), &w.x, in, first+at, k)
			fwd.Run(w.conv, w.y, w.x.data, k, packed)
			for i := range k {
				each(w, u, first, y[(at+i)*outLen:(at+i+1)*outLen], w.y[i*outLen:(i+1)*outLen], at+i)
			}
		}
	}
	c.add(st)
	return nil
}

// begin makes a step clear a norm's sums first.
func (c *compiler) begin(st *step, nm *norm) {
	st.run = func(_ *worker, u, _, _ int) { nm.begin(u) }
}

func (c *compiler) packed(p conv.Pass, w *graph.Param) []float32 {
	buf := kernel.Alloc(p.PackedLen())
	c.packs = append(c.packs, pack{p, w, buf})
	c.need = c.need.Max(p.Need(1))
	return buf
}

// statsOf finds the node of the batch statistics of n.
func (c *compiler) statsOf(n *gorgonia.Node) *gorgonia.Node {
	for _, u := range c.users[n] {
		if _, ok := u.Op().(*graph.BatchStats); ok {
			return u
		}
	}
	return nil
}

// makeNorm creates the norm of a node of statistics; its γ, β and ε come with the BatchNorm node.
func (c *compiler) makeNorm(stats *gorgonia.Node, channels, hw int) *norm {
	nm := newNorm("", channels, hw, 0)
	for _, s := range c.g.Stats {
		if s.Node == stats {
			nm.name, nm.mean, nm.vari, nm.momentum = s.Name, s.Mean, s.Var, s.Momentum
		}
	}
	for _, u := range c.users[stats] {
		if op, ok := u.Op().(*graph.BatchNorm); ok {
			nm.eps, nm.gamma, nm.beta = op.Eps, c.param[c.in[u][1]], c.param[c.in[u][2]]
		}
	}
	nm.units(len(c.m.units))
	c.norms[stats] = nm
	c.m.norms = append(c.m.norms, nm)
	return nm
}

// epilogue lets an evaluated convolution apply what follows it while its result is in cache: normalisation, addition, ReLU. The
// tensors of the nodes that it takes in become the convolution's own value.
func (c *compiler) epilogue(n *gorgonia.Node, out *tensor, st *step, each *eachImage) {
	end := n
	r := &recipe{x: out.how.x}
	var other *tensor
	if bn, op := c.onlyUser(end); op != nil {
		if b, ok := op.(*graph.BatchNorm); ok {
			nm := c.evalNorm(bn, b)
			r.a, end = nm.apply, bn
		}
	}
	if add, op := c.onlyUser(end); op != nil {
		if _, ok := op.(*graph.Add); ok {
			o := c.in[add][0]
			if o == end {
				o = c.in[add][1]
			}
			// The other side must be there already; its own convolution may come later and then takes this one in.
			if t := c.tensors[o]; t != nil && o != end && t.how != nil && t.how.plain() {
				other, end = t, add
				r.r = t.how.x
			}
		}
	}
	if relu, op := c.onlyUser(end); op != nil {
		if _, ok := op.(*graph.ReLU); ok {
			r.relu, end = true, relu
		}
	}
	if end == n {
		return
	}
	for at := n; at != end; {
		at, _ = c.onlyUser(at)
		c.tensors[at] = &tensor{node: at, c: out.c, h: out.h, w: out.w, how: out.how}
		c.claimed[at] = true
	}
	if other != nil {
		st.reads = append(st.reads, r.r)
	}
	hw, per := out.hw(), out.blockedLen()
	*each = func(w *worker, _, first int, y, result []float32, image int) {
		w.how = r
		var o []float32
		if r.r != nil {
			o = w.images(r.r, first, image+1)[image*per:]
		}
		w.mapImages(y, result, o, hw, 1, per)
	}
}

// onlyUser returns the user of a node that has one, and its operator.
func (c *compiler) onlyUser(n *gorgonia.Node) (*gorgonia.Node, gorgonia.Op) {
	if n == c.g.Logits || len(c.users[n]) != 1 {
		return nil, nil
	}
	return c.users[n][0], c.users[n][0].Op()
}

// evalNorm makes the norm of an evaluated BatchNorm, whose map comes from the running statistics.
func (c *compiler) evalNorm(n *gorgonia.Node, op *graph.BatchNorm) *norm {
	in := c.in[n]
	nm := newNorm("", op.C, op.H*op.W, op.Eps)
	nm.gamma, nm.beta, nm.mean, nm.vari = c.param[in[1]], c.param[in[2]], c.param[in[3]], c.param[in[4]]
	c.m.norms = append(c.m.norms, nm)
	return nm
}

// statistics lowers the batch statistics of something that no convolution of ours computed.
func (c *compiler) statistics(n *gorgonia.Node) error {
	if c.norms[n] != nil {
		return nil // the convolution's step has them
	}
	t := c.tensors[c.in[n][0]]
	v := c.blocked(t)
	nm := c.makeNorm(n, t.c, t.hw())
	st := &step{name: "statistics", reads: []*value{v}, makes: []any{nm.apply}}
	st.finish = func() { nm.merge(len(c.m.units), c.m.options.StatsMomentum) }
	st.run = func(w *worker, u, first, count int) {
		nm.begin(u)
		x := w.images(v, first, count)
		for i := range count {
			nm.observe(w, u, x[i*v.per:(i+1)*v.per])
		}
	}
	c.add(st)
	return nil
}

// normalise makes the recipe of a normalised tensor.
func (c *compiler) normalise(n *gorgonia.Node, op *graph.BatchNorm) error {
	if c.claimed[n] {
		return nil
	}
	x := c.tensors[c.in[n][0]]
	var nm *norm
	if op.Mode == graph.Train {
		nm = c.norms[c.in[n][3]]
	} else {
		nm = c.evalNorm(n, op)
	}
	if nm == nil || nm.gamma == nil || nm.beta == nil {
		return fmt.Errorf("schedule: %v: its statistics, scale or shift is not where it is expected", op)
	}
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	t.how, t.norm = &recipe{x: c.blocked(x), a: nm.apply}, nm
	return nil
}

// rectify makes the recipe of a rectified tensor, and computes it where more than one step would repeat it.
func (c *compiler) rectify(n *gorgonia.Node) error {
	if c.claimed[n] {
		return nil
	}
	x := c.tensors[c.in[n][0]]
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	r := *c.recipe(x)
	if r.relu {
		r = recipe{x: c.blocked(x)}
	}
	r.relu = true
	t.how, t.pre, t.norm = &r, x, x.norm
	if r.r != nil || !c.readOnce(n) {
		c.blocked(t)
	}
	return nil
}

// readOnce reports whether one convolution alone (and the gradients) reads a node.
func (c *compiler) readOnce(n *gorgonia.Node) bool {
	convs := 0
	for _, u := range c.users[n] {
		switch op := u.Op().(type) {
		case *graph.Conv:
			if !shapeOf(op.ConvShape).Supported() || op.Bias {
				return false
			}
			convs++
		case *graph.ConvWeightGrad, *graph.ReLUGrad:
		default:
			return false
		}
	}
	return convs == 1
}

// addition makes the recipe of a sum of two tensors, each read as it is or through a batch normalisation.
func (c *compiler) addition(n *gorgonia.Node) error {
	if c.claimed[n] {
		return nil
	}
	t, err := c.newTensor(n)
	if err != nil {
		return err
	}
	side := func(t *tensor) *recipe {
		r := c.recipe(t)
		if r.r != nil || r.relu {
			return &recipe{x: c.blocked(t)}
		}
		return r
	}
	a, b := side(c.tensors[c.in[n][0]]), side(c.tensors[c.in[n][1]])
	t.how = &recipe{x: a.x, a: a.a, r: b.x, b: b.a}
	if u, op := c.onlyForwardUser(n); u == nil {
		c.blocked(t)
	} else if _, ok := op.(*graph.ReLU); !ok {
		c.blocked(t)
	}
	return nil
}

func (c *compiler) onlyForwardUser(n *gorgonia.Node) (*gorgonia.Node, gorgonia.Op) {
	var found *gorgonia.Node
	for _, u := range c.users[n] {
		if backward(u) {
			continue
		}
		if found != nil {
			return nil, nil
		}
		found = u
	}
	if found == nil {
		return nil, nil
	}
	return found, found.Op()
}
