package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// element is the type of values in memory: float32, or bfloat16, which is half as wide.
type element struct{ narrow bool }

var wide, narrow = element{}, element{narrow: true}

// bytes is how far n bytes of float32 values are in the element type.
func (e element) bytes(n int) int {
	if e.narrow {
		return n / 2
	}
	return n
}

// stride loads a field counted in values and turns it into bytes.
func (e element) stride(a reg.Register, off int) reg.GPVirtual {
	r := field(a, off)
	SHLQ(U8(e.bytes(4)/2), r) // by 2 or 1 bits
	return r
}

// advance adds a field counted in values to a pointer.
func (e element) advance(a reg.Register, off int, p reg.Register) {
	t := field(a, off)
	LEAQ(Mem{Base: p, Index: t, Scale: uint8(e.bytes(4))}, p)
}

// beginOf starts a kernel on elements of a type; doc has a place for the name of its argument
// struct.
func (s isa) beginOf(e element, base, arg, doc string) reg.GPVirtual {
	if e.narrow {
		base, arg = "narrow"+strings.ToUpper(base[:1])+base[1:], "Narrow"+arg
	}
	return s.begin(base, arg, fmt.Sprintf(doc, arg))
}

// load loads a register of values, disp bytes behind p if they were float32.
func (s isa) load(e element, p reg.Register, disp int, v reg.VecVirtual) {
	if !e.narrow {
		VMOVUPS(Mem{Base: p, Disp: disp}, v)
		return
	}
	VPMOVZXWD(Mem{Base: p, Disp: disp / 2}, v)
	VPSLLD(U8(16), v, v)
}

// half is just below half of what bfloat16 drops of a float32's bits, 0x7fff.
func (s isa) half() reg.VecVirtual {
	v := s.vec()
	if s.lanes == 16 {
		VPTERNLOGD(U8(0xff), v, v, v)
	} else {
		VPCMPEQD(v, v, v)
	}
	VPSRLD(U8(17), v, v)
	return v
}

// storeRounded rounds v to bfloat16, to nearest even, and stores it, disp/2 bytes behind p. half is
// that of the function above. A NaN is made quiet by an addition, since rounding could carry it away.
func (s isa) storeRounded(v, half reg.VecVirtual, p reg.Register, disp int) {
	t := s.vec()
	VPSLLD(U8(15), v, t)
	VPSRLD(U8(31), t, t) // the last bit that stays
	VPADDD(half, t, t)
	VPADDD(v, t, t)
	if s.lanes == 16 {
		k := K()
		VCMPPS(U8(unordered), v, v, k)
		VADDPS(v, v, k, t)
		VPSRLD(U8(16), t, t)
		VPMOVDW(t, Mem{Base: p, Disp: disp / 2})
		VPSLLD(U8(16), t, v)
		return
	}
	m, q := s.vec(), s.vec()
	VCMPPS(U8(unordered), v, v, m)
	VADDPS(v, v, q)
	VBLENDVPS(m, q, t, t)
	VPSRLD(U8(16), t, t)
	VPSLLD(U8(16), t, v)
	high := XMM()
	VEXTRACTI128(U8(1), t, high)
	VPACKUSDW(high, t.AsX(), high)
	VMOVDQU(high, Mem{Base: p, Disp: disp / 2})
}

// narrowMemory generates the kernels on bfloat16 memory.
func narrowMemory(s isa) {
	affines(s, narrow)
	moments(s, narrow)
	round(s)
	masks(s, narrow)
}

// round generates the writing of x as bfloat16.
func round(s isa) {
	a := s.begin("narrowRound", "NarrowMoments", "writes values as bfloat16; see NarrowMoments.Round.")
	x, y, n, half := field(a, spec.MomX), field(a, spec.MomY), field(a, spec.MomPixels), s.half()
	Label("pixel")
	for h := range s.halves {
		d, v := h*s.bytes(), s.vec()
		VMOVUPS(Mem{Base: x, Disp: d}, v)
		s.storeRounded(v, half, y, d)
	}
	ADDQ(U8(64), x)
	ADDQ(U8(32), y)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	end()
}
