package conv

import "resnet/internal/graph/kernel"

// band is a range of blocks of output channels that see the same blocks of input channels.
type band struct {
	from, n int
	in, ins int
	group   int // of a problem
}

// bands divide the blocks of output channels by what they see; of the data gradient with transpose.
// Without groups there is one. In groups of 4 or 8 channels in and out, a block sees the one at its
// own place, and the kernel of groups computes it; otherwise the ordinary kernels compute whole
// blocks, with zeros for weights between groups.
func (s Shape) bands(transpose bool) (list []band) {
	outC, inC := s.K, s.C
	if transpose {
		outC, inC = inC, outC
	}
	if s.Groups <= 1 {
		return []band{{0, blocks(outC), 0, blocks(inC), 0}}
	}
	outPer, inPer := outC/s.Groups, inC/s.Groups
	small := outPer == inPer && kernel.Groups(outPer)
	for ob := range blocks(outC) {
		if small {
			list = append(list, band{ob, 1, ob, 1, outPer})
			continue
		}
		first, last := ob*block/outPer, min((ob+1)*block, outC)-1
		of := band{from: ob, n: 1, in: first * inPer / block}
		of.ins = blocks((last/outPer+1)*inPer) - of.in
		if n := len(list) - 1; n >= 0 && list[n].in == of.in && list[n].ins == of.ins {
			list[n].n++
			continue
		}
		list = append(list, of)
	}
	return list
}

// weight is that between an output and an input channel, 0 in different groups.
func (s Shape) weight(w []float32, k, c, r, q int) float32 {
	kPer, cPer := s.K/s.Groups, s.C/s.Groups
	if k >= s.K || c >= s.C || k/kPer != c/cPer {
		return 0
	}
	return w[((k*cPer+c%cPer)*s.R+r)*s.S+q]
}

// packGroups is Pack in groups. For the kernel of groups it is [tap][difference][16], see
// kernel.GroupTile.
func (d *direct) packGroups(ob int, dst, w []float32) {
	weight := func(out, in int, t pick) float32 {
		if d.transpose {
			out, in = in, out
		}
		return d.s.weight(w, out, in, t.r, t.s)
	}
	for i := range d.problems {
		p := &d.problems[i]
		if ob < p.from || ob >= p.from+p.ob {
			continue
		}
		to := dst[p.weights+(ob-p.from)*d.size(p):]
		for n, t := range p.pick {
			if p.group > 0 {
				for j := range p.group * block {
					lane := ob*block + j%block
					to[n*p.group*block+j] = weight(lane, lane^(j/block), t)
				}
				continue
			}
			for j := range d.inner * block {
				to[n*d.inner*block+j] = weight(ob*block+j%block, t.b*block+j/block, t)
			}
		}
	}
}

// groupedGrad accumulates [pair][tap][difference or input][16] for the pairs of blocks of input and
// output channels that see each other.
type groupedGrad struct {
	s      Shape
	in, dy *Padded
	taps   []int
	group  int // for the kernel of groups, else 0
	pairs  []blockPair
	first  []int // of each block of output channels, its first pair
}

type blockPair struct{ ob, cb int }

func newGroupedGrad(s Shape, in, dy *Padded) *groupedGrad {
	g := &groupedGrad{s: s, in: in, dy: dy}
	for r := range s.R {
		for c := range s.S {
			g.taps = append(g.taps, in.at(0, r+in.Top-s.PadH, c+in.Left-s.PadW))
		}
	}
	for _, of := range s.bands(false) {
		g.group = of.group
		for ob := of.from; ob < of.from+of.n; ob++ {
			g.first = append(g.first, len(g.pairs))
			for cb := of.in; cb < of.in+of.ins; cb++ {
				g.pairs = append(g.pairs, blockPair{ob, cb})
			}
		}
	}
	g.first = append(g.first, len(g.pairs))
	return g
}

func (g *groupedGrad) Input() *Padded      { return g.in }
func (g *groupedGrad) OutputGrad() *Padded { return g.dy }
func (g *groupedGrad) Need(int) Need       { return Need{Edge: g.unit()} }
func (g *groupedGrad) Units() int          { return blocks(g.s.K) }
func (g *groupedGrad) Len() int            { return len(g.pairs) * g.unit() }

// unit is how many values a pair has.
func (g *groupedGrad) unit() int {
	if g.group > 0 {
		return len(g.taps) * g.group * block
	}
	return len(g.taps) * block * block
}

func (g *groupedGrad) Add(k *Work, acc, x, dy []float32, n int) {
	first := g.dy.at(0, g.dy.Top, g.dy.Left)
	for img := range n {
		for i, p := range g.pairs {
			xs := x[img*g.in.Len()+p.cb*g.in.Plane() : (img+1)*g.in.Len()]
			ds := dy[img*g.dy.Len()+first+p.ob*g.dy.Plane() : (img+1)*g.dy.Len()]
			dw := acc[i*g.unit() : (i+1)*g.unit()]
			if g.group > 0 {
				t := &k.groupG
				t.X, t.DY, t.DW, t.Taps, t.Pixels, t.Rows, t.XRow, t.DYRow = xs, ds, dw, g.taps, g.s.OW(), g.s.OH(), g.in.Row(), g.dy.Row()
				t.Run(g.group)
				continue
			}
			t := &k.grad
			t.X, t.DY, t.DW, t.Taps, t.Pixels, t.Rows = xs, ds, dw, g.taps, g.s.OW(), g.s.OH()
			t.XRow, t.DYRow, t.DYPlane, t.DY2, t.DWTap, t.DW2 = g.in.Row(), g.dy.Row(), 0, g.dy.Plane(), block*block, g.unit()
			t.RunBlock(block, 1)
		}
	}
}

func (g *groupedGrad) Finish(k *Work, u, of int, parts [][]float32, dw []float32, accumulate bool) {
	s := g.s
	kPer, cPer := s.K/s.Groups, s.C/s.Groups
	inputs := block
	if g.group > 0 {
		inputs = g.group
	}
	first, last := share(inputs, u%of, of), share(inputs, u%of+1, of)
	n := last - first
	if n == 0 {
		return
	}
	u /= of
	sum := k.edge[:len(g.taps)*n*block]
	for i := g.first[u]; i < g.first[u+1]; i++ {
		sumParts(k, sum, parts, i*g.unit()+first*block, len(g.taps), n, inputs*block)
		for t := range g.taps {
			for j := range n * block {
				out, c := u*block+j%block, g.pairs[i].cb*block+first+j/block
				if g.group > 0 {
					c = out ^ (first + j/block)
				}
				if out < s.K && c < s.C && out/kPer == c/cPer {
					put(dw, (out*cPer+c%cPer)*len(g.taps)+t, sum[t*n*block+j], accumulate)
				}
			}
		}
	}
}
