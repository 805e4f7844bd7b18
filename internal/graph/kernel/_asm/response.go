package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

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
	SHRQ(U8(4), n)
	Label("vector")
	for h := 0; h < s.halves; h++ {
		d := h * s.bytes()
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
			continue
		}
		VMOVUPS(Mem{Base: pd, Disp: d}, v)
		VDIVPS(power, v, v)
		VMOVUPS(v, Mem{Base: py, Disp: d})
		VMULPS(Mem{Base: px, Disp: d}, v, v)
		VDIVPS(scale, v, v)
		VMOVUPS(v, Mem{Base: pt, Disp: d})
	}
	ADDQ(U8(64), px)
	ADDQ(U8(64), ps)
	ADDQ(U8(64), py)
	if grad {
		ADDQ(U8(64), pd)
		ADDQ(U8(64), pt)
	}
	DECQ(n)
	JNZ(LabelRef("vector"))
	end()
}
