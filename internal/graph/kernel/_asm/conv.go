package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// convolutions generates the tile kernels: np pixels times nb blocks of 16 output channels in
// registers.
func convolutions(s isa) {
	if s.regs == 32 {
		for np := 1; np <= 16; np++ {
			tile(s, np, 1)
		}
		for np := 1; np <= 14; np++ {
			tile(s, np, 2)
		}
		return
	}
	for np := 1; np <= 6; np++ {
		tile(s, np, 1)
	}
}

// at is register j of the channels at base: those of the first block, and second bytes behind it
// those of the second one.
func (s isa) at(base, second reg.GPVirtual, disp, j int) Mem {
	m := Mem{Base: base, Disp: disp + (j%s.halves)*s.bytes()}
	if j >= s.halves {
		m.Index, m.Scale = second, 1
	}
	return m
}

// channels loads nv registers of them.
func (s isa) channels(base, second reg.GPVirtual, disp, nv int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, nv)
	for j := range v {
		v[j] = s.vec()
		VMOVUPS(s.at(base, second, disp, j), v[j])
	}
	return v
}

// products adds the products of one value with all of v to acc.
func (s isa) products(value Mem, v, acc []reg.VecVirtual) {
	if len(v) == 1 {
		VFMADD231PS_BCST(value, v[0], acc[0])
		return
	}
	b := s.vec()
	VBROADCASTSS(value, b)
	for j := range v {
		VFMADD231PS(b, v[j], acc[j])
	}
}

func tile(s isa, np, nb int) {
	a := s.begin(fmt.Sprintf("tile%dx%d", np, nb), "Tile",
		fmt.Sprintf("computes strips of %d pixels by %d output channels; see Tile.", np, 16*nb))
	nv := nb * s.halves // registers of output channels
	acc := make([][]reg.VecVirtual, np)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, nv)
		for j := range acc[i] {
			acc[i][j] = s.vec()
		}
	}
	planes := field(a, spec.TilePlanes)
	xPlane, wPlane, yPlane := field(a, spec.TileX), field(a, spec.TileW), field(a, spec.TileY)
	var w2 reg.GPVirtual
	if nb == 2 {
		w2 = stride(a, spec.TileW2)
	}
	x, y, rows := GP64(), GP64(), GP64()
	Label("plane")
	MOVQ(xPlane, x)
	MOVQ(yPlane, y)
	MOVQ(Mem{Base: a, Disp: spec.TileRows}, rows)
	Label("row")
	for i := range acc {
		for j := range acc[i] {
			s.zero(acc[i][j])
		}
	}
	taps, n := field(a, spec.TileTaps), field(a, spec.TileTapsLen)
	w := GP64()
	MOVQ(wPlane, w)
	Label("tap")
	px := GP64()
	MOVQ(Mem{Base: taps}, px)
	LEAQ(Mem{Base: x, Index: px, Scale: 4}, px)
	ADDQ(U8(8), taps)
	in := field(a, spec.TileIn)
	// Four input channels a round, then one at a time. Pixels are a cache line apart, so two
	// broadcasts of the same channel meet in one bank of the first-level cache; with one block of
	// outputs, where every FMA loads, two channels alternate.
	weights := func(c int) []reg.VecVirtual { return s.channels(w, w2, c*64, nv) }
	fma := func(i, c int, wv []reg.VecVirtual) { s.products(Mem{Base: px, Disp: i*64 + c*4}, wv, acc[i]) }
	body := func(c int) {
		wv := weights(c)
		for i := range acc {
			fma(i, c, wv)
		}
	}
	pair := func(c, d int) {
		wc, wd := weights(c), weights(d)
		for i := range acc {
			fma(i, c, wc)
			fma((i+np/2)%np, d, wd)
		}
	}
	SUBQ(U8(4), in)
	JL(LabelRef("few"))
	Label("four")
	if nv == 1 {
		pair(0, 2)
		pair(1, 3)
	} else {
		for c := range 4 {
			body(c)
		}
	}
	ADDQ(U8(16), px)
	ADDQ(U32(256), w)
	SUBQ(U8(4), in)
	JGE(LabelRef("four"))
	Label("few")
	ADDQ(U8(4), in)
	JZ(LabelRef("next"))
	Label("one")
	body(0)
	ADDQ(U8(4), px)
	ADDQ(U8(64), w)
	DECQ(in)
	JNZ(LabelRef("one"))
	Label("next")
	DECQ(n)
	JNZ(LabelRef("tap"))
	out, pixel := GP64(), stride(a, spec.TileYPixel)
	MOVQ(y, out)
	var y2 reg.GPVirtual
	if nb == 2 {
		y2 = stride(a, spec.TileY2)
	}
	for i := range acc {
		for j := range acc[i] {
			VMOVUPS(acc[i][j], s.at(out, y2, 0, j))
		}
		ADDQ(pixel, out)
	}
	advance(a, spec.TileXRow, x)
	advance(a, spec.TileYRow, y)
	DECQ(rows)
	JNZ(LabelRef("row"))
	advance(a, spec.TileXPlane, xPlane)
	advance(a, spec.TileWPlane, wPlane)
	advance(a, spec.TileYPlane, yPlane)
	DECQ(planes)
	JNZ(LabelRef("plane"))
	end()
}

