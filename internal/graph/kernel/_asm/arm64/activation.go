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

// elu generates the exponential linear unit: kernel.exp with its operations in their order.
func elu() {
	f := begin("elu", "Activation", "applies the exponential linear unit; see Activation.")
	px, py, n := f.field(spec.ActX), f.field(spec.ActY), f.field(spec.ActN)
	number := func(x float32) *reg { return f.everywhere(math.Float32bits(x)) }
	log2e, high, low, least := number(spec.Log2E), number(spec.Ln2High), number(spec.Ln2Low), number(spec.ExpLeast)
	first, bias := number(1./720), f.everywhere(127)
	known, powers := map[float32]*reg{}, make([]*reg, len(spec.ExpPowers))
	for i, c := range spec.ExpPowers {
		if known[c] == nil {
			known[c] = number(c)
		}
		powers[i] = known[c]
	}
	half, one, alpha := known[0.5], known[1], f.vec()
	f.spread(alpha, f.a, spec.ActAlpha)
	f.shiftRight(n, n, 3)
	f.label("half")
	x := f.pair(px, 0)
	for _, v := range x {
		r, t, scale, k := f.vec(), f.vec(), f.vec(), f.vec()
		f.op(fmax, r, v, least)
		f.op(fmul, t, r, log2e)
		f.op(fsub, t, t, half)
		f.op1(fcvtzs, scale, t)
		f.op1(scvtf, k, scale)
		f.op(fmul, t, k, high)
		f.op(fsub, r, r, t)
		f.op(fmul, t, k, low)
		f.op(fsub, r, r, t)
		f.op(addInt, scale, scale, bias)
		f.op1(shl23, scale, scale)
		p := f.vec()
		f.copyTo(p, first)
		for _, c := range powers {
			f.op(fmul, p, p, r)
			f.op(fadd, p, p, c)
		}
		f.op(fmul, p, p, scale)
		m := f.vec()
		f.op(fcmgt, m, least, v) // nothing is left of the exponential
		f.op(bic, p, p, m)
		f.op(fsub, p, p, one)
		f.op(fmul, p, p, alpha)
		f.op1(fcmle, m, v)
		f.into(bit, v, p, m)
	}
	f.stores(x, py, 0)
	f.next(px, 32)
	f.next(py, 32)
	f.times(n, "half")
	f.end()
}

// eluGrad generates its derivative.
func eluGrad() {
	f := begin("eluGrad", "Activation", "applies the derivative of the exponential linear unit; see Activation.")
	px, py, pd, n := f.field(spec.ActX), f.field(spec.ActY), f.field(spec.ActD), f.field(spec.ActN)
	alpha := f.vec()
	f.spread(alpha, f.a, spec.ActAlpha)
	f.shiftRight(n, n, 3)
	f.label("half")
	x, d := f.pair(px, 0), f.pair(pd, 0)
	for i, v := range x {
		m, scaled := f.vec(), f.vec()
		f.op1(fcmle, m, v)
		f.op(fadd, scaled, v, alpha)
		f.op(fmul, scaled, scaled, d[i])
		f.into(bit, d[i], scaled, m)
	}
	f.stores(d, py, 0)
	for _, p := range []*reg{px, py, pd} {
		f.next(p, 32)
	}
	f.times(n, "half")
	f.end()
}
