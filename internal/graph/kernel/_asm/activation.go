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

// belowZero puts other where x is at most 0, or less, into v; a NaN is not.
func (s isa) belowZero(predicate uint64, x, other, v reg.VecVirtual) {
	zero := s.vec()
	s.zero(zero)
	if s.lanes == 16 {
		k := K()
		VCMPPS(U8(predicate), zero, x, k)
		VMOVAPS(other, k, v)
		return
	}
	VCMPPS(U8(predicate), zero, x, zero)
	VBLENDVPS(zero, other, v, v)
}

// exponential is kernel.exp with its operations in their order; its constants are in registers.
type exponential struct {
	isa
	log2e, high, low, least, first, bias, half, one reg.VecVirtual
	powers                                          []reg.VecVirtual
}

func (s isa) newExponential() exponential {
	number := func(x float32) reg.VecVirtual { return s.constant(math.Float32bits(x)) }
	e := exponential{
		isa: s, log2e: number(spec.Log2E), high: number(spec.Ln2High), low: number(spec.Ln2Low), least: number(spec.ExpLeast),
		first: number(1. / 720), bias: s.constant(127), powers: make([]reg.VecVirtual, len(spec.ExpPowers)),
	}
	known := map[float32]reg.VecVirtual{}
	for i, c := range spec.ExpPowers {
		if known[c] == nil {
			known[c] = number(c)
		}
		e.powers[i] = known[c]
	}
	e.half, e.one = known[0.5], known[1]
	return e
}

// of returns e^x of x <= 0; a NaN stays one.
func (e exponential) of(x reg.VecVirtual) reg.VecVirtual {
	s := e.isa
	r, scale, f, t := s.vec(), s.vec(), s.vec(), s.vec()
	VMAXPS(x, e.least, r) // of a NaN: the NaN
	VMULPS(e.log2e, r, t)
	VSUBPS(e.half, t, t)
	VCVTTPS2DQ(t, scale)
	VCVTDQ2PS(scale, f)
	VMULPS(e.high, f, t)
	VSUBPS(t, r, r)
	VMULPS(e.low, f, t)
	VSUBPS(t, r, r)
	VPADDD(e.bias, scale, scale)
	VPSLLD(U8(23), scale, scale)
	p := s.vec()
	VMOVAPS(e.first, p)
	for _, c := range e.powers {
		VMULPS(r, p, p)
		VADDPS(c, p, p)
	}
	VMULPS(scale, p, p)
	// Where x is less than the least, nothing is left of the exponential.
	if s.lanes == 16 {
		k := K()
		VCMPPS(U8(notLess), e.least, x, k)
		VMOVAPS_Z(p, k, p)
	} else {
		m := s.vec()
		VCMPPS(U8(notLess), e.least, x, m)
		VANDPS(m, p, p)
	}
	return p
}

// elu generates the exponential linear unit: kernel.exp with its operations in their order.
func elu(s isa) {
	a := s.begin("elu", "Activation", "applies the exponential linear unit; see Activation.")
	px, py, n := field(a, spec.ActX), field(a, spec.ActY), field(a, spec.ActN)
	e := s.newExponential()
	s.eachVector(n, func(disp int) {
		at := func(p reg.Register) Mem { return Mem{Base: p, Disp: disp} }
		x := s.vec()
		VMOVUPS(at(px), x)
		p := e.of(x)
		VSUBPS(e.one, p, p)
		alpha := s.vec()
		VBROADCASTSS(Mem{Base: a, Disp: spec.ActAlpha}, alpha)
		VMULPS(alpha, p, p)
		s.belowZero(lessOrEqual, x, p, x)
		VMOVUPS(x, at(py))
	}, px, py)
}

// notLess is a predicate of VCMPPS: true where one is a NaN.
const notLess = 5

// less is a predicate of VCMPPS: false where one is a NaN.
const less = 1

