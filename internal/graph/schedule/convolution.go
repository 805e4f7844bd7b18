package schedule

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

// group is how many of n images of a padded layout go through a convolution together: enough to
// fill the tile kernels, few enough to stay in the second-level cache, and n in equal parts.
func group(per, n int) int {
	const target = 52 << 10 // float32 values
	most := max(1, min(n, target/max(per, 1)))
	parts := (n + most - 1) / most
	return (n + parts - 1) / parts
}

// eachPart takes a part of a convolution's result from the worker's cache to its place in memory,
// doing on the way what is done while it is in cache: the pixels of d in block cb of an image, from
// the given one. A convolution that writes tiles straight to memory waits for it; a copy in order
// does not.
type eachPart func(w *worker, u, image, cb, from int, d []float32)

// parts calls f for the blocks of an image's result.
func (f eachPart) parts(w *worker, u, image int, d []float32, plane int) {
	for cb := range len(d) / plane {
		f(w, u, image, cb, 0, d[cb*plane:(cb+1)*plane])
	}
}

// convolution lowers y = x * w with the statistics of y, or in evaluation with what follows y.
func (c *compiler) convolution(n *gorgonia.Node, s conv.Shape) error {
	x, w := c.tensors[c.in[n][0]], c.param[c.in[n][1]]
	if w == nil {
		return fmt.Errorf("schedule: %v: its weights are not a parameter", n.Op())
	}
	within, limits := c.withinImages(s), c.m.limits
	algorithm := c.m.choose(s).Forward
	if within {
		algorithm = conv.ChooseFew(s, algorithm, c.g.N, limits)
		limits = limits.IntraImage(s)
	}
	fwd := conv.NewForward(s, algorithm)
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
	st := &step{name: "conv " + s.String(), reads: in.reads()}
	st.need(in.a, in.b)
	if sp := conv.NewTwoStage(fwd, c.g.N, limits); sp != nil {
		f, err := c.finishing(n, s, out, bias, st, sp.Chunks()*parts(c.g.N, sp.Round))
		if err != nil {
			return err
		}
		c.spreadForward(st, in, f, sp, packed, within)
		return nil
	}
	f, err := c.finishing(n, s, out, bias, st, len(c.m.units))
	if err != nil {
		return err
	}
	if split := conv.NewSplit(fwd, (most+c.g.N-1)/c.g.N); split != nil && within {
		c.splitForward(st, in, f, split, packed)
		return nil
	}
	per, hw, outLen := fwd.Input().Len(), out.hw(), s.OutLen()
	g := group(per, c.m.lane)
	c.need = c.need.Max(fwd.Need(g))
	c.x = max(c.x, g*per)
	asIs := in.plain() && in.x.root() == in.x && fwd.Input().Same()
	whole := conv.NewParts(fwd)
	if whole != nil {
		c.need = c.need.Max(whole.Need())
	} else {
		c.y = max(c.y, g*outLen)
	}
	st.run = func(w *worker, u, first, count int) {
		f.begin(u, count*hw)
		for at := 0; at < count; at += g {
			k := min(g, count-at)
			x := w.x.data
			if asIs {
				x = w.images(in.x, first+at, k)
			} else {
				w.fill(fwd.Input(), &w.x, in, first+at, k)
			}
			if whole != nil {
				for i := range k {
					img, first := first+at+i, at+i == 0
					whole.Image(w.conv, x[i*per:(i+1)*per], packed, func(cb, from int, y []float32) {
						w.fresh = first && from == 0
						f.each(w, u, img, cb, from, y)
					})
				}
				continue
			}
			fwd.Run(w.conv, w.y, x, k, packed)
			for i := range k {
				w.fresh = at+i == 0
				f.each.parts(w, u, first+at+i, w.y[i*outLen:(i+1)*outLen], hw*block)
			}
		}
	}
	c.add(st)
	return nil
}

// finish is what happens to a convolution's result: where its parts go, and the norm whose
// statistics it takes, if any.
type finish struct {
	each eachPart
	norm *norm
}

// begin clears a unit's statistics and says how many pixels of a channel it will see.
func (f finish) begin(u, pixels int) {
	if f.norm != nil {
		f.norm.begin(u)
		f.norm.count[u] = pixels
	}
}

// finishing prepares what a step in so many units does with the result of convolution n, and gives
// the result its value.
func (c *compiler) finishing(n *gorgonia.Node, s conv.Shape, out *tensor, bias *graph.Param, st *step, units int) (finish, error) {
	var f finish
	stats := c.statsOf(n)
	if stats == nil {
		err := c.epilogue(n, out, bias, st, &f.each)
		st.writes = []*value{out.how.x.root()}
		return f, err
	}
	v, hw := c.newValue(n.Op().String(), out.blockedLen()), out.hw()
	out.how.x, st.writes = v, []*value{v}
	nm := c.makeNorm(stats, s.K, hw, units)
	st.makes = append(st.makes, nm.apply)
	st.finish = func() { nm.merge(units, c.m.options.StatsMomentum) }
	f.norm = nm
	if bias == nil {
		f.each = func(w *worker, u, image, cb, from int, d []float32) {
			nm.observePart(w, u, cb, d, w.fresh)
			w.copyOut(w.part(v, image, cb*hw+from, len(d)), d)
		}
		return f, nil
	}
	r := &recipe{a: c.perChannel(bias).shift}
	f.each = func(w *worker, u, image, cb, from int, d []float32) {
		y := w.part(v, image, cb*hw+from, len(d))
		w.how = r
		w.mapPart(y, d, nil, cb)
		nm.observePart(w, u, cb, y, w.fresh)
	}
	return f, nil
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
		if _, ok := graph.OpOf(u).(*graph.BatchStats); ok {
			return u
		}
	}
	return nil
}

// makeNorm creates the norm of a node of statistics; its γ, β and ε come with the BatchNorm node.
func (c *compiler) makeNorm(stats *gorgonia.Node, channels, hw, units int) *norm {
	nm := newNorm("", channels, hw, 0)
	for _, s := range c.g.Stats {
		if s.Node == stats {
			nm.name, nm.mean, nm.vari, nm.momentum = s.Name, s.Mean, s.Var, s.Momentum
		}
	}
	for _, u := range c.users[stats] {
		if op, ok := graph.OpOf(u).(*graph.BatchNorm); ok {
			nm.eps, nm.gamma, nm.beta = op.Eps, c.param[c.in[u][1]], c.param[c.in[u][2]]
		}
	}
	nm.units(units)
	c.norms[stats] = nm
	c.m.norms = append(c.m.norms, nm)
	return nm
}
