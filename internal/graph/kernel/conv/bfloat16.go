package conv

import (
	"slices"

	"resnet/internal/graph/kernel"
)

// bf16 is a direct convolution, forward or data gradient, of bfloat16 values with float32 sums. It
// has the problems of the direct convolution in float32, whose taps it joins in twos: those of two
// blocks of input channels, or, where there is one block alone, those of two neighbouring pixels.
// Its padded images are rounded to [phase][pair of blocks][PH][PW][32], or to [phase][PH][PW][16].
type bf16 struct {
	*direct
	pixel    int // values of a pixel
	blocks   int // blocks of input channels, a multiple of those in a pixel
	problems []bf16Problem
	packed   int // values
	reach    int // rows of a phase below its own that an output needs
}

type bf16Problem struct {
	*problem
	taps    []int // offsets in a rounded image
	pick    [][2]pick
	weights int
}

// none is a tap that takes no weights: of a block of channels that there is not.
var none = pick{b: 1}

// newBF16 makes a convolution without groups of what its float32 form is.
func newBF16(d *direct) *bf16 {
	f := &bf16{direct: d, pixel: 2 * block, blocks: (d.in.CB + 1) &^ 1}
	if d.in.CB == 1 {
		f.pixel, f.blocks = block, 1
	}
	for i := range d.problems {
		p := &d.problems[i]
		h := bf16Problem{problem: p, weights: f.packed}
		for n, tap := range p.taps {
			f.reach = max(f.reach, tap%d.in.Plane()/d.in.Row())
			if k := p.pick[n]; f.pixel > block && k.b%2 == 0 {
				h.add(f.tap(tap), k, pick{k.b + 1, k.r, k.s})
			}
		}
		if f.pixel == block {
			h.neighbours(f)
		}
		f.packed += p.ob * len(h.taps) * kernel.BF16Tap
		f.problems = append(f.problems, h)
	}
	return f
}

// add adds a tap; blocks of input channels that do not exist have no weights.
func (p *bf16Problem) add(tap int, a, b pick) {
	p.taps, p.pick = append(p.taps, tap), append(p.pick, [2]pick{a, b})
}

// neighbours adds the taps of a single block of input channels, two at a time where they are
// neighbours.
func (p *bf16Problem) neighbours(f *bf16) {
	order := make([]int, len(p.problem.taps))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return p.problem.taps[i] - p.problem.taps[j] })
	for i := 0; i < len(order); i++ {
		tap, second := p.problem.taps[order[i]], none
		if i+1 < len(order) && p.problem.taps[order[i+1]] == tap+block {
			second = p.problem.pick[order[i+1]]
		}
		p.add(f.tap(tap), p.problem.pick[order[i]], second)
		if second != none {
			i++
		}
	}
}

// tap is the offset in a rounded image of a pixel of the padded one.
func (f *bf16) tap(padded int) int {
	phase, rest := padded/f.in.phaseLen, padded%f.in.phaseLen
	cb, pixel := rest/f.in.Plane(), rest%f.in.Plane()/block
	return phase*f.blocks*f.in.Plane() + cb*f.in.Plane() + pixel*f.pixel
}

// imageLen is the length of a rounded image, without the pixel behind it that a tap of two
// neighbours may read.
func (f *bf16) imageLen() int { return len(f.in.views) * f.blocks * f.in.Plane() }

// PackedLen is in float32 values, which hold two weights each.
func (f *bf16) PackedLen() int { return f.packed / 2 }

func (f *bf16) Need(n int) Need { return Need{BF16: n*f.imageLen() + block} }

