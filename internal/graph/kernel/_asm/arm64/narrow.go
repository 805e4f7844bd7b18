package main

import (
	"fmt"
	"strings"

	"resnet/internal/graph/kernel/_asm/spec"
)

// width is the type of values in memory: float32, or bfloat16, which is half as wide.
type width struct{ narrow bool }

var wide, narrow = width{}, width{narrow: true}

// bytes is how far n bytes of float32 values are in the type.
func (e width) bytes(n int) int {
	if e.narrow {
		return n / 2
	}
	return n
}

// beginOf starts a kernel on values of a type; doc has a place for the name of its argument struct.
func beginOf(e width, base, arg, doc string) *function {
	if e.narrow {
		base, arg = "narrow"+strings.ToUpper(base[:1])+base[1:], "Narrow"+arg
	}
	return begin(base, arg, fmt.Sprintf(doc, arg))
}

// strideOf loads a field counted in values and turns it into bytes.
func (f *function) strideOf(e width, off int) *reg {
	d := f.field(off)
	f.shiftLeft(d, d, e.bytes(4)/2) // by 2 or 1 bits
	return d
}

// advanceOf adds a field counted in values to a pointer.
func (f *function) advanceOf(e width, off int, p *reg) {
	if e.narrow {
		f.add(p, p, f.strideOf(e, off))
	} else {
		f.advance(off, p)
	}
}

// values loads two registers of values, disp bytes behind p if they were float32; none is 0.
func (f *function) values(e width, none, p *reg, disp int) []*reg {
	if !e.narrow {
		return f.pair(p, disp)
	}
	packed := f.vec()
	f.load(sizeQ, packed, p, disp/2)
	return f.widen(none, packed)
}

// widen makes two registers of float32 values of one of bfloat16.
func (f *function) widen(none, packed *reg) []*reg {
	v := f.vecs(2)
	f.op(zip1, v[0], none, packed)
	f.op(zip2, v[1], none, packed)
	return v
}

// rounding is what it takes to write bfloat16 values to p: 0, and just below half of what is
// dropped of a float32's bits.
type rounding struct{ p, none, half *reg }

func (f *function) newRounding(p *reg) rounding {
	r := rounding{p, f.vec(), f.everywhere(0x7fff)}
	f.zero(r.none)
	return r
}

// store rounds two registers to nearest even, writes them disp/2 bytes behind the pointer, and
// returns what it wrote as float32. A NaN is made quiet by an addition, since rounding could carry
// it away.
func (r rounding) store(f *function, v []*reg, disp int) []*reg {
	rounded := f.vecs(2)
	for i, x := range v {
		t, number := f.vec(), f.vec()
		f.op1(shl15, t, x)
		f.op1(ushr31, t, t) // the last bit that stays
		f.op(addInt, t, t, r.half)
		f.op(addInt, t, t, x)
		f.op(fcmeq, number, x, x)
		f.op(fadd, rounded[i], x, x)
		f.into(bit, rounded[i], t, number)
	}
	packed := f.vec()
	f.op(uzp2, packed, rounded[0], rounded[1])
	f.store(sizeQ, packed, r.p, disp/2)
	return f.widen(r.none, packed)
}

// narrowMemory generates the kernels on bfloat16 memory.
func narrowMemory() {
	affines(narrow)
	moments(narrow)
	round()
	masks(narrow)
}

// round generates the writing of x as bfloat16.
func round() {
	f := begin("narrowRound", "NarrowMoments", "writes values as bfloat16; see NarrowMoments.Round.")
	x, n, to := f.field(spec.MomX), f.field(spec.MomPixels), f.newRounding(f.field(spec.MomY))
	f.label("pixel")
	for q := 0; q < quarters; q += 2 {
		to.store(f, f.pair(x, 16*q), 16*q)
	}
	f.next(x, 64)
	f.next(to.p, 32)
	f.times(n, "pixel")
	f.end()
}
