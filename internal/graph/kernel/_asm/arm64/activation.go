package main

import (
	"math"

	"resnet/internal/graph/kernel/_asm/spec"
)

// everywhere puts a number's bits into every lane.
func (f *function) everywhere(bits uint32) *reg {
	d, x := f.vec(), f.gp()
	f.number(x, int(bits))
	f.emit(d, func() inst { return duplicate(d.n, x.n) }, x)
	return d
}

// beginHalves begins the loop of a kernel on n values, eight of them a round.
func (f *function) beginHalves(n *reg) {
	f.shiftRight(n, n, 3)
	f.label("half")
}

// endHalves ends that loop, in which each pointer goes on, and the kernel.
func (f *function) endHalves(n *reg, pointers ...*reg) {
	for _, p := range pointers {
		f.next(p, 32)
	}
	f.times(n, "half")
	f.end()
}

// exponential is kernel.exp with its operations in their order; its constants are in registers.
type exponential struct {
	log2e, high, low, least, first, bias, half, one *reg
	powers                                          []*reg
}

func (f *function) newExponential() exponential {
	number := func(x float32) *reg { return f.everywhere(math.Float32bits(x)) }
	e := exponential{
		log2e: number(spec.Log2E), high: number(spec.Ln2High), low: number(spec.Ln2Low), least: number(spec.ExpLeast),
		first: number(1. / 720), bias: f.everywhere(127), powers: make([]*reg, len(spec.ExpPowers)),
	}
	known := map[float32]*reg{}
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
func (e exponential) of(f *function, x *reg) *reg {
	r, t, scale, k := f.vec(), f.vec(), f.vec(), f.vec()
	f.op(fmax, r, x, e.least)
	f.op(fmul, t, r, e.log2e)
	f.op(fsub, t, t, e.half)
	f.op1(fcvtzs, scale, t)
	f.op1(scvtf, k, scale)
	f.op(fmul, t, k, e.high)
	f.op(fsub, r, r, t)
	f.op(fmul, t, k, e.low)
	f.op(fsub, r, r, t)
	f.op(addInt, scale, scale, e.bias)
	f.op1(shl23, scale, scale)
	p := f.vec()
	f.copyTo(p, e.first)
	for _, c := range e.powers {
		f.op(fmul, p, p, r)
		f.op(fadd, p, p, c)
	}
	f.op(fmul, p, p, scale)
	m := f.vec()
	f.op(fcmgt, m, e.least, x) // nothing is left of the exponential
	f.op(bic, p, p, m)
	return p
}

// elu generates the exponential linear unit: kernel.exp with its operations in their order.
func elu() {
	f := begin("elu", "Activation", "applies the exponential linear unit; see Activation.")
	px, py, n := f.field(spec.ActX), f.field(spec.ActY), f.field(spec.ActN)
	e, alpha := f.newExponential(), f.vec()
	f.spread(alpha, f.a, spec.ActAlpha)
	f.beginHalves(n)
	x := f.pair(px, 0)
	for _, v := range x {
		p, m := e.of(f, v), f.vec()
		f.op(fsub, p, p, e.one)
		f.op(fmul, p, p, alpha)
		f.op1(fcmle, m, v)
		f.into(bit, v, p, m)
	}
	f.stores(x, py, 0)
	f.endHalves(n, px, py)
}

// eluGrad generates its derivative.
func eluGrad() {
	f := begin("eluGrad", "Activation", "applies the derivative of the exponential linear unit; see Activation.")
	px, py, pd, n := f.field(spec.ActX), f.field(spec.ActY), f.field(spec.ActD), f.field(spec.ActN)
	alpha := f.vec()
	f.spread(alpha, f.a, spec.ActAlpha)
	f.beginHalves(n)
	x, d := f.pair(px, 0), f.pair(pd, 0)
	for i, v := range x {
		m, scaled := f.vec(), f.vec()
		f.op1(fcmle, m, v)
		f.op(fadd, scaled, v, alpha)
		f.op(fmul, scaled, scaled, d[i])
		f.into(bit, d[i], scaled, m)
	}
	f.stores(d, py, 0)
	f.endHalves(n, px, py, pd)
}

// sigmoid generates 1/(1+exp(-x)), or the hyperbolic tangent: the exponential is that of -|x| or
// -2|x|, whatever the sign.
func sigmoid(tanh bool) {
	name, doc := "sigmoid", "applies the logistic function; see Activation."
	if tanh {
		name, doc = "tanh", "applies the hyperbolic tangent; see Activation."
	}
	f := begin(name, "Activation", doc)
	px, py, n := f.field(spec.ActX), f.field(spec.ActY), f.field(spec.ActN)
	e, none := f.newExponential(), f.vec()
	f.zero(none)
	f.beginHalves(n)
	x := f.pair(px, 0)
	for _, v := range x {
		z := f.vec()
		f.op(fsub, z, none, v)
		f.op(fmax, z, z, v)
		f.op(fsub, z, none, z)
		if tanh {
			f.op(fadd, z, z, z)
		}
		p, m, below := e.of(f, z), f.vec(), f.vec()
		f.op(fcmgt, m, none, v)
		f.op(fadd, below, e.one, p)
		if tanh {
			f.op(fsub, v, e.one, p)
			f.op(fdiv, v, v, below)
			f.op(fsub, below, none, v)
			f.into(bit, v, below, m)
		} else {
			f.copyTo(v, e.one)
			f.into(bit, v, p, m)
			f.op(fdiv, v, v, below)
		}
	}
	f.stores(x, py, 0)
	f.endHalves(n, px, py)
}

// sigmoidGrad generates the derivative of the logistic function.
func sigmoidGrad() {
	f := begin("sigmoidGrad", "Activation", "applies the derivative of the logistic function; see Activation.")
	px, py, pd, n := f.field(spec.ActX), f.field(spec.ActY), f.field(spec.ActD), f.field(spec.ActN)
	one := f.everywhere(math.Float32bits(1))
	f.beginHalves(n)
	x, d := f.pair(px, 0), f.pair(pd, 0)
	for i, v := range x {
		f.op(fmul, d[i], d[i], v)
		f.op(fsub, v, one, v)
		f.op(fmul, d[i], d[i], v)
	}
	f.stores(d, py, 0)
	f.endHalves(n, px, py, pd)
}

// expBelow generates exp(x - alpha).
func expBelow() {
	f := begin("expBelow", "Activation", "makes exponentials; see Activation.")
	px, py, n := f.field(spec.ActX), f.field(spec.ActY), f.field(spec.ActN)
	e, top := f.newExponential(), f.vec()
	f.spread(top, f.a, spec.ActAlpha)
	f.beginHalves(n)
	x := f.pair(px, 0)
	for i, v := range x {
		f.op(fsub, v, v, top)
		x[i] = e.of(f, v)
	}
	f.stores(x, py, 0)
	f.endHalves(n, px, py)
}