// sigmoid generates 1/(1+exp(-x)), or the hyperbolic tangent: the exponential is that of -|x| or
// -2|x|, whatever the sign.
func sigmoid(s isa, tanh bool) {
	name, doc := "sigmoid", "applies the logistic function; see Activation."
	if tanh {
		name, doc = "tanh", "applies the hyperbolic tangent; see Activation."
	}
	a := s.begin(name, "Activation", doc)
	px, py, n := field(a, spec.ActX), field(a, spec.ActY), field(a, spec.ActN)
	e := s.newExponential()
	s.eachVector(n, func(disp int) {
		at := func(p reg.Register) Mem { return Mem{Base: p, Disp: disp} }
		z := s.vec()
		s.zero(z)
		VSUBPS(at(px), z, z)
		VMINPS(at(px), z, z)
		if tanh {
			VADDPS(z, z, z)
		}
		p := e.of(z)
		y, x, below := s.vec(), s.vec(), s.vec()
		VADDPS(e.one, p, below)
		if tanh {
			VSUBPS(p, e.one, y)
			VDIVPS(below, y, y)
			s.zero(below)
			VSUBPS(y, below, below)
			VMOVUPS(at(px), x)
			s.belowZero(less, x, below, y)
		} else {
			VMOVAPS(e.one, y)
			VMOVUPS(at(px), x)
			s.belowZero(less, x, p, y)
			VDIVPS(below, y, y)
		}
		VMOVUPS(y, at(py))
	}, px, py)
}

// sigmoidGrad generates the derivative of the logistic function.
func sigmoidGrad(s isa) {
	a := s.begin("sigmoidGrad", "Activation", "applies the derivative of the logistic function; see Activation.")
	px, py, pd, n := field(a, spec.ActX), field(a, spec.ActY), field(a, spec.ActD), field(a, spec.ActN)
	one := s.constant(math.Float32bits(1))
	s.eachVector(n, func(disp int) {
		at := func(p reg.Register) Mem { return Mem{Base: p, Disp: disp} }
		x, d := s.vec(), s.vec()
		VMOVUPS(at(px), x)
		VMULPS(at(pd), x, d)
		VSUBPS(x, one, x)
		VMULPS(x, d, d)
		VMOVUPS(d, at(py))
	}, px, py, pd)
}

// expBelow generates exp(x - alpha).
func expBelow(s isa) {
	a := s.begin("expBelow", "Activation", "makes exponentials; see Activation.")
	px, py, n := field(a, spec.ActX), field(a, spec.ActY), field(a, spec.ActN)
	e := s.newExponential()
	s.eachVector(n, func(disp int) {
		x, top := s.vec(), s.vec()
		VBROADCASTSS(Mem{Base: a, Disp: spec.ActAlpha}, top)
		VMOVUPS(Mem{Base: px, Disp: disp}, x)
		VSUBPS(top, x, x)
		VMOVUPS(e.of(x), Mem{Base: py, Disp: disp})
	}, px, py)
}

// eluGrad generates its derivative.
func eluGrad(s isa) {
	a := s.begin("eluGrad", "Activation", "applies the derivative of the exponential linear unit; see Activation.")
	px, py, pd, n := field(a, spec.ActX), field(a, spec.ActY), field(a, spec.ActD), field(a, spec.ActN)
	alpha := s.vec()
	VBROADCASTSS(Mem{Base: a, Disp: spec.ActAlpha}, alpha)
	s.eachVector(n, func(disp int) {
		at := func(p reg.Register) Mem { return Mem{Base: p, Disp: disp} }
		x, d, scaled := s.vec(), s.vec(), s.vec()
		VMOVUPS(at(px), x)
		VMOVUPS(at(pd), d)
		VADDPS(alpha, x, scaled)
		VMULPS(scaled, d, scaled)
		s.belowZero(lessOrEqual, x, scaled, d)
		VMOVUPS(d, at(py))
	}, px, py, pd)
}
