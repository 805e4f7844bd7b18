package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// response generates local response normalisation of vectors, forward or its derivative.
func response(s isa, grad bool) {
	name, doc := "response", "divides values by powers of sums; see Response."
	if grad {
		name, doc = "responseGrad", "makes the parts of the derivative; see Response."
	}
	a := s.begin(name, "Response", doc)
	px, ps, py, n := field(a, spec.RespX), field(a, spec.RespS), field(a, spec.RespY), field(a, spec.RespN)
	pd, pt := GP64(), GP64()
	if grad {
		MOVQ(Mem{Base: a, Disp: spec.RespD}, pd)
		MOVQ(Mem{Base: a, Disp: spec.RespT}, pt)
	}
	k := s.vec()
	VBROADCASTSS(Mem{Base: a, Disp: spec.RespK}, k)
	pointers := []reg.GPVirtual{px, ps, py}
	if grad {
		pointers = append(pointers, pd, pt)
	}
	s.eachVector(n, func(d int) {
		scale, root, power := s.vec(), s.vec(), s.vec()
		VADDPS(Mem{Base: ps, Disp: d}, k, scale)
		VSQRTPS(scale, root)
		VSQRTPS(root, power)
		VMULPS(root, power, power)
		v := s.vec()
		if !grad {
			VMOVUPS(Mem{Base: px, Disp: d}, v)
			VDIVPS(power, v, v)
			VMOVUPS(v, Mem{Base: py, Disp: d})
			return
		}
		VMOVUPS(Mem{Base: pd, Disp: d}, v)
		VDIVPS(power, v, v)
		VMOVUPS(v, Mem{Base: py, Disp: d})
		VMULPS(Mem{Base: px, Disp: d}, v, v)
		VDIVPS(scale, v, v)
		VMOVUPS(v, Mem{Base: pt, Disp: d})
	}, pointers...)
}