// weightGradients generates the outer-product kernels: ni input channels times nb blocks of 16
// output channels.
func weightGradients(s isa) {
	if s.regs == 32 {
		gradTile(s, 16, 1)
		gradTile(s, 8, 2)
		gradTile(s, 3, 1)
		gradTaps(s, 7)
		gradTaps(s, 3)
		return
	}
	gradTile(s, 6, 1)
	gradTile(s, 5, 1)
	gradTile(s, 3, 1)
	gradTaps(s, 2)
}

// gradTaps generates the outer products of an image's three channels with a block of output
// channels for nt taps at once: one tap alone has too few chains of additions to hide their
// latency, and loads the gradient of the output for three products.
func gradTaps(s isa, nt int) {
	const ni = 3
	a := s.begin(fmt.Sprintf("gradTaps%d", nt), "GradTile",
		fmt.Sprintf("adds outer products of %d input channels and 16 output channels over all pixels, for %d taps at once; see GradTile.", ni, nt))
	acc := make([][]reg.VecVirtual, nt*ni)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, s.halves)
		for j := range acc[i] {
			acc[i][j] = s.vec()
		}
	}
	taps, n, dw := field(a, spec.GradTapsAt), field(a, spec.GradTapsLen), field(a, spec.GradDW)
	each := func(move func(v reg.VecVirtual, m Mem)) {
		tap, p := stride(a, spec.GradDWTap), GP64()
		MOVQ(dw, p)
		for t := range nt {
			for i := range ni {
				for j := range s.halves {
					move(acc[t*ni+i][j], Mem{Base: p, Disp: i*64 + j*s.bytes()})
				}
			}
			if t+1 < nt {
				ADDQ(tap, p)
			}
		}
	}
	Label("taps")
	x := field(a, spec.GradX)
	px := make([]reg.GPVirtual, nt)
	for t := range px {
		px[t] = GP64()
		MOVQ(Mem{Base: taps, Disp: t * 8}, px[t])
		LEAQ(Mem{Base: x, Index: px[t], Scale: 4}, px[t])
	}
	ADDQ(U8(nt*8), taps)
	dy, rows := field(a, spec.GradDY), field(a, spec.GradRows)
	each(func(v reg.VecVirtual, m Mem) { VMOVUPS(m, v) })
	Label("row")
	at, width := GP64(), field(a, spec.GradPixels)
	XORQ(at, at)
	SHLQ(U8(6), width)
	Label("pixel")
	dv := make([]reg.VecVirtual, s.halves)
	for j := range dv {
		dv[j] = s.vec()
		VMOVUPS(Mem{Base: dy, Index: at, Scale: 1, Disp: j * s.bytes()}, dv[j])
	}
	for t := range px {
		for i := range ni {
			s.products(Mem{Base: px[t], Index: at, Scale: 1, Disp: i * 4}, dv, acc[t*ni+i])
		}
	}
	ADDQ(U8(64), at)
	CMPQ(at, width)
	JL(LabelRef("pixel"))
	xRow := stride(a, spec.GradXRow)
	for t := range px {
		ADDQ(xRow, px[t])
	}
	advance(a, spec.GradDYRow, dy)
	DECQ(rows)
	JNZ(LabelRef("row"))
	each(func(v reg.VecVirtual, m Mem) { VMOVUPS(v, m) })
	tap := stride(a, spec.GradDWTap)
	for range nt {
		ADDQ(tap, dw)
	}
	SUBQ(U8(nt), n)
	JG(LabelRef("taps"))
	end()
}

