package conv

import "resnet/internal/graph/kernel"

// bf16Grad is a weight gradient of bfloat16 values with float32 sums, whose accumulator is that of
// the direct one: [input block][output block][tap][16][16]. Both padded images have rows of one
// length, so that a sum over pixels goes through the rows of all images in one piece: what lies
// between the rows of the output's gradient is zeros. The input is rounded to [phase][input
// block][16][pixels of all images], the output's gradient to [output block][pair of pixels][16][2].
type bf16Grad struct {
	directGrad
	pitch int // pixels from image to image, an even number
}

func newBF16Grad(s Shape, in, dy *Padded) *bf16Grad {
	g := &bf16Grad{directGrad: *newDirectGrad(s, in, dy)}
	g.inner = block
	g.pitch = (max(in.PH*in.PW, g.pixels()) + 1) &^ 1
	return g
}

// pixels is how many lie between the first and the last of the output's gradient.
func (g *bf16Grad) pixels() int { return (g.s.OH()-1)*g.dy.PW + g.s.OW() }

// steps are those of n images.
func (g *bf16Grad) steps(n int) int {
	return ((n-1)*g.pitch + g.pixels() + kernel.BF16Step - 1) / kernel.BF16Step
}

// row is the length of a channel's pixels of n images: an odd number of cache lines, so that the
// channels of a block do not compete for the same cache sets.
func (g *bf16Grad) row(n int) int {
	last := 0
	for _, t := range g.taps {
		last = max(last, t%g.in.phaseLen/block)
	}
	lines := (max(last+g.steps(n)*kernel.BF16Step, n*g.pitch+kernel.BF16Step) + kernel.BF16Step - 1) / kernel.BF16Step
	return (lines | 1) * kernel.BF16Step
}

// lens are the lengths of the two rounded tensors of n images.
func (g *bf16Grad) lens(n int) (x, dy int) {
	return len(g.in.views) * g.in.CB * block * g.row(n), g.dy.CB * g.steps(n) * kernel.BF16Tap
}

// Need is that of n images.
func (g *bf16Grad) Need(n int) Need {
	x, dy := g.lens(n)
	return Need{Edge: max(g.unit(), kernel.BF16Step*block), BF16: x + dy}
}

func (g *bf16Grad) Add(k *Work, acc, x, dy []float32, n int) {
	g.AddBlocks(k, acc, x, dy, n, Blocks{0, g.in.CB}, Blocks{0, g.dy.CB})
}

func (g *bf16Grad) AddBlocks(k *Work, acc, x, dy []float32, n int, in, out Blocks) {
	lenX, lenDY := g.lens(n)
	rx, rdy := k.bf16[:lenX], k.bf16[lenX:lenX+lenDY]
	for img := range n {
		g.round(k, rx, x[img*g.in.Len():], img, n, in)
		g.roundOutput(k, rdy, dy[img*g.dy.Len():], img, n, out)
	}
	g.products(k, acc, rx, rdy, n, in, out)
}

// round rounds the padded input img of n. The last step of an image writes zeros behind it, which
// the next image overwrites.
func (g *bf16Grad) round(k *Work, dst []kernel.BFloat16, x []float32, img, n int, of Blocks) {
	t := &k.transposed
	row, pixels := g.row(n), g.in.PH*g.in.PW
	t.YRow = row
	for v := range g.in.views {
		for cb := of.From; cb < of.To; cb++ {
			to := dst[(v*g.in.CB+cb)*block*row:]
			from := x[v*g.in.phaseLen+cb*g.in.Plane():][:g.in.Plane()]
			t.X, t.Y, t.Steps = from, to[img*g.pitch:], pixels/kernel.BF16Step
			t.Run()
			if whole := t.Steps * kernel.BF16Step; whole < pixels {
				tail := k.edge[:kernel.BF16Step*block]
				clear(tail[copy(tail, from[whole*block:]):])
				t.X, t.Y, t.Steps = tail, to[img*g.pitch+whole:], 1
				t.Run()
			}
			if img+1 == n {
				for c := range block {
					clear(to[c*row+img*g.pitch+pixels : (c+1)*row])
				}
			}
		}
	}
}

// roundOutput rounds the padded gradient img of n of the output.
func (g *bf16Grad) roundOutput(k *Work, dst []kernel.BFloat16, dy []float32, img, n int, of Blocks) {
	j := &k.joined
	pixels, length := g.pixels(), g.steps(n)*kernel.BF16Tap
	for b := of.From; b < of.To; b++ {
		to := dst[b*length:][:length]
		from := dy[g.dy.at(b, g.dy.Top, g.dy.Left):]
		at := img * g.pitch * block
		j.X, j.X2, j.Y, j.N, j.Step = from, from[min(block, len(from)-block):], to[at:], pixels/2, 2*block
		j.Interleave()
		at += j.N * 2 * block
		if pixels%2 > 0 {
			j.X, j.X2, j.Y, j.N = from[(pixels-1)*block:], zeros[:], to[at:], 1
			j.Interleave()
			at += 2 * block
		}
		end := length
		if img+1 < n {
			end = (img + 1) * g.pitch * block
		}
		clear(to[at:end])
	}
}

// products adds those of some blocks, of n rounded images.
func (g *bf16Grad) products(k *Work, acc []float32, x, dy []kernel.BFloat16, n int, in, out Blocks) {
	row, length, kb := g.row(n), g.steps(n)*kernel.BF16Tap, g.dy.CB
	k.at = k.at[:0]
	for cb := in.From; cb < in.To; cb++ {
		for i, t := range g.taps {
			v, pixel := t/g.in.phaseLen, t%g.in.phaseLen/block
			k.at = append(k.at, (v*g.in.CB+cb)*block*row+pixel, cb*kb*g.unit()+i*block*block)
		}
	}
	t := &k.bf16Grad
	t.X, t.At, t.XRow, t.Steps, t.DY2, t.DW2 = x, k.at, row, g.steps(n), length, g.unit()
	for b := out.From; b < out.To; b += 2 {
		t.DY, t.DW = dy[b*length:], acc[b*g.unit():]
		t.Run(min(2, out.To-b))
	}
}
