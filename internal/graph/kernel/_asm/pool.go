package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// Predicates of VCMPPS: unordered, and equal or unordered.
const unordered, equalOrUnordered = 3, 8

// nextTap loads the offset of a window's next value.
func nextTap(taps reg.GPVirtual) reg.GPVirtual {
	at := GP64()
	MOVQ(Mem{Base: taps}, at)
	ADDQ(U8(8), taps)
	return at
}

// windowMax generates the largest value of each window.
func windowMax(s isa) {
	a := s.begin("windowMax", "Window", "takes the largest value of each window; see Window.")
	x, y, pixels, step := field(a, spec.WinX), field(a, spec.WinY), field(a, spec.WinPixels), stride(a, spec.WinXPixel)
	Label("pixel")
	best := make([]reg.VecVirtual, s.halves)
	taps, n := field(a, spec.WinTaps), field(a, spec.WinTapsLen)
	tap := func() reg.GPVirtual {
		at := GP64()
		MOVQ(Mem{Base: taps}, at)
		LEAQ(Mem{Base: x, Index: at, Scale: 4}, at)
		ADDQ(U8(8), taps)
		return at
	}
	at := tap()
	for h := range best {
		best[h] = s.vec()
		VMOVUPS(Mem{Base: at, Disp: h * s.bytes()}, best[h])
	}
	DECQ(n)
	JZ(LabelRef("store"))
	Label("tap")
	at = tap()
	for h := range best {
		v := s.vec()
		VMOVUPS(Mem{Base: at, Disp: h * s.bytes()}, v)
		VMAXPS(best[h], v, best[h]) // a NaN in best stays
		if s.lanes == 16 {
			k := K()
			VCMPPS(U8(unordered), v, v, k)
			VMOVAPS(v, k, best[h])
		} else {
			m := s.vec()
			VCMPPS(U8(unordered), v, v, m)
			VBLENDVPS(m, v, best[h], best[h])
		}
	}
	DECQ(n)
	JNZ(LabelRef("tap"))
	Label("store")
	for h := range best {
		VMOVUPS(best[h], Mem{Base: y, Disp: h * s.bytes()})
	}
	ADDQ(step, x)
	endLoop("pixel", pixels, y)
}

// windowSum generates the sum of each window times a factor.
func windowSum(s isa) {
	a := s.begin("windowSum", "Window", "takes the sum of each window times a factor; see Window.")
	x, y, pixels, step := field(a, spec.WinX), field(a, spec.WinY), field(a, spec.WinPixels), stride(a, spec.WinXPixel)
	scale := s.vec()
	VBROADCASTSS(Mem{Base: a, Disp: spec.WinScale}, scale)
	Label("pixel")
	taps, n := field(a, spec.WinTaps), field(a, spec.WinTapsLen)
	sum := make([]reg.VecVirtual, s.halves)
	for h := range sum {
		sum[h] = s.vec()
		s.zero(sum[h])
	}
	Label("tap")
	at := nextTap(taps)
	for h := range sum {
		VADDPS(Mem{Base: x, Index: at, Scale: 4, Disp: h * s.bytes()}, sum[h], sum[h])
	}
	DECQ(n)
	JNZ(LabelRef("tap"))
	for h := range sum {
		VMULPS(scale, sum[h], sum[h])
		VMOVUPS(sum[h], Mem{Base: y, Disp: h * s.bytes()})
	}
	ADDQ(step, x)
	endLoop("pixel", pixels, y)
}

// windowSpread generates its derivative: d times the factor is added at every tap.
func windowSpread(s isa) {
	a := s.begin("windowSpread", "Window", "adds each D times a factor to all of its window; see Window.")
	dx, d, pixels, step := field(a, spec.WinDX), field(a, spec.WinD), field(a, spec.WinPixels), stride(a, spec.WinXPixel)
	scale := s.vec()
	VBROADCASTSS(Mem{Base: a, Disp: spec.WinScale}, scale)
	Label("pixel")
	taps, n := field(a, spec.WinTaps), field(a, spec.WinTapsLen)
	part := make([]reg.VecVirtual, s.halves)
	for h := range part {
		part[h] = s.vec()
		VMULPS(Mem{Base: d, Disp: h * s.bytes()}, scale, part[h])
	}
	Label("tap")
	at := nextTap(taps)
	for h := range part {
		to, v := Mem{Base: dx, Index: at, Scale: 4, Disp: h * s.bytes()}, s.vec()
		VADDPS(to, part[h], v)
		VMOVUPS(v, to)
	}
	DECQ(n)
	JNZ(LabelRef("tap"))
	ADDQ(step, dx)
	endLoop("pixel", pixels, d)
}

// windowGrad generates the derivative: what is left of d goes to the taps that hold the largest
// value, the first one alone.
func windowGrad(s isa) {
	a := s.begin("windowGrad", "Window", "adds each D to where its window's largest value came from; see Window.")
	x, dx, y, d := field(a, spec.WinX), field(a, spec.WinDX), field(a, spec.WinY), field(a, spec.WinD)
	pixels, step := field(a, spec.WinPixels), stride(a, spec.WinXPixel)
	Label("pixel")
	top, left := make([]reg.VecVirtual, s.halves), make([]reg.VecVirtual, s.halves)
	for h := range top {
		top[h], left[h] = s.vec(), s.vec()
		VMOVUPS(Mem{Base: y, Disp: h * s.bytes()}, top[h])
		VMOVUPS(Mem{Base: d, Disp: h * s.bytes()}, left[h])
	}
	open := make([]reg.Register, s.halves) // lanes that have not found their tap
	for h := range open {
		if s.lanes == 16 {
			k := K()
			KXNORW(k, k, k)
			open[h] = k
		} else {
			m := s.vec()
			VCMPPS(U8(15), top[h], top[h], m) // all true
			open[h] = m
		}
	}
	taps, n := field(a, spec.WinTaps), field(a, spec.WinTapsLen)
	Label("tap")
	at := nextTap(taps)
	for h := range top {
		from := Mem{Base: x, Index: at, Scale: 4, Disp: h * s.bytes()}
		to := Mem{Base: dx, Index: at, Scale: 4, Disp: h * s.bytes()}
		g := s.vec()
		if s.lanes == 16 {
			hit, k := K(), open[h].(reg.OpmaskVirtual)
			VCMPPS(U8(equalOrUnordered), from, top[h], k, hit)
			KANDNW(k, hit, k) // k and not hit
			VMOVUPS_Z(left[h], hit, g)
		} else {
			hit, m := s.vec(), open[h].(reg.VecVirtual)
			VCMPPS(U8(equalOrUnordered), from, top[h], hit)
			VANDPS(m, hit, hit)
			VANDNPS(m, hit, m)
			VANDPS(left[h], hit, g)
		}
		VADDPS(to, g, g)
		VMOVUPS(g, to)
	}
	DECQ(n)
	JNZ(LabelRef("tap"))
	ADDQ(step, x)
	ADDQ(step, dx)
	endLoop("pixel", pixels, y, d)
}
