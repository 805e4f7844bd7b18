package conv

import "resnet/internal/graph/kernel"

// tilesPerPass and gradTilesPerPass are how many 4×4 tiles go through the 36 products together, at
// most: enough to fill the strips of the tile kernels (two of 14), or to be worth loading and
// storing the sums of a weight gradient, few enough that the transformed tiles stay in the
// second-level cache. Of 16, 28, 32, 48 and 64 these did best over the shapes of `resnet bench
// conv`.
const (
	tilesPerPass     = 28
	gradTilesPerPass = 48
)

// maxTiles is the number of tiles in the longest pass over at most so many rows: fewer rows can
// make a longer pass.
func maxTiles(rows, tw, tiles int) int { return min(rows, max(1, tiles/tw)) * tw }

// rowsPerPass divides rows of tw tiles into passes of equal length, at most so many tiles each.
func rowsPerPass(rows, tw, tiles int) int {
	most := max(1, tiles/tw)
	passes := (rows + most - 1) / most
	return (rows + passes - 1) / passes
}

// planePad separates the 36 planes by one more vector: planes a power of two apart would fall into
// the same cache sets.
const planePad = block

// winograd is F(4×4, 3×3), forward or (with transposed, flipped weights) data gradient.
type winograd struct {
	s         Shape // as a forward convolution: C reduced, K produced
	in        *Padded
	transpose bool
	th, tw    int // tiles
}

func tilesOf(n int) int { return (n + 3) / 4 }

// winogradExtent of a forward convolution: whole tiles.
func (s Shape) winogradExtent() extent {
	return extent{s.PadH, s.PadW, 4*tilesOf(s.OH()) + 2, 4*tilesOf(s.OW()) + 2}
}

// mirrored is the data gradient as a forward convolution (stride 1).
func (s Shape) mirrored() Shape {
	return Shape{C: s.K, K: s.C, H: s.OH(), W: s.OW(), R: s.R, S: s.S, Stride: 1, PadH: s.R - 1 - s.PadH, PadW: s.S - 1 - s.PadW}
}

func newWinograd(s Shape, in *Padded, transpose bool) *winograd {
	return &winograd{s: s, in: in, transpose: transpose, th: tilesOf(s.OH()), tw: tilesOf(s.OW())}
}

func (w *winograd) Input() *Padded { return w.in }

// Packed weights are [output block][36][reduced block][16][16], so that what one block of outputs
// needs is read from end to end; plane is the distance between its 36 planes.
func (w *winograd) plane() int { return blocks(w.s.C)*block*block + planePad }

func (w *winograd) PackedLen() int { return blocks(w.s.K) * 36 * w.plane() }

func (w *winograd) PackUnits() int { return blocks(w.s.K) }

// rows is the number of rows of tiles, over all images, that go through together.
func (w *winograd) rows(n int) int { return rowsPerPass(n*w.th, w.tw, tilesPerPass) }

func (w *winograd) Need(n int) Need {
	t := maxTiles(n*w.th, w.tw, tilesPerPass)
	need := Need{V: 36 * (t*blocks(w.s.C)*block + planePad), M: 36 * (t*2*block + planePad), Edge: 144 * block}
	if w.partial() {
		need.Edge = max(need.Edge, 4*w.tw*4*block)
	}
	return need
}

// partial reports whether tiles hang over the edge of the output.
func (w *winograd) partial() bool { return w.s.OH()%4 != 0 || w.s.OW()%4 != 0 }

// Pack writes a block of outputs.
func (w *winograd) Pack(k *Work, o int, dst, weights []float32) {
	s := w.s
	filters := k.edge[:144*block] // 16 filters of 9 vectors
	t := &k.trans
	t.Src, t.Plane, t.Tiles, t.Rows = filters, w.plane(), block, 1
	for c := range blocks(s.C) {
		if w.transpose {
			w.flippedFilters(filters, weights, o, c)
		} else {
			w.filters(filters, weights, o, c)
		}
		t.Dst = dst[o*36*w.plane()+c*block*block:]
		t.Filter()
	}
}

// filters gathers the filters of block c of inputs and o of outputs: [input][tap][output], from [K,
// C, 3, 3].
func (w *winograd) filters(filters, weights []float32, o, c int) {
	in, out := min(block, w.s.C-c*block), min(block, w.s.K-o*block)
	if in < block || out < block {
		clear(filters)
	}
	for lane := range out {
		g := weights[((o*block+lane)*w.s.C+c*block)*9:][:in*9]
		f := filters[lane:]
		for i, v := range g {
			f[i*block] = v
		}
	}
}

