package main

import (
	"fmt"

	"resnet/internal/graph/kernel/_asm/spec"
)

// quarters is the number of registers in a vector of 16 channels.
const quarters = 4

// strip is the largest np: 24 sums, four channels of each of six pixels, and two registers of
// weights are all 32 registers.
const strip = 6

func convolutions() {
	for np := 1; np <= strip; np++ {
		tile(np)
	}
}

// tile generates np pixels times 16 output channels in registers. Every strip adds a pixel's
// products in the same order, so that a pixel's value does not depend on its neighbours: narrow
// strips get no more sums among which the input channels could alternate.
func tile(np int) {
	f := begin(fmt.Sprintf("tile%dx1", np), "Tile", fmt.Sprintf("computes strips of %d pixels by 16 output channels; see Tile.", np))
	acc := f.grid(np, quarters)
	planes := f.field(spec.TilePlanes)
	xPlane, wPlane, yPlane := f.field(spec.TileX), f.field(spec.TileW), f.field(spec.TileY)
	f.label("plane")
	x, y, rows := f.copyOf(xPlane), f.copyOf(yPlane), f.field(spec.TileRows)
	f.label("row")
	f.zeros(acc)
	taps, n, w := f.field(spec.TileTaps), f.field(spec.TileTapsLen), f.copyOf(wPlane)
	f.label("tap")
	px, in := f.tap(taps, x), f.field(spec.TileIn)
	// body multiplies one channel, lane of pixels, by the weights at disp. Two registers of weights
	// at a time are all that is left.
	body := func(pixels []*reg, lane, disp int) {
		for j := 0; j < quarters; j += 2 {
			pair := f.vecs(2)
			f.loads(pair, w, disp+16*j)
			for k, wv := range pair {
				for i := range acc {
					f.intoLane(fmlaLane, acc[i][j+k], wv, pixels[i], lane)
				}
			}
		}
	}
	// Four input channels a round, then one at a time.
	f.subs(in, 4)
	f.branch("lt", "few")
	f.label("four")
	pixels := f.vecs(np)
	for i, v := range pixels {
		f.load(sizeQ, v, px, i*64)
	}
	for c := range 4 {
		body(pixels, c, c*64)
	}
	f.next(px, 16)
	f.next(w, 256)
	f.subs(in, 4)
	f.branch("ge", "four")
	f.label("few")
	f.next(in, 4)
	f.ifZero(in, "next")
	f.label("one")
	singles := f.vecs(np)
	for i, v := range singles {
		f.load(sizeS, v, px, i*64)
	}
	body(singles, 0, 0)
	f.next(px, 4)
	f.next(w, 64)
	f.times(in, "one")
	f.label("next")
	f.times(n, "tap")
	f.storeStrip(acc, y, spec.TileYPixel)
	f.advance(spec.TileXRow, x)
	f.advance(spec.TileYRow, y)
	f.times(rows, "row")
	f.advance(spec.TileXPlane, xPlane)
	f.advance(spec.TileWPlane, wPlane)
	f.advance(spec.TileYPlane, yPlane)
	f.times(planes, "plane")
	f.end()
}

// storeStrip stores the sums of a strip's pixels, which are as far apart as the field at off says.
func (f *function) storeStrip(acc [][]*reg, y *reg, off int) {
	out, pixel := f.copyOf(y), f.stride(off)
	for i, sums := range acc {
		f.stores(sums, out, 0)
		if i+1 < len(acc) {
			f.add(out, out, pixel)
		}
	}
}

// weightGradients generates the outer products: ni input channels times 16 output channels. 16
// input channels are 6, 5 and 5, because 7 would take 28 sums, 4 of the gradient and 2 of pixels.
func weightGradients() {
	for _, ni := range []int{6, 5, 3} {
		gradTile(ni)
	}
	gradTaps(2)
}

// inputs loads ni consecutive input channels of a pixel, which may be the last that there are, into
// as few registers as that takes. The channel i is a lane of one of them.
func (f *function) inputs(p *reg, ni int) (channel func(i int) (v *reg, lane int)) {
	type part struct {
		v    *reg
		from int
	}
	var parts []part
	for from := 0; from < ni; {
		s := sizeS
		for _, larger := range []size{sizeD, sizeQ} {
			if ni-from >= larger.bytes/4 {
				s = larger
			}
		}
		v := f.vec()
		f.load(s, v, p, 4*from)
		parts = append(parts, part{v, from})
		from += s.bytes / 4
	}
	return func(i int) (*reg, int) {
		at := len(parts) - 1
		for parts[at].from > i {
			at--
		}
		return parts[at].v, i - parts[at].from
	}
}

