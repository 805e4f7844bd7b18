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
	limit := max(1, min(n, target/max(per, 1)))
	parts := (n + limit - 1) / limit
	return (n + parts - 1) / parts
}

// groupsOf says how a pass with ob blocks of output channels goes through n images: how many go
// through together, and how many a unit has at least. Where the bits of a pixel depend on the
// others, groups are those of all n images, and units are whole groups.
func (s sizes) groupsOf(per, ob, n int) (images, unit int) {
	images = group(per, n)
	if s.unit >= n || !kernel.WidthMatters(ob) {
		return min(images, s.unit), s.unit
	}
	for unit = images; unit < n && (unit < s.unit || unit%s.sum != 0); unit += images {
	}
	return images, unit
}

// spansWithin splits spans into such of a size.
func spansWithin(spans []span, size int) (list []span) {
	for _, s := range spans {
		for at := 0; at < s.n; at += size {
			list = append(list, span{s.first + at, min(size, s.n-at)})
		}
	}
	return list
}

// part is that of an image, all of it.
func (s sizes) part(image int) part {
	return part{unit: image / s.sum, image: image, first: image%s.sum == 0}
}

// part says which pixels of a convolution's result a worker has in its cache: those of block cb of
// an image, from the given one, and which sums they belong to.
type part struct {
	unit, image, cb, from int
	first                 bool // the first of its unit and block
}

// eachPart takes a part of a convolution's result to its place in memory, doing on the way what is
// done while it is in cache. A convolution that writes tiles straight to memory waits for it; a
// copy in order does not.
type eachPart func(w *worker, p part, d []float32)

// blocks calls f for the blocks of an image's result.
func (f eachPart) blocks(w *worker, p part, d []float32, plane int) {
	for cb := range len(d) / plane {
		p.cb = cb
		f(w, p, d[cb*plane:(cb+1)*plane])
	}
}

// convolution lowers y = x * w with the statistics of y, or in evaluation with what follows y.
func (c *compiler) convolution(n *gorgonia.Node, s conv.Shape) error {
	x, w := c.tensors[c.in[n][0]], c.param[c.in[n][1]]
	if w == nil {
		return fmt.Errorf("schedule: %v: its weights are not a parameter", n.Op())
	}
	intra, limits := c.intraImage(s), c.m.limits
	algorithm := c.m.choose(s).Forward
	if intra {
		algorithm = conv.ChooseFew(s, algorithm, c.g.N, limits)
		limits = limits.IntraImage(s)
	}
	if f := conv.NewBF16Image(s); f != nil && x.image && algorithm == conv.BF16 {
		return c.imageConvolution(n, s, f, x, w, intra)
	}
	fwd := conv.NewForward(s, algorithm)
	in := c.lazy(x)
	out, bias, err := c.resultOf(n)
	if err != nil {
		return err
	}
	packed := c.packed(fwd, w)
	st := &step{name: "conv", shape: s.String(), algorithm: algorithm.String(), weights: len(packed), reads: in.reads()}
	st.multiplies(s, algorithm, conv.ForwardPass)
	st.need(in.a, in.b)
	if sp := conv.NewTwoStage(fwd, c.g.N, limits); sp != nil {
		f, err := c.epilogueOf(n, s, out, bias, st, sp.Chunks()*parts(c.g.N, sp.Round))
		if err != nil {
			return err
		}
		c.twoStageForward(st, in, f, sp, packed)
		return nil
	}
	f, err := c.epilogueOf(n, s, out, bias, st, c.sums())
	if err != nil {
		return err
	}
	if split := conv.NewSplit(fwd, (Units+c.g.N-1)/c.g.N); split != nil && intra {
		c.intraImageForward(st, in, f, split, packed)
		return nil
	}
	per, hw, outLen := fwd.Input().Len(), out.hw(), s.OutLen()
	sizes := c.m.sizes
	g, unit := sizes.groupsOf(per, blocks(s.K), sizes.whole)
	if unit != sizes.unit {
		st.spans = spansWithin(spansOf(c.g.N, sizes.whole), unit)
	}
	c.need = c.need.Max(fwd.Need(g))
	c.x = max(c.x, g*per)
	asIs := in.plain() && in.x.root() == in.x && !in.x.narrow && fwd.Input().Same()
	whole := conv.NewParts(fwd)
	if whole != nil {
		c.need = c.need.Max(whole.Need())
	} else {
		c.y = max(c.y, g*outLen)
	}
	st.run = func(w *worker, _, first, count int) {
		sizes.eachSum(first, count, func(u, images int) { f.begin(u, images*hw) })
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
					p := sizes.part(first + at + i)
					whole.Image(w.conv, x[i*per:(i+1)*per], packed, func(cb, from int, y []float32) {
						f.each(w, part{p.unit, p.image, cb, from, p.first && from == 0}, y)
					})
				}
				continue
			}
			fwd.Run(w.conv, w.y, x, k, packed)
			for i := range k {
				f.each.blocks(w, sizes.part(first+at+i), w.y[i*outLen:(i+1)*outLen], hw*block)
			}
		}
	}
	c.add(st)
	return nil
}