// flippedFilters gathers the filters of a data gradient, whose outputs are the convolution's
// inputs: weights [C, K, 3, 3], taps in reverse.
func (w *winograd) flippedFilters(filters, weights []float32, o, c int) {
	in, out := min(block, w.s.C-c*block), min(block, w.s.K-o*block)
	if in < block || out < block {
		clear(filters)
	}
	for i := range in {
		g := weights[((c*block+i)*w.s.K+o*block)*9:][:out*9]
		f := (*[144]float32)(filters[i*144:])
		for lane := range out {
			v := (*[9]float32)(g[lane*9:])
			for t := range 9 {
				f[(8-t)*block+lane&15] = v[t]
			}
		}
	}
}

func (w *winograd) Run(k *Work, y, x []float32, n int, packed []float32) {
	rows := w.rows(n)
	for q := 0; q < n*w.th; q += rows {
		w.pass(k, y, x, q, min(q+rows, n*w.th), packed)
	}
}

// pass computes rows of tiles [from, to), counted over all images.
func (w *winograd) pass(k *Work, y, x []float32, from, to int, packed []float32) {
	ob, cb := blocks(w.s.K), blocks(w.s.C)
	tiles := (to - from) * w.tw
	vPlane := tiles*cb*block + planePad
	forwardTiles(k, w.s, w.in, k.v, x, from, to, w.th, w.tw, vPlane, Blocks{0, w.in.CB})
	t := &k.tile
	t.Taps = k.tapsApart(cb, tiles*block)
	t.In, t.YPixel, t.Planes = block, block, 36
	for o := 0; o < ob; {
		nb := kernel.Blocks(ob - o)
		mPlane := tiles*nb*block + planePad
		t.X, t.XPlane = k.v, vPlane
		t.W, t.WPlane, t.W2 = packed[o*36*w.plane():], w.plane(), 36*w.plane()
		t.Y, t.YPlane, t.Y2 = k.m, mPlane, tiles*block
		t.RunFlat(tiles, nb)
		for b := range nb {
			w.back(k, y, k.m[b*tiles*block:], from, to, o+b, mPlane)
		}
		o += nb
	}
}

// tapsApart lists n offsets, step apart; the slice is the worker's own.
func (k *Work) tapsApart(n, step int) []int {
	k.taps = k.taps[:0]
	for i := range n {
		k.taps = append(k.taps, i*step)
	}
	return k.taps
}

// eachImage calls f for the rows of tiles of each image in [from, to), counted over all images:
// rows [first, first+n) of image img, which begin at tile at of the pass.
func eachImage(from, to, th, tw int, f func(img, first, n, at int)) {
	for q := from; q < to; {
		img, first := q/th, q%th
		n := min(th-first, to-q)
		f(img, first, n, (q-from)*tw)
		q += n
	}
}

// forwardTiles transforms rows of tiles of some blocks of padded images into planes
// [36][block][tile][16].
func forwardTiles(k *Work, s Shape, in *Padded, v, x []float32, from, to, th, tw, plane int, of Blocks) {
	t := &k.trans
	t.SrcRow, t.Step, t.Plane, t.Tiles = in.Row(), 4*in.Row(), plane, tw
	tiles := (to - from) * tw
	eachImage(from, to, th, tw, func(img, first, n, at int) {
		t.Rows = n
		for cb := of.From; cb < of.To; cb++ {
			t.Src = x[img*in.Len()+in.at(cb, first*4+in.Top-s.PadH, in.Left-s.PadW):]
			t.Dst = v[(cb*tiles+at)*block:]
			t.Input()
		}
	})
}

// back transforms one block of output channels to pixels.
func (w *winograd) back(k *Work, y, m []float32, from, to, ob, plane int) {
	oh, ow := w.s.OH(), w.s.OW()
	t := &k.trans
	t.Plane, t.Tiles = plane, w.tw
	eachImage(from, to, w.th, w.tw, func(img, first, n, at int) {
		dst := y[((img*blocks(w.s.K)+ob)*oh+first*4)*ow*block:]
		if !w.partial() {
			t.Src, t.Dst, t.SrcRow, t.Step, t.Rows = m[at*block:], dst, ow*block, 4*ow*block, n
			t.Output()
			return
		}
		t.Dst, t.SrcRow, t.Rows = k.edge, 4*w.tw*block, 1
		for q := range n {
			t.Src = m[(at+q*w.tw)*block:]
			t.Output()
			for r := range min(4, oh-(first+q)*4) {
				copy(dst[(q*4+r)*ow*block:][:ow*block], k.edge[r*t.SrcRow:])
			}
		}
	})
}
