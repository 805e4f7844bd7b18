package main

import (
	"fmt"

	"resnet/internal/graph/kernel/_asm/spec"
)

// groups generates the kernels of convolutions in groups of 4 and 8 channels, which take half of a
// vector at a time: 8 channels, one or two groups in two registers.
func groups() {
	for _, g := range []int{4, 8} {
		for np := 1; np <= spec.GroupStrip; np++ {
			groupTile(np, g)
		}
		if g == 4 {
			groupGrad(3, g)
		}
		groupGrad(1, g)
	}
}

// half is the number of registers that the kernels of groups work on.
const half = quarters / 2

// exchanged calls use with the channels o^d of two registers, for d of 0 and 1, or of 2 and 3: all
// within a register.
func (f *function) exchanged(x []*reg, from int, use func(d int, v []*reg)) {
	if from == 2 {
		x = f.each1(x, func(d, n *reg) { f.ext(d, n, n, 8) })
	}
	use(from, x)
	use(from+1, f.each1(x, func(d, n *reg) { f.op1(rev64, d, n) }))
}

// each1 applies an instruction to each of some registers.
func (f *function) each1(x []*reg, op func(d, n *reg)) []*reg {
	out := f.vecs(len(x))
	for i := range x {
		op(out[i], x[i])
	}
	return out
}

// inHalves repeats what body generates for each half of the channels: the pointers go on by a half.
func (f *function) inHalves(body func(), pointers ...*reg) {
	left := f.gp()
	f.number(left, quarters/half)
	f.label("half")
	body()
	for _, p := range pointers {
		f.next(p, half*16)
	}
	f.times(left, "half")
}

func groupTile(np, g int) {
	f := begin(fmt.Sprintf("group%dx%d", g, np), "GroupTile", fmt.Sprintf("computes strips of %d pixels by 16 channels in groups of %d; see GroupTile.", np, g))
	acc := f.grid(np, half)
	xHalf, wHalf, yHalf := f.field(spec.GroupX), f.field(spec.GroupW), f.field(spec.GroupY)
	f.inHalves(func() {
		x, y, rows := f.copyOf(xHalf), f.copyOf(yHalf), f.field(spec.GroupRows)
		f.label("row")
		f.zeros(acc)
		taps, n, w := f.field(spec.GroupTaps), f.field(spec.GroupTapsLen), f.copyOf(wHalf)
		f.label("tap")
		px := f.tap(taps, x)
		for d := 0; d < 4; d += 2 {
			// Of groups of 8 the channels o^(d+4) are in the other register.
			near, far := map[int][]*reg{}, map[int][]*reg{}
			for k := d; k < d+2; k++ {
				near[k] = f.pair(w, k*64)
				if g == 8 {
					far[k] = f.pair(w, (k+4)*64)
				}
			}
			for i := range acc {
				f.exchanged(f.pair(px, i*64), d, func(k int, v []*reg) {
					for q := range half {
						f.into(fmla, acc[i][q], v[q], near[k][q])
					}
					for q := range far[k] {
						f.into(fmla, acc[i][q], v[1-q], far[k][q])
					}
				})
			}
		}
		f.next(w, g*64)
		f.times(n, "tap")
		f.storeStrip(acc, y, spec.GroupYPixel)
		f.advance(spec.GroupXRow, x)
		f.advance(spec.GroupYRow, y)
		f.times(rows, "row")
	}, xHalf, wHalf, yHalf)
	f.end()
}

func groupGrad(nt, g int) {
	f := begin(fmt.Sprintf("groupGrad%dx%d", g, nt), "GroupGrad",
		fmt.Sprintf("adds the products of 16 channels in groups of %d over all pixels, for %d taps at once; see GroupGrad.", g, nt))
	acc := f.grid(nt*g, half)
	xHalf, dyHalf, dwHalf := f.field(spec.GroupX), f.field(spec.GroupW), f.field(spec.GroupY)
	f.inHalves(func() {
		taps, n, dw := f.field(spec.GroupTaps), f.field(spec.GroupTapsLen), f.copyOf(dwHalf)
		f.label("taps")
		px, at := make([]*reg, nt), make([]*reg, nt)
		for t := range px {
			px[t] = f.tap(taps, xHalf)
		}
		dy, rows := f.copyOf(dyHalf), f.field(spec.GroupGradRows)
		each := func(move func(v []*reg, p *reg, disp int)) {
			p := f.copyOf(dw) // goes on: a pair's offset does not reach all of them
			for i, v := range acc {
				move(v, p, i%8*64)
				if i%8 == 7 {
					f.next(p, 8*64)
				}
			}
		}
		each(f.loads)
		f.label("row")
		pdy, pixels := f.copyOf(dy), f.field(spec.GroupGradPixels)
		for t := range at {
			at[t] = f.copyOf(px[t])
		}
		f.label("pixel")
		dv := f.pair(pdy, 0)
		for t := range at {
			x := f.pair(at[t], 0)
			for d := 0; d < 4; d += 2 {
				f.exchanged(x, d, func(k int, v []*reg) {
					for q := range half {
						f.into(fmla, acc[t*g+k][q], v[q], dv[q])
					}
					if g == 8 {
						for q := range half {
							f.into(fmla, acc[t*g+k+4][q], v[1-q], dv[q])
						}
					}
				})
			}
			f.next(at[t], 64)
		}
		f.next(pdy, 64)
		f.times(pixels, "pixel")
		for t := range px {
			f.advance(spec.GroupGradXRow, px[t])
		}
		f.advance(spec.GroupGradDYRow, dy)
		f.times(rows, "row")
		each(f.stores)
		f.next(dw, nt*g*64)
		f.subs(n, nt)
		f.branch("gt", "taps")
	}, xHalf, dyHalf, dwHalf)
	f.end()
}
