package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// constant puts a number's bits into every lane.
func (s isa) constant(bits uint32) reg.VecVirtual {
	g, lo, v := GP32(), XMM(), s.vec()
	MOVL(U32(bits), g)
	VMOVD(g, lo)
	VBROADCASTSS(lo, v)
	return v
}

// belowZero puts other where x is at most 0 into v; a NaN is not.
func (s isa) belowZero(x, other, v reg.VecVirtual) {
	zero := s.vec()
	s.zero(zero)
	if s.lanes == 16 {
		k := K()
		VCMPPS(U8(lessOrEqual), zero, x, k)
		VMOVAPS(other, k, v)
		return
	}
	m := s.vec()
	VCMPPS(U8(lessOrEqual), zero, x, m)
	VBLENDVPS(m, other, v, v)
}

// elu generates the exponential linear unit: kernel.exp with its operations in their order.
func elu(s isa) {
	a := s.begin("elu", "Activation", "applies the exponential linear unit; see Activation.")
	px, py, n := field(a, spec.ActX), field(a, spec.ActY), field(a, spec.ActN)
	number := func(x float32) reg.VecVirtual { return s.constant(math.Float32bits(x)) }
	log2e, high, low, least := number(spec.Log2E), number(spec.Ln2High), number(spec.Ln2Low), number(spec.ExpLeast)
	first, bias := number(1./720), s.constant(127)
	known, powers := map[float32]reg.VecVirtual{}, make([]reg.VecVirtual, len(spec.ExpPowers))
	for i, c := range spec.ExpPowers {
		if known[c] == nil {
			known[c] = number(c)
		}
		powers[i] = known[c]
	}
	half, one := known[0.5], known[1]
	SHRQ(U8(4), n)
	Label("vector")
	for h := 0; h < s.halves; h++ {
		at := func(p reg.Register) Mem { return Mem{Base: p, Disp: h * s.bytes()} }
		r, scale, f, t := s.vec(), s.vec(), s.vec(), s.vec()
		VMAXPS(at(px), least, r)
		VMULPS(log2e, r, t)
		VSUBPS(half, t, t)
		VCVTTPS2DQ(t, scale)
		VCVTDQ2PS(scale, f)
		VMULPS(high, f, t)
		VSUBPS(t, r, r)
		VMULPS(low, f, t)
		VSUBPS(t, r, r)
		VPADDD(bias, scale, scale)
		VPSLLD(U8(23), scale, scale)
		p := s.vec()
		VMOVAPS(first, p)
		for _, c := range powers {
			VMULPS(r, p, p)
			VADDPS(c, p, p)
		}
		VMULPS(scale, p, p)
		// Where x is not at least the least, nothing is left of the exponential.
		x := s.vec()
		VMOVUPS(at(px), x)
		if s.lanes == 16 {
			k := K()
			VCMPPS(U8(greaterOrEqual), least, x, k)
			VMOVAPS_Z(p, k, p)
		} else {
			m := s.vec()
			VCMPPS(U8(greaterOrEqual), least, x, m)
			VANDPS(m, p, p)
		}
		VSUBPS(one, p, p)
		alpha := s.vec()
		VBROADCASTSS(Mem{Base: a, Disp: spec.ActAlpha}, alpha)
		VMULPS(alpha, p, p)
		s.belowZero(x, p, x)
		VMOVUPS(x, at(py))
	}
	ADDQ(U8(64), px)
	ADDQ(U8(64), py)
	DECQ(n)
	JNZ(LabelRef("vector"))
	end()
}

// greaterOrEqual is a predicate of VCMPPS: false where one is a NaN.
const greaterOrEqual = 13

// eluGrad generates its derivative.
func eluGrad(s isa) {
	a := s.begin("eluGrad", "Activation", "applies the derivative of the exponential linear unit; see Activation.")
	px, py, pd, n := field(a, spec.ActX), field(a, spec.ActY), field(a, spec.ActD), field(a, spec.ActN)
	alpha := s.vec()
	VBROADCASTSS(Mem{Base: a, Disp: spec.ActAlpha}, alpha)
	SHRQ(U8(4), n)
	Label("vector")
	for h := 0; h < s.halves; h++ {
		at := func(p reg.Register) Mem { return Mem{Base: p, Disp: h * s.bytes()} }
		x, d, scaled := s.vec(), s.vec(), s.vec()
		VMOVUPS(at(px), x)
		VMOVUPS(at(pd), d)
		VADDPS(alpha, x, scaled)
		VMULPS(scaled, d, scaled)
		s.belowZero(x, scaled, d)
		VMOVUPS(d, at(py))
	}
	for _, p := range []reg.Register{px, py, pd} {
		ADDQ(U8(64), p)
	}
	DECQ(n)
	JNZ(LabelRef("vector"))
	end()
}
