package conv

import "resnet/internal/graph/kernel"

// A WeightGrad accumulates the gradient of the weights, image by image, in a form of its own, and
// brings sums of such accumulators back to [K, C, R, S].
type WeightGrad interface {
	// Input and OutputGrad are the layouts of the images that Add reads.
	Input() *Padded
	OutputGrad() *Padded
	// Len is the length of an accumulator.
	Len() int
	// Add adds the gradient of n images to acc.
	Add(k *Work, acc, x, dy []float32, n int)
	// Units says in how many independent parts Finish can be done, of which each can be divided
	// again.
	Units() int
	// Finish writes (or adds) unit u of Units()·of of the sum of the accumulators to dw [K, C, R,
	// S]; of is at most FinishDivision. Each weight is summed in the order of the parts.
	Finish(k *Work, u, of int, parts [][]float32, dw []float32, accumulate bool)
	Need(n int) Need
}

// FinishDivision is into how many parts a unit of Finish can be divided: one for each input channel
// of a block.
const FinishDivision = block

// Blocks is a range of blocks of channels.
type Blocks struct{ From, To int }

// A DividedGrad can add the gradient of some weights alone, those between some input and some
// output channels, with the same bits: several workers can share an accumulator.
type DividedGrad interface {
	WeightGrad
	// AddBlocks is Add for these blocks; of x and dy it reads no others.
	AddBlocks(k *Work, acc, x, dy []float32, n int, in, out Blocks)
	// ClearBlocks clears their part of an accumulator.
	ClearBlocks(acc []float32, in, out Blocks)
}

// directGrad accumulates [input block][output block][tap][inner][16].
type directGrad struct {
	s      Shape
	in, dy *Padded
	taps   []int
	inner  int
}

func (s Shape) gradExtent() extent { return extent{0, 0, s.OH(), s.OW()} }

func newDirectGrad(s Shape, in, dy *Padded) *directGrad {
	g := &directGrad{s: s, in: in, dy: dy, inner: block}
	if s.C <= 3 {
		g.inner = 3
	}
	for r := range s.R {
		for c := range s.S {
			g.taps = append(g.taps, in.at(0, r+in.Top-s.PadH, c+in.Left-s.PadW))
		}
	}
	return g
}

func (g *directGrad) Input() *Padded      { return g.in }
func (g *directGrad) OutputGrad() *Padded { return g.dy }
func (g *directGrad) Need(int) Need       { return Need{Edge: g.unit()} }
func (g *directGrad) unit() int           { return len(g.taps) * g.inner * block }
func (g *directGrad) Units() int          { return blocks(g.s.C) * blocks(g.s.K) }
func (g *directGrad) Len() int            { return g.Units() * g.unit() }

func (g *directGrad) Add(k *Work, acc, x, dy []float32, n int) {
	g.AddBlocks(k, acc, x, dy, n, Blocks{0, blocks(g.s.C)}, Blocks{0, blocks(g.s.K)})
}

func (g *directGrad) AddBlocks(k *Work, acc, x, dy []float32, n int, in, out Blocks) {
	kb := blocks(g.s.K)
	t := &k.grad
	t.Taps, t.Pixels, t.Rows = g.taps, g.s.OW(), g.s.OH()
	t.XRow, t.DYRow, t.DYPlane, t.DY2 = g.in.Row(), g.dy.Row(), 0, g.dy.Plane()
	t.DWTap, t.DW2 = g.inner*block, g.unit()
	first := g.dy.at(out.From, g.dy.Top, g.dy.Left)
	rows, pixels := t.Rows, t.Pixels
	if len(g.taps) == 1 && t.XRow == pixels*block && t.DYRow == pixels*block {
		rows, pixels = 1, rows*pixels // without margins, rows follow each other
	}
	chunks := g.chunks(rows, pixels)
	// What is divided: the rows of an image, or the pixels of its only one.
	part, of, xStep, dyStep := &t.Rows, rows, t.XRow, t.DYRow
	if rows == 1 {
		t.Rows = 1
		part, of, xStep, dyStep = &t.Pixels, pixels, block, block
	}
	for img := range n {
		xi, dyi := x[img*g.in.Len():(img+1)*g.in.Len()], dy[img*g.dy.Len()+first:(img+1)*g.dy.Len()]
		for c := range chunks {
			from, to := share(of, c, chunks), share(of, c+1, chunks)
			*part = to - from
			for cb := in.From; cb < in.To; cb++ {
				t.X, t.DY, t.DW = xi[cb*g.in.Plane()+from*xStep:], dyi[from*dyStep:], acc[(cb*kb+out.From)*g.unit():]
				t.RunBlock(g.inner, out.To-out.From)
			}
		}
	}
}