// outer adds the outer product of ni input channels at p with the gradient dy.
func (f *function) outer(acc [][]*reg, p *reg, dy []*reg) {
	channel := f.inputs(p, len(acc))
	for i := range acc {
		v, lane := channel(i)
		for j := range dy {
			f.intoLane(fmlaLane, acc[i][j], dy[j], v, lane)
		}
	}
}

func gradTile(ni int) {
	f := begin(fmt.Sprintf("gradTile%dx1", ni), "GradTile", fmt.Sprintf("adds outer products of %d input and 16 output channels over all pixels; see GradTile.", ni))
	acc := f.grid(ni, quarters)
	taps, n := f.field(spec.GradTapsAt), f.field(spec.GradTapsLen)
	dyPlane, dw, xPlane := f.field(spec.GradDY), f.field(spec.GradDW), f.field(spec.GradX)
	f.label("tap")
	x := f.tap(taps, xPlane)
	dy, rows := f.copyOf(dyPlane), f.field(spec.GradRows)
	for i := range acc {
		f.loads(acc[i], dw, i*64)
	}
	f.label("row")
	px, pdy, pixels := f.copyOf(x), f.copyOf(dy), f.field(spec.GradPixels)
	f.label("pixel")
	dv := f.vecs(quarters)
	f.loads(dv, pdy, 0)
	f.outer(acc, px, dv)
	f.next(px, 64)
	f.next(pdy, 64)
	f.times(pixels, "pixel")
	f.advance(spec.GradXRow, x)
	f.advance(spec.GradDYRow, dy)
	f.times(rows, "row")
	for i := range acc {
		f.stores(acc[i], dw, i*64)
	}
	f.advance(spec.GradDYPlane, dyPlane)
	f.advance(spec.GradDWTap, dw)
	f.times(n, "tap")
	f.end()
}

// gradTaps generates the outer products of an image's three channels with a block of output
// channels for nt taps at once: one tap alone has too few chains of additions to hide their
// latency, and loads the gradient of the output for three products.
func gradTaps(nt int) {
	const ni = 3
	f := begin(fmt.Sprintf("gradTaps%d", nt), "GradTile",
		fmt.Sprintf("adds outer products of %d input channels and 16 output channels over all pixels, for %d taps at once; see GradTile.", ni, nt))
	acc := f.grid(nt*ni, quarters)
	taps, n, dw := f.field(spec.GradTapsAt), f.field(spec.GradTapsLen), f.field(spec.GradDW)
	each := func(move func(v []*reg, p *reg, disp int)) {
		tap, p := f.stride(spec.GradDWTap), f.copyOf(dw)
		for t := range nt {
			for i := range ni {
				move(acc[t*ni+i], p, i*64)
			}
			if t+1 < nt {
				f.add(p, p, tap)
			}
		}
	}
	f.label("taps")
	x := f.field(spec.GradX)
	px := make([]*reg, nt)
	for t := range px {
		px[t] = f.tap(taps, x)
	}
	dy, rows := f.field(spec.GradDY), f.field(spec.GradRows)
	each(f.loads)
	f.label("row")
	at, pdy, pixels := make([]*reg, nt), f.copyOf(dy), f.field(spec.GradPixels)
	for t := range at {
		at[t] = f.copyOf(px[t])
	}
	f.label("pixel")
	dv := f.vecs(quarters)
	f.loads(dv, pdy, 0)
	for t := range at {
		f.outer(acc[t*ni:(t+1)*ni], at[t], dv)
		f.next(at[t], 64)
	}
	f.next(pdy, 64)
	f.times(pixels, "pixel")
	for t := range px {
		f.advance(spec.GradXRow, px[t])
	}
	f.advance(spec.GradDYRow, dy)
	f.times(rows, "row")
	each(f.stores)
	for range nt {
		f.advance(spec.GradDWTap, dw)
	}
	f.subs(n, nt)
	f.branch("gt", "taps")
	f.end()
}
