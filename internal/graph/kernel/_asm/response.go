package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Offsets in kernel.Response.
const (
	respX, respS, respY, respD, respT = 0, 24, 48, 72, 96
	respN, respK                      = 120, 128
)

// response generates local response normalisation of vectors, forward or its derivative.
func response(s isa, grad bool) {
	name, doc := "response", "divides values by powers of sums; see Response."
	if grad {
		name, doc = "responseGrad", "makes the parts of the derivative; see Response."
	}
	a := s.begin(name, "Response", doc)
	px, ps, py, n := field(a, respX), field(a, respS), field(a, respY), field(a, respN)
	pd, pt := GP64(), GP64()
	if grad {
		MOVQ(Mem{Base: a, Disp: respD}, pd)
		MOVQ(Mem{Base: a, Disp: respT}, pt)
	}
	k := s.vec()
	VBROADCASTSS(Mem{Base: a, Disp: respK}, k)
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