// resultOf makes the tensor of a convolution's result, and finds its bias if it has one.
func (c *compiler) resultOf(n *gorgonia.Node) (out *tensor, bias *graph.Param, err error) {
	if out, err = c.newTensor(n); err != nil {
		return nil, nil, err
	}
	out.lazy = &lazy{}
	if len(c.in[n]) > 2 {
		if bias = c.param[c.in[n][2]]; bias == nil {
			return nil, nil, fmt.Errorf("schedule: %v: its bias is not a parameter", n.Op())
		}
	}
	return out, bias, nil
}

// epilogue is what happens to a convolution's result in cache: where its parts go, and the norm
// whose statistics are taken, if any.
type epilogue struct {
	each eachPart
	norm *norm
}

// begin clears a unit's statistics and says how many pixels of a channel it will see.
func (f epilogue) begin(u, pixels int) {
	if f.norm != nil {
		f.norm.begin(u, pixels)
	}
}

// epilogueOf prepares what a step in so many units does with the result of convolution n, and gives
// the result its value.
func (c *compiler) epilogueOf(n *gorgonia.Node, s conv.Shape, out *tensor, bias *graph.Param, st *step, units int) (epilogue, error) {
	stats := c.statsOf(n)
	if stats == nil {
		each, err := c.fuseForward(n, out, bias, st)
		return epilogue{each: each}, err
	}
	v, hw := c.newBlocked(n.Op().String(), out.blockedLen()), out.hw()
	out.lazy.x, st.writes = v, []*value{v}
	nm := c.makeNorm(stats, s.K, hw, units)
	st.makes = append(st.makes, nm.apply)
	c.mergeIn(st, nm, units)
	if bias == nil {
		return epilogue{func(w *worker, p part, d []float32) {
			nm.observeOut(w, p.unit, v, p.image, p.cb, p.cb*hw+p.from, d, p.first)
		}, nm}, nil
	}
	r := &lazy{a: c.perChannel(bias).shift}
	return epilogue{func(w *worker, p part, d []float32) {
		at := p.cb*hw + p.from
		if v.narrow {
			w.mapPart(r, d, d, nil, p.cb)
			nm.observeOut(w, p.unit, v, p.image, p.cb, at, d, p.first)
			return
		}
		y := w.part(v, p.image, at, len(d))
		w.mapPart(r, y, d, nil, p.cb)
		nm.observePart(w, p.unit, p.cb, y, p.first)
	}, nm}, nil
}

func (c *compiler) packed(p conv.Packer, w *graph.Param) []float32 {
	buf := c.packMemory(p.PackedLen())
	c.packs = append(c.packs, pack{p, w, buf})
	c.need = c.need.Max(p.Need(1))
	return buf
}

// packPiece is how many values of packs lie together, on large pages.
const packPiece = 1 << 20

// packMemory returns n zeros on a cache line. Where weights are many, the packs of several layers
// share a piece of memory.
func (c *compiler) packMemory(n int) []float32 {
	const line = 16
	size := (n + line - 1) &^ (line - 1)
	if size > len(c.packRest) {
		piece := size
		if size < packPiece && c.values() >= packPiece/8 {
			piece = packPiece
		}
		c.packRest = kernel.Alloc(piece)
		c.m.packLen += piece
	}
	buf := c.packRest[:n:n]
	c.packRest = c.packRest[size:]
	return buf
}

// values is how many values all parameters have.
func (c *compiler) values() (n int) {
	for _, p := range c.g.Params {
		n += len(p.Param.Data)
	}
	return n
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
			nm.name, nm.mean, nm.vari, nm.momentum = s.Name, s.Mean, s.Var, s.Mean.Momentum
		}
	}
	for _, u := range c.users[stats] {
		if op, ok := graph.OpOf(u).(*graph.BatchNorm); ok {
			nm.eps, nm.gamma, nm.beta = op.Eps, c.param[c.in[u][1]], c.param[c.in[u][2]]
			nm.trainedGamma, nm.trainedBeta = c.trained(nm.gamma), c.trained(nm.beta)
		}
	}
	nm.units(units)
	c.norms[stats] = nm
	c.m.norms = append(c.m.norms, nm)
	return nm
}