// gradPixels is about how many pixels of an image go through a weight gradient together, with all
// channels: few enough that those of a block of input and of two of output channels stay in the
// first-level cache, enough to be worth loading and storing the sums. Of 128, 200, 300 and 600 it
// did best over the shapes of ResNet-50.
const gradPixels = 200

// imageRows is how many rows of the output of the first convolution go through its weight gradient
// together: those that all taps and outputs need stay in cache.
const imageRows = 8

// chunks is into how many parts an image of so many rows is divided.
func (g *directGrad) chunks(rows, pixels int) int {
	switch {
	case g.inner < block:
		return (rows + imageRows - 1) / imageRows
	case rows == 1:
		return (pixels + gradPixels - 1) / gradPixels
	}
	return min(rows, (rows*pixels+gradPixels-1)/gradPixels)
}

func (g *directGrad) ClearBlocks(acc []float32, in, out Blocks) {
	for cb := in.From; cb < in.To; cb++ {
		at := cb * blocks(g.s.K)
		clear(acc[(at+out.From)*g.unit() : (at+out.To)*g.unit()])
	}
}

func (g *directGrad) Finish(k *Work, u, of int, parts [][]float32, dw []float32, accumulate bool) {
	first, last := share(g.inner, u%of, of), share(g.inner, u%of+1, of)
	n := last - first
	if n == 0 {
		return // fewer channels than shares
	}
	u /= of
	sum := k.edge[:len(g.taps)*n*block]
	sumParts(k, sum, parts, u*g.unit()+first*block, len(g.taps), n, g.inner*block)
	s, kb := g.s, blocks(g.s.K)
	cb, ob := u/kb, u%kb
	for t := range g.taps {
		for i := range min(last, s.C-cb*block) - first {
			for o := range min(block, s.K-ob*block) {
				put(dw, ((ob*block+o)*s.C+cb*block+first+i)*len(g.taps)+t, sum[(t*n+i)*block+o], accumulate)
			}
		}
	}
}

// oneTap is the tap of products without a neighbourhood.
var oneTap = []int{0}

// share is the first of n things that belongs to part i of so many.
func share(n, i, parts int) int { return i * n / parts }

func put(dw []float32, at int, v float32, accumulate bool) {
	if accumulate {
		v += dw[at]
	}
	dw[at] = v
}

var (
	ones  = vecOf(1)
	zeros kernel.Vec
)

func vecOf(x float32) (v kernel.Vec) {
	for i := range v {
		v[i] = x
	}
	return v
}

// sumParts adds a piece of every part, in order: rows of n vectors, step apart.
func sumParts(k *Work, sum []float32, parts [][]float32, from, rows, n, step int) {
	a := &k.Affine
	a.S, a.S2, a.T = &ones, &ones, &zeros
	a.Rows, a.Pixels, a.XPixel, a.YRow, a.RRow = rows, n, block, n*block, step
	a.X, a.XRow, a.Y = parts[0][from:], step, sum
	a.Copy()
	a.X, a.XRow = sum, n*block
	for _, p := range parts[1:] {
		a.R = p[from:]
		a.Map2(false)
	}
}
