package conv

// winogradGrad is the weight gradient in the transformed domain: a sum over tiles of 36 outer
// products, and one transform back at the end. An accumulator is [36][input block][output
// block][16][16].
type winogradGrad struct {
	s      Shape
	in, dy *Padded
	th, tw int
}

// winogradGradExtent is what the gradient of the output needs: whole tiles, with zeros past the
// edge.
func (s Shape) winogradGradExtent() extent {
	return extent{0, 0, 4 * tilesOf(s.OH()), 4 * tilesOf(s.OW())}
}

func newWinogradGrad(s Shape, in, dy *Padded) *winogradGrad {
	return &winogradGrad{s: s, in: in, dy: dy, th: tilesOf(s.OH()), tw: tilesOf(s.OW())}
}

func (g *winogradGrad) Input() *Padded      { return g.in }
func (g *winogradGrad) OutputGrad() *Padded { return g.dy }
func (g *winogradGrad) Units() int          { return blocks(g.s.C) * blocks(g.s.K) }
func (g *winogradGrad) plane() int          { return g.Units() * block * block }
func (g *winogradGrad) Len() int            { return 36 * g.plane() }

func (g *winogradGrad) rows(n int) int { return rowsPerPass(n*g.th, g.tw, gradTilesPerPass) }

func (g *winogradGrad) Need(n int) Need {
	t := maxTiles(n*g.th, g.tw, gradTilesPerPass)
	return Need{V: 36 * (t*blocks(g.s.C)*block + planePad), M: 36 * (t*blocks(g.s.K)*block + planePad), Edge: (144 + 36*block) * block}
}

func (g *winogradGrad) Add(k *Work, acc, x, dy []float32, n int) {
	g.AddBlocks(k, acc, x, dy, n, Blocks{0, blocks(g.s.C)}, Blocks{0, blocks(g.s.K)})
}

func (g *winogradGrad) AddBlocks(k *Work, acc, x, dy []float32, n int, in, out Blocks) {
	rows := g.rows(n)
	for q := 0; q < n*g.th; q += rows {
		g.pass(k, acc, x, dy, q, min(q+rows, n*g.th), in, out)
	}
}

func (g *winogradGrad) pass(k *Work, acc, x, dy []float32, from, to int, in, out Blocks) {
	cb, kb := blocks(g.s.C), blocks(g.s.K)
	tiles := (to - from) * g.tw
	xPlane, yPlane := tiles*cb*block+planePad, tiles*kb*block+planePad
	forwardTiles(k, g.s, g.in, k.v, x, from, to, g.th, g.tw, xPlane, in)
	t := &k.trans
	t.SrcRow, t.Step, t.Plane, t.Tiles = g.dy.Row(), 4*g.dy.Row(), yPlane, g.tw
	eachImage(from, to, g.th, g.tw, func(img, first, n, at int) {
		t.Rows = n
		for b := out.From; b < out.To; b++ {
			t.Src = dy[img*g.dy.Len()+g.dy.at(b, first*4+g.dy.Top, g.dy.Left):]
			t.Dst = k.m[(b*tiles+at)*block:]
			t.Spread()
		}
	})
	w := &k.grad
	w.Taps = k.tapsApart(36, xPlane)
	w.Pixels, w.Rows = tiles, 1
	w.DYPlane, w.DY2 = yPlane, tiles*block
	w.DWTap, w.DW2 = g.plane(), block*block
	for c := in.From; c < in.To; c++ {
		w.X, w.DY, w.DW = k.v[c*tiles*block:], k.m[out.From*tiles*block:], acc[(c*kb+out.From)*block*block:]
		w.RunBlock(block, out.To-out.From)
	}
}

func (g *winogradGrad) ClearBlocks(acc []float32, in, out Blocks) {
	for p := range 36 {
		for cb := in.From; cb < in.To; cb++ {
			at := p*g.Units() + cb*blocks(g.s.K)
			clear(acc[(at+out.From)*block*block : (at+out.To)*block*block])
		}
	}
}

func (g *winogradGrad) Finish(k *Work, u, of int, parts [][]float32, dw []float32, accumulate bool) {
	first, last := share(block, u%of, of), share(block, u%of+1, of)
	u /= of
	n := last - first
	sum := k.edge[144*block:][:36*n*block]
	sumParts(k, sum, parts, u*block*block+first*block, 36, n, g.plane())
	g.gather(k, sum, u/blocks(g.s.K), u%blocks(g.s.K), first, n, dw, accumulate)
}

// gather brings the sums [36][n][16] of n input channels of block cb, from the given one, and
// output block ob back to their weights.
func (g *winogradGrad) gather(k *Work, sum []float32, cb, ob, from, n int, dw []float32, accumulate bool) {
	filters := k.edge[:144*block]
	t := &k.trans
	t.Src, t.Dst, t.Plane, t.Tiles, t.Rows = sum, filters, n*block, n, 1
	t.Gather()
	in := min(n, g.s.C-cb*block-from)
	if in <= 0 {
		return
	}
	for o := range min(block, g.s.K-ob*block) {
		to, from := dw[((ob*block+o)*g.s.C+cb*block+from)*9:][:in*9], filters[o:]
		if accumulate {
			for i := range to {
				to[i] += from[i*block]
			}
			continue
		}
		for i := range to {
			to[i] = from[i*block]
		}
	}
}
