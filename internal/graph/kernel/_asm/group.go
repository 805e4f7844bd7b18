package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// groups generates the kernels of convolutions in groups of 4 and 8 channels.
func groups(s isa) {
	for _, g := range []int{4, 8} {
		for np := 1; np <= spec.GroupStrip; np++ {
			groupTile(s, np, g)
		}
		if s.regs == 32 || g == 4 {
			groupGrad(s, 3, g)
		}
		groupGrad(s, 1, g)
	}
}

// exchanged calls use with the channels o^d of the vector at m, for d of a step: one or two
// differences, of which the second is made from the first. Difference 0 is m itself, as an operand.
// In a register of 16 floats the patterns act on its 128 and 256-bit lanes, so that they are those
// of 8 floats.
func exchanged(s isa, m Mem, step []int, use func(d int, v Op)) {
	var even reg.VecVirtual
	for _, d := range step {
		if d == 0 {
			use(0, m)
			continue
		}
		v := s.vec()
		switch d {
		case 1:
			VPERMILPS(U8(0xB1), m, v)
		case 2:
			VPERMILPS(U8(0x4E), m, v)
		case 3:
			VPERMILPS(U8(0x1B), m, v)
		case 4:
			VPERMPD(U8(0x4E), m, v)
			even = v
		case 6:
			VPERMPD(U8(0x1B), m, v)
			even = v
		default: // 5 and 7
			VPERMILPS(U8(0xB1), even, v)
		}
		use(d, v)
	}
}

// steps are the differences of a group, in the steps of exchanged.
func steps(g int) [][]int {
	if g == 4 {
		return [][]int{{0}, {1}, {2}, {3}}
	}
	return [][]int{{0}, {1}, {2}, {3}, {4, 5}, {6, 7}}
}

// inHalves repeats what body generates for each half of the 16 channels where a register has 8: the
// pointers go on by a half.
func inHalves(s isa, body func(), pointers ...reg.Register) {
	if s.halves == 1 {
		body()
		return
	}
	left := GP64()
	MOVQ(U32(2), left)
	Label("half")
	body()
	for _, p := range pointers {
		ADDQ(U8(s.bytes()), p)
	}
	DECQ(left)
	JNZ(LabelRef("half"))
}

func groupTile(s isa, np, g int) {
	a := s.begin(fmt.Sprintf("group%dx%d", g, np), "GroupTile",
		fmt.Sprintf("computes strips of %d pixels by 16 channels in groups of %d; see GroupTile.", np, g))
	acc := make([]reg.VecVirtual, np)
	for i := range acc {
		acc[i] = s.vec()
	}
	xHalf, wHalf, yHalf := field(a, spec.GroupX), field(a, spec.GroupW), field(a, spec.GroupY)
	inHalves(s, func() {
		x, y, rows := GP64(), GP64(), GP64()
		MOVQ(xHalf, x)
		MOVQ(yHalf, y)
		MOVQ(Mem{Base: a, Disp: spec.GroupRows}, rows)
		Label("row")
		for i := range acc {
			s.zero(acc[i])
		}
		taps, n, w := field(a, spec.GroupTaps), field(a, spec.GroupTapsLen), GP64()
		MOVQ(wHalf, w)
		Label("tap")
		px := GP64()
		MOVQ(Mem{Base: taps}, px)
		LEAQ(Mem{Base: x, Index: px, Scale: 4}, px)
		ADDQ(U8(8), taps)
		for _, step := range steps(g) {
			weights := map[int]reg.VecVirtual{}
			for _, d := range step {
				weights[d] = s.vec()
				VMOVUPS(Mem{Base: w, Disp: d * 64}, weights[d])
			}
			for i := range acc {
				exchanged(s, Mem{Base: px, Disp: i * 64}, step, func(d int, v Op) { VFMADD231PS(v, weights[d], acc[i]) })
			}
		}
		ADDQ(U32(g*64), w)
		DECQ(n)
		JNZ(LabelRef("tap"))
		out, pixel := GP64(), stride(a, spec.GroupYPixel)
		MOVQ(y, out)
		for i := range acc {
			VMOVUPS(acc[i], Mem{Base: out})
			if i+1 < np {
				ADDQ(pixel, out)
			}
		}
		advance(a, spec.GroupXRow, x)
		advance(a, spec.GroupYRow, y)
		DECQ(rows)
		JNZ(LabelRef("row"))
	}, xHalf, wHalf, yHalf)
	end()
}

func groupGrad(s isa, nt, g int) {
	a := s.begin(fmt.Sprintf("groupGrad%dx%d", g, nt), "GroupGrad",
		fmt.Sprintf("adds the products of 16 channels in groups of %d over all pixels, for %d taps at once; see GroupGrad.", g, nt))
	acc := make([]reg.VecVirtual, nt*g)
	for i := range acc {
		acc[i] = s.vec()
	}
	xHalf, dyHalf, dwHalf := field(a, spec.GroupX), field(a, spec.GroupW), field(a, spec.GroupY)
	inHalves(s, func() {
		taps, n, dw := field(a, spec.GroupTaps), field(a, spec.GroupTapsLen), GP64()
		MOVQ(dwHalf, dw)
		each := func(move func(v reg.VecVirtual, m Mem)) {
			for i, v := range acc {
				move(v, Mem{Base: dw, Disp: i * 64})
			}
		}
		Label("taps")
		px := make([]reg.GPVirtual, nt)
		for t := range px {
			px[t] = GP64()
			MOVQ(Mem{Base: taps, Disp: t * 8}, px[t])
			LEAQ(Mem{Base: xHalf, Index: px[t], Scale: 4}, px[t])
		}
		ADDQ(U8(nt*8), taps)
		dy, rows := GP64(), field(a, spec.GroupGradRows)
		MOVQ(dyHalf, dy)
		each(func(v reg.VecVirtual, m Mem) { VMOVUPS(m, v) })
		Label("row")
		at, width := GP64(), field(a, spec.GroupGradPixels)
		XORQ(at, at)
		SHLQ(U8(6), width)
		Label("pixel")
		dv := s.vec()
		VMOVUPS(Mem{Base: dy, Index: at, Scale: 1}, dv)
		for t := range px {
			for _, step := range steps(g) {
				exchanged(s, Mem{Base: px[t], Index: at, Scale: 1}, step, func(d int, v Op) { VFMADD231PS(v, dv, acc[t*g+d]) })
			}
		}
		ADDQ(U8(64), at)
		CMPQ(at, width)
		JL(LabelRef("pixel"))
		xRow := stride(a, spec.GroupGradXRow)
		for t := range px {
			ADDQ(xRow, px[t])
		}
		advance(a, spec.GroupGradDYRow, dy)
		DECQ(rows)
		JNZ(LabelRef("row"))
		each(func(v reg.VecVirtual, m Mem) { VMOVUPS(v, m) })
		ADDQ(U32(nt*g*64), dw)
		SUBQ(U8(nt), n)
		JG(LabelRef("taps"))
	}, xHalf, dyHalf, dwHalf)
	end()
}