func gradTile(s isa, ni, nb int) {
	a := s.begin(fmt.Sprintf("gradTile%dx%d", ni, nb), "GradTile",
		fmt.Sprintf("adds outer products of %d input and %d output channels over all pixels; see GradTile.", ni, 16*nb))
	nv := nb * s.halves
	acc := make([][]reg.VecVirtual, ni)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, nv)
		for j := range acc[i] {
			acc[i][j] = s.vec()
		}
	}
	taps, n := field(a, spec.GradTapsAt), field(a, spec.GradTapsLen)
	dyPlane, dw := field(a, spec.GradDY), field(a, spec.GradDW)
	var dy2 reg.GPVirtual
	if nb == 2 {
		dy2 = stride(a, spec.GradDY2)
	}
	each := func(move func(v reg.VecVirtual, m Mem)) {
		var dw2 reg.GPVirtual
		if nb == 2 {
			dw2 = stride(a, spec.GradDW2)
		}
		for i := range acc {
			for j := range acc[i] {
				move(acc[i][j], s.at(dw, dw2, i*64, j))
			}
		}
	}
	Label("tap")
	x, dy, rows := field(a, spec.GradX), GP64(), GP64()
	off := GP64()
	MOVQ(Mem{Base: taps}, off)
	LEAQ(Mem{Base: x, Index: off, Scale: 4}, x)
	ADDQ(U8(8), taps)
	MOVQ(dyPlane, dy)
	MOVQ(Mem{Base: a, Disp: spec.GradRows}, rows)
	each(func(v reg.VecVirtual, m Mem) { VMOVUPS(m, v) })
	Label("row")
	px, pdy, pixels := GP64(), GP64(), field(a, spec.GradPixels)
	MOVQ(x, px)
	MOVQ(dy, pdy)
	product := func(pixel int) {
		dv := s.channels(pdy, dy2, pixel*64, nv)
		for i := range acc {
			s.products(Mem{Base: px, Disp: pixel*64 + i*4}, dv, acc[i])
		}
	}
	// Counting pixels takes the ports of the products, so it is done once for several.
	SUBQ(U8(4), pixels)
	JL(LabelRef("few"))
	Label("four")
	for p := range 4 {
		product(p)
	}
	ADDQ(U32(256), px)
	ADDQ(U32(256), pdy)
	SUBQ(U8(4), pixels)
	JGE(LabelRef("four"))
	Label("few")
	ADDQ(U8(4), pixels)
	JZ(LabelRef("end"))
	CMPQ(pixels, U8(2))
	JL(LabelRef("one"))
	product(0)
	product(1)
	ADDQ(U8(128), px)
	ADDQ(U8(128), pdy)
	SUBQ(U8(2), pixels)
	JZ(LabelRef("end"))
	Label("one")
	product(0)
	ADDQ(U8(64), px)
	ADDQ(U8(64), pdy)
	Label("end")
	advance(a, spec.GradXRow, x)
	advance(a, spec.GradDYRow, dy)
	DECQ(rows)
	JNZ(LabelRef("row"))
	each(func(v reg.VecVirtual, m Mem) { VMOVUPS(v, m) })
	advance(a, spec.GradDYPlane, dyPlane)
	advance(a, spec.GradDWTap, dw)
	DECQ(n)
	JNZ(LabelRef("tap"))
	end()
}
