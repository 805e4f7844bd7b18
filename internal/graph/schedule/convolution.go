package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

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
	out, err := c.newTensor(n)
	if err != nil {
		return err
	}
	out.how = &recipe{}
	var bias *graph.Param
	if len(c.in[n]) > 2 {
		if bias = c.param[c.in[n][2]]; bias == nil {
			return fmt.Errorf("schedule: %v: its bias is not a parameter", n.Op())
		}
	}
	packed := c.packed(fwd, w)
	per := fwd.Input().Len()
	g := group(per, c.m.lane)
	c.need = c.need.Max(fwd.Need(g))
	c.x = max(c.x, g*per)
	st := &step{name: "conv " + s.String(), reads: in.reads()}
	st.need(in.a, in.b)
	c.y = max(c.y, g*s.OutLen())
	var each eachImage = func(w *worker, _, _ int, y, result []float32, _ int) { w.copyOut(y, result) }
	if stats := c.statsOf(n); stats != nil {
		out.how.x = c.newValue(n.Op().String(), out.blockedLen())
		nm := c.makeNorm(stats, s.K, s.OH()*s.OW())
		st.makes = append(st.makes, nm.apply)
		st.finish = func() { nm.merge(len(c.m.units), c.m.options.StatsMomentum) }
		each = func(w *worker, u, _ int, y, result []float32, _ int) {
			nm.observe(w, u, result)
			w.copyOut(y, result)
		}
		if bias != nil {
			r, hw := &recipe{a: c.perChannel(bias).shift}, out.hw()
			each = func(w *worker, u, _ int, y, result []float32, _ int) {
				w.how = r
				w.mapImage(y, result, nil, hw)
				nm.observe(w, u, y)
			}
		}
		c.begin(st, nm)
	} else if err := c.epilogue(n, out, bias, st, &each); err != nil {
		return err
	}
	v := out.how.x
	st.writes = []*value{v.root()}
	outLen, begin := s.OutLen(), st.run
	st.run = func(w *worker, u, first, count int) {
		if begin != nil {
			begin(w, u, first, count)
		}
		for at := 0; at < count; at += g {
			k := min(g, count-at)
			w.fill(fwd.Input(), &w.x, in, first+at, k)
			fwd.Run(w.conv, w.y, w.x.data, k, packed)
			for i := range k {
				each(w, u, first, w.image(v, first+at+i), w.y[i*outLen:(i+1)*outLen], at+i)
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