// Pack writes block ob of outputs: [problem][output block][tap][pair of inputs][16][2].
func (f *bf16) Pack(k *Work, ob int, packed, w []float32) {
	dst := kernel.BFloat16s(packed)
	s := f.s
	outC, inC, area := s.K, s.C, s.R*s.S
	outStep, inStep := s.C*area, area
	if f.transpose {
		outC, inC, outStep, inStep = s.C, s.K, area, s.C*area
	}
	lanes := min(block, outC-ob*block)
	for i := range f.problems {
		p := &f.problems[i]
		to := dst[p.weights+(ob-p.from)*len(p.taps)*kernel.BF16Tap:]
		for n, pair := range p.pick {
			tap := to[n*kernel.BF16Tap : (n+1)*kernel.BF16Tap]
			for h, t := range pair {
				half := tap[h*kernel.BF16Tap/2 : (h+1)*kernel.BF16Tap/2]
				in := max(0, min(block, inC-t.b*block))
				if in < block {
					clear(half)
				}
				if in == 0 {
					continue
				}
				g := &k.gathered
				g.X, g.Y = w[ob*block*outStep+t.b*block*inStep+t.r*s.S+t.s:], half
				g.N, g.Lane, g.Step, g.Lanes = in/2, outStep, inStep, lanes
				g.Run()
				for lane := range lanes * (in % 2) {
					half[in/2*32+lane*2] = kernel.ToBFloat16(g.X[lane*outStep+(in-1)*inStep])
				}
			}
		}
	}
}

// round rounds rows [from, to) of each phase of a padded image; all of them with the number of rows
// of a phase.
func (f *bf16) round(k *Work, dst []kernel.BFloat16, x []float32, from, to int) {
	j := &k.joined
	plane, row := f.in.Plane(), f.in.Row()
	for v := range f.in.views {
		for cb := 0; cb < f.blocks; cb += f.pixel / block {
			first := v*f.in.phaseLen + cb*plane + from*row
			j.N, j.Step = (to-from)*f.in.PW, block
			j.X, j.X2 = x[first:], x[first:]
			j.Y = dst[v*f.blocks*plane+cb*plane+from*f.in.PW*f.pixel:]
			if f.pixel > block {
				if cb+1 < f.in.CB {
					j.X2 = x[first+plane:]
				}
				j.Concat()
				continue
			}
			// One more pixel is zeros: the last one's neighbour, whose weights are zeros.
			end, odd := j.Y[j.N*block:], j.N%2 > 0
			j.N /= 2
			j.Step, j.X2 = 2*block, x[min(first+block, len(x)-block):]
			j.Concat()
			if odd {
				at := j.N * 2 * block
				j.N, j.X, j.X2, j.Y = 1, x[first+at:], zeros[:], j.Y[at:]
				j.Concat()
				continue
			}
			clear(end[:block])
		}
	}
}

func (f *bf16) Run(k *Work, y, x []float32, n int, packed []float32) {
	size := f.imageLen()
	for img := range n {
		f.round(k, k.bf16[img*size:], x[img*f.in.Len():], 0, f.in.PH)
	}
	plane := f.outH * f.outW * block
	if f.zero {
		clear(y[:n*f.ob*plane])
	}
	for i := range f.problems {
		p := &f.problems[i]
		for ob := p.from; ob < p.from+p.ob; ob += 2 {
			f.strips(k, p, ob, min(2, p.from+p.ob-ob), 0, p.rows, n, packed, y[ob*plane+p.out:], plane, f.ob*plane)
		}
	}
}

// strips computes rows [from, from+rows) of nb blocks of output channels of a problem, of n rounded
// images: y begins with the first of them, and the second block is y2 behind it, the next image
// yImage.
func (f *bf16) strips(k *Work, p *bf16Problem, ob, nb, from, rows, n int, packed, y []float32, y2, yImage int) {
	t := &k.bf16Tile
	width, x := p.width, from*f.in.PW*f.pixel
	if f.flat(p.problem) {
		width, rows = rows*width, 1
	}
	np := kernel.BF16Pixels(width)
	k.at = k.at[:0]
	for img := range n {
		for r := range rows {
			for c := 0; c < width; c += np {
				c := min(c, width-np)
				k.at = append(k.at, img*f.imageLen()+x+(r*f.in.PW+c)*f.pixel, img*yImage+r*p.outRow+c*p.outPixel)
			}
		}
	}
	size := len(p.taps) * kernel.BF16Tap
	t.X, t.W, t.Y, t.Taps, t.At = k.bf16, kernel.BFloat16s(packed)[p.weights+(ob-p.from)*size:], y, p.taps, k.at
	t.XPixel, t.YPixel, t.W2, t.Y2 = f.pixel, p.outPixel, size, y2
	t.Run(np, nb)
}
