package main

import "resnet/internal/graph/kernel/_asm/spec"

// response generates local response normalisation of vectors, forward or its derivative.
func response(grad bool) {
	name, doc := "response", "divides values by powers of sums; see Response."
	if grad {
		name, doc = "responseGrad", "makes the parts of the derivative; see Response."
	}
	f := begin(name, "Response", doc)
	px, ps, py, n, k := f.field(spec.RespX), f.field(spec.RespS), f.field(spec.RespY), f.field(spec.RespN), f.vec()
	pointers := []*reg{px, ps, py}
	var pd, pt *reg
	if grad {
		pd, pt = f.field(spec.RespD), f.field(spec.RespT)
		pointers = append(pointers, pd, pt)
	}
	f.spread(k, f.a, spec.RespK)
	f.beginHalves(n)
	scale, x, y := f.pair(ps, 0), f.pair(px, 0), f.vecs(2)
	d := x
	if grad {
		d = f.pair(pd, 0)
	}
	for i := range y {
		root, power := f.vec(), f.vec()
		f.op(fadd, scale[i], scale[i], k)
		f.op1(fsqrt, root, scale[i])
		f.op1(fsqrt, power, root)
		f.op(fmul, power, power, root)
		f.op(fdiv, y[i], d[i], power)
	}
	f.stores(y, py, 0)
	if grad {
		for i, v := range y {
			f.op(fmul, v, v, x[i])
			f.op(fdiv, v, v, scale[i])
		}
		f.stores(y, pt, 0)
	}
	f.endHalves(n, pointers...)
}
